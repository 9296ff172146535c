"""Every statement of every policy in every template, held against the services' own tables of actions and resources.

What these tables know and no synthesis checks: an action that does not exist, a resource that the action can't be
limited to (IAM then allows nothing, silently), a condition key that the request does not carry (likewise).
"""

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from environments import Environment
from tests.configurations import MATRIX, matrix
from tests.stacks.conftest import Synthesize
from tests.stacks.policies import (
    Statement,
    is_of,
    matching_actions,
    resource_formats,
    statements,
    supports_condition_key,
)

NOT_IN_THE_TABLES: dict[str, str] = {}
"""Actions newer than the tables, with the page that documents them."""

THE_RESOURCE_ITSELF = {
    "AWS::KMS::Key": "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html",
    "AWS::KMS::ReplicaKey": "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html",
    "AWS::SecretsManager::ResourcePolicy": (
        "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html"
    ),
}
"""Where ``*`` as the resource means the one resource that the policy is attached to, with the page that says so."""

ANY_ALARM = "Read only, and a guardrail: the alarm or the graph behind a message may be of any region of the account."
WIDER_THAN_NEEDED = {
    ("ChatHubChannelsGuardrail", "cloudwatch:DescribeAlarmHistory"): ANY_ALARM,
    ("ChatHubChannelsGuardrail", "cloudwatch:DescribeAlarms"): ANY_ALARM,
    ("ChatHubChannelsGuardrail", "cloudwatch:GetDashboard"): ANY_ALARM,
    ("ChatHubChannelsGuardrail", "cloudwatch:GetMetricData"): "Only data sets have an ARN; metrics have none.",
    ("ChatHubChannelsGuardrail", "cloudwatch:ListMetrics"): "Only data sets have an ARN; metrics have none.",
}
"""Actions allowed on ``*`` though the tables know a resource for them, with the reason."""

DOCUMENTED_WITHOUT_EFFECT = {
    ("KeysLogs", "kms:DescribeKey", "kms:EncryptionContext:aws:logs:arn"): (
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
    ),
}
"""Conditions that never hold for an action, in a statement as AWS documents it, with the page."""

EMPTYING = "Deployed only without deletion protection: the CDK's function empties this one bucket before it is deleted."
WILDCARD_ACTIONS = {
    ("ChatHubAlarmsEventsRoleDefaultPolicy", "kms:GenerateDataKey*"): (
        "Publishing to the encrypted topic needs GenerateDataKey and its variants, of this one key only"
    ),
    ("AccessLogsBucketPolicy", "s3:DeleteObject*"): EMPTYING,
    ("AccessLogsBucketPolicy", "s3:GetBucket*"): EMPTYING,
    ("AccessLogsBucketPolicy", "s3:List*"): EMPTYING,
}
"""Wildcards in actions that are allowed to anyone, with their reasons."""

PULLING = (
    "Signing in to ECR has no resource; the others are the namespaces of this environment, whose caches hold "
    "repositories that only the first pull names."
)
WILDCARD_RESOURCES = {
    ("ApiServerEndpointReconcileRole", "*"): (
        "Describing network interfaces and target health can't be limited to a resource; it only reads."
    ),
    ("ChatHubChannelsGuardrail", "*"): (
        "Reading metrics and drawing graphs can't be narrowed to resources in CloudWatch; read-only actions"
    ),
    ("ClusterKubectlProviderframeworkonEventServiceRoleDefaultPolicy", "<function>:*"): (
        "The CDK chooses runtime and role of its functions; the role may log and call the kubectl function."
    ),
    ("DatabaseRotationRoleDefaultPolicy", "*"): "secretsmanager:GetRandomPassword, which knows no resources.",
    ("RegistrarPeering<region>Policy", "*"): "ec2:Describe* actions know no resource; limited to the two regions.",
    ("RegistrarPeering<region>Policy", "<arn of ec2>:route-table/*"): (
        "Limited to the peer VPC's route tables by the condition on ec2:Vpc."
    ),
    ("RegistrarRegistryReplicationPolicy", "*"): (
        "The registry's actions know no resource; limited to the primary region."
    ),
    ("RegistryPullPolicy", "*"): PULLING,
    ("RegistryPullPolicy", "<arn of ecr>:repository/<namespace>/*"): PULLING,
    ("RegistryTemplatesPolicy", "<arn of ecr>:repository/<namespace>/*"): (
        "ECR names the repositories that it creates after their source, in these namespaces."
    ),
}
"""Wildcards in the resources of what roles may do, with the reasons acknowledged at the constructs."""

_FINDING = re.compile(r"AwsSolutions-IAM5\[(Action|Resource)::(.*)\]$")


@pytest.fixture(scope="module")
def all_policies(synthesize: Synthesize) -> dict[str, list[Statement]]:
    """Every statement of every template, by environment of the matrix."""
    found: dict[str, list[Statement]] = {}
    for name, environment in MATRIX.items():
        synthesized = synthesize(environment)
        found[name] = [item for stack in synthesized.stack_names for item in statements(synthesized.json(stack))]
    return found


@pytest.fixture(params=MATRIX)
def policies(request: pytest.FixtureRequest, all_policies: dict[str, list[Statement]]) -> list[Statement]:
    """Every statement of one environment of the matrix."""
    return all_policies[request.param]


def test_every_action_is_one_that_its_service_knows(policies: list[Statement]) -> None:
    unknown = {
        action
        for statement in policies
        for action in statement.actions
        if not matching_actions(action) and action not in NOT_IN_THE_TABLES
    }

    assert not unknown


def test_every_resource_is_one_that_an_action_of_the_statement_knows(policies: list[Statement]) -> None:
    wrong = [
        f"{statement}: {resource}"
        for statement in policies
        for resource in statement.resources
        if resource != "*" and not any(is_of(resource, known, statement.types) for known in _formats(statement))
    ]

    assert not wrong


def test_every_action_knows_a_resource_of_its_statement(policies: list[Statement]) -> None:
    """An action without resources needs ``*``; named resources in its statement make it allow nothing."""
    idle = [
        f"{statement}: {action}"
        for statement in policies
        if "*" not in statement.resources and not statement.is_trust
        for action in statement.actions
        if not any(
            is_of(resource, known, statement.types)
            for exact in matching_actions(action)
            for known in resource_formats(exact)
            for resource in statement.resources
        )
    ]

    assert not idle


def test_every_condition_key_is_in_the_requests_that_are_allowed(policies: list[Statement]) -> None:
    never = {
        (statement.holder, action, key)
        for statement in policies
        if statement.effect == "Allow"
        for key in statement.condition_keys
        if not key.startswith("aws:")
        for action in statement.actions
        if not any(supports_condition_key(exact, key) for exact in matching_actions(action))
    }

    assert never <= DOCUMENTED_WITHOUT_EFFECT.keys()


def test_nothing_is_allowed_on_every_resource_that_can_be_narrowed_but_this(
    all_policies: dict[str, list[Statement]],
) -> None:
    found = {
        (statement.holder, exact)
        for statement in chain(*all_policies.values())
        if statement.effect == "Allow" and "*" in statement.resources
        if statement.holder_type not in THE_RESOURCE_ITSELF
        for action in statement.actions
        for exact in matching_actions(action)
        if resource_formats(exact)
    }

    assert found == WIDER_THAN_NEEDED.keys()


def test_no_resource_policy_reaches_beyond_its_resource(policies: list[Statement]) -> None:
    wide = [
        str(statement)
        for statement in policies
        if not statement.is_identity and "*" in statement.resources
        if statement.holder_type not in THE_RESOURCE_ITSELF
    ]

    assert not wide


def test_no_role_can_be_taken_on_by_anyone(policies: list[Statement]) -> None:
    trusts = [statement for statement in policies if statement.is_trust]

    assert trusts
    assert not [str(statement) for statement in trusts if "*" in json.dumps(statement.principals)]


def test_no_action_is_allowed_by_a_wildcard_but_these(all_policies: dict[str, list[Statement]]) -> None:
    found = {
        (statement.holder, action)
        for statement in chain(*all_policies.values())
        for action in statement.actions
        if statement.effect == "Allow" and "*" in action
    }

    assert found == WILDCARD_ACTIONS.keys()


def test_no_role_has_a_wildcard_in_its_resources_but_these(all_policies: dict[str, list[Statement]]) -> None:
    found = {
        (_without_names(statement.holder, environment), _without_names(resource, environment))
        for name, environment in MATRIX.items()
        for statement in all_policies[name]
        for resource in statement.resources
        if statement.is_identity and "*" in resource
    }

    assert found == WILDCARD_RESOURCES.keys()


@matrix
def test_the_reasons_are_those_acknowledged_at_the_constructs(
    synthesize: Synthesize, configuration: Environment
) -> None:
    reasons = {"Action": WILDCARD_ACTIONS, "Resource": WILDCARD_RESOURCES}

    for construct, kind, wildcard, reason in _acknowledged(synthesize, configuration):
        assert reason in {
            known
            for (holder, pattern), known in reasons[kind].items()
            if holder.startswith(construct) and pattern == wildcard
        }, f"{construct} {wildcard}"


def test_a_role_that_may_do_too_much_is_found() -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": ["sqs:SendMesage", "sqs:ListQueues"], "Resource": "*"}]}
    role = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": document}}
    (statement,) = statements({"Resources": {"Policy": role}})

    assert [matching_actions(action) for action in statement.actions] == [(), ("sqs:ListQueues",)]
    assert resource_formats("sqs:SendMessage")
    assert not resource_formats("sqs:ListQueues")
    assert not supports_condition_key("sqs:SendMessage", "kms:ViaService")


@pytest.mark.parametrize(
    ("resource", "fits"),
    [("arn:aws:sqs:eu-west-1:111122223333:jobs", True), ("${Jobs.Arn}", True), ("${Topic}", False), ("${Jobs}", True)],
)
def test_resources_are_held_against_the_formats_of_the_tables(resource: str, fits: bool) -> None:
    (arn_format,) = resource_formats("sqs:SendMessage")

    assert is_of(resource, arn_format, {"Jobs": "AWS::SQS::Queue", "Topic": "AWS::SNS::Topic"}) is fits


def _formats(statement: Statement) -> set[str]:
    return {
        known for action in statement.actions for exact in matching_actions(action) for known in resource_formats(exact)
    }


def _acknowledged(synthesize: Synthesize, environment: Environment) -> Iterator[tuple[str, str, str, str]]:
    """Construct, kind, wildcard and reason of every acknowledged wildcard, as the assembly has them."""
    synthesized = synthesize(environment)
    for name in synthesized.stack_names:
        file = Path(synthesized.assembly.directory, f"{name}.metadata.json")
        entries: dict[str, list[dict[str, Any]]] = json.loads(file.read_text(encoding="utf-8"))
        for path, kept in entries.items():
            construct = _without_names(_logical_id(path.removeprefix(f"/{name}/")), environment)
            for entry in kept:
                if entry["type"] == "aws:cdk:acknowledged-rules":
                    for finding, reason in entry["data"].items():
                        if match := _FINDING.search(finding):
                            yield construct, match[1], _without_names(match[2], environment), reason


def _logical_id(path: str) -> str:
    """The logical id, without the hash, that the CDK makes of a construct's path: equal neighbours become one."""
    parts = [re.sub(r"[^A-Za-z0-9]", "", part) for part in path.split("/")]
    return "".join(part for index, part in enumerate(parts) if index == 0 or part != parts[index - 1])


def _without_names(text: str, environment: Environment) -> str:
    """A text without what differs between environments, regions and forms of a reference."""
    text = re.sub(r"[$<]\{?[A-Za-z0-9]*Handler[A-Za-z0-9]*\.Arn[}>]", "<function>", text)
    text = re.sub(r"arn:[^:]+:(\w+):[^:]*:[^:]*(?=:)", r"<arn of \1>", text)
    text = re.sub(rf"repository/{environment.name}[a-z0-9-]*/", "repository/<namespace>/", text)
    for region in environment.regions:
        text = text.replace(region.name.replace("-", ""), "<region>")
    return text
