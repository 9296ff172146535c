"""Backup selections, over the emulator's Backup API, and the lock of a vault.

AWS: "AWS Backup Vault Lock", https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html

Refused: a selection of a plan that does not exist, a plan whose vault does not exist in the region, a vault with a key
that does not exist.
"""

from ministack.services import backup as store

from ops.emulator.handlers.base import (
    Attributes,
    Extension,
    Handler,
    Outcome,
    Refused,
    Request,
    exists,
    extends,
    handles,
    quietly,
)
from ops.emulator.handlers.rds import check_key

_SECONDS_A_DAY = 24 * 60 * 60


@extends("AWS::Backup::BackupVault")
class Vault(Extension):
    """A vault's key."""

    def check(self, request: Request) -> None:
        """It exists in the region."""
        if request.properties.get("EncryptionKeyArn"):
            check_key(request, request.properties["EncryptionKeyArn"])

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Lock the vault, or unlock it where the lock is gone from the template."""
        lock = request.properties.get("LockConfiguration")
        vault = store._vaults[outcome.physical_id]
        for name in ("MinRetentionDays", "MaxRetentionDays", "LockDate"):
            vault.pop(name, None)
        vault["Locked"] = lock is not None
        if lock is not None:
            vault |= {name: int(lock[name]) for name in ("MinRetentionDays", "MaxRetentionDays") if lock.get(name)}
        if lock is not None and lock.get("ChangeableForDays"):
            vault["LockDate"] = vault["CreationDate"] + int(lock["ChangeableForDays"]) * _SECONDS_A_DAY
        return {}


@extends("AWS::Backup::BackupPlan")
class Plan(Extension):
    """A plan's vaults."""

    def check(self, request: Request) -> None:
        """The vaults its rules write to exist in the region."""
        for rule in request.properties["BackupPlan"]["BackupPlanRule"]:
            vault = rule["TargetBackupVault"]
            if exists(request.client("backup").describe_backup_vault, BackupVaultName=vault) is None:
                raise Refused(f"backup vault {vault!r} does not exist in {request.region}")


@handles("AWS::Backup::BackupSelection")
class Selection(Handler):
    """What a plan backs up."""

    how = "native"
    reason = "through the emulator's Backup API"

    def check(self, request: Request) -> None:
        """The plan exists."""
        plan = request.properties["BackupPlanId"]
        if exists(request.client("backup").get_backup_plan, BackupPlanId=plan) is None:
            raise Refused(f"backup plan {plan!r} does not exist in {request.region}")

    def create(self, request: Request) -> Outcome:
        """Select."""
        plan = request.properties["BackupPlanId"]
        selection = dict(request.properties["BackupSelection"])
        answer = request.client("backup").create_backup_selection(BackupPlanId=plan, BackupSelection=selection)
        selection_id = answer["SelectionId"]
        physical_id = f"{plan}|{selection_id}"
        return Outcome(physical_id, {"Id": physical_id, "SelectionId": selection_id, "BackupPlanId": plan})

    def update(self, request: Request) -> Outcome:
        """Every property replaces; nothing else changes."""
        return Outcome(request.physical_id, {"Id": request.physical_id})

    def delete(self, request: Request) -> None:
        """Unselect."""
        plan, selection = request.physical_id.split("|")
        quietly(request.client("backup").delete_backup_selection, BackupPlanId=plan, SelectionId=selection)
