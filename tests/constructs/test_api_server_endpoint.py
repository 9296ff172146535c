"""The API server behind the load balancer."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.access_logs import AccessLogsBucket
from ha_constructs.api_server_endpoint import ApiServerEndpoint
from ha_constructs.cluster import KubernetesCluster
from ha_constructs.nlb import InternalNetworkLoadBalancer


def make_stack(ports: tuple[int, ...] = (), **changes: Any) -> cdk.Stack:
    stack = cdk.Stack(cdk.App(), "test", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    vpc = ec2.Vpc(stack, "Vpc", availability_zones=["eu-west-1a", "eu-west-1b", "eu-west-1c"])
    key = kms.Key(stack, "Key")
    cluster = KubernetesCluster(
        stack, "Cluster", cluster_name="test-eu-west-1", vpc=vpc, encryption_key=key, administrator_role_arns=[]
    )
    load_balancer = InternalNetworkLoadBalancer(
        stack,
        "Nlb",
        vpc=vpc,
        ports=ports,
        cluster_name=cluster.name,
        access_logs_bucket=AccessLogsBucket(stack, "Logs"),
    )
    arguments: dict[str, Any] = {
        "cluster": cluster,
        "vpc": vpc,
        "load_balancer": load_balancer,
        "allowed_principals": ["arn:aws:iam::444455556666:root"],
        "logs_key": key,
    }
    ApiServerEndpoint(stack, "ApiServer", **{**arguments, **changes})
    return stack


@pytest.fixture(scope="module")
def template() -> Template:
    return Template.from_stack(make_stack())


@pytest.fixture(scope="module")
def function(template: Template) -> dict[str, Any]:
    functions = template.find_resources("AWS::Lambda::Function", {"Properties": {"Handler": "index.handler"}})
    return next(resource["Properties"] for name, resource in functions.items() if name.startswith("ApiServerReconcile"))


def test_port_443_goes_to_a_group_that_auto_mode_leaves_alone(template: Template) -> None:
    template.has_resource_properties("AWS::ElasticLoadBalancingV2::Listener", {"Port": 443, "Protocol": "TCP"})
    template.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        {"Port": 443, "TargetType": "ip", "Tags": Match.absent(), "Targets": Match.absent()},
    )


def test_api_server_accepts_the_load_balancer(template: Template) -> None:
    template.has_resource_properties(
        "AWS::EC2::SecurityGroupIngress",
        {
            "FromPort": 443,
            "ToPort": 443,
            "GroupId": {"Fn::GetAtt": [Match.any_value(), "ClusterSecurityGroupId"]},
            "SourceSecurityGroupId": {"Fn::GetAtt": [Match.string_like_regexp("NlbSecurityGroup"), "GroupId"]},
        },
    )


def test_clients_come_from_private_addresses_only(template: Template) -> None:
    groups = template.find_resources(
        "AWS::EC2::SecurityGroup", {"Properties": {"GroupDescription": "Internal Network Load Balancer"}}
    )
    rules = next(iter(groups.values()))["Properties"]["SecurityGroupIngress"]
    assert {(rule["CidrIp"], rule["FromPort"]) for rule in rules} == {
        ("10.0.0.0/8", 443),
        ("172.16.0.0/12", 443),
        ("192.168.0.0/16", 443),
    }


def test_connections_to_the_endpoint_service_wait_for_acceptance(template: Template) -> None:
    template.has_resource_properties("AWS::EC2::VPCEndpointService", {"AcceptanceRequired": True})
    template.has_resource_properties(
        "AWS::EC2::VPCEndpointServicePermissions", {"AllowedPrincipals": ["arn:aws:iam::444455556666:root"]}
    )


def test_nobody_may_ask_when_no_principal_is_given() -> None:
    template = Template.from_stack(make_stack(allowed_principals=[]))
    template.resource_count_is("AWS::EC2::VPCEndpointService", 1)
    template.resource_count_is("AWS::EC2::VPCEndpointServicePermissions", 0)


def test_function_knows_the_cluster_and_its_targets(function: dict[str, Any]) -> None:
    variables = function["Environment"]["Variables"]
    assert variables["CLUSTER_NAME"] == "test-eu-west-1"
    assert set(variables) == {"CLUSTER_NAME", "CLUSTER_SECURITY_GROUP_ID", "TARGET_GROUP_ARN", "VPC_ID"}
    assert function["Architectures"] == ["arm64"]


def test_functions_log_is_encrypted(template: Template) -> None:
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 30, "KmsKeyId": Match.any_value()})


def test_function_may_change_one_target_group_and_read_the_rest(template: Template) -> None:
    roles = template.find_resources("AWS::IAM::Role")
    role = next(resource for name, resource in roles.items() if name.startswith("ApiServerReconcileRole"))
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    unlimited = [statement for statement in statements if statement["Resource"] == "*"]
    assert [statement["Action"] for statement in unlimited] == [
        ["ec2:DescribeNetworkInterfaces", "elasticloadbalancing:DescribeTargetHealth"]
    ]
    changing = next(
        statement for statement in statements if "elasticloadbalancing:RegisterTargets" in statement["Action"]
    )
    assert "ApiServerTargetGroup" in json.dumps(changing["Resource"])
    assert "ManagedPolicyArns" not in role["Properties"]


def test_targets_are_set_with_the_deployment_and_again_after_an_upgrade(template: Template) -> None:
    template.has_resource_properties(
        "Custom::ApiServerTargets",
        {"KubernetesVersion": "1.36", "ClusterName": Match.any_value(), "ServiceTimeout": "300"},
    )


def test_targets_are_looked_after_every_minute_without_repetition(template: Template) -> None:
    template.has_resource_properties("AWS::Events::Rule", {"ScheduleExpression": "rate(1 minute)", "State": "ENABLED"})
    template.has_resource_properties("AWS::Lambda::EventInvokeConfig", {"MaximumRetryAttempts": 0})


def test_taken_port_is_refused() -> None:
    with pytest.raises(ValueError, match="already listens on 443"):
        make_stack(ports=(443,))


@pytest.mark.parametrize("principal", ["*", "444455556666", "arn:aws:iam::*:root"])
def test_principal_that_names_nobody_is_refused(principal: str) -> None:
    with pytest.raises(ValueError, match="must be the ARN of an account, role or user"):
        make_stack(allowed_principals=[principal])
