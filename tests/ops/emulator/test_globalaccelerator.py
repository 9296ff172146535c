"""What our handlers of Global Accelerator do, and refuse as AWS would."""

from typing import Any

from ops.emulator import Emulator

from .conftest import ACCOUNT, HERE, THERE, Deploy, one


def _group(listener: str, endpoint: str, region: str = HERE, **more: Any) -> dict[str, Any]:
    return one(
        "AWS::GlobalAccelerator::EndpointGroup",
        ListenerArn=listener,
        EndpointGroupRegion=region,
        EndpointConfigurations=[{"EndpointId": endpoint}],
        **more,
    )


def test_an_endpoint_of_another_region(deploy: Deploy, listener: str, balancers: dict[str, str]) -> None:
    stack = deploy(_group(listener, balancers[THERE]))
    assert "an endpoint must be in its group's own region" in stack.reason


def test_an_endpoint_that_does_not_exist(deploy: Deploy, listener: str) -> None:
    arn = f"arn:aws:elasticloadbalancing:{HERE}:{ACCOUNT}:loadbalancer/app/none/1234567890123456"
    assert f"does not exist in {HERE}" in deploy(_group(listener, arn)).reason


def test_a_listener_that_does_not_exist(deploy: Deploy, balancers: dict[str, str]) -> None:
    assert "listener 'arn:none' does not exist" in deploy(_group("arn:none", balancers[HERE])).reason


def test_one_group_a_listener_and_region(
    deploy: Deploy, listener: str, balancers: dict[str, str], emulator: Emulator
) -> None:
    first = deploy(_group(listener, balancers[HERE], TrafficDialPercentage=50), {"Arn": {"Ref": "Thing"}})
    kept = emulator.state()["AWS::GlobalAccelerator::EndpointGroup"]["global"][first.outputs["Arn"]]
    second = deploy(_group(listener, balancers[HERE]))
    assert kept["TrafficDialPercentage"] == 50
    assert f"has an endpoint group for {HERE} already" in second.reason


def test_an_override_of_a_port_the_listener_lacks(deploy: Deploy, listener: str, balancers: dict[str, str]) -> None:
    override = [{"ListenerPort": 80, "EndpointPort": 8080}]
    stack = deploy(_group(listener, balancers[THERE], THERE, PortOverrides=override))
    assert "port override of 80, which the listener does not have" in stack.reason
