"""A region's names and health check."""

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53
from aws_cdk.assertions import Match, Template

from ha_constructs.regional_dns import RegionalName


class Region:
    """A stack with what the construct needs."""

    def __init__(self) -> None:
        self.stack = cdk.Stack(
            cdk.App(analytics_reporting=False),
            "region",
            env=cdk.Environment(account="111111111111", region="eu-west-1"),
        )
        vpc = ec2.Vpc(self.stack, "Vpc", nat_gateways=0)
        subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self.web = elbv2.ApplicationLoadBalancer(self.stack, "Web", vpc=vpc, vpc_subnets=subnets)
        self.tcp = elbv2.NetworkLoadBalancer(self.stack, "Tcp", vpc=vpc, vpc_subnets=subnets)
        self.alarm = cloudwatch.Alarm(
            self.stack,
            "Alarm",
            alarm_name="production-eu-west-1-alb-no-healthy-targets",
            metric=cloudwatch.Metric(namespace="AWS/ApplicationELB", metric_name="HealthyHostCount"),
            evaluation_periods=2,
            threshold=1,
        )
        self.zone = route53.HostedZone.from_hosted_zone_attributes(
            self.stack, "Zone", hosted_zone_id="Z0123456789ABCDEFGHIJ", zone_name="example.com"
        )


@pytest.fixture
def region() -> Region:
    return Region()


@pytest.fixture(scope="module")
def template() -> Template:
    region = Region()
    RegionalName(
        region.stack,
        "Name",
        zone=region.zone,
        region="eu-west-1",
        load_balancer=region.web,
        network_load_balancer=region.tcp,
        alarm=region.alarm,
    )
    return Template.from_stack(region.stack)


def load_balancer_of(template: Template, kind: str) -> str:
    return next(
        iter(template.find_resources("AWS::ElasticLoadBalancingV2::LoadBalancer", {"Properties": {"Type": kind}}))
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("eu-west-1.example.com.", "application"), ("tcp-eu-west-1.example.com.", "network")]
)
def test_region_has_a_name_for_each_load_balancer(template: Template, name: str, kind: str) -> None:
    balancer = load_balancer_of(template, kind)
    template.has_resource_properties(
        "AWS::Route53::RecordSet",
        {
            "Name": name,
            "HostedZoneId": "Z0123456789ABCDEFGHIJ",
            "AliasTarget": {
                "HostedZoneId": {"Fn::GetAtt": [balancer, "CanonicalHostedZoneID"]},
                "DNSName": Match.any_value(),
            },
        },
    )


def test_health_check_follows_the_regions_alarm(template: Template) -> None:
    alarm = next(iter(template.find_resources("AWS::CloudWatch::Alarm")))
    template.has_resource_properties(
        "AWS::Route53::HealthCheck",
        {
            "HealthCheckConfig": {
                "Type": "CLOUDWATCH_METRIC",
                "AlarmIdentifier": {"Name": {"Ref": alarm}, "Region": "eu-west-1"},
            }
        },
    )


def test_region_that_reports_nothing_gets_no_traffic(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Route53::HealthCheck", {"HealthCheckConfig": {"InsufficientDataHealthStatus": "Unhealthy"}}
    )


def test_region_joins_the_latency_name_with_its_health_check(template: Template) -> None:
    health_check = next(iter(template.find_resources("AWS::Route53::HealthCheck")))
    template.has_resource_properties(
        "AWS::Route53::RecordSet",
        {
            "Name": "internal.example.com.",
            "Region": "eu-west-1",
            "SetIdentifier": "eu-west-1",
            "HealthCheckId": {"Ref": health_check},
        },
    )


def test_no_tcp_name_without_a_network_load_balancer(region: Region) -> None:
    name = RegionalName(
        region.stack, "Name", zone=region.zone, region="eu-west-1", load_balancer=region.web, alarm=region.alarm
    )
    assert name.tcp_domain_name is None
    Template.from_stack(region.stack).resource_count_is("AWS::Route53::RecordSet", 2)


def test_composite_alarm_is_refused(region: Region) -> None:
    composite = cloudwatch.CompositeAlarm(
        region.stack,
        "Composite",
        alarm_rule=cloudwatch.AlarmRule.from_alarm(region.alarm, cloudwatch.AlarmState.ALARM),
    )
    with pytest.raises(ValueError, match="composite"):
        RegionalName(
            region.stack, "Name", zone=region.zone, region="eu-west-1", load_balancer=region.web, alarm=composite
        )
