"""Finds resources that only got another logical id: to CloudFormation a deletion and a creation.

The CDK derives logical ids from construct paths, so that moving or renaming a construct renames whatever is in it.
https://docs.aws.amazon.com/cdk/v2/guide/identifiers.html#identifiers-logical-ids
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from ops.impact.templates import Template
from ops.impact.values import canonical, plain

_HASHED = ("AWS::Lambda::Version", "AWS::ApiGateway::Deployment")
"""The CDK puts a hash of the content into these logical ids: a new one is a new version, not a rename."""


def renames(before: Template, after: Template) -> dict[str, str]:
    """Return the old logical ids by the new ones: same type, and equal properties save for names made of the path."""
    old, new = before.resources, after.resources
    gone = {key: old[key] for key in old if key not in new and old[key]["Type"] not in _HASHED}
    added = {key: new[key] for key in new if key not in old and new[key]["Type"] not in _HASHED}
    aliases = {key: f"a {value['Type']}" for key, value in (gone | added).items()}
    candidates: dict[str, list[str]] = {}
    for key, body in gone.items():
        candidates.setdefault(_likeness(body, aliases), []).append(key)
    found: dict[str, str] = {}
    for key, body in added.items():
        same = candidates.get(_likeness(body, aliases), [])
        if same:
            best = max(same, key=lambda other: (_nearness(before.path_of(other), after.path_of(key)), other))
            same.remove(best)
            found[key] = best
    return found


def is_hashed(resource: Mapping[str, Any]) -> bool:
    """Whether the resource's logical id changes with its content."""
    return resource["Type"] in _HASHED


def _likeness(body: Mapping[str, Any], aliases: Mapping[str, str]) -> str:
    properties = dict(body.get("Properties") or {})
    if isinstance(properties.get("Tags"), list):
        properties["Tags"] = [tag for tag in properties["Tags"] if tag.get("Key") != "Name"]
    # IAM's inline policies are named after their construct.
    if body["Type"] == "AWS::IAM::Policy":
        properties.pop("PolicyName", None)
    text = canonical([body["Type"], plain(properties)])
    pattern = re.compile(r"\$\{(" + "|".join(map(re.escape, sorted(aliases, key=len, reverse=True))) + r")(?=[.}])")
    return pattern.sub(lambda match: "${" + aliases[match[1]], text) if aliases else text


def _nearness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(a=one, b=other, autojunk=False).ratio()
