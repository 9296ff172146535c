"""The domain's public zone."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from ha_constructs.accelerator import Accelerator
from ha_constructs.hosted_zone import PublicZone

SIGNING_KEY = "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-3333-4444-555555555555"


def stack(region: str = "eu-west-1") -> cdk.Stack:
    return cdk.Stack(
        cdk.App(analytics_reporting=False), "global", env=cdk.Environment(account="111111111111", region=region)
    )


def synthesize(region: str = "eu-west-1", **changes: Any) -> Template:
    scope = stack(region)
    PublicZone(scope, "Zone", domain_name="example.com", **changes)
    return Template.from_stack(scope)


@pytest.fixture(scope="module")
def created() -> Template:
    scope = stack()
    zone = PublicZone(scope, "Zone", domain_name="example.com", incident_contact="security@example.com")
    zone.add_edge_records(Accelerator(scope, "Accelerator", name="production").alias_target)
    return Template.from_stack(scope)


@pytest.mark.parametrize("name", ["example.com.", "*.example.com."])
def test_apex_and_wildcard_are_aliases_of_the_accelerator(created: Template, name: str) -> None:
    created.has_resource_properties(
        "AWS::Route53::RecordSet",
        {"Name": name, "Type": "A", "AliasTarget": {"HostedZoneId": "Z2BJ6XQ5FK7U4H", "DNSName": Match.any_value()}},
    )


def test_an_ipv4_accelerator_gets_no_ipv6_records(created: Template) -> None:
    assert not created.find_resources("AWS::Route53::RecordSet", {"Properties": {"Type": "AAAA"}})


def test_only_the_named_authorities_may_issue(created: Template) -> None:
    created.has_resource_properties(
        "AWS::Route53::RecordSet",
        {
            "Name": "example.com.",
            "Type": "CAA",
            "ResourceRecords": [
                '0 issue "amazon.com"',
                '0 issuewild "amazon.com"',
                '0 iodef "mailto:security@example.com"',
            ],
        },
    )


def test_created_zone_survives_its_stack_and_can_change_without_us_east_1(created: Template) -> None:
    created.has_resource(
        "AWS::Route53::HostedZone",
        {
            "DeletionPolicy": "Retain",
            "Properties": {"Name": "example.com.", "HostedZoneFeatures": {"EnableAcceleratedRecovery": True}},
        },
    )


def test_created_zone_tells_its_name_servers() -> None:
    zone = PublicZone(stack(), "Zone", domain_name="example.com")
    assert zone.name_servers is not None


def test_unprotected_zone_goes_with_the_stack() -> None:
    synthesize(deletion_protection=False).has_resource("AWS::Route53::HostedZone", {"DeletionPolicy": "Delete"})


def test_existing_zone_is_used_and_not_created() -> None:
    scope = stack()
    zone = PublicZone(scope, "Zone", domain_name="example.com", hosted_zone_id="Z0123456789ABCDEFGHIJ")
    template = Template.from_stack(scope)
    template.resource_count_is("AWS::Route53::HostedZone", 0)
    template.has_resource_properties("AWS::Route53::RecordSet", {"HostedZoneId": "Z0123456789ABCDEFGHIJ"})
    assert zone.name_servers is None
    assert zone.zone_id == "Z0123456789ABCDEFGHIJ"


def test_no_authorities_no_records() -> None:
    synthesize(certificate_authorities=()).resource_count_is("AWS::Route53::RecordSet", 0)


def test_signing_in_us_east_1_brings_its_own_key() -> None:
    template = synthesize("us-east-1", dnssec=True)
    template.has_resource(
        "AWS::KMS::Key",
        {"DeletionPolicy": "Retain", "Properties": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}},
    )
    template.has_resource_properties("AWS::Route53::KeySigningKey", {"Status": "ACTIVE"})
    template.resource_count_is("AWS::Route53::DNSSEC", 1)


def test_signing_elsewhere_takes_a_key_of_us_east_1() -> None:
    template = synthesize(dnssec=True, dnssec_key_arn=SIGNING_KEY)
    template.has_resource_properties("AWS::Route53::KeySigningKey", {"KeyManagementServiceArn": SIGNING_KEY})
    template.resource_count_is("AWS::KMS::Key", 0)


def test_query_log_is_passed_on() -> None:
    log_group = "arn:aws:logs:us-east-1:111111111111:log-group:/aws/route53/example.com"
    synthesize(query_log_group_arn=log_group).has_resource_properties(
        "AWS::Route53::HostedZone", {"QueryLoggingConfig": {"CloudWatchLogsLogGroupArn": log_group}}
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dnssec": True}, "a stack of eu-west-1 needs dnssec_key_arn"),
        ({"dnssec": True, "dnssec_key_arn": SIGNING_KEY.replace("us-east-1", "eu-west-1")}, "is not in us-east-1"),
        ({"query_log_group_arn": "arn:aws:logs:eu-west-1:111111111111:log-group:x"}, "is not in us-east-1"),
        ({"hosted_zone_id": "Z0123", "dnssec": True}, "where the existing zone Z0123 is managed"),
    ],
)
def test_what_route53_refuses_is_refused_at_once(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        synthesize(**changes)


@pytest.mark.parametrize("name", ["example.com.", "Example.com", "localhost"])
def test_names_that_are_no_domains_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="domain_name"):
        PublicZone(stack(), "Zone", domain_name=name)
