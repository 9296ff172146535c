"""Backups: plan, copies and vaults."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.database_backup import DatabaseBackup

ACCOUNT = "123456789012"
DATABASE = f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:test-eu-west-1"
COPY = f"arn:aws:backup:us-east-1:{ACCOUNT}:backup-vault:test-us-east-1"


def make(**changes: Any) -> tuple[cdk.Stack, DatabaseBackup]:
    """Make a stack with a key and a backup."""
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(account=ACCOUNT, region="eu-west-1"))
    arguments = {"vault_name": "test-eu-west-1", "key": kms.Key(stack, "Key")}
    return stack, DatabaseBackup(stack, "Backup", **{**arguments, **changes})


@pytest.fixture(scope="module")
def template() -> Template:
    """A database with copies in another region."""
    stack, _ = make(database_arn=DATABASE, copy_vault_arn=COPY)
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def rules(template: Template) -> dict[str, dict[str, Any]]:
    """Rules of the plan by name."""
    plan = next(iter(template.find_resources("AWS::Backup::BackupPlan").values()))
    return {rule["RuleName"]: rule for rule in plan["Properties"]["BackupPlan"]["BackupPlanRule"]}


@pytest.mark.parametrize(("name", "days"), [("daily", 35), ("monthly", 365)])
def test_rule_keeps_backup_and_copy(rules: dict[str, dict[str, Any]], name: str, days: int) -> None:
    assert rules[name]["Lifecycle"] == {"DeleteAfterDays": days}
    assert rules[name]["CopyActions"] == [{"DestinationBackupVaultArn": COPY, "Lifecycle": {"DeleteAfterDays": days}}]


def test_rules_have_different_schedules(rules: dict[str, dict[str, Any]]) -> None:
    assert {rule["ScheduleExpression"] for rule in rules.values()} == {"cron(0 6 * * ? *)", "cron(0 6 1 * ? *)"}


def test_only_the_database_is_selected(template: Template) -> None:
    template.has_resource_properties("AWS::Backup::BackupSelection", {"BackupSelection": {"Resources": [DATABASE]}})


def test_vault_has_its_own_key_and_a_governance_lock(template: Template) -> None:
    template.has_resource(
        "AWS::Backup::BackupVault",
        {
            "DeletionPolicy": "Retain",
            "Properties": {
                "BackupVaultName": "test-eu-west-1",
                "EncryptionKeyArn": Match.any_value(),
                "LockConfiguration": {"MinRetentionDays": 7, "ChangeableForDays": Match.absent()},
            },
        },
    )


def test_vault_without_protection_is_not_locked() -> None:
    stack, _ = make(deletion_protection=False)
    Template.from_stack(stack).has_resource(
        "AWS::Backup::BackupVault",
        {"DeletionPolicy": "Delete", "Properties": {"LockConfiguration": Match.absent()}},
    )


def test_region_that_receives_copies_has_a_vault_and_no_plan() -> None:
    stack, backup = make()
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::Backup::BackupVault", 1)
    template.resource_count_is("AWS::Backup::BackupPlan", 0)
    assert backup.plan is None and backup.role is None


def test_backup_without_copy_stays_in_the_region() -> None:
    stack, _ = make(database_arn=DATABASE)
    Template.from_stack(stack).has_resource_properties(
        "AWS::Backup::BackupPlan",
        {"BackupPlan": {"BackupPlanRule": Match.array_with([Match.object_like({"CopyActions": Match.absent()})])}},
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vault_name": "no spaces"}, "vault_name must be"),
        ({"copy_vault_arn": COPY}, "needs a database_arn"),
        ({"database_arn": DATABASE, "copy_vault_arn": "vault"}, "copy_vault_arn must be arn"),
        ({"database_arn": DATABASE, "copy_vault_arn": COPY.replace("us-east-1", "eu-west-1", 1)}, "another region"),
        ({"daily_retention_days": 3}, "7 days or more"),
        ({"daily_retention_days": 60, "monthly_retention_days": 30}, "no less than"),
    ],
)
def test_bad_argument_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**changes)
