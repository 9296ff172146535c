"""Alarms of the cache: the nodes of an ElastiCache replication group, taken together."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from ha_constructs.alert_channels import Severity
from ha_constructs.monitoring.alarm_book import Alarm, AlarmBook, Graph, chunks, combined, metric, numbered
from ha_constructs.monitoring.systems import MonitoredCache


def monitor_cache(book: AlarmBook, cache: MonitoredCache) -> None:
    """Watch whether nodes live, their engine's processor, memory, evictions and replication.

    An alarm computes over up to 10 nodes at once, so that a failover, which moves the primary's role to another node,
    does not move the alarm away from it. Metrics: Metrics for Valkey and Redis OSS
    (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html).

    Raises:
        ValueError: no nodes.
    """
    if not cache.node_ids:
        raise ValueError("cache: no node ids; give at least one, such as <replication group>-001")
    portions = list(enumerate(chunks(cache.node_ids)))
    replication = [_replication_lag(index, nodes) for index, nodes in portions]
    if cache.global_datastore_secondary:
        replication += [_global_lag(index, nodes) for index, nodes in portions]
    book.add(
        "Cache",
        [
            Graph(title="Nodes reporting", lines=[_heartbeat(index, nodes) for index, nodes in portions]),
            Graph(
                title="Processor and memory",
                lines=[
                    alarm for index, nodes in portions for alarm in (_processor(index, nodes), _memory(index, nodes))
                ],
            ),
            Graph(title="Evictions", lines=[_evictions(index, nodes) for index, nodes in portions]),
            Graph(title="Replication", lines=replication),
        ],
    )


def _across(
    index: int, nodes: Sequence[str], function: str, name: str, statistic: str, label: str
) -> cloudwatch.MathExpression:
    return combined(
        function,
        label,
        f"{name[0].lower()}{name[1:]}{index}node",
        [metric("AWS/ElastiCache", name, {"CacheClusterId": node}, statistic=statistic, label=node) for node in nodes],
    )


def _heartbeat(index: int, nodes: Sequence[str]) -> Alarm:
    return Alarm(
        name=numbered("cache-down", index),
        metric=_across(index, nodes, "SUM", "CurrConnections", "SampleCount", "Heartbeat (samples of all nodes)"),
        severity=Severity.CRITICAL,
        below=1,
        missing=cloudwatch.TreatMissingData.BREACHING,
        meaning=(
            "No node of the cache has reported for 5 minutes: it is down. See the ElastiCache events. Failing over "
            "to another region's cache is done by hand."
        ),
    )


def _processor(index: int, nodes: Sequence[str]) -> Alarm:
    return Alarm(
        name=numbered("cache-processor", index),
        metric=_across(index, nodes, "MAX", "EngineCPUUtilization", "Average", "Engine CPU of the busiest node (%)"),
        severity=Severity.WARNING,
        above=90,
        meaning=(
            "A node's engine thread has been above 90 % for 5 minutes: commands queue up. See slow commands and "
            "hot keys; read from replicas; more shards."
        ),
    )


def _memory(index: int, nodes: Sequence[str]) -> Alarm:
    return Alarm(
        name=numbered("cache-memory", index),
        metric=_across(
            index, nodes, "MAX", "DatabaseMemoryUsagePercentage", "Maximum", "Memory of the fullest node (%)"
        ),
        severity=Severity.WARNING,
        above=85,
        periods=10,
        meaning=(
            "A node has used more than 85 % of its memory for 10 minutes. Evictions or refused writes follow. See "
            "keys without expiry; a larger node type."
        ),
    )


def _evictions(index: int, nodes: Sequence[str]) -> Alarm:
    return Alarm(
        name=numbered("cache-evictions", index),
        metric=_across(index, nodes, "SUM", "Evictions", "Sum", "Evictions"),
        severity=Severity.INFO,
        above=1000,
        periods=10,
        meaning="The cache has evicted more than 1,000 keys a minute for 10 minutes; the hit rate falls.",
    )


def _replication_lag(index: int, nodes: Sequence[str]) -> Alarm:
    return Alarm(
        name=numbered("cache-replication-lag", index),
        metric=_across(index, nodes, "MAX", "ReplicationLag", "Maximum", "Lag of the slowest replica (s)"),
        severity=Severity.WARNING,
        above=30,
        meaning=(
            "A replica of the cache is more than 30 s behind its primary: readers see old data, and a failover to "
            "it loses as much. See the write rate and the network limits of the node type."
        ),
    )


def _global_lag(index: int, nodes: Sequence[str]) -> Alarm:
    return Alarm(
        name=numbered("cache-global-lag", index),
        metric=_across(
            index, nodes, "MAX", "GlobalDatastoreReplicationLag", "Maximum", "Behind the primary region (s)"
        ),
        severity=Severity.WARNING,
        above=10,
        meaning=(
            "The cache of this region is more than 10 s behind the primary region (normal is under 1 s); as much "
            "is lost if it is promoted now."
        ),
    )
