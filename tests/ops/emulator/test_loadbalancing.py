"""What our handlers of load balancers do, and refuse as AWS would."""

from typing import Any

import pytest

from ops.emulator import Emulator

from .conftest import ACCOUNT, HERE, THERE, Deploy, Network, one


def test_a_name_over_32_characters(deploy: Deploy, here: Network) -> None:
    stack = deploy(one("AWS::ElasticLoadBalancingV2::LoadBalancer", Name="x" * 33, Subnets=here.subnets))
    assert "has 33 characters, 32 is the most" in stack.reason


def test_an_application_balancer_in_one_zone(deploy: Deploy, here: Network) -> None:
    stack = deploy(one("AWS::ElasticLoadBalancingV2::LoadBalancer", Name="one", Subnets=here.subnets[:1]))
    assert "two availability zones at least" in stack.reason


def test_a_certificate_of_another_region(deploy: Deploy, balancers: dict[str, str]) -> None:
    certificate = f"arn:aws:acm:{THERE}:{ACCOUNT}:certificate/1"
    response = {"StatusCode": "404"}
    stack = deploy(
        one("AWS::ElasticLoadBalancingV2::Listener", LoadBalancerArn=balancers[HERE], Port=443, Protocol="HTTPS",
             Certificates=[{"CertificateArn": certificate}],
             DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": response}])
    )  # fmt: skip
    assert f"a listener of {HERE} needs one of {HERE}" in stack.reason


def test_an_endpoint_service_of_an_application_balancer(deploy: Deploy, balancers: dict[str, str]) -> None:
    stack = deploy(one("AWS::EC2::VPCEndpointService", NetworkLoadBalancerArns=[balancers[HERE]]))
    assert "is no network load balancer" in stack.reason


def test_attributes_of_a_listener_are_told(deploy: Deploy, balancers: dict[str, str], emulator: Emulator) -> None:
    def listener(value: str) -> dict[str, Any]:
        return one(
            "AWS::ElasticLoadBalancingV2::Listener", LoadBalancerArn=balancers[HERE], Port=8080, Protocol="HTTP",
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
            ListenerAttributes=[{"Key": "routing.http.response.server.enabled", "Value": value}],
        )  # fmt: skip

    def told() -> list[dict[str, str]]:
        answer = emulator.client("elbv2").describe_listener_attributes(ListenerArn=stack.outputs["Arn"])
        attributes: list[dict[str, str]] = answer["Attributes"]
        return attributes

    stack = deploy(listener("false"), {"Arn": {"Ref": "Thing"}})
    assert {"Key": "routing.http.response.server.enabled", "Value": "false"} in told()
    stack.update(listener("true"), {"Arn": {"Ref": "Thing"}})
    assert {"Key": "routing.http.response.server.enabled", "Value": "true"} in told()


def test_whether_groups_hold_for_private_link_is_told(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    stack = deploy(
        one(
            "AWS::ElasticLoadBalancingV2::LoadBalancer", Name="private", Scheme="internal", Type="network",
            Subnets=here.subnets, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="on",
        ),
        {"Arn": {"Ref": "Thing"}},
    )  # fmt: skip
    found = emulator.client("elbv2").describe_load_balancers(LoadBalancerArns=[stack.outputs["Arn"]])
    assert found["LoadBalancers"][0]["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "on"


def test_who_may_connect_to_an_endpoint_service_is_told(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    balancer = one("AWS::ElasticLoadBalancingV2::LoadBalancer", Name="offered", Type="network", Subnets=here.subnets)
    service = {"Type": "AWS::EC2::VPCEndpointService", "Properties": {"NetworkLoadBalancerArns": [{"Ref": "Thing"}]}}

    def resources(*accounts: str) -> dict[str, Any]:
        principals = [f"arn:aws:iam::{account}:root" for account in accounts]
        permissions = {"ServiceId": {"Ref": "Service"}, "AllowedPrincipals": principals}
        who = {"Type": "AWS::EC2::VPCEndpointServicePermissions", "Properties": permissions}
        return {**balancer, "Service": service, "Who": who}

    def told() -> list[str]:
        answer = ec2.describe_vpc_endpoint_service_permissions(ServiceId=stack.outputs["Id"])
        return [item["Principal"] for item in answer["AllowedPrincipals"]]

    stack = deploy(resources(ACCOUNT), {"Id": {"Ref": "Service"}})
    assert stack.status == "CREATE_COMPLETE", stack.reason
    assert told() == [f"arn:aws:iam::{ACCOUNT}:root"]
    stack.update(resources(), {"Id": {"Ref": "Service"}})
    assert told() == []
    with pytest.raises(ec2.exceptions.ClientError, match="does not exist"):
        ec2.describe_vpc_endpoint_service_permissions(ServiceId="vpce-svc-none")
