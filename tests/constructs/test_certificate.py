"""The domain's certificate."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from aws_cdk.assertions import Template

from ha_constructs.certificate import DomainCertificate


def synthesize(**changes: Any) -> Template:
    scope = cdk.Stack(
        cdk.App(analytics_reporting=False), "region", env=cdk.Environment(account="111111111111", region="eu-west-1")
    )
    zone = route53.HostedZone.from_hosted_zone_attributes(
        scope, "Zone", hosted_zone_id="Z0123456789ABCDEFGHIJ", zone_name="example.com"
    )
    DomainCertificate(scope, "Certificate", zone=zone, **changes)
    return Template.from_stack(scope)


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesize()


def test_certificate_covers_apex_and_wildcard(template: Template) -> None:
    template.has_resource_properties(
        "AWS::CertificateManager::Certificate",
        {"DomainName": "example.com", "SubjectAlternativeNames": ["*.example.com"]},
    )


def test_cloudformation_itself_proves_the_domain_in_its_zone(template: Template) -> None:
    template.has_resource_properties(
        "AWS::CertificateManager::Certificate",
        {
            "ValidationMethod": "DNS",
            "DomainValidationOptions": [{"DomainName": "example.com", "HostedZoneId": "Z0123456789ABCDEFGHIJ"}],
        },
    )
    template.resource_count_is("AWS::Lambda::Function", 0)


def test_key_is_elliptic_and_logged(template: Template) -> None:
    template.has_resource_properties(
        "AWS::CertificateManager::Certificate",
        {"KeyAlgorithm": "EC_prime256v1", "CertificateTransparencyLoggingPreference": "ENABLED"},
    )


def test_older_clients_can_be_served() -> None:
    synthesize(key_algorithm=acm.KeyAlgorithm.RSA_2048).has_resource_properties(
        "AWS::CertificateManager::Certificate", {"KeyAlgorithm": "RSA_2048"}
    )


def test_name_below_the_zone_can_be_certified() -> None:
    synthesize(domain_name="shop.example.com").has_resource_properties(
        "AWS::CertificateManager::Certificate",
        {"DomainName": "shop.example.com", "SubjectAlternativeNames": ["*.shop.example.com"]},
    )
