"""Finds references that nothing answers: in a template before it runs, and in properties after they were resolved."""

from collections.abc import Iterator, Mapping
from typing import Any

_PSEUDO_PREFIX = "AWS::"


def unresolved(value: Any, path: str = "") -> list[str]:
    """The places in resolved properties that still hold a ``Ref`` or an ``Fn::`` function."""
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in unresolved(item, f"{path}.{index}")]
    if not isinstance(value, dict):
        return []
    if len(value) == 1:
        (key,) = value
        if (key == "Ref" and isinstance(value[key], str)) or (isinstance(key, str) and key.startswith("Fn::")):
            return [f"{path.lstrip('.') or 'Properties'} ({key})"]
    return [found for key, item in value.items() for found in unresolved(item, f"{path}.{key}")]


def dangling(template: Mapping[str, Any], conditions: Mapping[str, bool], references: Any) -> list[str]:
    """References of a template to something it does not hold, as ``logical id -> name``.

    ``references`` yields ``(name, attribute)`` for each reference inside a value. A resource whose condition is false
    counts as absent for those that are created: CloudFormation refuses such a reference too.
    """
    resources = template.get("Resources") or {}
    present = {name for name, body in resources.items() if conditions.get(body.get("Condition"), True)}
    known = present | set(template.get("Parameters") or {})
    found = []
    for section, body in _sections(template, present):
        for name, _ in references(body):
            if name not in known and not name.startswith(_PSEUDO_PREFIX) and not _guarded(name, resources):
                found.append(f"{section} -> {name}")
    return list(dict.fromkeys(found))


def _guarded(name: str, resources: Mapping[str, Any]) -> bool:
    # A conditional resource is normally referenced from the matching branch of an Fn::If, which is not evaluated here.
    return "Condition" in resources.get(name, {})


def _sections(template: Mapping[str, Any], present: set[str]) -> Iterator[tuple[str, Any]]:
    for name, body in (template.get("Resources") or {}).items():
        if name in present:
            yield name, body.get("Properties") or {}
    for name, body in (template.get("Outputs") or {}).items():
        yield f"output {name}", (body or {}).get("Value")
