"""Backups of a database beyond its own: AWS Backup, with copies in another region."""

import re

import aws_cdk as cdk
from aws_cdk import Validations
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

_VAULT_NAME = re.compile(r"[a-zA-Z0-9_-]{2,50}")
_VAULT_ARN = re.compile(r"arn:[\w-]+:backup:(?P<region>[a-z0-9-]+):[^:]+:backup-vault:[a-zA-Z0-9_-]{2,50}")
_LOCKED_DAYS = 7
_BACKUP_POLICY = "service-role/AWSBackupServiceRolePolicyForBackup"


class DatabaseBackup(Construct):
    """Backup vault and, where there is a database, the plan that fills it and copies to another region's vault.

    RDS keeps up to 35 days of point-in-time recovery, in one region, deleted with the instance. This adds daily and
    monthly snapshots that outlive the instance, each copied to another region. Where a region only receives copies,
    the same construct without ``database_arn`` makes just the vault; the copy's source names it by a literal ARN, so
    neither stack refers to the other. Deploy the receiving region before the first backup runs: a copy to a missing
    vault fails its job, not the deployment.

    *Keys.* AWS Backup does not encrypt RDS snapshots independently: in the local vault they keep the database's own
    key, and a copy is encrypted with the key of the **destination's vault**. So both keys must let AWS Backup's role
    work in its account; AWS managed keys could not be copied across accounts later. A vault's name and key are fixed:
    changing one replaces the vault, which AWS refuses while it holds recovery points.

    *Lock.* With ``deletion_protection`` the vault is locked in governance mode: nothing in it can be deleted before
    7 days except by someone who may remove the lock. Compliance mode is not offered: after its grace time nobody, AWS
    included, can remove it, or the account's bill for it, before the last recovery point expires.

    *Time.* Jobs start at 06:00 UTC, because RDS refuses snapshots close to its own backup and maintenance windows.

    Exposes:
        vault, vault_arn: the vault. plan, role: the plan and AWS Backup's role, or None.

    Documentation followed:
        Creating backup copies across AWS Regions
        https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html
        Encryption for backups in AWS Backup
        https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html
        AWS Backup Vault Lock
        https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vault_name: str,
        key: kms.IKey,
        database_arn: str | None = None,
        copy_vault_arn: str | None = None,
        daily_retention_days: int = 35,
        monthly_retention_days: int = 365,
        deletion_protection: bool = True,
    ) -> None:
        """Create the vault and, with ``database_arn``, the plan.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            vault_name: literal name, 2 to 50 letters, digits, ``-`` and ``_``.
            key: key of the vault, of this region.
            database_arn: ARN of the instance to back up. None: only a vault, for copies from another region.
            copy_vault_arn: literal ARN of the vault, in another region, that every backup is copied to.
            daily_retention_days: days that a daily backup and its copy are kept, 7 or more. Default: 35.
            monthly_retention_days: days that a monthly one is kept, no less than a daily one. Default: 365.
            deletion_protection: lock and retain the vault. Default: true.

        Raises:
            ValueError: a name or an ARN is malformed, a copy is asked for without a database or within the region,
                or a retention is too short.
        """
        super().__init__(scope, construct_id)
        self._check(vault_name, database_arn, copy_vault_arn, daily_retention_days, monthly_retention_days)
        self.vault = self._build_vault(vault_name, key, deletion_protection)
        self.plan: backup.BackupPlan | None = None
        self.role: iam.Role | None = None
        if database_arn:
            self.plan = self._build_plan(vault_name, copy_vault_arn, daily_retention_days, monthly_retention_days)
            self.role = self._build_role()
            self.plan.add_selection(
                "Database", resources=[backup.BackupResource.from_arn(database_arn)], role=self.role
            )

    @property
    def vault_arn(self) -> str:
        """ARN of the vault."""
        return self.vault.backup_vault_arn

    def _check(
        self, vault_name: str, database_arn: str | None, copy_vault_arn: str | None, daily: int, monthly: int
    ) -> None:
        if not _VAULT_NAME.fullmatch(vault_name):
            raise ValueError(f"vault_name must be 2 to 50 letters, digits, '-' and '_', got {vault_name!r}.")
        if not _LOCKED_DAYS <= daily <= monthly:
            raise ValueError(
                f"retentions must be {_LOCKED_DAYS} days or more (the vault's lock), the monthly no less than the "
                f"daily, got daily {daily} and monthly {monthly}."
            )
        if copy_vault_arn is None:
            return
        if database_arn is None:
            raise ValueError("copy_vault_arn needs a database_arn: without one there is nothing to copy.")
        match = _VAULT_ARN.fullmatch(copy_vault_arn)
        if not match:
            raise ValueError(
                f"copy_vault_arn must be arn:aws:backup:<region>:<account>:backup-vault:<name>, got {copy_vault_arn!r}."
            )
        if match["region"] == cdk.Stack.of(self).region:
            raise ValueError(f"copy_vault_arn must be in another region than {match['region']}.")

    def _build_vault(self, vault_name: str, key: kms.IKey, deletion_protection: bool) -> backup.BackupVault:
        return backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=vault_name,
            encryption_key=key,
            lock_configuration=(
                backup.LockConfiguration(min_retention=cdk.Duration.days(_LOCKED_DAYS)) if deletion_protection else None
            ),
            removal_policy=cdk.RemovalPolicy.RETAIN if deletion_protection else cdk.RemovalPolicy.DESTROY,
        )

    def _build_plan(self, vault_name: str, copy_vault_arn: str | None, daily: int, monthly: int) -> backup.BackupPlan:
        destination = (
            backup.BackupVault.from_backup_vault_arn(self, "CopyVault", copy_vault_arn) if copy_vault_arn else None
        )

        def rule(name: str, schedule: events.Schedule, days: int) -> backup.BackupPlanRule:
            retention = cdk.Duration.days(days)
            # RDS has no cold storage to move to, and point-in-time recovery stays with RDS itself.
            return backup.BackupPlanRule(
                rule_name=name,
                backup_vault=self.vault,
                schedule_expression=schedule,
                start_window=cdk.Duration.hours(1),
                completion_window=cdk.Duration.hours(8),
                delete_after=retention,
                copy_actions=(
                    [backup.BackupPlanCopyActionProps(destination_backup_vault=destination, delete_after=retention)]
                    if destination
                    else None
                ),
            )

        return backup.BackupPlan(
            self,
            "Plan",
            backup_plan_name=vault_name,
            backup_plan_rules=[
                rule("daily", events.Schedule.cron(hour="6", minute="0"), daily),
                rule("monthly", events.Schedule.cron(day="1", hour="6", minute="0"), monthly),
            ],
        )

    def _build_role(self) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description="AWS Backup's role: snapshots of the database and their copies",
            assumed_by=iam.ServicePrincipal("backup.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_BACKUP_POLICY)],
        )
        Validations.of(role).acknowledge(
            cdk.Acknowledgment(
                id=f"AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_BACKUP_POLICY}]",
                reason="AWS maintains this policy with the service; a copy of ours that lags behind would make backups "
                "fail silently. Restoring is not in it.",
            )
        )
        return role
