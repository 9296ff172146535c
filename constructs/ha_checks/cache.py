"""Rules about ElastiCache: settings that ElastiCache refuses, after the rest of the stack was built."""

import re
from collections.abc import Iterator

from ha_checks.assembly import Assembly
from ha_checks.intrinsics import UNKNOWN
from ha_checks.resource import Resource, target_of
from ha_checks.rule import Finding, Settings, rule

THEME = "Cache"
_GROUP = "AWS::ElastiCache::ReplicationGroup"
_DATASTORE = "AWS::ElastiCache::GlobalReplicationGroup"
_SMALL = re.compile(r"^cache\.(t\w*\.|\w+\.(micro|small|medium)$)")
_SECONDARIES = 2


@rule(
    theme=THEME,
    why="Failover needs a node to fail over to: ElastiCache refuses automatic failover with one node, and Multi-AZ "
    "without a replica or without automatic failover.",
    mend="`NumCacheClusters` of 2 or more (3: one a zone), or `ReplicasPerNodeGroup` of 1 or more, with "
    "`AutomaticFailoverEnabled` and `MultiAZEnabled`.",
    url="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html",
)
def cache_failover_without_replica(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A replication group whose failover has nowhere to go."""
    for group in assembly.of_type(_GROUP):
        failover, zones = group.flag("AutomaticFailoverEnabled", False), group.flag("MultiAZEnabled", False)
        if zones and failover is False:
            yield Finding(group, "Multi-AZ without automatic failover", "Properties.AutomaticFailoverEnabled")
        nodes = _nodes(group)
        if nodes is None or nodes > 1:
            continue
        if zones:
            yield Finding(group, "Multi-AZ with one node a shard", "Properties.MultiAZEnabled")
        elif failover and not _has_shards(group):
            yield Finding(group, "automatic failover with one node", "Properties.AutomaticFailoverEnabled")


@rule(
    theme=THEME,
    why="A Global Datastore takes M5, R5 and newer families from `large` up: burstable and smaller nodes are refused "
    "when the datastore is made, which is after its primary.",
    mend="`cache.m7g.large` or `cache.r7g.large` and up in the primary; the secondaries follow it.",
    url="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Redis-Global-Datastores-Getting-Started.html",
)
def global_datastore_with_small_nodes(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A Global Datastore whose primary has nodes of a type it does not take."""
    for datastore in assembly.of_type(_DATASTORE):
        own = datastore.literal("CacheNodeType")
        if own and _SMALL.match(own):
            yield Finding(datastore, f"a Global Datastore takes no {own}", "Properties.CacheNodeType")
        for group in _members(datastore):
            node_type = group.literal("CacheNodeType")
            if node_type and _SMALL.match(node_type):
                yield Finding(group, f"a Global Datastore takes no {node_type}", "Properties.CacheNodeType")


@rule(
    theme=THEME,
    why="A Global Datastore has two secondaries at most, each in a region of its own: the stack of the next region "
    "fails.",
    mend="Let further regions have a cache of their own.",
    url="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Redis-Global-Datastores-Getting-Started.html",
)
def too_many_datastore_secondaries(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A third secondary of one Global Datastore, or two in one region."""
    joined: dict[str, list[Resource]] = {}
    for group in assembly.of_type(_GROUP):
        value = group.get("GlobalReplicationGroupId")
        target = target_of(value)
        key = target.path if target else value
        if isinstance(key, str):
            joined.setdefault(key, []).append(group)
    for groups in joined.values():
        for group in groups[_SECONDARIES:]:
            message = f"the datastore has {len(groups)} secondaries, {_SECONDARIES} is the most"
            yield Finding(group, message, "Properties.GlobalReplicationGroupId")
        for number, group in enumerate(groups):
            if group.region and group.region in {other.region for other in groups[:number]}:
                message = f"the datastore has a secondary in {group.region} already"
                yield Finding(group, message, "Properties.GlobalReplicationGroupId")


def _nodes(group: Resource) -> float | None:
    """Nodes a shard; ``None`` where the template does not tell."""
    if "NodeGroupConfiguration" in group.properties:
        counts = [item.get("ReplicaCount") for item in group.items("NodeGroupConfiguration") if isinstance(item, dict)]
        known = [float(count) + 1 for count in counts if isinstance(count, str | int)]
        return min(known) if known and len(known) == len(counts) else None
    if "ReplicasPerNodeGroup" in group.properties:
        replicas = group.number("ReplicasPerNodeGroup")
        return None if replicas is None else replicas + 1
    return group.number("NumCacheClusters", 1)


def _has_shards(group: Resource) -> bool:
    # With cluster mode on, failover is on by its nature, also without replicas.
    shards = group.number("NumNodeGroups", 1)
    return shards is None or shards > 1 or group.get("ClusterMode") == "enabled"


def _members(datastore: Resource) -> Iterator[Resource]:
    for member in datastore.items("Members"):
        value = member.get("ReplicationGroupId", UNKNOWN) if isinstance(member, dict) else UNKNOWN
        target = target_of(value)
        for group in [target] if target else datastore.stack.assembly.of_type(_GROUP):
            if group is target or (isinstance(value, str) and group.get("ReplicationGroupId") == value):
                yield group
