"""Which settings AWS itself does not tell, and that nothing else is excused with them."""

from typing import Any

import pytest

from ops.emulator.schemas import schema_of
from ops.rehearsal.verify.withheld import _TOLD_BY_THE_SERVICE, set_apart

REGION = "eu-west-1"


def _apart(kind: str, declared: dict[str, Any], found: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    left, checks = set_apart(kind, REGION, declared, found)
    assert {check.outcome for check in checks} <= {"withheld"}
    return left, {check.setting: check.declared for check in checks}


def test_a_setting_without_an_answer_of_aws_is_taken_out() -> None:
    declared = {"EmptyOnDelete": False, "RepositoryName": "web"}
    assert _apart("AWS::ECR::Repository", declared, {}) == ({"RepositoryName": "web"}, {"EmptyOnDelete": False})
    assert declared == {"EmptyOnDelete": False, "RepositoryName": "web"}


def test_a_setting_that_is_found_all_the_same_is_compared() -> None:
    declared = {"PendingWindowInDays": 30}
    assert _apart("AWS::KMS::Key", declared, {"PendingWindowInDays": 7}) == (declared, {})


def test_a_setting_that_the_service_tells_stays_though_cloudformation_cannot_read_it() -> None:
    declared = {"KmsKeyId": "key", "SecurityGroupIds": ["sg-1"]}
    assert _apart("AWS::ElastiCache::ReplicationGroup", declared, {}) == (declared, {})


def test_only_the_part_that_is_not_told_is_taken_out_of_a_setting() -> None:
    declared = {"DomainValidationOptions": [{"DomainName": "example.com", "HostedZoneId": "Z1"}]}
    left, withheld = _apart("AWS::CertificateManager::Certificate", declared, {})
    assert left == {"DomainValidationOptions": [{"DomainName": "example.com"}]}
    assert withheld == {"DomainValidationOptions.*.HostedZoneId": "Z1"}


def test_a_setting_that_has_nothing_left_is_gone() -> None:
    left, withheld = _apart("AWS::Lambda::Function", {"Code": {"S3Bucket": "assets", "S3Key": "a.zip"}}, {})
    assert left == {}
    assert withheld == {"Code.S3Bucket": "assets", "Code.S3Key": "a.zip"}


@pytest.mark.parametrize(
    ("kind", "declared"),
    [
        ("AWS::RDS::DBInstance", {"MasterUserPassword": "hidden"}),
        ("AWS::SecretsManager::Secret", {"SecretString": "hidden"}),
        ("AWS::ElastiCache::User", {"AuthenticationMode": {"Type": "password", "Passwords": ["hidden"]}}),
    ],
)
def test_a_secret_is_not_shown(kind: str, declared: dict[str, Any]) -> None:
    left, checks = set_apart(kind, REGION, declared, {"AuthenticationMode": {"Type": "password"}})
    assert [check.declared for check in checks] == ["not shown"]
    assert "hidden" not in str(left)


@pytest.mark.parametrize("kind", ["Custom::Thing", "AWS::No::Such"])
def test_a_type_without_a_schema_withholds_nothing(kind: str) -> None:
    assert _apart(kind, {"Anything": 1}, {}) == ({"Anything": 1}, {})


@pytest.mark.parametrize("kind", sorted(_TOLD_BY_THE_SERVICE))
def test_an_exception_is_one_from_the_schema(kind: str) -> None:
    """An entry for what the schema no longer calls write-only would be dead."""
    assert set(schema_of(kind, REGION).write_only) >= _TOLD_BY_THE_SERVICE[kind]
