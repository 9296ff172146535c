"""Rules about how soon traffic leaves what has failed, and how gently it leaves what ends."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ha_checks.assembly import Assembly
from ha_checks.intrinsics import UNKNOWN, UNKNOWN_PART
from ha_checks.manifests import Manifest, manifests, workloads
from ha_checks.resource import Resource, as_number, target_of
from ha_checks.rule import Finding, Settings, rule

THEME = "Traffic"
_TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
_DEREGISTRATION = "deregistration_delay.timeout_seconds"
_KEEP_ALIVE = "client_keep_alive.seconds"
_CALCULATED = {"CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL"}

_CHECKS = {
    _TARGET_GROUP: ("HealthCheckIntervalSeconds", 30, "UnhealthyThresholdCount", 2),
    "AWS::GlobalAccelerator::EndpointGroup": ("HealthCheckIntervalSeconds", 30, "ThresholdCount", 3),
    "AWS::Route53::HealthCheck": ("HealthCheckConfig.RequestInterval", 30, "HealthCheckConfig.FailureThreshold", 3),
}
"""Interval and threshold of each kind of health check, with AWS's defaults."""


@rule(
    theme=THEME,
    why="Until a health check has failed as often as its threshold says, clients keep being sent to what is dead. The "
    "check alone takes longer than the whole recovery may.",
    mend="Shorten the interval (10 s) or the threshold (2 or 3), so that interval times threshold stays within the "
    "objective. A Route 53 check of an alarm waits for the alarm's period times its datapoints.",
    url="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
)
def health_check_too_slow(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A health check that takes longer than the recovery objective."""
    for kind, (interval, seconds, threshold, times) in _CHECKS.items():
        for check in assembly.of_type(kind):
            if check.get("HealthCheckConfig.Type") in _CALCULATED or check.flag("HealthCheckEnabled", True) is False:
                yield from _slow_alarm(check, settings)
                continue
            own, needed = check.number(interval, seconds), check.number(threshold, times)
            if own is not None and needed is not None:
                message = f"{needed:g} failures at {own:g} s"
                yield from _too_slow(check, own * needed, message, interval, settings)


def _slow_alarm(check: Resource, settings: Settings) -> Iterator[Finding]:
    alarm = check.target("HealthCheckConfig.AlarmIdentifier.Name")
    if alarm is None or alarm.type != "AWS::CloudWatch::Alarm":
        return
    period = alarm.number("Period") or _metric_period(alarm)
    times = alarm.number("DatapointsToAlarm") or alarm.number("EvaluationPeriods")
    if period and times:
        message = f"the alarm it follows waits for {times:g} datapoints of {period:g} s"
        yield from _too_slow(check, period * times, message, "HealthCheckConfig.AlarmIdentifier", settings)


def _metric_period(alarm: Resource) -> float | None:
    stats = [item.get("MetricStat") for item in alarm.items("Metrics") if isinstance(item, dict)]
    periods = [as_number(stat.get("Period")) for stat in stats if isinstance(stat, dict)]
    known = [period for period in periods if period is not None]
    return max(known) if known and len(known) == len(periods) else None


def _too_slow(check: Resource, takes: float, how: str, location: str, settings: Settings) -> Iterator[Finding]:
    objective = settings.recovery_objective_seconds
    if takes > objective:
        message = f"takes {takes:g} s to see a failure ({how}), the recovery objective is {objective} s"
        yield Finding(check, message, f"Properties.{location}")


@rule(
    theme=THEME,
    why="While a target is deregistered its connections go on. A pod whose grace ends before that is killed under "
    "them: errors at every roll-out, drain and consolidation.",
    mend="Set `deregistration_delay.timeout_seconds` below the pods' `terminationGracePeriodSeconds`, or lengthen the "
    "latter (with a `preStop` sleep). The grace of pods whose manifest is not in the assembly is the pack's "
    "`pod_grace_seconds`.",
    url="https://docs.aws.amazon.com/eks/latest/best-practices/load-balancing.html",
)
def deregistration_outlasts_grace(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A target group of pods or tasks whose deregistration outlasts their grace."""
    for group in assembly.of_type(_TARGET_GROUP):
        graces = _graces(group, settings)
        value = group.attribute(_DEREGISTRATION)
        delay = as_number(300 if value is None else value)
        if "TargetGroupAttributes" in group.properties and group.get("TargetGroupAttributes") is UNKNOWN:
            continue
        for who, grace in graces.items():
            if delay is not None and delay > grace:
                message = f"deregistration takes {delay:g} s, {who} have a grace of {grace:g} s"
                yield Finding(group, message, "Properties.TargetGroupAttributes")


def _graces(group: Resource, settings: Settings) -> dict[str, float]:
    """Who serves behind a target group, and for how long they may linger."""
    found: dict[str, float] = {}
    for binding in manifests(group.stack.assembly, "TargetGroupBinding"):
        if _is_of(binding, group):
            found |= _pods(binding, settings)
    if not found and any(
        tag.get("Key") == "eks:eks-cluster-name" for tag in group.items("Tags") if isinstance(tag, dict)
    ):
        # Lets EKS Auto Mode bind it: its targets are pods.
        found["pods"] = settings.pod_grace_seconds
    for service in group.stack.assembly.of_type("AWS::ECS::Service"):
        balanced = [item for item in service.items("LoadBalancers") if isinstance(item, dict)]
        task = service.target("TaskDefinition")
        if task and any(target_of(item.get("TargetGroupArn")) is group for item in balanced):
            stops = [
                item.get("StopTimeout", 30) for item in task.items("ContainerDefinitions") if isinstance(item, dict)
            ]
            known = [seconds for seconds in map(as_number, stops) if seconds is not None]
            if known:
                found[f"tasks of {service.logical_id}"] = max(known)
    return found


def _is_of(binding: Manifest, group: Resource) -> bool:
    """Whether a binding's target group, an ARN within the manifest's text, is this one."""
    raw = binding.resource.properties.get("Manifest")
    name = group.literal("Name")
    arn = str(binding.at("spec.targetGroupARN") or "")
    if name and f":targetgroup/{name}/" in arn:
        return True
    return UNKNOWN_PART in arn and group in _targets_in_order(binding, raw)


def _targets_in_order(binding: Manifest, raw: Any) -> list[Resource]:
    # The ARN is a reference inside of the text: the part that follows the key tells which one.
    parts = raw["Fn::Join"][1] if isinstance(raw, dict) and "Fn::Join" in raw else []
    found: list[Resource] = []
    for before, value in pairwise(parts):
        if isinstance(before, str) and before.endswith('"targetGroupARN":"') and isinstance(value, dict):
            reference = value.get("Ref")
            if reference in binding.resource.stack.resources:
                found.append(binding.resource.stack.resources[reference])
    return found


def _pods(binding: Manifest, settings: Settings) -> dict[str, float]:
    """The workloads behind a binding's service, by the labels that the service selects."""
    assembly = binding.resource.stack.assembly
    for service in manifests(assembly, "Service"):
        if service.namespace != binding.namespace or service.body["metadata"].get("name") != binding.at(
            "spec.serviceRef.name"
        ):
            continue
        selector = service.at("spec.selector") or {}
        graces = {
            f"pods of {workload.name}": as_number(workload.at("spec.template.spec.terminationGracePeriodSeconds"))
            for workload in workloads(assembly)
            if selector and selector.items() <= (workload.at("spec.template.metadata.labels") or {}).items()
        }
        if graces:
            # Kubernetes' own default where the manifest is there and does not say.
            return {who: 30 if grace is None else grace for who, grace in graces.items()}
    return {f"pods behind {binding.name}": settings.pod_grace_seconds}


@rule(
    theme=THEME,
    why="A client's open connection stays with the load balancer it was opened to, an hour by default: for so long it "
    "is not moved to another zone or region, whatever DNS and the accelerator say.",
    mend="Set the load balancer's attribute `client_keep_alive.seconds` to 60, the least.",
    url="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
)
def client_keep_alive_too_long(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """An application load balancer that keeps clients' connections for longer than the recovery objective."""
    for balancer in assembly.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        if balancer.get("Type", "application") != "application" or balancer.get("LoadBalancerAttributes") is UNKNOWN:
            continue
        value = balancer.attribute(_KEEP_ALIVE)
        seconds = as_number(3600 if value is None else value)
        # 60 s is the least that the service allows.
        if seconds is not None and seconds > max(60, settings.recovery_objective_seconds):
            message = f"clients' connections are kept for {seconds:g} s"
            yield Finding(balancer, message, "Properties.LoadBalancerAttributes")
