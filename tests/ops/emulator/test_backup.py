"""What our extension of backup vaults keeps."""

from typing import Any

from ops.emulator import Emulator

from .conftest import Deploy, one


def test_the_lock_of_a_vault_is_told_until_it_is_gone(deploy: Deploy, emulator: Emulator) -> None:
    def vault(**more: Any) -> dict[str, Any]:
        return one("AWS::Backup::BackupVault", BackupVaultName="safe", **more)

    def told() -> dict[str, Any]:
        found: dict[str, Any] = emulator.client("backup").describe_backup_vault(BackupVaultName="safe")
        return found

    stack = deploy(vault(LockConfiguration={"MinRetentionDays": 7, "ChangeableForDays": 3}))
    assert (told()["Locked"], told()["MinRetentionDays"]) == (True, 7)
    assert (told()["LockDate"] - told()["CreationDate"]).days == 3
    stack.update(vault())
    assert told()["Locked"] is False
    assert "MinRetentionDays" not in told()
