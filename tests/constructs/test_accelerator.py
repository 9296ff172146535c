"""The accelerator with its listeners."""

from collections.abc import Sequence

import aws_cdk as cdk
import pytest
from aws_cdk import aws_globalaccelerator as globalaccelerator
from aws_cdk.assertions import Template

from ha_constructs.accelerator import Accelerator


def stack() -> cdk.Stack:
    return cdk.Stack(
        cdk.App(analytics_reporting=False), "global", env=cdk.Environment(account="111111111111", region="eu-west-1")
    )


@pytest.fixture(scope="module")
def template() -> Template:
    scope = stack()
    Accelerator(scope, "Accelerator", name="production", tcp_ports=[5433, 9000, 5432])
    return Template.from_stack(scope)


def test_web_listener_takes_http_and_https(template: Template) -> None:
    template.has_resource_properties(
        "AWS::GlobalAccelerator::Listener",
        {"PortRanges": [{"FromPort": 80, "ToPort": 80}, {"FromPort": 443, "ToPort": 443}], "Protocol": "TCP"},
    )


def test_neighbouring_tcp_ports_share_a_range(template: Template) -> None:
    template.has_resource_properties(
        "AWS::GlobalAccelerator::Listener",
        {"PortRanges": [{"FromPort": 5432, "ToPort": 5433}, {"FromPort": 9000, "ToPort": 9000}]},
    )


def test_connections_spread_over_endpoints(template: Template) -> None:
    template.all_resources_properties("AWS::GlobalAccelerator::Listener", {"ClientAffinity": "NONE"})


def test_accelerator_keeps_its_addresses_when_the_stack_goes(template: Template) -> None:
    template.has_resource(
        "AWS::GlobalAccelerator::Accelerator", {"DeletionPolicy": "Retain", "Properties": {"Name": "production"}}
    )


def test_no_tcp_listener_without_tcp_ports() -> None:
    scope = stack()
    accelerator = Accelerator(scope, "Accelerator", name="production")
    assert accelerator.tcp_listener_arn is None
    Template.from_stack(scope).resource_count_is("AWS::GlobalAccelerator::Listener", 1)


def test_unprotected_accelerator_goes_with_the_stack() -> None:
    scope = stack()
    Accelerator(scope, "Accelerator", name="production", deletion_protection=False)
    Template.from_stack(scope).has_resource("AWS::GlobalAccelerator::Accelerator", {"DeletionPolicy": "Delete"})


def test_client_affinity_can_be_asked_for() -> None:
    scope = stack()
    Accelerator(scope, "Accelerator", name="production", client_affinity=globalaccelerator.ClientAffinity.SOURCE_IP)
    Template.from_stack(scope).has_resource_properties(
        "AWS::GlobalAccelerator::Listener", {"ClientAffinity": "SOURCE_IP"}
    )


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ([0], "from 1 to 65535"),
        ([443], "belongs to the web listener"),
        ([5432, 5432], "given twice"),
        (range(1000, 1022, 2), "at most 10"),
    ],
)
def test_ports_that_a_listener_refuses_are_refused_at_once(ports: Sequence[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Accelerator(stack(), "Accelerator", name="production", tcp_ports=ports)
