"""ElastiCache: Global Datastores, and what ministack does not tell of replication groups."""

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id, get_region
from ministack.services import elasticache

from ops.emulator.apis.answers import Answer, Parameters, add_query_actions, element, elements
from ops.emulator.handlers.elasticache import GLOBAL_DATASTORE
from ops.emulator.state import GLOBAL, STATE

_GROUP_DETAILS = ("KmsKeyId", "Durability", "NetworkType", "IpDiscovery")
_OF_PRIMARY = (
    "CacheNodeType", "Engine", "EngineVersion", "ClusterEnabled", "AuthTokenEnabled", "TransitEncryptionEnabled",
    "AtRestEncryptionEnabled",
)  # fmt: skip


def install() -> None:
    """Add the actions, and complete the answers."""
    elasticache._user_xml = _escaped_user(elasticache._user_xml)
    elasticache._rg_xml = _group_with_details(elasticache._rg_xml)
    add_query_actions("elasticache", {"DescribeGlobalReplicationGroups": describe_global_replication_groups})


def _escaped_user(original: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """Ministack writes a cache user's access string as it is; one with ``&*`` breaks the answer's XML."""
    return lambda user: original({**user, "AccessString": escape(str(user.get("AccessString", "")))})


def _group_with_details(original: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """A replication group with its key and its place in a Global Datastore."""
    return lambda group: original(group) + elements(group, _GROUP_DETAILS) + _place(group)


def _place(group: dict[str, Any]) -> str:
    own = (group["ReplicationGroupId"], group["ARN"].split(":")[3])
    for datastore_id, datastore in STATE.find(GLOBAL_DATASTORE).items():
        for member in datastore["Members"]:
            if (member["ReplicationGroupId"], member["ReplicationGroupRegion"]) == own:
                place = element("GlobalReplicationGroupId", datastore_id)
                place += element("GlobalReplicationGroupMemberRole", member["Role"])
                return f"<GlobalReplicationGroupInfo>{place}</GlobalReplicationGroupInfo>"
    return ""


def describe_global_replication_groups(parameters: Parameters) -> Answer:
    """The Global Datastores that have a member in the region, with their members where these are asked for."""
    wanted = elasticache._p(parameters, "GlobalReplicationGroupId")
    known = STATE.find(GLOBAL_DATASTORE, GLOBAL)
    here = {
        name: datastore
        for name, datastore in known.items()
        if any(member["ReplicationGroupRegion"] == get_region() for member in datastore["Members"])
    }
    if wanted and wanted not in here:
        message = f"Global Replication Group {wanted} does not exist."
        refusal: Answer = elasticache._error("GlobalReplicationGroupNotFoundFault", message, 404)
        return refusal
    with_members = elasticache._p(parameters, "ShowMemberInfo").lower() == "true"
    items = "".join(
        _datastore(name, datastore, with_members) for name, datastore in here.items() if wanted in ("", name)
    )
    answer: Answer = elasticache._xml(
        200,
        "DescribeGlobalReplicationGroupsResponse",
        "<DescribeGlobalReplicationGroupsResult>"
        f"<GlobalReplicationGroups>{items}</GlobalReplicationGroups></DescribeGlobalReplicationGroupsResult>",
    )
    return answer


def _datastore(name: str, datastore: dict[str, Any], with_members: bool) -> str:
    primary = next((_group(member) for member in datastore["Members"] if member["Role"] == "PRIMARY"), {})
    told = element("GlobalReplicationGroupId", name)
    told += elements(datastore, ("GlobalReplicationGroupDescription", "Status")) + elements(primary, _OF_PRIMARY)
    told += element("ARN", f"arn:aws:elasticache::{get_account_id()}:globalreplicationgroup:{name}")
    if with_members:
        told += f"<Members>{''.join(_member(member) for member in datastore['Members'])}</Members>"
    return f"<GlobalReplicationGroup>{told}</GlobalReplicationGroup>"


def _member(member: dict[str, Any]) -> str:
    told = elements(member, ("ReplicationGroupId", "ReplicationGroupRegion", "Role", "Status"))
    told += elements(_group(member), ("AutomaticFailover",))
    return f"<GlobalReplicationGroupMember>{told}</GlobalReplicationGroupMember>"


def _group(member: dict[str, Any]) -> dict[str, Any]:
    groups = elasticache._replication_groups
    found = groups.get_scoped(get_account_id(), member["ReplicationGroupRegion"], member["ReplicationGroupId"])
    return found or {}
