"""Reads what an impact report compares: every stack of a cloud assembly, nested ones too, with its protection."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.rehearsal.assembly import Assembly, AssemblyStack

_GENERATED_LAST_PARTS = ("Resource", "Default")
_NOISE_TYPES = ("AWS::CDK::Metadata",)


@dataclass(frozen=True, kw_only=True)
class Template:
    """One stack's template: its name, region, content, and whether the stack refuses to be deleted."""

    name: str
    region: str
    body: dict[str, Any]
    termination_protection: bool = False

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources by logical id, without those that only describe the CDK."""
        found: dict[str, dict[str, Any]] = self.body.get("Resources", {})
        return {key: value for key, value in found.items() if value["Type"] not in _NOISE_TYPES}

    def path_of(self, logical_id: str) -> str:
        """Return a resource's construct path without the parts that the CDK generates."""
        path = str(self.resources[logical_id].get("Metadata", {}).get("aws:cdk:path", f"{self.name}/{logical_id}"))
        while path.rpartition("/")[2] in _GENERATED_LAST_PARTS:
            path = path.rpartition("/")[0]
        return path


def read_templates(directory: Path) -> list[Template]:
    """Read every stack of a cloud assembly in the order of deployment, each before the stacks nested in it.

    Raises:
        RehearsalError: the folder is no cloud assembly.
    """
    assembly = Assembly(directory)
    protected = set(_protected_artifacts(assembly.directory))
    return [
        template
        for stack in assembly.stacks
        for template in _with_nested(stack, termination_protection=stack.artifact_id in protected)
    ]


def _with_nested(stack: AssemblyStack, *, termination_protection: bool) -> Iterator[Template]:
    yield Template(
        name=stack.name, region=stack.region, body=stack.template, termination_protection=termination_protection
    )
    for resource in stack.resources:
        body = stack.nested_template(resource) if resource.type == "AWS::CloudFormation::Stack" else None
        if body is None:
            continue
        nested = AssemblyStack(
            artifact_id=f"{stack.artifact_id}/{resource.logical_id}",
            name=f"{stack.name}/{resource.logical_id}",
            account=stack.account,
            region=stack.region,
            template_path=stack.template_path.parent
            / stack.template["Resources"][resource.logical_id]["Metadata"]["aws:asset:path"],
        )
        yield from _with_nested(nested, termination_protection=termination_protection)


def _protected_artifacts(directory: Path) -> Iterator[str]:
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    for artifact_id, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            yield from _protected_artifacts(directory / properties["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack" and properties.get("terminationProtection"):
            yield artifact_id
