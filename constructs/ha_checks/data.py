"""Rules about databases and their replicas."""

import re
from collections.abc import Iterator

from ha_checks.assembly import Assembly
from ha_checks.intrinsics import UNKNOWN_PART
from ha_checks.resource import Resource, arn_region, target_of
from ha_checks.rule import Finding, Settings, rule

THEME = "Data"

_PROTECTION = {
    "AWS::RDS::DBInstance": "DeletionProtection",
    "AWS::RDS::DBCluster": "DeletionProtection",
    "AWS::RDS::GlobalCluster": "DeletionProtection",
    "AWS::DocDB::DBCluster": "DeletionProtection",
    "AWS::Neptune::DBCluster": "DeletionProtection",
    "AWS::DynamoDB::Table": "DeletionProtectionEnabled",
    "AWS::EKS::Cluster": "DeletionProtection",
}

_MEMORY = {"c": 2, "m": 4, "t": 4, "r": 8, "x": 16, "z": 8}
"""GiB a vCPU by the family's first letter: what makes instances of different families comparable."""

_SIZE = re.compile(r"^(?:db|cache)\.(?P<family>[a-z]+)\d\w*\.(?:(?P<times>\d+)x|x)?(?P<word>micro|small|medium|large)")


@rule(
    theme=THEME,
    why="An instance in one zone is away with its zone, for maintenance and for each change of its class; a standby "
    "takes over within a minute or two, and only Multi-AZ is under the service's 99.95 %.",
    mend="`MultiAZ: true` (two instances in an Aurora cluster, `MultiAZEnabled` with a replica for a cache, zone "
    "awareness or an active/standby pair elsewhere).",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.html",
)
def single_zone_data(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A database, cache, search domain or broker in one zone."""
    switches = {
        "AWS::RDS::DBInstance": ("MultiAZ", False),
        "AWS::ElastiCache::ReplicationGroup": ("MultiAZEnabled", False),
        "AWS::OpenSearchService::Domain": ("ClusterConfig.ZoneAwarenessEnabled", False),
    }
    for kind, (path, default) in switches.items():
        for resource in assembly.of_type(kind):
            if not _is_cluster_member(resource) and resource.flag(path, default) is False:
                yield Finding(resource, f"{path} is off", f"Properties.{path}")
    for broker in assembly.of_type("AWS::AmazonMQ::Broker"):
        if broker.get("DeploymentMode") == "SINGLE_INSTANCE":
            yield Finding(broker, "the broker is a single instance", "Properties.DeploymentMode")
    for cluster in assembly.of_type("AWS::RDS::DBCluster"):
        members = _members(cluster)
        # A secondary of a global database may run without instances; a Multi-AZ cluster names its instances' class.
        if len(members) == 1 and cluster.get("DBClusterInstanceClass") is None:
            yield Finding(cluster, "the cluster has one instance, thus nothing to fail over to")


@rule(
    theme=THEME,
    why="Without it a deleted stack, a renamed construct or a slip in the console deletes it at once.",
    mend="Turn deletion protection on; take it off in a change of its own before the resource goes.",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html",
)
def no_deletion_protection(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A database, table, cluster or load balancer without deletion protection."""
    for kind, path in _PROTECTION.items():
        for resource in assembly.of_type(kind):
            if not _is_cluster_member(resource) and resource.flag(path, False) is False:
                yield Finding(resource, "deletion protection is off", f"Properties.{path}")
    for balancer in assembly.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        value = balancer.attribute("deletion_protection.enabled")
        if (balancer.get("LoadBalancerAttributes", []) and value is None) or str(value).lower() == "false":
            yield Finding(balancer, "deletion protection is off", "Properties.LoadBalancerAttributes")
        elif "LoadBalancerAttributes" not in balancer.properties:
            yield Finding(balancer, "deletion protection is off")


@rule(
    theme=THEME,
    why="After a failover the replica carries the writer's whole load; a smaller one answers slowly or not at all "
    "just then, and before that it lags behind.",
    mend="Give the replica the writer's instance class, storage and IOPS.",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html",
)
def replica_smaller_than_writer(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A replica with less processor, memory, storage or IOPS than its writer."""
    for replica in assembly.of_type("AWS::RDS::DBInstance"):
        writer = writer_of(replica)
        if writer:
            yield from _smaller(replica, writer)
    for cluster in assembly.of_type("AWS::RDS::DBCluster"):
        primary = _primary_cluster(cluster)
        if primary:
            for member, model in zip(_members(cluster), _members(primary), strict=False):
                yield from _smaller(member, model)


def _smaller(replica: Resource, writer: Resource) -> Iterator[Finding]:
    own, wanted = (str(resource.get("DBInstanceClass", "")) for resource in (replica, writer))
    if own != wanted and _is_smaller(own, wanted):
        yield Finding(replica, f"the replica is a {own}, its writer a {wanted}", "Properties.DBInstanceClass")
    for path in ("AllocatedStorage", "MaxAllocatedStorage", "Iops", "StorageThroughput"):
        size, least = replica.number(path), writer.number(path)
        if size is not None and least is not None and size < least:
            message = f"the replica's {path} is {size:g}, its writer's {least:g}"
            yield Finding(replica, message, f"Properties.{path}")


def _is_smaller(own: str, wanted: str) -> bool:
    small, large = _capacity(own), _capacity(wanted)
    return bool(small and large) and any(have < need for have, need in zip(small or (), large or (), strict=True))


def _capacity(name: str) -> tuple[float, float] | None:
    """Processors and memory of an instance class, ``None`` where its name does not tell."""
    match = _SIZE.match(name)
    if not match or match["family"][0] not in _MEMORY:
        return None
    if match["word"] != "large":
        # Burstable sizes below large all have two processors; memory halves with each step.
        return 2, {"micro": 1, "small": 2, "medium": 4}[match["word"]]
    large = "x" in name.rpartition(".")[2]
    processors = 2.0 * (2 * int(match["times"] or 1) if large else 1)
    return processors, processors * _MEMORY[match["family"][0]]


@rule(
    theme=THEME,
    why="A key never leaves its region. Without one of the replica's own region RDS refuses the copy of an encrypted "
    "database, after the rest of the stack was built.",
    mend="Give the replica `KmsKeyId` with a key of its own region (a multi-region key's replica, or another key).",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html",
)
def cross_region_replica_without_key(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """An encrypted database's replica in another region without a key of that region."""
    for replica in assembly.of_type("AWS::RDS::DBInstance", "AWS::RDS::DBCluster"):
        source = _source_region(replica)
        if not source or not replica.region or source == replica.region:
            continue
        writer = writer_of(replica) or _primary_cluster(replica)
        encrypted = replica.flag("StorageEncrypted", False) or (writer and _is_encrypted(writer))
        if encrypted and replica.get("KmsKeyId") is None:
            message = f"a replica of {source} in {replica.region} names no key of {replica.region}"
            yield Finding(replica, message, "Properties.KmsKeyId")


def writer_of(replica: Resource) -> Resource | None:
    """The instance that a replica copies, where the assembly has it."""
    source = replica.get("SourceDBInstanceIdentifier")
    target = target_of(source)
    if target or not isinstance(source, str):
        return target
    region, name = arn_region(source) or replica.region, source.rpartition(":")[2]
    for instance in replica.stack.assembly.of_type("AWS::RDS::DBInstance"):
        identifier = instance.get("DBInstanceIdentifier")
        if isinstance(identifier, str) and identifier.lower() == name.lower() and instance.region == region:
            return instance
    return None


def _source_region(replica: Resource) -> str | None:
    for path in ("SourceDBInstanceIdentifier", "ReplicationSourceIdentifier"):
        region = arn_region(replica.text(path))
        if region:
            return region
        target = replica.target(path)
        if target:
            return target.region
    source = replica.literal("SourceRegion")
    primary = _primary_cluster(replica)
    return source or (primary.region if primary else None)


def _primary_cluster(cluster: Resource) -> Resource | None:
    """The writing cluster of a global database that a secondary cluster belongs to."""
    key = _global_key(cluster)
    if not key or cluster.get("MasterUsername") is not None:
        return None
    for other in cluster.stack.assembly.of_type("AWS::RDS::DBCluster"):
        source = other.get("MasterUsername") or other.get("MasterUserSecret")
        if other is not cluster and other.region != cluster.region and source is not None and _global_key(other) == key:
            return other
    return None


def _global_key(cluster: Resource) -> str | None:
    target = cluster.target("GlobalClusterIdentifier")
    if target:
        return str(target.get("GlobalClusterIdentifier", target.path))
    text = cluster.text("GlobalClusterIdentifier")
    return text if text and UNKNOWN_PART not in text else None


def _is_encrypted(writer: Resource) -> bool:
    return bool(writer.flag("StorageEncrypted", False)) or writer.get("KmsKeyId") is not None


def _members(cluster: Resource) -> list[Resource]:
    name = cluster.get("DBClusterIdentifier")
    return [
        instance
        for instance in cluster.stack.of_type("AWS::RDS::DBInstance")
        if instance.target("DBClusterIdentifier") is cluster
        or (isinstance(name, str) and instance.get("DBClusterIdentifier") == name)
    ]


def _is_cluster_member(resource: Resource) -> bool:
    return resource.type == "AWS::RDS::DBInstance" and resource.get("DBClusterIdentifier") is not None
