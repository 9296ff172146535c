"""Checks resolved properties against the schema that AWS publishes for a resource type.

The schemas are the ones that cfn-lint bundles. CloudFormation accepts a number or a boolean given as a string, and the
other way round; so does this check. Everything else (unknown property, enumeration, missing or read-only property,
pattern, range, mutually exclusive properties) is held as the schema says it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from threading import Lock
from typing import Any

import regex  # type: ignore[import-untyped]
from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from jsonschema import Draft7Validator, ValidationError, validators

_MESSAGE_LIMIT = 240
_INTEGER = re.compile(r"[+-]?\d+")


class UnknownTypeError(ValueError):
    """No schema is published for the resource type in the region."""


@dataclass(frozen=True)
class ResourceSchema:
    """One resource type in one region."""

    type: str
    document: dict[str, Any]

    @cached_property
    def read_only_attributes(self) -> tuple[str, ...]:
        """What ``Fn::GetAtt`` can read, in its dotted form (``Endpoint.Address``)."""
        paths = [_dotted(path) for path in self.document.get("readOnlyProperties", ())]
        return tuple(path for path in paths if "*" not in path)

    @cached_property
    def create_only(self) -> tuple[str, ...]:
        """Top-level properties whose change replaces the resource."""
        paths = (_dotted(path) for path in self.document.get("createOnlyProperties", ()))
        return tuple(path for path in paths if "." not in path)

    @cached_property
    def write_only(self) -> tuple[str, ...]:
        """The properties that CloudFormation cannot read back, in dotted form; ``*`` stands for each item of a list."""
        return tuple(_dotted(path) for path in self.document.get("writeOnlyProperties", ()))

    @cached_property
    def primary_identifier(self) -> tuple[str, ...]:
        """The properties that identify the resource."""
        return tuple(_dotted(path) for path in self.document.get("primaryIdentifier", ()))

    @cached_property
    def tag_property(self) -> tuple[str, str] | None:
        """Name and form (``list`` or ``map``) of the property that carries tags."""
        tagging = self.document.get("tagging") or {}
        name = _dotted(tagging.get("tagProperty", "/properties/Tags"))
        definition = self.definition(name)
        if not definition or tagging.get("taggable") is False:
            return None
        return name, "list" if definition.get("type") == "array" else "map"

    def definition(self, attribute: str) -> dict[str, Any]:
        """The schema of a dotted attribute, empty where the schema says nothing."""
        node: dict[str, Any] = self.document
        for part in attribute.split("."):
            node = self._followed(node).get("properties", {}).get(part, {})
        return self._followed(node)

    def _followed(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[-1]
            node = self.document.get("definitions", {}).get(name, {})
        return node

    @cached_property
    def _validator(self) -> Any:
        return _TolerantValidator(self.document)

    def errors(self, properties: dict[str, Any]) -> list[str]:
        """What CloudFormation would refuse in ``properties``, one sentence each."""
        given = self._without_system_tags(properties)
        found = [_sentence(error) for error in _leaves(self._validator.iter_errors(given))]
        required = set(self.document.get("required", ()))
        for name in self.read_only_attributes:
            if name in given and name not in required:
                found.append(f"{name} is read-only and cannot be set")
        return list(dict.fromkeys(found))

    def _without_system_tags(self, properties: dict[str, Any]) -> dict[str, Any]:
        if self.tag_property is None or self.tag_property[0] not in properties:
            return properties
        name, tags = self.tag_property[0], properties[self.tag_property[0]]
        if isinstance(tags, list):
            kept: Any = [tag for tag in tags if not str(tag.get("Key", "")).startswith("aws:")]
        elif isinstance(tags, dict):
            kept = {key: value for key, value in tags.items() if not key.startswith("aws:")}
        else:
            return properties
        rest = {key: value for key, value in properties.items() if key != name}
        return {**rest, name: kept} if kept else rest


_cache: dict[tuple[str, str], ResourceSchema] = {}
_lock = Lock()


def schema_of(resource_type: str, region: str) -> ResourceSchema:
    """The schema of a type in a region; raises ``UnknownTypeError`` where AWS publishes none."""
    key = (resource_type, region)
    with _lock:
        if key not in _cache:
            try:
                document = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, resource_type).schema
            except ResourceNotFoundError:
                raise UnknownTypeError(f"{resource_type} is not a resource type of {region}") from None
            _cache[key] = ResourceSchema(resource_type, document)
        return _cache[key]


def has_schema(resource_type: str, region: str) -> bool:
    """Whether AWS publishes a schema of this type in this region."""
    try:
        schema_of(resource_type, region)
    except UnknownTypeError:
        return False
    return True


def _dotted(pointer: str) -> str:
    return pointer.removeprefix("/properties/").replace("/properties/", ".").replace("/", ".")


def _leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    for error in errors:
        if error.context:
            branches: dict[Any, list[ValidationError]] = {}
            for inner in error.context:
                branches.setdefault(inner.schema_path[0], []).append(inner)
            closest: list[ValidationError] = min(branches.values(), key=_distance)
            yield from _leaves(closest)
        else:
            yield error


def _distance(errors: list[ValidationError]) -> tuple[int, int]:
    # The branch of a choice that was meant is the one with the fewest errors, the deeper the likelier.
    return len(errors), -len(errors[0].path)


def _sentence(error: ValidationError) -> str:
    path = ".".join(str(part) for part in error.absolute_path)
    message = error.message if len(error.message) <= _MESSAGE_LIMIT else error.message[:_MESSAGE_LIMIT] + "..."
    return f"{path}: {message}" if path else message


def _is_type(instance: Any, name: str) -> bool:
    if name == "object":
        return isinstance(instance, dict)
    if name == "array":
        return isinstance(instance, list)
    if name == "null":
        return instance is None
    if name == "boolean":
        return isinstance(instance, bool) or (isinstance(instance, str) and instance.lower() in ("true", "false"))
    if name == "string":
        return isinstance(instance, str | int | float)
    if isinstance(instance, bool) or not isinstance(instance, str | int | float):
        return False
    if name == "integer":
        return bool(_INTEGER.fullmatch(str(instance))) or (isinstance(instance, float) and instance.is_integer())
    return _number(instance) is not None


def _number(instance: Any) -> float | None:
    if isinstance(instance, bool):
        return None
    try:
        return float(instance)
    except (TypeError, ValueError):
        return None


def _check_type(_: Any, types: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    names = [types] if isinstance(types, str) else types
    if not any(_is_type(instance, name) for name in names):
        yield ValidationError(f"{instance!r} is not of type {', '.join(names)}")


def _spelling(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_enum(_: Any, allowed: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict | list):
        return
    if _spelling(instance) not in {_spelling(value) for value in allowed}:
        yield ValidationError(f"{instance!r} is not one of {list(allowed)!r}")


def _check_enum_any_case(_: Any, allowed: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and instance.lower() not in {str(value).lower() for value in allowed}:
        yield ValidationError(f"{instance!r} is not one of {list(allowed)!r}")


def _check_minimum(_: Any, limit: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    value = _number(instance)
    if value is not None and value < limit:
        yield ValidationError(f"{instance!r} is less than the minimum of {limit}")


def _check_maximum(_: Any, limit: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    value = _number(instance)
    if value is not None and value > limit:
        yield ValidationError(f"{instance!r} is greater than the maximum of {limit}")


def _check_pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _matches(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text) is not None
    except regex.error:
        # A pattern of another dialect than Python's cannot be held against anybody.
        return True


def _check_pattern_properties(validator: Any, patterns: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for pattern, schema in patterns.items():
            for name, value in instance.items():
                if _matches(pattern, name):
                    yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _check_additional(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    patterns = schema.get("patternProperties", {})
    known = schema.get("properties", {})
    extra = [name for name in instance if name not in known and not any(_matches(each, name) for each in patterns)]
    if isinstance(allowed, dict):
        for name in extra:
            yield from validator.descend(instance[name], allowed, path=name)
    elif not allowed:
        for name in extra:
            near = get_close_matches(name, known, n=1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            yield ValidationError(f"unknown property {name!r}{hint}")


def _check_required_xor(_: Any, names: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and sum(name in instance for name in names) != 1:
        yield ValidationError(f"exactly one of {list(names)!r} is required")


def _check_required_or(_: Any, names: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and not any(name in instance for name in names):
        yield ValidationError(f"one of {list(names)!r} is required")


def _check_excluded(_: Any, rules: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name, others in rules.items():
            together = [other for other in others if other in instance]
            if name in instance and together:
                yield ValidationError(f"{name} cannot be given together with {', '.join(together)}")


_TolerantValidator = validators.extend(
    Draft7Validator,
    {
        "type": _check_type,
        "enum": _check_enum,
        "enumCaseInsensitive": _check_enum_any_case,
        "const": lambda validator, value, instance, schema: _check_enum(validator, [value], instance, schema),
        "minimum": _check_minimum,
        "maximum": _check_maximum,
        "pattern": _check_pattern,
        "patternProperties": _check_pattern_properties,
        "additionalProperties": _check_additional,
        "requiredXor": _check_required_xor,
        "requiredOr": _check_required_or,
        "dependentExcluded": _check_excluded,
    },
)
