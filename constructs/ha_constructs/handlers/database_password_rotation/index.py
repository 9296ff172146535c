"""Rotates the master password of an RDS instance through the RDS API.

Secrets Manager calls the four steps in order and may repeat any of them, so each looks first at what is already done.
Setting the password through ``ModifyDBInstance`` needs no database driver and no way into the database's network.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from typing import Any

import boto3

logger = logging.getLogger()
logger.setLevel(logging.INFO)

# RDS refuses / @ " and spaces; the others trouble shells and connection strings.
EXCLUDED_CHARACTERS = " /@\"'\\%:;`$&*{}[]()<>|?#"
PASSWORD_LENGTH = 40
POLL_SECONDS = 10


def handler(event: dict[str, Any], context: Any) -> None:
    """Run one step of a rotation.

    Args:
        event: ``SecretId``, ``ClientRequestToken`` and ``Step``.
        context: of the Lambda runtime; says how much time is left.

    Raises:
        ValueError: the secret has no such version in rotation, or the step is unknown.
        TimeoutError: RDS did not apply the password in time; Secrets Manager tries again later.
    """
    steps: dict[str, Callable[[Any, str, str, Any], None]] = {
        "createSecret": create_secret,
        "setSecret": set_secret,
        "testSecret": test_secret,
        "finishSecret": finish_secret,
    }
    secret_id, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    if step not in steps:
        raise ValueError(f"Unknown step {step}")
    secrets = boto3.client("secretsmanager")
    stages = secrets.describe_secret(SecretId=secret_id)["VersionIdsToStages"].get(token)
    if stages is None:
        raise ValueError(f"Version {token} is not a version of {secret_id}")
    if "AWSCURRENT" in stages:
        logger.info("Version %s is current already", token)
        return
    if "AWSPENDING" not in stages:
        raise ValueError(f"Version {token} of {secret_id} is not in rotation")
    steps[step](secrets, secret_id, token, context)
    logger.info("Step %s of version %s done", step, token)


def create_secret(secrets: Any, secret_id: str, token: str, _context: Any) -> None:
    """Put a version with a new password beside the current one."""
    current = _value(secrets, secret_id, VersionStage="AWSCURRENT")
    try:
        _value(secrets, secret_id, VersionId=token, VersionStage="AWSPENDING")
    except secrets.exceptions.ResourceNotFoundException:
        password = secrets.get_random_password(
            PasswordLength=PASSWORD_LENGTH, ExcludeCharacters=EXCLUDED_CHARACTERS, RequireEachIncludedType=False
        )["RandomPassword"]
        secrets.put_secret_value(
            SecretId=secret_id,
            ClientRequestToken=token,
            SecretString=json.dumps({**current, "password": password}),
            VersionStages=["AWSPENDING"],
        )


def set_secret(secrets: Any, secret_id: str, token: str, context: Any) -> None:
    """Give the instance the new password, and wait until it has it."""
    pending = _value(secrets, secret_id, VersionId=token, VersionStage="AWSPENDING")
    rds = boto3.client("rds")
    _wait_until_settled(rds, context)
    rds.modify_db_instance(
        DBInstanceIdentifier=_instance(), MasterUserPassword=pending["password"], ApplyImmediately=True
    )
    time.sleep(POLL_SECONDS)  # the change shows in the instance's state only after a moment
    _wait_until_settled(rds, context)


def test_secret(_secrets: Any, _secret_id: str, _token: str, context: Any) -> None:
    """Make sure that no change of the password is outstanding."""
    _wait_until_settled(boto3.client("rds"), context)


def finish_secret(secrets: Any, secret_id: str, token: str, _context: Any) -> None:
    """Make the new version the current one; the old one becomes AWSPREVIOUS."""
    versions = secrets.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
    current = next((version for version, stages in versions.items() if "AWSCURRENT" in stages), None)
    arguments = {"RemoveFromVersionId": current} if current else {}
    secrets.update_secret_version_stage(
        SecretId=secret_id, VersionStage="AWSCURRENT", MoveToVersionId=token, **arguments
    )


def _instance() -> str:
    return os.environ["INSTANCE_IDENTIFIER"]


def _value(secrets: Any, secret_id: str, **version: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(secrets.get_secret_value(SecretId=secret_id, **version)["SecretString"])
    return value


def _wait_until_settled(rds: Any, context: Any) -> None:
    while True:
        instance = rds.describe_db_instances(DBInstanceIdentifier=_instance())["DBInstances"][0]
        pending = "MasterUserPassword" in (instance.get("PendingModifiedValues") or {})
        if instance["DBInstanceStatus"] == "available" and not pending:
            return
        if context.get_remaining_time_in_millis() < 2 * POLL_SECONDS * 1000:
            raise TimeoutError(f"{_instance()} is {instance['DBInstanceStatus']}, its password is not settled")
        time.sleep(POLL_SECONDS)
