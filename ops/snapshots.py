"""Templates in a form that a person reads: what snapshots keep, and what two of them differ in.

A template as the CDK writes it is a quarter of a megabyte of JSON, half of it punctuation. Here references become
``${LogicalId.Attribute}`` within one string, JSON that hides in a string becomes a structure, Kubernetes manifests get
files of their own, and what changes with every release of the CDK library (asset hashes, ids of function versions,
runtimes of its own functions, versions of its layers, positions of a dashboard's widgets, the bootstrap's rule) is
left out or replaced by a word. The result is no template any more: it is for reading and comparing only.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

_LINE = 120
_HIDDEN = ("BootstrapVersion", "CheckBootstrapVersion")
_MANIFEST_TYPE = "Custom::AWSCDK-EKS-KubernetesResource"
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_ASSET = re.compile(r"\b[0-9a-f]{64}\b")
_FUNCTION_VERSION = re.compile(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}")
_RELEASE = re.compile(r"\b\d+\.\d+\.\d+\b")
_LOGICAL_ID_HASH = re.compile(r"(?<=.)[0-9A-F]{8}$")
# The rules between security groups are named after the other group, its hash, and the ports.
_INNER_HASH = re.compile(r"(?=\d*[A-F])[0-9A-F]{8}(?=\d*(?:IndirectPort)?$)")
# Handlers that the CDK library brings, with a runtime that it chooses.
_HANDLERS_OF_THE_CDK = ("__entrypoint__.handler", "framework.onEvent", "framework.isComplete", "framework.onTimeout")
_DESCRIPTIONS_OF_THE_CDK = ("onEvent handler for EKS kubectl resource provider",)


@dataclass(frozen=True, kw_only=True)
class ReadableStack:
    """A stack in readable form.

    Arguments:
        template: the template without its noise.
        manifests: Kubernetes objects by the resource that applies them.
    """

    template: dict[str, Any]
    manifests: dict[str, list[dict[str, Any]]]


def readable(template: Mapping[str, Any]) -> ReadableStack:
    """Return a template, as the CDK synthesized it, in readable form."""
    manifests: dict[str, list[dict[str, Any]]] = {}
    sections: dict[str, Any] = {}
    for section, content in template.items():
        if not isinstance(content, dict):
            sections[section] = _plain(content)
            continue
        kept = {_plain(key): value for key, value in content.items() if key not in _HIDDEN}
        if section == "Resources":
            kept = {key: _resource(key, value, manifests) for key, value in sorted(kept.items())}
        else:
            kept = {key: _plain(value) for key, value in sorted(kept.items())}
        if kept:
            sections[section] = kept
    return ReadableStack(template=sections, manifests=manifests)


def to_yaml(document: Any) -> str:
    """Return a structure as YAML: whatever fits goes on one line."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_LINE)


def manifests_to_yaml(objects: Sequence[Mapping[str, Any]]) -> str:
    """Return Kubernetes objects as a file with a document each."""
    return "".join(f"---\n{to_yaml(item)}" for item in objects)


def without_hash(logical_id: str) -> str:
    """Return a logical id without the hash of its path."""
    return _LOGICAL_ID_HASH.sub("", logical_id)


def renamed(stack: ReadableStack, names: Mapping[str, str]) -> ReadableStack:
    """Return a stack with other names in it, so that it can be compared with one of another environment or region.

    Logical ids lose their hash where that leaves them distinct: the hash depends on nothing but the path.

    Arguments:
        stack: the stack.
        names: replacement by name; a name is replaced where it stands as a word, also as a part of a logical id.
    """
    identifiers = list(stack.template.get("Resources", {}))
    short = {identifier: _INNER_HASH.sub("", without_hash(identifier)) for identifier in identifiers}
    unique = {key: value for key, value in short.items() if list(short.values()).count(value) == 1}
    identifier = re.compile(rf"\b(?:{'|'.join(map(re.escape, unique))})\b") if unique else re.compile(r"(?!)")
    # Within a logical id, or a name that the CDK made of one, names have lost their hyphens.
    joined = {name.replace("-", ""): value for name, value in names.items() if "-" in name}
    known = {**names, **joined}
    word = re.compile(
        "|".join(
            [
                # A zone is a region and a letter; a name in a chain of hyphens is still a name.
                *(rf"(?<![A-Za-z0-9@]){re.escape(name)}(?=[a-f]?(?![A-Za-z0-9]))" for name in _longest_first(names)),
                *map(re.escape, _longest_first(joined)),
            ]
        )
    )
    generated = re.compile(rf"\b({'|'.join(map(re.escape, _longest_first(joined)))})(\w*)[0-9A-F]{{8}}\b")

    def change_text(text: str) -> str:
        text = generated.sub(r"\1\2", identifier.sub(lambda match: unique[match[0]], text))
        return word.sub(lambda match: known[match[0]], text)

    change = _on_text(change_text)
    return ReadableStack(template=change(stack.template), manifests=change(stack.manifests))


def difference(base: ReadableStack, other: ReadableStack) -> dict[str, Any]:
    """Return what ``other`` has not, has besides, and has otherwise than ``base``; empty where they are equal."""
    before, after = _parts(base), _parts(other)
    removed = {name: part.get("Type") or part.get("kind") for name, part in before.items() if name not in after}
    added = {name: part for name, part in after.items() if name not in before}
    changed: dict[str, Any] = {}
    for name in before.keys() & after.keys():
        _compare(before[name], after[name], name, changed)
    found = {"removed": removed, "added": added, "changed": dict(sorted(changed.items()))}
    return {name: value for name, value in found.items() if value}


def _parts(stack: ReadableStack) -> dict[str, Any]:
    """Resources by id, outputs and the like as one part each, Kubernetes objects by what names them."""
    sections = {name: value for name, value in stack.template.items() if name != "Resources"}
    objects = {
        "/".join(filter(None, (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]))): item
        for items in stack.manifests.values()
        for item in items
    }
    return {**stack.template.get("Resources", {}), **sections, **objects}


def _compare(before: Any, after: Any, path: str, changed: dict[str, Any]) -> None:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            if key not in before:
                changed[f"{path}.{key}"] = {"added": after[key]}
            elif key not in after:
                changed[f"{path}.{key}"] = {"removed": _brief(before[key])}
            else:
                _compare(before[key], after[key], f"{path}.{key}", changed)
    elif isinstance(before, list) and isinstance(after, list):
        _compare_lists(before, after, path, changed)
    else:
        changed[path] = {"from": before, "to": after}


def _compare_lists(before: list[Any], after: list[Any], path: str, changed: dict[str, Any]) -> None:
    """Items that came and went; item by item where as many came as went."""
    went = [item for item in before if item not in after]
    came = [item for item in after if item not in before]
    if len(went) == len(came) and went:
        for index, (old, new) in enumerate(zip(went, came, strict=True)):
            _compare(old, new, f"{path}[{before.index(went[index])}]", changed)
        return
    found = {name: items for name, items in (("removed", [_brief(item) for item in went]), ("added", came)) if items}
    changed[path] = found or {"order": after}


def _brief(value: Any) -> Any:
    """What is gone in a few words: the base says the rest."""
    text = json.dumps(value, ensure_ascii=False)
    return value if _fits(value) else f"{text[: _LINE // 2]}..."


def _resource(logical_id: str, resource: Mapping[str, Any], manifests: dict[str, list[dict[str, Any]]]) -> Any:
    """A resource: its type first, then how it is treated, then its properties in alphabetical order."""
    kept = {key: value for key, value in resource.items() if key not in ("Type", "Properties", "Metadata")}
    properties = _plain(resource.get("Properties", {}))
    if resource["Type"] == _MANIFEST_TYPE:
        name = without_hash(logical_id)
        manifests[name] = properties["Manifest"]
        properties["Manifest"] = f"in the file of {name}"
    _hide_versions(resource["Type"], properties)
    return {"Type": resource["Type"], **_plain(kept), **({"Properties": properties} if properties else {})}


def _hide_versions(resource_type: str, properties: dict[str, Any]) -> None:
    """Replace what the CDK library chooses anew with its releases."""
    if resource_type == "AWS::Lambda::LayerVersion":
        properties["Description"] = _RELEASE.sub("<version>", properties.get("Description", ""))
    if resource_type == "AWS::Lambda::Function" and (
        properties.get("Handler") in _HANDLERS_OF_THE_CDK or properties.get("Description") in _DESCRIPTIONS_OF_THE_CDK
    ):
        properties["Runtime"] = "<chosen by the CDK>"
    if resource_type == "AWS::CloudWatch::Dashboard":
        # Where a widget stands follows from those before it.
        for widget in properties["DashboardBody"]["widgets"]:
            widget.pop("x", None)
            widget.pop("y", None)


def _plain(value: Any) -> Any:
    """A value with its references as text, its hidden JSON as structures, and its keys in alphabetical order."""
    if isinstance(value, dict):
        text = _reference(value)
        if text is not None:
            return _structure(text)
        return {_plain(key): _plain(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return _structure(_hide_hashes(value.replace("${", "${!")))
    return value


def _reference(value: Mapping[str, Any]) -> str | None:
    """Text for an intrinsic function of CloudFormation that stands for text; None for everything else."""
    if len(value) != 1:
        return None
    name, argument = next(iter(value.items()))
    if name == "Ref":
        return "${" + _hide_hashes(argument) + "}"
    if name == "Fn::GetAtt":
        return "${" + _hide_hashes(".".join(argument) if isinstance(argument, list) else argument) + "}"
    if name == "Fn::GetStackOutput":
        return "${" + "/".join((argument["StackName"], argument["OutputName"])) + "}"
    if name == "Fn::Sub" and isinstance(argument, str):
        return argument
    if name == "Fn::Join" and isinstance(argument[1], list):
        return str(argument[0]).join(
            str(_plain_text(part) if isinstance(part, dict) else _hide_hashes(part.replace("${", "${!")))
            for part in argument[1]
        )
    return None


def _plain_text(value: Mapping[str, Any]) -> str:
    text = _reference(value)
    return text if text is not None else "${" + json.dumps(_plain(value)).replace('"', "'") + "}"


def _structure(text: str) -> Any:
    """What JSON in a string says, where that is an object or a list."""
    if text[:1] not in ("{", "["):
        return text
    try:
        content = json.loads(text)
    except ValueError:
        return text
    return _sorted(content)


def _sorted(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _sorted(content[key]) for key in sorted(content)}
    return [_sorted(item) for item in content] if isinstance(content, list) else content


def _hide_hashes(text: str) -> str:
    return _FUNCTION_VERSION.sub(r"\1<version>", _ASSET.sub("<asset>", text))


def _longest_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=len, reverse=True)


def _on_text(change: Callable[[str], str]) -> Callable[[Any], Any]:
    """A function that changes every text of a structure, keys included."""

    def apply(value: Any) -> Any:
        if isinstance(value, dict):
            return {change(key): apply(item) for key, item in value.items()}
        if isinstance(value, list):
            return [apply(item) for item in value]
        return change(value) if isinstance(value, str) else value

    return apply


class _Dumper(yaml.SafeDumper):
    """Writes whatever fits on one line in one, indents lists, and has no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        return super().represent_sequence(tag, sequence, _fits(sequence))

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        items = list(mapping.items())
        return super().represent_mapping(tag, items, _fits(mapping))


def _fits(value: Any) -> bool:
    return len(json.dumps(value)) <= _LINE - 40
