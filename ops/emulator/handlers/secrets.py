"""Secrets Manager: policies and rotation of a secret, over the emulator's API.

Refused: what belongs to a secret that does not exist in the region; a secret with a key that does not exist.
"""

import json

from ministack.services import secretsmanager as store

from ops.emulator.handlers.base import (
    Extension,
    Handler,
    Outcome,
    Properties,
    Refused,
    Request,
    exists,
    extends,
    handles,
    quietly,
)
from ops.emulator.handlers.rds import check_key

_REASON = "through the emulator's Secrets Manager API"


@extends("AWS::SecretsManager::Secret")
class Secret(Extension):
    """A secret's key."""

    def check(self, request: Request) -> None:
        """It exists in the region."""
        if request.properties.get("KmsKeyId"):
            check_key(request, request.properties["KmsKeyId"])


class _OfSecret(Handler):
    how = "native"
    reason = _REASON

    def check(self, request: Request) -> None:
        """The secret exists."""
        secret = request.properties["SecretId"]
        if exists(request.client("secretsmanager").describe_secret, SecretId=secret) is None:
            raise Refused(f"secret {secret!r} does not exist in {request.region}")


@handles("AWS::SecretsManager::ResourcePolicy")
class ResourcePolicy(_OfSecret):
    """Who may use a secret."""

    def create(self, request: Request) -> Outcome:
        """Put the policy."""
        policy = request.properties["ResourcePolicy"]
        secret = request.properties["SecretId"]
        text = policy if isinstance(policy, str) else json.dumps(policy)
        request.client("secretsmanager").put_resource_policy(SecretId=secret, ResourcePolicy=text)
        return Outcome(secret, {"Id": secret})

    def update(self, request: Request) -> Outcome:
        """Put it again."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Take it away."""
        quietly(request.client("secretsmanager").delete_resource_policy, SecretId=request.properties["SecretId"])


@handles("AWS::SecretsManager::RotationSchedule")
class RotationSchedule(_OfSecret):
    """When a secret is rotated, and by which function.

    The schedule is what ``DescribeSecret`` answers; no rotation runs, because the function that rotates comes from the
    Serverless Application Repository or a hosted template, neither of which can be fetched here.
    """

    def create(self, request: Request) -> Outcome:
        """Set the schedule on the secret."""
        properties = request.properties
        self._set(
            properties["SecretId"],
            enabled=True,
            function=properties.get("RotationLambdaARN") or request.arn("lambda", "function:hosted-rotation"),
            rules=properties.get("RotationRules", {}),
        )
        return Outcome(properties["SecretId"], {"Id": properties["SecretId"]})

    def update(self, request: Request) -> Outcome:
        """Set the new schedule."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Turn rotation off."""
        self._set(request.properties["SecretId"], enabled=False, function=None, rules=None)

    @staticmethod
    def _set(secret_id: str, *, enabled: bool, function: str | None, rules: Properties | None) -> None:
        _, secret = store._resolve(secret_id)
        if secret:
            secret |= {"RotationEnabled": enabled, "RotationLambdaARN": function, "RotationRules": rules}
