"""A region's endpoint group."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from ha_constructs.accelerator_endpoint import AcceleratorEndpoint

LISTENER = "arn:aws:globalaccelerator::111111111111:accelerator/a1/listener/l1"
LOAD_BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/app/production/0123456789abcdef"


def synthesize(**changes: Any) -> Template:
    scope = cdk.Stack(
        cdk.App(analytics_reporting=False), "region", env=cdk.Environment(account="111111111111", region="eu-west-1")
    )
    arguments = {"listener_arn": LISTENER, "region": "eu-west-1", "load_balancer_arn": LOAD_BALANCER, **changes}
    AcceleratorEndpoint(scope, "Endpoint", **arguments)
    return Template.from_stack(scope)


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesize()


def test_group_is_in_the_load_balancers_region_at_the_given_listener(template: Template) -> None:
    template.has_resource_properties(
        "AWS::GlobalAccelerator::EndpointGroup", {"EndpointGroupRegion": "eu-west-1", "ListenerArn": LISTENER}
    )


def test_endpoint_keeps_the_clients_address(template: Template) -> None:
    template.has_resource_properties(
        "AWS::GlobalAccelerator::EndpointGroup",
        {"EndpointConfigurations": [{"EndpointId": LOAD_BALANCER, "ClientIPPreservationEnabled": True, "Weight": 128}]},
    )


def test_unhealthy_endpoints_are_noticed_within_30_seconds(template: Template) -> None:
    template.has_resource_properties(
        "AWS::GlobalAccelerator::EndpointGroup",
        {
            "HealthCheckIntervalSeconds": 10,
            "ThresholdCount": 3,
            "HealthCheckProtocol": "TCP",
            "HealthCheckPort": 443,
        },
    )


@pytest.mark.parametrize("percent", [0, 25, 100])
def test_traffic_dial_is_passed_on(percent: int) -> None:
    synthesize(traffic_dial=percent).has_resource_properties(
        "AWS::GlobalAccelerator::EndpointGroup", {"TrafficDialPercentage": percent}
    )


def test_listener_of_another_stack_is_taken_as_it_comes() -> None:
    listener = cdk.Fn.get_stack_output("production-global", "WebListenerArn", "eu-west-1")
    synthesize(listener_arn=listener).has_resource_properties(
        "AWS::GlobalAccelerator::EndpointGroup",
        {"ListenerArn": {"Fn::GetStackOutput": {"StackName": "production-global", "OutputName": "WebListenerArn"}}},
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"traffic_dial": 101}, "traffic_dial: 101"),
        ({"weight": 256}, "weight: 256"),
        ({"health_check_interval_seconds": 20}, "give 10 or 30"),
        ({"health_check_threshold": 0}, "health_check_threshold: 0"),
        ({"health_check_port": 70000}, "health_check_port: 70000"),
        ({"region": "us-east-1"}, "is not a load balancer in us-east-1"),
        ({"load_balancer_arn": "production"}, "is not a load balancer"),
        ({"listener_arn": LOAD_BALANCER}, "is not a listener of Global Accelerator"),
    ],
)
def test_what_global_accelerator_refuses_is_refused_at_once(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        synthesize(**changes)
