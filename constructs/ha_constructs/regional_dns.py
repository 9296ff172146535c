"""A region's own names in the zone, and its place in the name that answers with the nearest healthy region."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from constructs import Construct


class RegionalName(Construct):
    """The names a region registers by itself in the domain's zone, with the health check behind them.

    * ``<region>.<domain>``: alias of the region's application load balancer.
    * ``tcp-<region>.<domain>``: alias of its network load balancer, where one is given. One label, not
      ``tcp.<region>``, so that the domain's wildcard certificate covers it.
    * ``internal.<domain>``: latency record. It answers with the nearest region whose health check passes, and is how
      clients in connected networks reach the platform without the accelerator.

    The load balancers are internal: the names resolve everywhere, to private addresses that only connected networks
    reach. For the same reason Route 53's own checkers can't probe them; the health check follows a CloudWatch alarm of
    the region instead (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html).
    Route 53 reads the alarm's *metric* and evaluates it itself, by the alarm's settings. It supports
    standard-resolution metrics and the statistics Average, Minimum, Maximum, Sum and SampleCount; not composite alarms,
    metric math, percentiles or "M out of N"
    (https://docs.aws.amazon.com/Route53/latest/APIReference/API_AlarmIdentifier.html). A change of the alarm's settings
    reaches the health check only when the health check is updated too.

    *Insufficient data counts as unhealthy.* The alarm's metric exists once pods are registered at the load balancer, so
    a region under construction gets no traffic. Should every region be unhealthy, Route 53 answers as if all were
    healthy, so this cannot make the name disappear.

    Alias records have no TTL of their own; resolvers see the load balancer's 60 s. With the alarm's minutes before it,
    the latency name moves within about 3 minutes; the accelerator's 30 s do not depend on DNS.

    Updates: renaming replaces the records; the set identifier (the region) is part of a latency record's identity.

    Arguments:
        zone: the domain's zone; imported by id and name where it belongs to another stack.
        region: the region's name, such as ``eu-west-1``.
        load_balancer: the region's application load balancer.
        alarm: a standard metric alarm of this region that says whether the load balancer has healthy targets.
        network_load_balancer: the region's network load balancer. Default none.
        latency_record_name: label of the latency record. Default ``internal``.
        insufficient_data_status: see above.

    Exposes ``domain_name``, ``tcp_domain_name`` (None without a network load balancer), ``latency_domain_name``,
    ``health_check`` and ``health_check_id``.

    Raises:
        ValueError: a composite alarm.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        zone: route53.IHostedZone,
        region: str,
        load_balancer: elbv2.ILoadBalancerV2,
        alarm: cloudwatch.IAlarm,
        network_load_balancer: elbv2.ILoadBalancerV2 | None = None,
        latency_record_name: str = "internal",
        insufficient_data_status: route53.InsufficientDataHealthStatusEnum = (
            route53.InsufficientDataHealthStatusEnum.UNHEALTHY
        ),
    ) -> None:
        super().__init__(scope, construct_id)
        if isinstance(alarm, cloudwatch.CompositeAlarm):
            raise ValueError(
                "alarm: Route 53 can't follow a composite alarm; give a standard metric alarm of this region"
            )
        self._zone = zone
        self._region = region
        zone_name = zone.zone_name
        self.domain_name = f"{region}.{zone_name}"
        self.latency_domain_name = f"{latency_record_name}.{zone_name}"
        self.tcp_domain_name: str | None = None

        self.health_check = self._build_health_check(alarm, insufficient_data_status)
        self.health_check_id: str = self.health_check.health_check_id
        self._build_alias("Name", self.domain_name, load_balancer)
        if network_load_balancer is not None:
            self.tcp_domain_name = f"tcp-{region}.{zone_name}"
            self._build_alias("TcpName", self.tcp_domain_name, network_load_balancer)
        self._build_latency_record(load_balancer)

    def _build_health_check(
        self, alarm: cloudwatch.IAlarm, insufficient_data_status: route53.InsufficientDataHealthStatusEnum
    ) -> route53.HealthCheck:
        return route53.HealthCheck(
            self,
            "HealthCheck",
            type=route53.HealthCheckType.CLOUDWATCH_METRIC,
            alarm_identifier=route53.AlarmIdentifier(name=alarm.alarm_name, region=self._region),
            insufficient_data_health_status=insufficient_data_status,
        )

    def _build_alias(self, construct_id: str, name: str, load_balancer: elbv2.ILoadBalancerV2) -> None:
        route53.ARecord(
            self,
            construct_id,
            zone=self._zone,
            record_name=f"{name}.",
            target=route53.RecordTarget.from_alias(route53_targets.LoadBalancerTarget(load_balancer)),
            comment=f"Load balancer of {self._region}",
        )

    def _build_latency_record(self, load_balancer: elbv2.ILoadBalancerV2) -> None:
        route53.ARecord(
            self,
            "LatencyName",
            zone=self._zone,
            record_name=f"{self.latency_domain_name}.",
            # The alarm decides alone: the target's own health is not evaluated (the default), which would count a load
            # balancer with one zone lacking targets as a failed region.
            target=route53.RecordTarget.from_alias(route53_targets.LoadBalancerTarget(load_balancer)),
            region=self._region,
            set_identifier=self._region,
            health_check=self.health_check,
            comment="Nearest healthy region",
        )
