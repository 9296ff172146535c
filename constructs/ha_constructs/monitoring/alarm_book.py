"""The writing side of a region's monitoring: alarms and graphs of one system at a time, onto one dashboard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
import cdk_monitoring_constructs as monitoring
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from ha_constructs.alert_channels import AlertChannels, Severity

ONE_MINUTE = cdk.Duration.minutes(1)
# An alarm may compute with at most 10 metrics.
METRICS_PER_ALARM = 10


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A metric with a threshold; drawn with it, and sent to the channel of its severity.

    Arguments:
        name: what is wrong, in a few words with hyphens; the alarm is called ``<environment>-<region>-<name>``.
        metric: the metric; its period times ``periods`` is how long the threshold has to be broken.
        severity: who hears of it.
        meaning: what it means, and where to look first.
        above: alarm when the metric is greater.
        below: alarm when the metric is less. Exactly one of the two.
        periods: periods in a row, all of them broken ("M out of N" is not supported by Route 53's health checks).
        missing: what no data means. Default: nothing happened, so nothing is wrong.
    """

    name: str
    metric: cloudwatch.Metric | cloudwatch.MathExpression
    severity: Severity
    meaning: str
    above: float | None = None
    below: float | None = None
    periods: int = 5
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One graph of the dashboard: lines, some of them with an alarm."""

    title: str
    lines: Sequence[cloudwatch.Metric | cloudwatch.MathExpression | Alarm]


class AlarmBook(Construct):
    """Wraps the facade of cdk-monitoring-constructs: one dashboard, alarms named and routed alike.

    Arguments:
        name: ``<environment>-<region>``: name of the dashboard and first part of every alarm's name.
        channels: where the alarms go. Critical and warning alarms also tell when they are over.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, channels: AlertChannels) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        dashboards = monitoring.DefaultDashboardFactory(self, "Dashboards", dashboard_name_prefix=name)
        self._critical_action = monitoring.SnsAlarmActionStrategy(
            on_alarm_topic=channels.critical, on_ok_topic=channels.critical
        )
        self.facade = monitoring.MonitoringFacade(
            self,
            "Facade",
            dashboard_factory=dashboards,
            alarm_factory_defaults=monitoring.AlarmFactoryDefaults(
                alarm_name_prefix=name,
                actions_enabled=True,
                disambiguator_action={
                    Severity.CRITICAL.value: self._critical_action,
                    Severity.WARNING.value: monitoring.SnsAlarmActionStrategy(
                        on_alarm_topic=channels.warning, on_ok_topic=channels.warning
                    ),
                    Severity.INFO.value: monitoring.SnsAlarmActionStrategy(on_alarm_topic=channels.info),
                },
            ),
            metric_factory_defaults=monitoring.MetricFactoryDefaults(period=ONE_MINUTE),
        )
        self.dashboard = cast(cloudwatch.Dashboard, dashboards.dashboard)

    @property
    def systems(self) -> int:
        """How many systems are being watched."""
        return len(self.facade.created_monitorings())

    def alarm_name(self, suffix: str) -> str:
        """The full name of an alarm."""
        return f"{self.name}-{suffix}"

    def add(self, system: str, graphs: Sequence[Graph]) -> None:
        """Put a system on the dashboard: a heading, then its graphs, and the alarms among their lines."""
        self.facade.monitor_custom(
            human_readable_name=system,
            alarm_friendly_name=system.replace(" ", "-"),
            metric_groups=[
                monitoring.CustomMetricGroup(title=graph.title, metrics=[self._line(line) for line in graph.lines])
                for graph in graphs
            ],
        )

    def find(self, suffix: str) -> cloudwatch.AlarmBase:
        """The alarm made under the name ``suffix``."""
        # The facade gives each alarm's full name to its construct as well; its own list of alarms is slower to get at.
        return cast(cloudwatch.AlarmBase, self.facade.node.find_child(self.alarm_name(suffix)))

    def composite_of_critical_alarms(self, suffix: str, meaning: str) -> cloudwatch.CompositeAlarm | None:
        """An alarm that is on while any critical alarm is; None without critical alarms."""
        return self.facade.create_composite_alarm_using_disambiguator(
            Severity.CRITICAL.value,
            disambiguator=Severity.CRITICAL.value,
            alarm_name_override=self.alarm_name(suffix),
            alarm_description=meaning,
            composite_operator=monitoring.CompositeAlarmOperator.OR,
            action_override=self._critical_action,
        )

    def _line(
        self, line: cloudwatch.Metric | cloudwatch.MathExpression | Alarm
    ) -> cloudwatch.Metric | cloudwatch.MathExpression | monitoring.CustomMetricWithAlarm:
        if not isinstance(line, Alarm):
            return line
        threshold = line.above if line.above is not None else line.below
        if threshold is None or None not in (line.above, line.below):
            raise ValueError(f"alarm {line.name}: give either above or below")
        return monitoring.CustomMetricWithAlarm(
            metric=line.metric,
            alarm_friendly_name=line.name,
            add_alarm={
                line.severity.value: monitoring.CustomThreshold(
                    threshold=threshold,
                    comparison_operator=(
                        cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
                        if line.above is not None
                        else cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
                    ),
                    alarm_name_override=self.alarm_name(line.name),
                    alarm_description_override=line.meaning,
                    evaluation_periods=line.periods,
                    datapoints_to_alarm=line.periods,
                    treat_missing_data_override=line.missing,
                )
            },
        )


def metric(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    *,
    statistic: str = "Average",
    label: str | None = None,
    period: cdk.Duration = ONE_MINUTE,
    region: str | None = None,
) -> cloudwatch.Metric:
    """A metric of a service; one-minute periods, which is what the services used here publish.

    Without ``label`` an alarm on it is a plain metric alarm. With one, CloudFormation gets the alarm as a computation
    over several metrics, which Route 53's health checks can't follow.
    """
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions),
        statistic=statistic,
        label=label,
        period=period,
        region=region,
    )


def expression(
    formula: str,
    label: str,
    metrics: Mapping[str, cloudwatch.Metric],
    *,
    period: cdk.Duration = ONE_MINUTE,
) -> cloudwatch.MathExpression:
    """A formula over metrics, named by the keys of ``metrics``."""
    return cloudwatch.MathExpression(expression=formula, label=label, using_metrics=dict(metrics), period=period)


def combined(
    function: str,
    label: str,
    metric_id: str,
    metrics: Sequence[cloudwatch.Metric],
    *,
    period: cdk.Duration = ONE_MINUTE,
) -> cloudwatch.MathExpression:
    """``MAX``, ``MIN`` or ``SUM`` over at most 10 metrics, those without data left out.

    Arguments:
        metric_id: lower-case word, unique in the graph: formulas of one graph share a namespace.
    """
    if not 1 <= len(metrics) <= METRICS_PER_ALARM:
        raise ValueError(f"{label}: {len(metrics)} metrics; an alarm computes with 1 to {METRICS_PER_ALARM}")
    named = {f"{metric_id}{index}": one for index, one in enumerate(metrics)}
    # Named one by one: METRICS() would take in the other lines of the same graph.
    return expression(f"{function}([{', '.join(named)}])", label, named, period=period)


def chunks(items: Sequence[str]) -> list[Sequence[str]]:
    """Portions that fit into one alarm each."""
    return [items[start : start + METRICS_PER_ALARM] for start in range(0, len(items), METRICS_PER_ALARM)]


def numbered(name: str, index: int) -> str:
    """``name`` for the first portion, then ``name-2`` and so on: the first alarm keeps its name as items are added."""
    return name if index == 0 else f"{name}-{index + 1}"
