"""A region that would fail unseen: alarms that another region has."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ha_checks.assembly import Assembly, StackTemplate
from ha_checks.intrinsics import references
from ha_checks.resource import Resource
from ha_checks.rule import Finding, Settings, rule

_NAMESPACES = {
    "AWS/ApiGateway": "AWS::ApiGateway::RestApi",
    "AWS/ApplicationELB": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS/AutoScaling": "AWS::AutoScaling::AutoScalingGroup",
    "AWS/Backup": "AWS::Backup::BackupPlan",
    "AWS/CertificateManager": "AWS::CertificateManager::Certificate",
    "AWS/DynamoDB": "AWS::DynamoDB::Table",
    "AWS/ECS": "AWS::ECS::Service",
    "AWS/EKS": "AWS::EKS::Cluster",
    "AWS/ElastiCache": "AWS::ElastiCache::ReplicationGroup",
    "AWS/Kafka": "AWS::MSK::Cluster",
    "AWS/Lambda": "AWS::Lambda::Function",
    "AWS/NATGateway": "AWS::EC2::NatGateway",
    "AWS/NetworkELB": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS/SNS": "AWS::SNS::Topic",
    "AWS/SQS": "AWS::SQS::Queue",
    "AWS/WAFV2": "AWS::WAFv2::WebACL",
    "ContainerInsights": "AWS::EKS::Cluster",
}
"""What an alarm watches whose dimensions name nothing of its template; the namespace of RDS serves several types."""

_ROLES = {
    "ReplicaLag": "SourceDBInstanceIdentifier",
    "GlobalDatastoreReplicationLag": "GlobalReplicationGroupId",
    "AuroraGlobalDBReplicationLag": "GlobalClusterIdentifier",
}
"""Metrics that only a resource with this property has."""


class _Alarm(NamedTuple):
    resource: Resource
    metrics: frozenset[str]
    watched: tuple[Resource, ...]
    kind: str | None

    @property
    def name(self) -> str:
        return self.resource.literal("AlarmName") or self.resource.logical_id


@rule(
    theme="Regions alike",
    why="What one region is alarmed about, another suffers unseen, most of all right after a failover into it.",
    mend="Give every region the same alarms: make them in the one place that builds a region.",
    url="https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_monitor_aws_resources_monitor_resources.html",
)
def alarm_missing_in_region(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A resource without the alarm that its like has in another region."""
    for stacks in assembly.families().values():
        by_region: dict[str, list[StackTemplate]] = {}
        for stack in stacks:
            if stack.region:
                by_region.setdefault(stack.region, []).append(stack)
        alarms = {
            region: [_read(alarm) for stack in members for alarm in stack.of_type("AWS::CloudWatch::Alarm")]
            for region, members in by_region.items()
        }
        for region, own in alarms.items():
            for other in by_region.keys() - {region}:
                for alarm in (each for each in own if each.metrics):
                    yield from _missing(alarm, by_region[other], alarms[other], region)


def _missing(alarm: _Alarm, stacks: list[StackTemplate], others: list[_Alarm], region: str) -> Iterator[Finding]:
    same = [other for other in others if other.metrics == alarm.metrics]
    message = f"no alarm on {_metric_names(alarm)}, which {region} has ({alarm.name})"
    for watched in alarm.watched:
        likes = [like for stack in stacks for like in stack.of_type(watched.type) if _can_have(like, alarm)]
        exact = [like for like in likes if like.logical_id == watched.logical_id]
        if exact:
            if not any(like in other.watched for other in same for like in exact):
                yield Finding(exact[0], message)
        elif likes and not any(each.type == watched.type for other in same for each in other.watched):
            yield Finding(likes[0], message)
        # One finding an alarm: a load balancer and its target group miss the same.
        if exact or likes:
            return
    if not alarm.watched and alarm.kind and not same:
        likes = [like for stack in stacks for like in stack.of_type(alarm.kind) if _can_have(like, alarm)]
        if likes:
            yield Finding(likes[0], message)


def _can_have(like: Resource, alarm: _Alarm) -> bool:
    for name in alarm.metrics:
        role = _ROLES.get(name.rpartition(" ")[2])
        if role and like.get(role) is None:
            return False
    return True


def _read(alarm: Resource) -> _Alarm:
    metrics: set[str] = set()
    namespaces: set[str] = set()
    for metric in _metrics(alarm):
        namespace, name = metric.get("Namespace"), metric.get("MetricName")
        if isinstance(namespace, str) and isinstance(name, str):
            namespaces.add(namespace)
            metrics.add(f"{namespace} {name}")
    if not metrics:
        # A search or a query: the same text but for the region.
        expressions = (str(item.get("Expression", "")) for item in alarm.items("Metrics") if isinstance(item, dict))
        metrics = {text.replace(alarm.region or "\0", "") for text in expressions if text}
    raw = [alarm.properties.get("Dimensions"), alarm.properties.get("Metrics")]
    watched = {found.resource.logical_id: found.resource for found in references(raw, alarm.stack)}
    kinds = {_NAMESPACES.get(namespace) for namespace in namespaces}
    return _Alarm(alarm, frozenset(metrics), tuple(watched.values()), kinds.pop() if len(kinds) == 1 else None)


def _metrics(alarm: Resource) -> Iterator[dict[str, Any]]:
    if "MetricName" in alarm.properties:
        yield {"Namespace": alarm.get("Namespace"), "MetricName": alarm.get("MetricName")}
    for item in alarm.items("Metrics"):
        stat = item.get("MetricStat") if isinstance(item, dict) else None
        if isinstance(stat, dict) and isinstance(stat.get("Metric"), dict):
            yield stat["Metric"]


def _metric_names(alarm: _Alarm) -> str:
    names = (name.rpartition(" ")[2] if name.count(" ") == 1 else "its query" for name in alarm.metrics)
    return " and ".join(sorted(names))
