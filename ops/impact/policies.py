"""Finds what a policy allows that it did not allow before: new principals, actions, resources, or fewer conditions.

Every policy document in a resource counts, wherever it lies: roles and their trust, keys, buckets, queues, topics,
secrets, endpoints, registries. Evaluation logic:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ops.impact.changes import Effect, Finding
from ops.impact.values import canonical

_NARROWING = {
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:principaltag",
    "aws:sourceaccount", "aws:sourcearn", "aws:sourceip", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner",
    "aws:sourcevpc", "aws:sourcevpce", "kms:calleraccount", "s3:dataaccesspointaccount", "sns:endpoint",
}  # fmt: skip
"""Condition keys that keep a policy for every principal from being public:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""
_ATTACHED = {
    "AWS::IAM::Policy": ("Roles", "Users", "Groups"),
    "AWS::IAM::ManagedPolicy": ("Roles", "Users", "Groups"),
    "AWS::SQS::QueuePolicy": ("Queues",),
    "AWS::SNS::TopicPolicy": ("Topics",),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::SecretsManager::ResourcePolicy": ("SecretId",),
}
"""Policies that are resources of their own, and the property that names what they are attached to."""
_ATTRIBUTE = re.compile(r"^\$\{([^.}]+)[^}]*\}$")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One principal, action and resource that a statement allows or denies, under its conditions."""

    allows: bool
    principal: str
    action: str
    resource: str
    conditions: frozenset[str]
    condition_keys: frozenset[str]

    @property
    def is_public(self) -> bool:
        """Whether anybody is allowed."""
        return self.allows and self.principal == "*" and not self.condition_keys & _NARROWING

    def covers(self, other: "Grant") -> bool:
        """Whether whatever the other concerns, this concerns too."""
        return (
            self.allows == other.allows
            and self.conditions <= other.conditions
            and _matches(self.principal, other.principal)
            and _matches(self.action.lower(), other.action.lower())
            and _matches(self.resource, other.resource)
        )


def grants_in(value: Any) -> Iterator[Grant]:
    """Yield every grant of every policy document in a plain value."""
    if isinstance(value, list):
        for each in value:
            yield from grants_in(each)
    elif isinstance(value, dict):
        statements = value.get("Statement")
        if isinstance(statements, list | dict):
            for statement in statements if isinstance(statements, list) else [statements]:
                if isinstance(statement, dict):
                    yield from _grants_of(statement)
        for key, each in value.items():
            if key != "Statement":
                yield from grants_in(each)


def newly_allowed(known: Iterable[Grant], grants: Iterable[Grant]) -> list[Finding]:
    """Return what the grants allow and none of the known ones allowed."""
    old = list(known)
    return _told("allows", [grant for grant in _unique(grants) if grant.allows and not _covered(grant, old)])


def no_longer_denied(grants: Iterable[Grant], known: Iterable[Grant]) -> list[Finding]:
    """Return what the grants of before denied and none of the known ones denies now."""
    new = list(known)
    return _told("no longer denies", [each for each in _unique(grants) if not each.allows and not _covered(each, new)])


def attached_to(resource_type: str, properties: Mapping[str, Any]) -> frozenset[str]:
    """Return the logical ids of what a separate policy is attached to; empty where it is no such policy."""
    found = []
    for name in _ATTACHED.get(resource_type, ()):
        targets = properties.get(name, [])
        for target in targets if isinstance(targets, list) else [targets]:
            match = _ATTRIBUTE.match(str(target))
            found.append(match[1].split(" ")[0] if match else str(target))
    return frozenset(found)


def attached_grants(resources: Mapping[str, tuple[str, Mapping[str, Any]]]) -> dict[str, list[Grant]]:
    """Return, by logical id, what separate policies and the resource's own documents grant.

    Arguments:
        resources: type and plain properties by logical id.
    """
    found: dict[str, list[Grant]] = {}
    for logical_id, (resource_type, properties) in resources.items():
        grants = list(grants_in(properties))
        for target in attached_to(resource_type, properties) or {logical_id}:
            found.setdefault(target, []).extend(grants)
    return found


def new_managed_policies(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Finding]:
    """Return the managed policies that a role has after and had not before."""
    findings = []
    for name in ("ManagedPolicyArns", "AccessPolicies"):
        old = {canonical(each) for each in before.get(name, [])}
        added = [each for each in after.get(name, []) if canonical(each) not in old]
        findings += [
            Finding(effect=Effect.BROADENING, message=f"attaches {each if isinstance(each, str) else canonical(each)}")
            for each in added
        ]
    if "PermissionsBoundary" in before and "PermissionsBoundary" not in after:
        findings.append(Finding(effect=Effect.BROADENING, message="has no permissions boundary any more"))
    return findings


def _unique(grants: Iterable[Grant]) -> list[Grant]:
    return list(dict.fromkeys(grants))


def _covered(grant: Grant, known: list[Grant]) -> bool:
    return any(each.covers(grant) for each in known)


def _grants_of(statement: Mapping[str, Any]) -> Iterator[Grant]:
    conditions = statement.get("Condition") or {}
    texts, keys = set(), set()
    if isinstance(conditions, dict):
        for operator, tests in conditions.items():
            for key, value in tests.items() if isinstance(tests, dict) else ():
                texts.add(f"{operator} {key.lower()} {canonical(_sorted(value))}")
                keys.add(key.lower().split("/")[0])
    for principal in _principals(statement):
        for action in _listed(statement, "Action", "NotAction"):
            for resource in _listed(statement, "Resource", "NotResource"):
                yield Grant(
                    allows=statement.get("Effect") == "Allow",
                    principal=principal,
                    action=action,
                    resource=resource,
                    conditions=frozenset(texts),
                    condition_keys=frozenset(keys),
                )


def _principals(statement: Mapping[str, Any]) -> list[str]:
    if "NotPrincipal" in statement:
        return [f"all but {canonical(_sorted(statement['NotPrincipal']))}"]
    principal = statement.get("Principal", "")
    if not isinstance(principal, dict):
        return [str(principal)]
    found = []
    for kind, names in principal.items():
        for name in names if isinstance(names, list) else [names]:
            text = name if isinstance(name, str) else canonical(name)
            found.append("*" if kind == "AWS" and text == "*" else f"{kind} {text}")
    return found


def _listed(statement: Mapping[str, Any], name: str, negated: str) -> list[str]:
    if negated in statement:
        return [f"all but {canonical(_sorted(statement[negated]))}"]
    value = statement.get(name, "*" if name == "Resource" else "")
    return [
        each if isinstance(each, str) else canonical(each) for each in (value if isinstance(value, list) else [value])
    ]


def _sorted(value: Any) -> Any:
    return sorted(value, key=canonical) if isinstance(value, list) else value


def _told(verb: str, grants: list[Grant]) -> list[Finding]:
    together: dict[tuple[str, str, frozenset[str], bool], list[str]] = {}
    for grant in grants:
        key = (grant.principal, grant.resource, grant.conditions, grant.is_public)
        together.setdefault(key, []).append(grant.action)
    findings = []
    for (principal, resource, conditions, public), actions in together.items():
        who = "" if not principal else (" to anybody" if principal == "*" else f" to {principal}")
        when = f" if {' and '.join(sorted(conditions))}" if conditions else ""
        message = f"{verb} {', '.join(sorted(set(actions)))} on {resource}{who}{when}"
        findings.append(Finding(effect=Effect.BROADENING, message=message, world=public and verb == "allows"))
    return sorted(findings, key=lambda finding: (not finding.world, finding.message))


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if part == "*" else "." if part == "?" else re.escape(part) for part in text), re.S)


def _matches(pattern: str, text: str) -> bool:
    return pattern == text or (("*" in pattern or "?" in pattern) and _pattern(pattern).fullmatch(text) is not None)
