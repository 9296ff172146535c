"""The internal Network Load Balancer."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Match, Template

from ha_constructs.access_logs import AccessLogsBucket
from ha_constructs.nlb import InternalNetworkLoadBalancer


def make_load_balancer(**changes: Any) -> tuple[cdk.Stack, InternalNetworkLoadBalancer]:
    stack = cdk.Stack(cdk.App(), "test", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    arguments: dict[str, Any] = {
        "vpc": ec2.Vpc(stack, "Vpc", availability_zones=["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        "ports": [9000, 9001],
        "cluster_name": "test-eu-west-1",
        "access_logs_bucket": AccessLogsBucket(stack, "Logs"),
    }
    return stack, InternalNetworkLoadBalancer(stack, "Nlb", **{**arguments, **changes})


@pytest.fixture(scope="module")
def template() -> Template:
    return Template.from_stack(make_load_balancer()[0])


def attributes(template: Template, resource_type: str, key: str) -> list[dict[str, str]]:
    return [
        {attribute["Key"]: attribute["Value"] for attribute in resource["Properties"][key]}
        for resource in template.find_resources(resource_type).values()
    ]


def test_it_is_internal_and_spans_the_private_subnets(template: Template) -> None:
    resource = next(iter(template.find_resources("AWS::ElasticLoadBalancingV2::LoadBalancer").values()))["Properties"]
    assert (resource["Type"], resource["Scheme"]) == ("network", "internal")
    assert len(resource["Subnets"]) == 3
    assert all("PrivateSubnet" in subnet["Ref"] for subnet in resource["Subnets"])


def test_protection_zones_and_logs_are_on(template: Template) -> None:
    found = attributes(template, "AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerAttributes")[0]
    assert found["deletion_protection.enabled"] == "true"
    assert found["load_balancing.cross_zone.enabled"] == "true"
    assert found["zonal_shift.config.enabled"] == "true"
    assert found["access_logs.s3.enabled"] == "true"


def test_protection_can_be_switched_off() -> None:
    template = Template.from_stack(make_load_balancer(deletion_protection=False)[0])
    found = attributes(template, "AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerAttributes")[0]
    assert found["deletion_protection.enabled"] == "false"


def test_endpoint_connections_are_held_against_the_same_rules(template: Template) -> None:
    template.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::LoadBalancer", {"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on"}
    )


def test_each_port_has_a_listener_and_a_group_of_addresses(template: Template) -> None:
    for port in (9000, 9001):
        template.has_resource_properties("AWS::ElasticLoadBalancingV2::Listener", {"Port": port, "Protocol": "TCP"})
        template.has_resource_properties(
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            {
                "Port": port,
                "Protocol": "TCP",
                "TargetType": "ip",
                "HealthCheckIntervalSeconds": 10,
                "UnhealthyThresholdCount": 2,
                "Tags": [{"Key": "eks:eks-cluster-name", "Value": "test-eu-west-1"}],
            },
        )


def test_pods_that_leave_close_their_connections_after_the_delay(template: Template) -> None:
    for found in attributes(template, "AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupAttributes"):
        assert found["deregistration_delay.timeout_seconds"] == "30"
        assert found["deregistration_delay.connection_termination.enabled"] == "true"
        assert found["preserve_client_ip.enabled"] == "false"
        assert found["proxy_protocol_v2.enabled"] == "false"


def test_target_groups_are_found_by_their_port() -> None:
    assert set(make_load_balancer()[1].target_groups) == {9000, 9001}


def test_only_declared_ports_are_open_and_only_to_the_given_networks() -> None:
    template = Template.from_stack(make_load_balancer(ports=[9000], client_cidrs=["10.64.0.0/16"])[0])
    template.has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "Internal Network Load Balancer",
            "SecurityGroupIngress": [
                Match.object_like({"CidrIp": "10.64.0.0/16", "FromPort": 9000, "ToPort": 9000, "IpProtocol": "tcp"})
            ],
        },
    )


def test_nothing_is_open_without_ports() -> None:
    template = Template.from_stack(make_load_balancer(ports=[])[0])
    template.has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {"GroupDescription": "Internal Network Load Balancer", "SecurityGroupIngress": Match.absent()},
    )
    template.resource_count_is("AWS::ElasticLoadBalancingV2::Listener", 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ports": [0]}, "must be 1 to 65535"),
        ({"ports": [9000, 9000]}, "already listens"),
        ({"client_cidrs": []}, "name the networks"),
        ({"deregistration_delay_seconds": 3601}, "0 to 3600"),
    ],
)
def test_wrong_argument_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_load_balancer(**change)
