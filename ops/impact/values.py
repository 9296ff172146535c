"""Makes template values comparable, and finds where two of them differ.

References become text (``${Key.Arn}``), joined text is put together, and JSON that hides in a string becomes the
structure it stands for, with references as placeholders. What is only noise disappears: hashes of assets, the form of a
scalar (``"5"`` and ``5`` are the same to CloudFormation), and the order of what has none.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]
_ASSET = re.compile(r"^[0-9a-f]{64}(?P<suffix>\.\w+)?$")
_BARE_PLACEHOLDER = re.compile(r"(?<=[:,\[])\s*(\$\{[^}\"]*\})\s*(?=[,\]}])")
_SUB_VARIABLE = re.compile(r"\$\{([^!][^}]*)\}")
_IDENTITY_KEYS = ("Key", "Id", "Sid", "RuleName", "Name", "name", "key", "DomainName", "LogType", "containerPort")
_POLICY_SETS = ("Action", "NotAction", "Resource", "NotResource", "AWS", "Service", "Federated", "Statement")
_ORDERED_BY_MEANING = ("initContainers",)


class _Missing:
    """The value of a property that is not there."""

    def __repr__(self) -> str:
        return "(absent)"


MISSING = _Missing()


@dataclass(frozen=True)
class Marks:
    """What refers to something new although its text is the same: logical ids, and outputs of other stacks.

    The value is what to add to the reference's text, so that before and after differ.
    """

    resources: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By stack and output name; exports have the empty stack name."""


NO_MARKS = Marks()


@dataclass(frozen=True)
class Difference:
    """Where two values differ; ``MISSING`` stands for what is absent."""

    path: Path
    before: Any
    after: Any


def plain(value: Any, marks: Marks = NO_MARKS) -> Any:
    """Return a template's value with its functions resolved as far as text goes; ``MISSING`` for no value."""
    if isinstance(value, list):
        return [item for item in (plain(each, marks) for each in value) if item is not MISSING]
    if isinstance(value, str):
        return _from_text(value)
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        if name == "Ref" or name.startswith("Fn::"):
            return _resolved(name, argument, marks)
    kept = {key: plain(each, marks) for key, each in value.items()}
    return {key: each for key, each in kept.items() if each is not MISSING}


def references(value: Any) -> Iterator[str]:
    """Yield every logical id and every ``stack.output`` that a value refers to."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "Ref" and isinstance(each, str):
                yield each
            elif key == "Fn::GetAtt":
                yield (each if isinstance(each, list) else str(each).split("."))[0]
            elif key == "Fn::Sub":
                text = each[0] if isinstance(each, list) else each
                yield from (name.split(".")[0] for name in _SUB_VARIABLE.findall(str(text)))
                yield from references(each[1]) if isinstance(each, list) else ()
            else:
                if key == "Fn::GetStackOutput" and isinstance(each, dict):
                    yield f"{each.get('StackName')}.{each.get('OutputName')}"
                elif key == "Fn::ImportValue" and isinstance(each, str):
                    yield f".{each}"
                yield from references(each)


def asset_hashes(value: Any) -> list[str]:
    """Return the hashes of assets that a value names."""
    if isinstance(value, dict | list):
        children = value.values() if isinstance(value, dict) else value
        return [found for each in children for found in asset_hashes(each)]
    return [value] if isinstance(value, str) and _ASSET.match(value) else []


def canonical(value: Any) -> str:
    """Return a text that is equal for equal values, whatever the form of a scalar or the order of keys."""
    return json.dumps(_scalars_as_text(value), sort_keys=True)


def at(value: Any, path: Sequence[str]) -> Any:
    """Return what lies at a path of a schema, a list of all where it says ``*``; ``MISSING`` where nothing does."""
    if not path:
        return value
    if isinstance(value, list):
        found = [at(each, path[1:] if path[0] == "*" else path) for each in value]
        return [each for each in found if each is not MISSING] or MISSING
    if isinstance(value, dict) and path[0] in value:
        return at(value[path[0]], path[1:])
    return MISSING


def differences(
    before: Any, after: Any, *, unordered: Callable[[Path], bool] = lambda path: False, path: Path = ()
) -> Iterator[Difference]:
    """Yield every place where two plain values differ, in the order of their paths.

    Arguments:
        before: the one.
        after: the other.
        unordered: says of a list's path whether the order of the list means nothing.
        path: where the values lie.
    """
    if canonical(before) == canonical(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from differences(
                before.get(key, MISSING), after.get(key, MISSING), unordered=unordered, path=(*path, key)
            )
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_differences(before, after, unordered, path)
    else:
        yield Difference(path, before, after)


def _list_differences(
    before: list[Any], after: list[Any], unordered: Callable[[Path], bool], path: Path
) -> Iterator[Difference]:
    identity = None if path and path[-1] in _ORDERED_BY_MEANING else _identity_key([*before, *after], before, after)
    if identity:
        left = {f"[{each[identity]}]": each for each in before}
        right = {f"[{each[identity]}]": each for each in after}
        yield from differences(left, right, unordered=unordered, path=path)
        return
    rest_before, rest_after = _without_common(before, after), _without_common(after, before)
    means_nothing = unordered(path) or bool(path and path[-1] in _POLICY_SETS)
    if not rest_before and not rest_after:
        if not means_nothing:
            yield Difference(path, before, after)
    elif all(isinstance(each, dict) for each in (*rest_before, *rest_after)):
        for index in range(max(len(rest_before), len(rest_after))):
            old = rest_before[index] if index < len(rest_before) else MISSING
            new = rest_after[index] if index < len(rest_after) else MISSING
            place = before.index(old) if old is not MISSING else after.index(new)
            yield from differences(old, new, unordered=unordered, path=(*path, f"[{place}]"))
    else:
        yield Difference(path, before, after)


def _identity_key(items: list[Any], before: list[Any], after: list[Any]) -> str | None:
    if not items or not all(isinstance(each, dict) for each in items):
        return None
    for key in _IDENTITY_KEYS:
        if all(isinstance(each.get(key), str | int) for each in items) and all(
            len({each[key] for each in side}) == len(side) for side in (before, after)
        ):
            return key
    return None


def _without_common(items: list[Any], others: list[Any]) -> list[Any]:
    taken = [canonical(each) for each in others]
    rest = []
    for each in items:
        text = canonical(each)
        if text in taken:
            taken.remove(text)
        else:
            rest.append(each)
    return rest


def _scalars_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _scalars_as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_scalars_as_text(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None or isinstance(value, str) else str(value)


def _from_text(text: str) -> Any:
    asset = _ASSET.match(text)
    if asset:
        return f"(asset){asset['suffix'] or ''}"
    if text[:1] not in "{[" or text[:2] == "{{":
        return text
    for attempt in (text, _BARE_PLACEHOLDER.sub(r'"\1"', text)):
        try:
            parsed = json.loads(attempt)
        except ValueError:
            continue
        return plain(parsed) if isinstance(parsed, dict | list) else text
    return text


def _resolved(name: str, argument: Any, marks: Marks) -> Any:
    if name == "Ref":
        return MISSING if argument == "AWS::NoValue" else f"${{{argument}{marks.resources.get(argument, '')}}}"
    if name == "Fn::GetAtt":
        parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
        attribute = parts[1] if isinstance(parts[1], str) else canonical(plain(parts[1], marks))
        return f"${{{parts[0]}.{attribute}{marks.resources.get(parts[0], '')}}}"
    if name == "Fn::GetStackOutput" and isinstance(argument, dict):
        stack, output = str(argument.get("StackName")), str(argument.get("OutputName"))
        return f"${{{stack} output {output}{marks.outputs.get((stack, output), '')}}}"
    if name == "Fn::ImportValue" and isinstance(argument, str):
        return f"${{export {argument}{marks.outputs.get(('', argument), '')}}}"
    if name == "Fn::Sub":
        return _substituted(argument, marks)
    if name == "Fn::Join" and isinstance(argument[1], list):
        parts = [each if isinstance(each, str) else plain(each, marks) for each in argument[1]]
        if all(isinstance(each, str) for each in parts):
            return _from_text(str(argument[0]).join(parts))
    return {name: plain(argument, marks)}


def _substituted(argument: Any, marks: Marks) -> Any:
    text, given = (argument[0], argument[1]) if isinstance(argument, list) else (argument, {})

    def replaced(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name in given:
            value = plain(given[name], marks)
            return value if isinstance(value, str) else canonical(value)
        return f"${{{name}{marks.resources.get(name.split('.')[0], '')}}}"

    return _from_text(_SUB_VARIABLE.sub(replaced, str(text)))
