"""The region's Application Load Balancer."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.access_logs import AccessLogsBucket
from ha_constructs.alb import InternalApplicationLoadBalancer

REGION = "eu-west-1"
CERTIFICATE = f"arn:aws:acm:{REGION}:111111111111:certificate/example"


def synthesize(**changes: Any) -> Template:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(account="111111111111", region=REGION))
    InternalApplicationLoadBalancer(
        stack,
        "Alb",
        vpc=ec2.Vpc(stack, "Vpc", availability_zones=[f"{REGION}{zone}" for zone in "abc"], nat_gateways=1),
        certificate=acm.Certificate.from_certificate_arn(stack, "Certificate", CERTIFICATE),
        cluster_name="reference-eu-west-1",
        access_logs_bucket=AccessLogsBucket(stack, "AccessLogs"),
        logs_key=kms.Key(stack, "Key"),
        **changes,
    )
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesize()


def properties(template: Template, kind: str) -> dict[str, Any]:
    (resource,) = template.find_resources(kind).values()
    found: dict[str, Any] = resource["Properties"]
    return found


def load_balancer_attributes(template: Template) -> dict[str, Any]:
    balancer = properties(template, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    return {attribute["Key"]: attribute["Value"] for attribute in balancer["LoadBalancerAttributes"]}


def target_group_attributes(template: Template) -> dict[str, Any]:
    group = properties(template, "AWS::ElasticLoadBalancingV2::TargetGroup")
    return {attribute["Key"]: attribute["Value"] for attribute in group["TargetGroupAttributes"]}


def test_load_balancer_is_internal_in_three_zones(template: Template) -> None:
    balancer = properties(template, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Scheme"] == "internal"
    assert len(balancer["Subnets"]) == 3


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("deletion_protection.enabled", "true"),
        ("routing.http.drop_invalid_header_fields.enabled", "true"),
        ("routing.http.desync_mitigation_mode", "defensive"),
        ("client_keep_alive.seconds", "60"),
        ("idle_timeout.timeout_seconds", "60"),
        ("zonal_shift.config.enabled", "true"),
        ("access_logs.s3.enabled", "true"),
    ],
)
def test_load_balancer_attribute(template: Template, attribute: str, value: str) -> None:
    assert load_balancer_attributes(template)[attribute] == value


def test_https_has_the_certificate_and_a_post_quantum_policy(template: Template) -> None:
    template.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::Listener",
        {
            "Port": 443,
            "Protocol": "HTTPS",
            "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
            "Certificates": [{"CertificateArn": CERTIFICATE}],
            "DefaultActions": [Match.object_like({"Type": "forward"})],
        },
    )


def test_http_is_redirected_for_good(template: Template) -> None:
    template.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::Listener",
        {
            "Port": 80,
            "DefaultActions": [
                {"Type": "redirect", "RedirectConfig": {"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"}}
            ],
        },
    )


def test_target_group_takes_pods_of_the_cluster(template: Template) -> None:
    group = properties(template, "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert group["TargetType"] == "ip"
    assert {"Key": "eks:eks-cluster-name", "Value": "reference-eu-west-1"} in group["Tags"]


def test_target_group_can_be_replaced_because_its_name_is_generated(template: Template) -> None:
    assert "Name" not in properties(template, "AWS::ElasticLoadBalancingV2::TargetGroup")


def test_failing_pod_is_out_after_twenty_seconds(template: Template) -> None:
    group = properties(template, "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert group["HealthCheckIntervalSeconds"] * group["UnhealthyThresholdCount"] == 20
    assert group["HealthCheckPath"] == "/healthz"


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("deregistration_delay.timeout_seconds", "60"),
        ("stickiness.enabled", "false"),
        ("load_balancing.algorithm.type", "weighted_random"),
        ("load_balancing.algorithm.anomaly_mitigation", "on"),
        ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
        ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"),
    ],
)
def test_target_group_attribute(template: Template, attribute: str, value: str) -> None:
    assert target_group_attributes(template)[attribute] == value


def test_clients_of_the_accelerator_may_connect_from_anywhere(template: Template) -> None:
    rules = properties(template, "AWS::EC2::SecurityGroup")["SecurityGroupIngress"]
    assert {(rule["CidrIp"], rule["FromPort"]) for rule in rules} == {("0.0.0.0/0", 443), ("0.0.0.0/0", 80)}


def test_clients_can_be_named() -> None:
    rules = properties(synthesize(client_cidrs=["192.0.2.0/24"]), "AWS::EC2::SecurityGroup")["SecurityGroupIngress"]
    assert {rule["CidrIp"] for rule in rules} == {"192.0.2.0/24"}


def test_load_balancer_connects_inside_the_network_only(template: Template) -> None:
    (rule,) = properties(template, "AWS::EC2::SecurityGroup")["SecurityGroupEgress"]
    assert rule["CidrIp"]["Fn::GetAtt"][1] == "CidrBlock"
    assert rule["IpProtocol"] == "tcp"


def test_web_acl_is_in_front_of_the_load_balancer(template: Template) -> None:
    (balancer_id,) = template.find_resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
    (acl_id,) = template.find_resources("AWS::WAFv2::WebACL")
    template.has_resource_properties(
        "AWS::WAFv2::WebACLAssociation",
        {"ResourceArn": {"Ref": balancer_id}, "WebACLArn": {"Fn::GetAtt": [acl_id, "Arn"]}},
    )


def test_protection_can_be_switched_off() -> None:
    template = synthesize(deletion_protection=False)
    assert load_balancer_attributes(template)["deletion_protection.enabled"] == "false"
    template.has_resource("AWS::Logs::LogGroup", {"DeletionPolicy": "Delete"})


def test_capacity_can_be_held_ready() -> None:
    balancer = properties(synthesize(minimum_capacity_units=100), "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["MinimumLoadBalancerCapacity"] == {"CapacityUnits": 100}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"client_keep_alive_seconds": 59}, "client_keep_alive_seconds must be 60 to 604800, got 59"),
        ({"deregistration_delay_seconds": 3601}, "must be 0 to 3600"),
        ({"idle_timeout_seconds": 0}, "must be 1 to 4000"),
        ({"target_port": 0}, "must be 1 to 65535"),
        ({"minimum_healthy_targets": 0}, "must be 1 to 1000"),
        ({"health_check_path": "healthz"}, "must start with '/'"),
        ({"client_cidrs": []}, "client_cidrs is empty"),
        ({"rate_limit": 1}, "rate_limit must be"),
    ],
)
def test_unusable_arguments_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        synthesize(**changes)
