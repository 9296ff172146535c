"""What CloudFormation's intrinsic functions come to, as far as templates alone can tell.

A rule must never guess: whatever a template leaves open (a parameter, a condition, an attribute that AWS makes up)
resolves to `UNKNOWN`, and rules stay silent about it.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from ha_checks.assembly import StackTemplate
    from ha_checks.resource import Resource


class Unknown:
    """A value that the templates do not tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final = Unknown()
"""The one value that stands for all that the templates do not tell."""

UNKNOWN_PART: Final = "\0"
"""Stands in a text for a part that the templates do not tell."""


class Attribute(NamedTuple):
    """What ``Ref`` (``name`` is then empty) or ``Fn::GetAtt`` takes of a resource of the assembly."""

    resource: "Resource"
    name: str

    @property
    def is_reference(self) -> bool:
        """Whether it is the resource itself, by name, id or ARN, and no other attribute of it."""
        return self.name in ("", "Arn", "GroupId", "Id", f"{self.resource.type.rpartition(':')[2]}Arn")


def resolve(value: Any, stack: "StackTemplate") -> Any:
    """Return the value with every intrinsic function replaced by what it comes to.

    A literal stays; ``Ref`` and ``Fn::GetAtt`` become an `Attribute`, also through another stack's output or export;
    what cannot be told becomes `UNKNOWN`.
    """
    if isinstance(value, list):
        return [item for item in (resolve(each, stack) for each in value) if item is not None]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (name,) = value
        if name == "Ref":
            return _reference(value["Ref"], stack)
        if name.startswith("Fn::"):
            function = _FUNCTIONS.get(name)
            return function(value[name], stack) if function else UNKNOWN
    known = ((key, resolve(item, stack)) for key, item in value.items())
    return {key: item for key, item in known if item is not None}


def text_of(value: Any, stack: "StackTemplate") -> str:
    """Return the value as a text in which `UNKNOWN_PART` stands for each part that is not known."""
    if isinstance(value, dict) and len(value) == 1:
        if "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            if isinstance(separator, str) and isinstance(parts, list):
                return separator.join(text_of(part, stack) for part in parts)
        if "Fn::Sub" in value:
            return "".join(_plain(part) for part in _substituted(value["Fn::Sub"], stack))
    return _plain(resolve(value, stack))


def references(value: Any, stack: "StackTemplate") -> Iterator[Attribute]:
    """Every resource that a value refers to, however deep and whatever functions lie around."""
    if isinstance(value, list):
        for item in value:
            yield from references(item, stack)
    elif isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in _LEADING:
            found = resolve(value, stack)
            if isinstance(found, Attribute):
                yield found
            return
        if len(value) == 1 and "Fn::Sub" in value:
            yield from (part for part in _substituted(value["Fn::Sub"], stack) if isinstance(part, Attribute))
            return
        for item in value.values():
            yield from references(item, stack)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else UNKNOWN_PART


def _reference(name: Any, stack: "StackTemplate") -> Any:
    if not isinstance(name, str):
        return UNKNOWN
    if name in stack.resources:
        return Attribute(stack.resources[name], "")
    if name == "AWS::NoValue":
        return None
    known = {
        "AWS::Region": stack.region,
        "AWS::AccountId": stack.account,
        "AWS::StackName": stack.stack_name,
        "AWS::Partition": _partition(stack.region),
        "AWS::URLSuffix": stack.region and "amazonaws.com" + (".cn" if stack.region.startswith("cn-") else ""),
    }
    return known.get(name) or UNKNOWN


def _partition(region: str | None) -> str | None:
    if region is None:
        return None
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rpartition("-")[0].rpartition("-")[0], "aws")


def _attribute(argument: Any, stack: "StackTemplate") -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not (isinstance(parts, list) and len(parts) == 2 and all(isinstance(part, str) for part in parts)):
        return UNKNOWN
    resource = stack.resources.get(parts[0])
    return Attribute(resource, parts[1]) if resource else UNKNOWN


def _joined(argument: Any, stack: "StackTemplate") -> Any:
    separator, parts = argument
    parts = resolve(parts, stack)
    if not isinstance(parts, list):
        return UNKNOWN
    if len(parts) == 1 and isinstance(parts[0], Attribute):
        return parts[0]
    if all(isinstance(part, str | int) for part in parts) and isinstance(separator, str):
        return separator.join(str(part) for part in parts)
    return UNKNOWN


def _substituted(argument: Any, stack: "StackTemplate") -> list[Any]:
    template, variables = argument if isinstance(argument, list) else (argument, {})
    parts: list[Any] = []
    head, *rest = str(template).split("${")
    parts.append(head)
    for piece in rest:
        name, _, tail = piece.partition("}")
        if name.startswith("!"):
            parts.append("${" + name[1:] + "}")
        elif name in variables:
            parts.append(resolve(variables[name], stack))
        else:
            parts.append(_attribute(name, stack) if "." in name else _reference(name, stack))
        parts.append(tail)
    return [part for part in parts if part not in ("", None)]


def _sub(argument: Any, stack: "StackTemplate") -> Any:
    parts = _substituted(argument, stack)
    if len(parts) == 1:
        return parts[0]
    return "".join(map(str, parts)) if all(isinstance(part, str | int) for part in parts) else UNKNOWN


def _select(argument: Any, stack: "StackTemplate") -> Any:
    index, values = resolve(argument, stack)
    place = int(index) if isinstance(index, str | int) and str(index).isdigit() else None
    return values[place] if isinstance(values, list) and place is not None and place < len(values) else UNKNOWN


def _split(argument: Any, stack: "StackTemplate") -> Any:
    separator, source = argument
    source = text_of(source, stack)
    return [UNKNOWN if UNKNOWN_PART in part else part for part in source.split(separator)]


def _zones(_: Any, stack: "StackTemplate") -> list[str]:
    # Their names are not known, but their order is: different places in the list are different zones.
    return [f"{stack.region or 'region'} zone {number}" for number in range(6)]


def _mapped(argument: Any, stack: "StackTemplate") -> Any:
    found: Any = stack.mappings
    for key in resolve(argument[:3], stack):
        found = found.get(key, UNKNOWN) if isinstance(found, dict) and isinstance(key, str) else UNKNOWN
    return found


def _stack_output(argument: Any, stack: "StackTemplate") -> Any:
    name, region = (resolve(argument.get(key), stack) for key in ("StackName", "Region"))
    other = stack.assembly.stack_named(name, region or stack.region, stack.account)
    output = other.outputs.get(argument.get("OutputName")) if other else None
    return resolve(output["Value"], other) if other and output and "Value" in output else UNKNOWN


def _imported(argument: Any, stack: "StackTemplate") -> Any:
    name = resolve(argument, stack)
    for other in stack.assembly.stacks:
        if other.place != stack.place:
            continue
        for output in other.outputs.values():
            if isinstance(name, str) and resolve(output.get("Export", {}).get("Name"), other) == name:
                return resolve(output["Value"], other)
    return UNKNOWN


_LEADING = {"Ref", "Fn::GetAtt", "Fn::GetStackOutput", "Fn::ImportValue"}

_FUNCTIONS: dict[str, Callable[[Any, "StackTemplate"], Any]] = {
    "Fn::GetAtt": _attribute,
    "Fn::Join": _joined,
    "Fn::Sub": _sub,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::GetAZs": _zones,
    "Fn::FindInMap": _mapped,
    "Fn::GetStackOutput": _stack_output,
    "Fn::ImportValue": _imported,
}
