"""Alarms of the load balancers: whether anybody answers, how well, and what the firewall stops."""

from aws_cdk import aws_cloudwatch as cloudwatch

from ha_constructs.alert_channels import Severity
from ha_constructs.monitoring.alarm_book import Alarm, AlarmBook, Graph, expression, metric
from ha_constructs.monitoring.systems import MonitoredLoadBalancer, MonitoredNetworkLoadBalancer

ALB_HEALTH_ALARM = "alb-no-healthy-targets"


def monitor_application_load_balancer(book: AlarmBook, monitored: MonitoredLoadBalancer) -> None:
    """Watch healthy targets, errors, response time and refused connections.

    The alarm on healthy targets is the one that Route 53's health check of the region follows. So it keeps to what
    Route 53 supports (one metric, a plain statistic, all periods broken), and no data is an alarm: the metric exists
    only while targets are registered, and a region without targets can't answer.

    Metrics: CloudWatch metrics for your Application Load Balancer
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html).
    """
    balancer = {"LoadBalancer": monitored.load_balancer.load_balancer_full_name}
    group = {**balancer, "TargetGroup": monitored.target_group.target_group_full_name}

    def of(name: str, statistic: str, dimensions: dict[str, str] = balancer) -> cloudwatch.Metric:
        return metric("AWS/ApplicationELB", name, dimensions, statistic=statistic)

    healthy = Alarm(
        name=ALB_HEALTH_ALARM,
        # Each zone of the load balancer reports its own view: the maximum is zero when no zone sees a healthy target.
        metric=of("HealthyHostCount", "Maximum", group),
        severity=Severity.CRITICAL,
        below=1,
        # One minute: Route 53 follows this alarm, and a failed region should leave its answers within the minute.
        periods=1,
        missing=cloudwatch.TreatMissingData.BREACHING,
        meaning=(
            "The region's application load balancer has no healthy target: the region answers nobody, and the "
            "accelerator and DNS send clients to the other regions. See the pods and the target group's health "
            "reasons."
        ),
    )
    unhealthy = Alarm(
        name="alb-unhealthy-targets",
        metric=of("UnHealthyHostCount", "Maximum", group),
        severity=Severity.WARNING,
        above=0,
        periods=15,
        meaning="Targets have failed their health checks for 15 minutes. See the pods and the health check's path.",
    )
    # Below 20 requests a minute, one failed request would be a "rate".
    errors = Alarm(
        name="alb-errors",
        metric=expression(
            "IF(requests > 20, 100 * (FILL(balancer, 0) + FILL(targets, 0)) / requests, 0)",
            "Answers with 5XX (%)",
            {
                "requests": of("RequestCount", "Sum"),
                "balancer": of("HTTPCode_ELB_5XX_Count", "Sum"),
                "targets": of("HTTPCode_Target_5XX_Count", "Sum"),
            },
        ),
        severity=Severity.CRITICAL,
        above=5,
        meaning=(
            "More than 5 % of the answers have been errors (5XX) for 5 minutes. See the workloads' logs and the "
            "latest roll-out; then the load balancer's access logs."
        ),
    )
    slow = Alarm(
        name="alb-slow",
        metric=of("TargetResponseTime", "p99"),
        severity=Severity.WARNING,
        above=monitored.maximum_response_seconds,
        periods=15,
        meaning=f"One answer in a hundred has taken more than {monitored.maximum_response_seconds:g} s for 15 minutes.",
    )
    refused = Alarm(
        name="alb-connections-refused",
        metric=of("RejectedConnectionCount", "Sum"),
        severity=Severity.WARNING,
        above=0,
        meaning=(
            "The load balancer is at its limit of connections and refuses new ones. Ask AWS for a capacity reservation."
        ),
    )
    book.add(
        "Application load balancer",
        [
            Graph(title="Targets", lines=[healthy, unhealthy]),
            Graph(title="Errors (%)", lines=[errors]),
            Graph(title="Response time, 99th percentile (s)", lines=[slow]),
            Graph(title="Requests", lines=[of("RequestCount", "Sum"), refused]),
        ],
    )


def monitor_network_load_balancer(book: AlarmBook, monitored: MonitoredNetworkLoadBalancer) -> None:
    """Watch, for each port, whether a target is healthy.

    A port without targets has no metrics and raises no alarm, since not every port has a workload from the start.
    Metrics: CloudWatch metrics for your Network Load Balancer
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html).
    """
    balancer = {"LoadBalancer": monitored.load_balancer.load_balancer_full_name}

    def healthy(port: int) -> Alarm:
        group = monitored.target_groups[port].target_group_full_name
        return Alarm(
            name=f"nlb-{port}-no-healthy-targets",
            metric=metric(
                "AWS/NetworkELB",
                "HealthyHostCount",
                {**balancer, "TargetGroup": group},
                statistic="Maximum",
                label=f"Healthy targets of port {port}",
            ),
            severity=Severity.CRITICAL,
            below=1,
            periods=2,
            meaning=f"No target of TCP port {port} is healthy; the accelerator sends clients to the other regions.",
        )

    book.add(
        "Network load balancer",
        [
            Graph(title="Healthy targets", lines=[healthy(port) for port in sorted(monitored.target_groups)]),
            Graph(
                title="Connections",
                lines=[
                    metric("AWS/NetworkELB", "ActiveFlowCount", balancer),
                    metric("AWS/NetworkELB", "TCP_ELB_Reset_Count", balancer, statistic="Sum"),
                ],
            ),
        ],
    )


def monitor_web_acl(book: AlarmBook, web_acl_metric_name: str, region: str) -> None:
    """Tell of many blocked requests: an attack, or a rule that hits real users.

    Metrics: AWS WAF metrics and dimensions (https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html).
    """
    dimensions = {"WebACL": web_acl_metric_name, "Region": region, "Rule": "ALL"}
    book.add(
        "Web application firewall",
        [
            Graph(
                title="Requests",
                lines=[
                    Alarm(
                        name="waf-blocked",
                        metric=metric("AWS/WAFV2", "BlockedRequests", dimensions, statistic="Sum"),
                        severity=Severity.INFO,
                        above=1000,
                        meaning=(
                            "The firewall has blocked more than 1,000 requests a minute for 5 minutes: an attack, "
                            "or a rule that hits real users. See the sampled requests of the web ACL."
                        ),
                    ),
                    metric("AWS/WAFV2", "AllowedRequests", dimensions, statistic="Sum"),
                ],
            )
        ],
    )
