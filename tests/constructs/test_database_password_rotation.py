"""The rotation: its permissions, and the handler's four steps against a small stand-in for AWS."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Match, Template

import ha_constructs.database_password_rotation as rotation

HANDLER = Path(rotation.__file__).parent / "handlers" / "database_password_rotation" / "index.py"
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 600_000)


class NotFoundError(Exception):
    """Secrets Manager's ResourceNotFoundException."""


class Secrets:
    """Secrets Manager with one secret."""

    exceptions = SimpleNamespace(ResourceNotFoundException=NotFoundError)

    def __init__(self) -> None:
        self.values = {"old": json.dumps({"username": "admin", "password": "old-password"})}
        self.stages: dict[str, list[str]] = {"old": ["AWSCURRENT"], "new": ["AWSPENDING"]}

    def describe_secret(self, SecretId: str) -> dict[str, Any]:  # noqa: N803
        return {"VersionIdsToStages": self.stages}

    def get_secret_value(self, SecretId: str, VersionStage: str, VersionId: str = "") -> dict[str, str]:  # noqa: N803
        version = VersionId or next(key for key, stages in self.stages.items() if VersionStage in stages)
        if version not in self.values:
            raise NotFoundError(version)
        return {"SecretString": self.values[version]}

    def get_random_password(self, **_arguments: Any) -> dict[str, str]:
        return {"RandomPassword": "new-password"}

    def put_secret_value(self, SecretString: str, ClientRequestToken: str, **_arguments: Any) -> None:  # noqa: N803
        self.values[ClientRequestToken] = SecretString

    def update_secret_version_stage(
        self,
        SecretId: str,  # noqa: N803
        VersionStage: str,  # noqa: N803
        MoveToVersionId: str,  # noqa: N803
        RemoveFromVersionId: str,  # noqa: N803
    ) -> None:
        self.stages[RemoveFromVersionId].remove(VersionStage)
        self.stages[MoveToVersionId].append(VersionStage)


class Rds:
    """RDS with one instance that applies a password after a look or two."""

    def __init__(self) -> None:
        self.password = "old-password"
        self.looks_until_settled = 0

    def describe_db_instances(self, DBInstanceIdentifier: str) -> dict[str, Any]:  # noqa: N803
        assert DBInstanceIdentifier == "test-eu-west-1"
        settled = self.looks_until_settled <= 0
        self.looks_until_settled -= 1
        status = "available" if settled else "resetting-master-credentials"
        return {"DBInstances": [{"DBInstanceStatus": status, "PendingModifiedValues": {}}]}

    def modify_db_instance(self, MasterUserPassword: str, ApplyImmediately: bool, **_arguments: Any) -> None:  # noqa: N803
        assert ApplyImmediately
        self.password = MasterUserPassword
        self.looks_until_settled = 2


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stand-ins for the two services."""
    monkeypatch.setenv("INSTANCE_IDENTIFIER", "test-eu-west-1")
    return SimpleNamespace(secretsmanager=Secrets(), rds=Rds())


@pytest.fixture
def handler(services: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The handler's module, talking to the stand-ins, without waiting."""
    spec = importlib.util.spec_from_file_location("rotation_handler", HANDLER)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.boto3, "client", lambda name: getattr(services, name))
    monkeypatch.setattr(module.time, "sleep", lambda _seconds: None)
    return module


def run(handler: ModuleType, *steps: str, token: str = "new", context: Any = CONTEXT) -> None:
    """Run steps of a rotation."""
    for step in steps:
        handler.handler({"SecretId": "secret", "ClientRequestToken": token, "Step": step}, context)


def test_rotation_gives_instance_and_secret_the_same_new_password(
    handler: ModuleType, services: SimpleNamespace
) -> None:
    run(handler, "createSecret", "setSecret", "testSecret", "finishSecret")
    current = services.secretsmanager.get_secret_value("secret", "AWSCURRENT")["SecretString"]
    assert json.loads(current) == {"username": "admin", "password": "new-password"}
    assert services.rds.password == "new-password"


def test_repeated_create_keeps_the_pending_password(handler: ModuleType, services: SimpleNamespace) -> None:
    run(handler, "createSecret")
    services.secretsmanager.get_random_password = lambda **_: {"RandomPassword": "another"}
    run(handler, "createSecret")
    assert json.loads(services.secretsmanager.values["new"])["password"] == "new-password"


def test_secret_is_not_finished_before_the_instance_is_settled(handler: ModuleType, services: SimpleNamespace) -> None:
    run(handler, "createSecret", "setSecret")
    services.rds.looks_until_settled = 1000
    late = SimpleNamespace(get_remaining_time_in_millis=lambda: 5_000)
    with pytest.raises(TimeoutError, match="not settled"):
        run(handler, "testSecret", context=late)


def test_current_version_is_left_alone(handler: ModuleType, services: SimpleNamespace) -> None:
    run(handler, "setSecret", token="old")
    assert services.rds.password == "old-password"


@pytest.mark.parametrize(
    ("step", "token", "message"),
    [("setSecret", "unknown", "not a version"), ("dropSecret", "new", "Unknown step")],
)
def test_bad_event_is_refused(handler: ModuleType, step: str, token: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(handler, step, token=token)


@pytest.fixture(scope="module")
def template() -> Template:
    """A rotation of a plain secret."""
    stack = cdk.Stack(
        cdk.App(context={"@aws-cdk/core:enablePartitionLiterals": True}),
        "Test",
        env=cdk.Environment(account="123456789012", region="eu-west-1"),
    )
    rotation.DatabasePasswordRotation(
        stack,
        "Rotation",
        secret=secretsmanager.Secret(stack, "Secret"),
        instance_identifier="test-eu-west-1",
        logs_key=kms.Key(stack, "Key"),
    )
    return Template.from_stack(stack)


def test_function_may_modify_one_instance_only(template: Template) -> None:
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        {
                            "Action": ["rds:DescribeDBInstances", "rds:ModifyDBInstance"],
                            "Effect": "Allow",
                            "Resource": "arn:aws:rds:eu-west-1:123456789012:db:test-eu-west-1",
                        }
                    ]
                )
            }
        },
    )


def test_bad_interval_is_refused() -> None:
    stack = cdk.Stack(cdk.App(context={"@aws-cdk/core:enablePartitionLiterals": True}), "Test")
    with pytest.raises(ValueError, match="1 to 1000"):
        rotation.DatabasePasswordRotation(
            stack,
            "Rotation",
            secret=secretsmanager.Secret(stack, "Secret"),
            instance_identifier="test",
            logs_key=kms.Key(stack, "Key"),
            every_days=0,
        )
