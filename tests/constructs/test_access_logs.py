"""The bucket for load balancer access logs."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk.assertions import Match, Template

from ha_constructs.access_logs import AccessLogsBucket

ACCOUNT = "111111111111"


def synthesize(region: str, *, deletion_protection: bool = True) -> Template:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(account=ACCOUNT, region=region))
    logs = AccessLogsBucket(stack, "Logs", deletion_protection=deletion_protection)
    vpc = ec2.Vpc(stack, "Vpc", availability_zones=[f"{region}a", f"{region}b"], nat_gateways=1)
    logs.enable_for(elbv2.ApplicationLoadBalancer(stack, "Alb", vpc=vpc), prefix="alb")
    return Template.from_stack(stack)


@pytest.fixture(scope="module", params=["eu-west-1", "eu-south-2"], ids=["old region", "opt-in region"])
def template(request: pytest.FixtureRequest) -> Template:
    return synthesize(request.param)


@pytest.fixture(scope="module")
def unprotected() -> Template:
    return synthesize("eu-west-1", deletion_protection=False)


def statements(template: Template) -> list[dict[str, Any]]:
    (policy,) = template.find_resources("AWS::S3::BucketPolicy").values()
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def test_bucket_is_encrypted_by_s3_because_load_balancers_cannot_use_kms(template: Template) -> None:
    template.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            }
        },
    )


def test_bucket_is_closed_to_the_public(template: Template) -> None:
    template.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        },
    )


def test_plain_http_and_old_tls_are_denied(template: Template) -> None:
    conditions = [statement["Condition"] for statement in statements(template) if statement["Effect"] == "Deny"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions


def test_logs_expire_after_90_days_by_default(template: Template) -> None:
    template.has_resource_properties(
        "AWS::S3::Bucket",
        {"LifecycleConfiguration": {"Rules": [Match.object_like({"ExpirationInDays": 90, "Status": "Enabled"})]}},
    )


def test_application_load_balancers_deliver_by_the_service_principal_in_every_region(template: Template) -> None:
    (delivery,) = (s for s in statements(template) if s.get("Sid") == "ApplicationLoadBalancerLogs")
    assert delivery["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert delivery["Action"] == "s3:PutObject"
    assert json.dumps(delivery["Resource"]).endswith(f'/*/AWSLogs/{ACCOUNT}/*"]]}}')


def test_network_load_balancer_delivery_is_for_this_account_only(template: Template) -> None:
    from_logs = [s for s in statements(template) if s["Principal"] == {"Service": "delivery.logs.amazonaws.com"}]
    assert {s["Action"] for s in from_logs} == {"s3:PutObject", "s3:GetBucketAcl"}
    assert all(s["Condition"]["StringEquals"]["aws:SourceAccount"] == ACCOUNT for s in from_logs)


def test_nobody_else_is_allowed_anything(template: Template) -> None:
    principals = {s["Principal"]["Service"] for s in statements(template) if s["Effect"] == "Allow"}
    assert principals == {"logdelivery.elasticloadbalancing.amazonaws.com", "delivery.logs.amazonaws.com"}


def test_load_balancer_writes_below_its_prefix_once_the_policy_is_there(template: Template) -> None:
    (policy_id,) = template.find_resources("AWS::S3::BucketPolicy")
    (balancer,) = template.find_resources("AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    attributes = {a["Key"]: a["Value"] for a in balancer["Properties"]["LoadBalancerAttributes"]}
    assert attributes["access_logs.s3.enabled"] == "true"
    assert attributes["access_logs.s3.prefix"] == "alb"
    assert policy_id in balancer["DependsOn"]


def test_protected_bucket_stays_and_brings_no_function(template: Template) -> None:
    template.has_resource(
        "AWS::S3::Bucket", {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
    )
    template.resource_count_is("Custom::S3AutoDeleteObjects", 0)


def test_unprotected_bucket_is_emptied_and_deleted(unprotected: Template) -> None:
    unprotected.has_resource("AWS::S3::Bucket", {"DeletionPolicy": "Delete"})
    unprotected.resource_count_is("Custom::S3AutoDeleteObjects", 1)


@pytest.mark.parametrize("prefix", ["", "/alb", "alb/", "alb/AWSLogs"])
def test_unusable_prefix_is_refused(prefix: str) -> None:
    stack = cdk.Stack(cdk.App(), "Test")
    logs = AccessLogsBucket(stack, "Logs")
    vpc = ec2.Vpc(stack, "Vpc")
    balancer = elbv2.ApplicationLoadBalancer(stack, "Alb", vpc=vpc)
    with pytest.raises(ValueError, match="give one such as 'alb'"):
        logs.enable_for(balancer, prefix=prefix)


def test_expiration_of_zero_days_is_refused() -> None:
    with pytest.raises(ValueError, match="expiration_days must be 1 or more, got 0"):
        AccessLogsBucket(cdk.Stack(cdk.App(), "Test"), "Logs", expiration_days=0)
