"""ElastiCache groups and the Global Datastore.

Modelled: the Global Datastore with its members, in our own state; a secondary group takes node type, engine, parameters
and encryption from the primary; a group's key, port and security groups, and how a user proves who it is.
Refused: a cache subnet group, user group, key or security group that the region lacks; automatic failover with one
node; a Global Datastore whose member does not exist, with node types below ``large``, more than two secondaries, two
members in one region, or a primary that is in a datastore already; deletion of a datastore with secondaries.

AWS: "Prerequisites and limitations" of Global Datastores,
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Redis-Global-Datastores-Getting-Started.html
"""

from typing import Any

from ministack.services import elasticache as store

from ops.emulator.handlers.base import (
    Attributes,
    Extension,
    Handler,
    Outcome,
    Properties,
    Refused,
    Request,
    as_bool,
    exists,
    extends,
    handles,
)
from ops.emulator.handlers.lookups import groups_of, subnets_of
from ops.emulator.handlers.rds import check_key
from ops.emulator.state import GLOBAL, STATE

GLOBAL_DATASTORE = "AWS::ElastiCache::GlobalReplicationGroup"
_PORT = 6379
_SMALL_SIZES = ("micro", "small", "medium")
_INHERITED = ("CacheNodeType", "Engine", "AtRestEncryptionEnabled", "TransitEncryptionEnabled", "EngineVersion")


@extends("AWS::ElastiCache::SubnetGroup")
class SubnetGroup(Extension):
    """A cache subnet group needs its subnets."""

    def check(self, request: Request) -> None:
        """They exist."""
        subnets_of(request, request.properties["SubnetIds"])


@extends("AWS::ElastiCache::User")
class User(Extension):
    """How a user proves who it is.

    AWS: "Authenticating with IAM", https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
    """

    def check(self, request: Request) -> None:
        """A user that signs in through IAM has one name."""
        properties = request.properties
        if _authentication(properties) == "iam" and properties["UserName"] != properties["UserId"]:
            raise Refused(f"the id and the name of IAM user {properties['UserId']!r} must be the same")

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Keep the kind, and how many passwords there are."""
        mode = request.properties.get("AuthenticationMode", {})
        passwords = mode.get("Passwords") or request.properties.get("Passwords", [])
        store._users[outcome.physical_id]["Authentication"] = {
            "Type": _authentication(request.properties).removesuffix("-required"),
            "PasswordCount": len(passwords),
        }
        return {}


def _authentication(properties: Properties) -> str:
    kind = properties.get("AuthenticationMode", {}).get("Type")
    return str(kind or ("password" if properties.get("Passwords") else "no-password-required"))


@extends("AWS::ElastiCache::UserGroup")
class UserGroup(Extension):
    """A user group needs its users, of its engine."""

    def check(self, request: Request) -> None:
        """They exist and are of the group's engine."""
        for user in request.properties.get("UserIds", []):
            found = exists(request.client("elasticache").describe_users, UserId=user)
            users = found.get("Users", []) if found else []
            if not users and user != "default":
                raise Refused(f"cache user {user!r} does not exist in {request.region}")
            wanted = request.properties["Engine"].lower()
            if users and wanted == "valkey" and users[0]["Engine"].lower() not in ("valkey", "redis"):
                raise Refused(f"cache user {user} is for {users[0]['Engine']}, the group for {wanted}")


@extends("AWS::ElastiCache::ReplicationGroup")
class ReplicationGroup(Extension):
    """A replication group, alone or in a Global Datastore."""

    def check(self, request: Request) -> None:
        """What the group refers to exists; failover has somewhere to go."""
        properties = request.properties
        group = properties.get("CacheSubnetGroupName")
        if (
            group
            and exists(request.client("elasticache").describe_cache_subnet_groups, CacheSubnetGroupName=group) is None
        ):
            raise Refused(f"cache subnet group {group!r} does not exist in {request.region}")
        groups_of(request, properties.get("SecurityGroupIds", []))
        if properties.get("KmsKeyId"):
            check_key(request, properties["KmsKeyId"])
        for name in properties.get("UserGroupIds", []):
            if exists(request.client("elasticache").describe_user_groups, UserGroupId=name) is None:
                raise Refused(f"cache user group {name!r} does not exist in {request.region}")
        nodes = int(properties.get("NumCacheClusters") or int(properties.get("ReplicasPerNodeGroup") or 0) + 1)
        for name in ("AutomaticFailoverEnabled", "MultiAZEnabled"):
            if as_bool(properties.get(name)) and nodes < 2:
                raise Refused(f"{name} needs a replica: the group has {nodes} node a shard")
        if properties.get("GlobalReplicationGroupId"):
            _check_secondary(request)
        elif not properties.get("CacheNodeType"):
            raise Refused("a replication group of its own needs a CacheNodeType")

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Keep the settings that the emulator drops, and join the Global Datastore."""
        _keep_settings(outcome.physical_id, request.properties)
        datastore_id = request.properties.get("GlobalReplicationGroupId")
        datastore = STATE.get(GLOBAL_DATASTORE, GLOBAL, str(datastore_id)) if datastore_id else None
        if datastore is None or datastore_id is None:
            return {}
        own = store._replication_groups.get(outcome.physical_id)
        primary = _member_group(request, datastore["Members"][0])
        if own is not None and primary is not None:
            own |= {name: primary[name] for name in _INHERITED if name in primary}
        members = _others(datastore, outcome.physical_id, request.region)
        members.append(_member(outcome.physical_id, request.region, "SECONDARY"))
        STATE.put(GLOBAL_DATASTORE, GLOBAL, datastore_id, {**datastore, "Members": members})
        return {}

    def before_delete(self, request: Request) -> None:
        """Leave the Global Datastore; its primary cannot go while it is one."""
        for datastore_id, datastore in STATE.find(GLOBAL_DATASTORE).items():
            for member in datastore["Members"]:
                if (member["ReplicationGroupId"], member["ReplicationGroupRegion"]) != (
                    request.physical_id,
                    request.region,
                ):
                    continue
                if member["Role"] == "PRIMARY":
                    raise Refused(f"{request.physical_id} is the primary of Global Datastore {datastore_id}")
                rest = [other for other in datastore["Members"] if other != member]
                STATE.put(GLOBAL_DATASTORE, GLOBAL, datastore_id, {**datastore, "Members": rest})


_KEPT = ("KmsKeyId", "Durability", "NetworkType", "IpDiscovery")


def _keep_settings(group_id: str, properties: Properties) -> None:
    """Put key, port and groups into the records of the replication group and of its nodes."""
    group = store._replication_groups.get(group_id)
    if group is None:
        return
    for name in _KEPT:
        group[name] = properties.get(name)
    groups = [{"SecurityGroupId": name, "Status": "active"} for name in properties.get("SecurityGroupIds", [])]
    port = int(properties.get("Port") or _PORT)
    endpoints = [group.get("ConfigurationEndpoint")]
    for shard in group["NodeGroups"]:
        endpoints += [shard.get("PrimaryEndpoint"), shard.get("ReaderEndpoint")]
        endpoints += [node.get("ReadEndpoint") for node in shard["NodeGroupMembers"]]
    for node_id in group["MemberClusters"]:
        node = store._clusters[node_id]
        node["SecurityGroups"] = groups
        node["CacheParameterGroup"]["CacheParameterGroupName"] = group["CacheParameterGroupName"]
        endpoints += [item["Endpoint"] for item in node["CacheNodes"]]
    for endpoint in filter(None, endpoints):
        endpoint["Port"] = port


def _check_secondary(request: Request) -> None:
    datastore_id = request.properties["GlobalReplicationGroupId"]
    datastore = STATE.get(GLOBAL_DATASTORE, GLOBAL, datastore_id)
    if datastore is None:
        raise Refused(f"Global Datastore {datastore_id!r} does not exist")
    for name in ("CacheNodeType", "EngineVersion"):
        if request.properties.get(name):
            raise Refused(f"{name} of a secondary group comes from the Global Datastore and cannot be given")
    others = _others(datastore, request.physical_id, request.region)
    if any(member["ReplicationGroupRegion"] == request.region for member in others):
        raise Refused(f"Global Datastore {datastore_id} has a member in {request.region} already")
    if sum(member["Role"] == "SECONDARY" for member in others) >= 2:
        raise Refused(f"Global Datastore {datastore_id} has two secondaries already: that is the most")


@handles(GLOBAL_DATASTORE)
class GlobalDatastore(Handler):
    """A Global Datastore: a primary replication group and its secondaries."""

    reason = "the emulator has no Global Datastore: state and checks of our handler; nothing is replicated"
    regional = False

    def check(self, request: Request) -> None:
        """The members are what a Global Datastore takes."""
        members = request.properties["Members"]
        regions = [member.get("ReplicationGroupRegion") for member in members]
        if len(set(regions)) < len(regions):
            raise Refused("a Global Datastore takes one member a region")
        if sum(member.get("Role", "").upper() == "PRIMARY" for member in members) != 1:
            raise Refused("a Global Datastore has exactly one PRIMARY member")
        if len(members) > 3:
            raise Refused("a Global Datastore has two secondaries at most")
        versions = {_checked_group(request, member).get("EngineVersion") for member in members}
        if len(versions) > 1:
            raise Refused(f"the members of a Global Datastore run one engine version, got {sorted(map(str, versions))}")

    def create(self, request: Request) -> Outcome:
        """Note the datastore under an id with the service's prefix."""
        datastore_id = f"ldgnf-{request.properties['GlobalReplicationGroupIdSuffix']}"
        for other_id, other in STATE.find(GLOBAL_DATASTORE).items():
            taken = {(item["ReplicationGroupId"], item["ReplicationGroupRegion"]) for item in other["Members"]}
            wanted = {
                (item["ReplicationGroupId"], item["ReplicationGroupRegion"]) for item in request.properties["Members"]
            }
            if taken & wanted:
                raise Refused(f"{min(taken & wanted)[0]} is a member of Global Datastore {other_id} already")
        members = [
            _member(member["ReplicationGroupId"], member["ReplicationGroupRegion"], member["Role"].upper())
            for member in request.properties["Members"]
        ]
        return self._kept(request, datastore_id, sorted(members, key=lambda member: str(member["Role"])))

    def update(self, request: Request) -> Outcome:
        """Take new settings; members joined by their own stacks stay."""
        former = STATE.get(GLOBAL_DATASTORE, GLOBAL, request.physical_id) or {"Members": []}
        return self._kept(request, request.physical_id, former["Members"])

    def delete(self, request: Request) -> None:
        """Forget, unless a secondary still belongs to it."""
        record = STATE.get(GLOBAL_DATASTORE, GLOBAL, request.physical_id)
        secondaries = [member for member in (record or {}).get("Members", []) if member["Role"] == "SECONDARY"]
        if secondaries:
            raise Refused(
                f"Global Datastore {request.physical_id} still has the secondary "
                f"{secondaries[0]['ReplicationGroupId']} "
                f"in {secondaries[0]['ReplicationGroupRegion']}"
            )
        self.forget(request)

    def _kept(self, request: Request, datastore_id: str, members: list[dict[str, Any]]) -> Outcome:
        record = {
            "GlobalReplicationGroupId": datastore_id,
            "GlobalReplicationGroupDescription": request.properties.get("GlobalReplicationGroupDescription", ""),
            "Status": "available",
            "Members": members,
        }
        self.keep(request, datastore_id, record)
        return Outcome(datastore_id, {"GlobalReplicationGroupId": datastore_id, "Status": "available"})


def _member(group: str, region: str, role: str) -> dict[str, Any]:
    return {"ReplicationGroupId": group, "ReplicationGroupRegion": region, "Role": role, "Status": "associated"}


def _others(datastore: dict[str, Any], group: str, region: str) -> list[dict[str, Any]]:
    # Groups of different regions may have the same id.
    own = (group, region)
    return [
        item for item in datastore["Members"] if (item["ReplicationGroupId"], item["ReplicationGroupRegion"]) != own
    ]


def _member_group(request: Request, member: dict[str, Any]) -> dict[str, Any] | None:
    region, name = member["ReplicationGroupRegion"], member["ReplicationGroupId"]
    found: dict[str, Any] | None = store._replication_groups.get_scoped(request.account, region, name)
    return found


def _checked_group(request: Request, member: dict[str, Any]) -> dict[str, Any]:
    name, region = member["ReplicationGroupId"], member["ReplicationGroupRegion"]
    group = _member_group(request, member)
    if group is None:
        raise Refused(f"replication group {name!r} does not exist in {region}")
    node_type = str(group.get("CacheNodeType", ""))
    if node_type.rsplit(".", 1)[-1] in _SMALL_SIZES or node_type.startswith("cache.t"):
        raise Refused(f"{name} has {node_type} nodes: a Global Datastore needs `large` and up, and no t type")
    return group
