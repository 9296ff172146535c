"""Compares what a template declares with what a service tells."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

CheckOutcome = Literal["same", "differs", "untold", "withheld"]
_INTRINSICS = ("Ref", "Fn::", "Condition")


@dataclass(frozen=True)
class Check:
    """One setting: declared, found, and whether they are the same.

    ``untold``: the emulator's API doesn't tell it; ``withheld``: AWS doesn't tell it either.
    """

    setting: str
    declared: Any
    found: Any
    outcome: CheckOutcome

    def as_dict(self) -> dict[str, Any]:
        """Return the check as the report holds it."""
        return asdict(self)


def resolved(template: Any, deployed: Any) -> Any:
    """Return the template's value, with what it refers to taken from the ``deployed`` one.

    What the template says literally stays, so that a value that was altered on its way is seen.
    """
    if is_intrinsic(template):
        return deployed
    if isinstance(template, Mapping):
        other = deployed if isinstance(deployed, Mapping) else {}
        return {
            key: resolved(value, other.get(key))
            for key, value in template.items()
            if not (is_intrinsic(value) and key not in other)
        }
    if isinstance(template, list):
        if not isinstance(deployed, list) or len(deployed) != len(template):
            return deployed if any(_has_intrinsic(item) for item in template) else template
        return [resolved(value, other) for value, other in zip(template, deployed, strict=True)]
    return template


def is_intrinsic(value: Any) -> bool:
    """Whether a template's value is a reference or a function."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)).startswith(_INTRINSICS)


def _has_intrinsic(value: Any) -> bool:
    if is_intrinsic(value):
        return True
    if isinstance(value, Mapping):
        return any(_has_intrinsic(item) for item in value.values())
    return isinstance(value, list) and any(_has_intrinsic(item) for item in value)


def compare(declared: Mapping[str, Any], found: Mapping[str, Any]) -> list[Check]:
    """Compare every declared setting with what was found; settings nobody declared are no matter."""
    return list(_compare(declared, found, ""))


def _compare(declared: Mapping[str, Any], found: Mapping[str, Any], prefix: str) -> Iterator[Check]:
    for name, value in declared.items():
        setting = prefix + name
        if value is None:
            continue
        if name not in found or found[name] is None:
            yield Check(setting, value, None, "untold")
        elif name == "Tags":
            yield _compare_tags(setting, value, found[name])
        elif isinstance(value, Mapping) and isinstance(found[name], Mapping):
            yield from _compare(value, found[name], f"{setting}.")
        else:
            outcome: CheckOutcome = "same" if _same(value, found[name]) else "differs"
            yield Check(setting, value, found[name], outcome)


def _compare_tags(setting: str, declared: Any, found: Any) -> Check:
    """Compare tags whatever form either side gives them; CloudFormation's own ones are no matter."""
    wanted, given = _tags(declared), _tags(found)
    if not given:
        return Check(setting, declared, None, "untold")
    kept = {key: value for key, value in given.items() if key in wanted}
    return Check(setting, wanted, kept, "same" if kept == wanted else "differs")


def _tags(value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {str(key): str(item) for key, item in value.items()}
    lowered = [{key.lower(): item for key, item in tag.items()} for tag in value]
    return {str(tag.get("key", tag.get("tagkey"))): str(tag.get("value", tag.get("tagvalue"))) for tag in lowered}


def _same(declared: Any, found: Any) -> bool:
    declared, found = _parsed(declared), _parsed(found)
    if isinstance(declared, Mapping) and isinstance(found, Mapping):
        return all(name in found and _same(value, found[name]) for name, value in declared.items())
    if isinstance(declared, list) and isinstance(found, Sequence) and not isinstance(found, str):
        return len(declared) == len(found) and _pair_off(declared, list(found))
    if isinstance(declared, list) != isinstance(found, list):
        # Policies may write a list of one as the value alone.
        one, many = (declared, found) if isinstance(found, list) else (found, declared)
        return len(many) == 1 and _same(one, many[0])
    return _scalar(declared) == _scalar(found) or _same_reference(str(declared), str(found))


def _pair_off(declared: list[Any], found: list[Any]) -> bool:
    """Whether each declared item has an equal of its own: most lists of the services are sets."""
    left = list(found)
    for item in declared:
        match = next((other for other in left if _same(item, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in "{[" and value:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _scalar(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text in ("True", "False"):
        text = text.lower()
    number = text.removesuffix(".0")
    return number.rstrip(".") if number.replace("-", "", 1).isdigit() else text


def _same_reference(declared: str, found: str) -> bool:
    """Whether one is the ARN or the longer name of the other: services answer a key's id for its ARN and the like."""
    longer, shorter = sorted((declared, found), key=len, reverse=True)
    return bool(shorter) and longer.startswith("arn:") and longer.endswith((f"/{shorter}", f":{shorter}"))
