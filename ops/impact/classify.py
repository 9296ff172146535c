"""Classifies what differs in one resource: documented behaviours first, then the schema of its type."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ops.impact.behaviours import Behaviour, Situation, behaviour_of
from ops.impact.changes import Effect
from ops.impact.schemas import TypeSchema, schema_of
from ops.impact.values import NO_MARKS, Difference, Marks, Path, at, canonical, differences, plain

REPLACED_MARK = " of its replacement"
PERHAPS_MARK = " if it is replaced"
_MARKED = re.compile(rf"\$\{{(?P<what>[^}}]*?)(?:\.[^}}]*?)?(?:{REPLACED_MARK}|{PERHAPS_MARK})\}}")
_CODE = {"AWS::Lambda::Function": "Code"}
"""Where the code itself lies; its changes are told once, apart from the configuration's."""


@dataclass(frozen=True, kw_only=True)
class PropertyChange:
    """One property that differs, what its change does, the documented behaviour behind that, and whose doing it is."""

    difference: Difference
    effect: Effect
    behaviour: Behaviour | None = None
    cause: str = ""


def property_changes(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    region: str,
    marks: Marks = NO_MARKS,
    possible: Marks = NO_MARKS,
    name_of: Callable[[str], str] = lambda logical_id: logical_id,
) -> list[PropertyChange]:
    """Return what differs between two bodies of a resource.

    Arguments:
        before: body as it is deployed.
        after: body of the same type that takes its place.
        region: whose schema counts.
        marks: what is replaced for certain, so that references to it mean something new.
        possible: that, and what may be replaced: a change that comes from these alone is no more certain than they are.
        name_of: turns a logical id into what people call it.
    """
    schema = schema_of(str(after["Type"]), region)
    old = plain(before.get("Properties") or {})
    new = plain(after.get("Properties") or {}, marks)
    found = [
        _classified(schema, difference, old, new, after, name_of)
        for difference in differences(old, new, unordered=schema.is_unordered)
    ]
    if possible != NO_MARKS:
        found += _possible_changes(schema, old, new, after, possible, name_of)
    code = _CODE.get(schema.type)
    return [change for change in found if not code or change.difference.path[:1] != (code,)]


def code_differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether inline code differs; code in assets is told by their hashes."""
    code = _CODE.get(str(after["Type"]))
    if not code:
        return False
    old, new = ((body.get("Properties") or {}).get(code) for body in (before, after))
    return canonical(plain(old)) != canonical(plain(new))


def _possible_changes(
    schema: TypeSchema,
    old: Any,
    new: Any,
    after: Mapping[str, Any],
    possible: Marks,
    name_of: Callable[[str], str],
) -> list[PropertyChange]:
    perhaps = plain(after.get("Properties") or {}, possible)
    certain = {difference.path for difference in differences(old, new, unordered=schema.is_unordered)}
    found = []
    for difference in differences(old, perhaps, unordered=schema.is_unordered):
        if difference.path in certain:
            continue
        change = _classified(schema, difference, old, perhaps, after, name_of)
        # What may be updated in place, should something else be replaced, tells nobody anything.
        if change.effect in (Effect.REPLACEMENT, Effect.CONDITIONAL_REPLACEMENT):
            found.append(
                PropertyChange(difference=difference, effect=Effect.CONDITIONAL_REPLACEMENT, cause=change.cause)
            )
    return found


def _classified(
    schema: TypeSchema,
    difference: Difference,
    old: Any,
    new: Any,
    after: Mapping[str, Any],
    name_of: Callable[[str], str],
) -> PropertyChange:
    names = tuple(part for part in difference.path if not part.startswith("["))
    situation = Situation(before=difference.before, after=difference.after, resource=after)
    behaviour = behaviour_of(schema.type, names, situation)
    if behaviour is not None:
        effect = behaviour.effect
    elif any(_concerns(path, names, old, new) for path in schema.create_only):
        effect = Effect.REPLACEMENT
    elif any(_concerns(path, names, old, new) for path in schema.conditional_create_only):
        effect = Effect.CONDITIONAL_REPLACEMENT
    else:
        effect = Effect.UPDATE
    return PropertyChange(
        difference=difference, effect=effect, behaviour=behaviour, cause=_cause(difference.after, name_of)
    )


def _concerns(pointer: Path, names: Path, old: Any, new: Any) -> bool:
    """Whether a difference concerns the property of a schema's pointer, or holds it and that differs."""
    parts = tuple(part for part in pointer if part != "*")
    if names[: len(parts)] == parts:
        return True
    return parts[: len(names)] == names and _text(at(old, pointer)) != _text(at(new, pointer))


def _text(value: Any) -> str:
    return canonical(value) if isinstance(value, dict | list | str | int | float | bool) else repr(value)


def _cause(after: Any, name_of: Callable[[str], str]) -> str:
    match = _MARKED.search(_text(after))
    if match is None:
        return ""
    certainty = "is" if REPLACED_MARK in match[0] else "may be"
    return f"{name_of(match['what'])} {certainty} replaced"
