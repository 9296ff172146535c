"""Holds the access that a stack gives after against what it gave before, wherever in the stack it stands."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.impact.changes import Finding
from ops.impact.networks import Rule, opened, rules_of
from ops.impact.policies import (
    Grant,
    attached_grants,
    attached_to,
    grants_in,
    new_managed_policies,
    newly_allowed,
    no_longer_denied,
)
from ops.impact.propagation import Pair
from ops.impact.values import plain

_VARIABLE = re.compile(r"\$\{([^!.}]+)")


@dataclass(frozen=True, kw_only=True)
class _Side:
    """What one template of a stack grants and lets through."""

    resources: Mapping[str, tuple[str, Mapping[str, Any]]]
    grants: Mapping[str, list[Grant]]
    rules: Mapping[str, list[Rule]] = field(default_factory=dict)

    def granted_to(self, targets: Iterable[str]) -> list[Grant]:
        return [grant for target in targets for grant in self.grants.get(target, [])]


class Access:
    """Finds broader access in a stack that is in both assemblies."""

    def __init__(self, pair: Pair) -> None:
        """Read both templates; in the one of before, renamed resources go by their new ids."""
        aliases = {old: new for new, old in pair.renamed.items()}
        before = {aliases.get(key, key): _with_new_ids(body, aliases) for key, body in pair.before.resources.items()}
        self._before = _side(before)
        self._after = _side(pair.after.resources)

    def broader(self, logical_id: str) -> list[Finding]:
        """Return what a resource of after grants or lets through that nothing in the stack did before."""
        resource_type, properties = self._after.resources[logical_id]
        old = self._before.resources.get(logical_id, ("", {}))[1]
        targets = attached_to(resource_type, properties) or frozenset({logical_id})
        found = newly_allowed(self._before.granted_to(targets), grants_in(properties))
        found += no_longer_denied(grants_in(old), self._after.granted_to(targets))
        found += new_managed_policies(old, properties)
        is_addition = targets & self._before.resources.keys() or not all(
            each in self._after.resources for each in targets
        )
        for group, rule in rules_of(logical_id, resource_type, properties):
            is_addition = group in self._before.resources or group not in self._after.resources
            found += opened([rule], self._before.rules.get(group, []))
        # What comes with something that is itself new broadens nothing, unless it is open to anybody.
        return [finding for finding in dict.fromkeys(found) if is_addition or finding.world]

    def no_longer_held_back(self, logical_id: str) -> list[Finding]:
        """Return what a policy that goes denied, and nothing denies any more."""
        resource_type, properties = self._before.resources.get(logical_id, ("", {}))
        targets = attached_to(resource_type, properties)
        if not targets & self._after.resources.keys():
            return []
        return no_longer_denied(grants_in(properties), self._after.granted_to(targets))


def _side(bodies: Mapping[str, Mapping[str, Any]]) -> _Side:
    resources = {key: (str(body["Type"]), plain(body.get("Properties") or {})) for key, body in bodies.items()}
    rules: dict[str, list[Rule]] = {}
    for key, (resource_type, properties) in resources.items():
        for group, rule in rules_of(key, resource_type, properties):
            rules.setdefault(group, []).append(rule)
    return _Side(resources=resources, grants=attached_grants(resources), rules=rules)


def _with_new_ids(value: Any, aliases: Mapping[str, str]) -> Any:
    """Return a template's value with references to renamed resources by their new ids."""
    if not aliases:
        return value
    if isinstance(value, list):
        return [_with_new_ids(each, aliases) for each in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("Ref"), str):
        return {**value, "Ref": aliases.get(value["Ref"], value["Ref"])}
    attribute = value.get("Fn::GetAtt")
    if isinstance(attribute, list):
        return {**value, "Fn::GetAtt": [aliases.get(attribute[0], attribute[0]), *attribute[1:]]}
    text = value.get("Fn::Sub")
    if isinstance(text, str):
        return {**value, "Fn::Sub": _VARIABLE.sub(lambda match: "${" + aliases.get(match[1], match[1]), text)}
    return {key: _with_new_ids(each, aliases) for key, each in value.items()}
