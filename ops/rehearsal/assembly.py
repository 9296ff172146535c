"""Reads a cloud assembly: which stacks there are, and every resource of their templates with its construct's path.

Only the synthesized files are read, never the construct tree, so that a rehearsal works for any CDK application.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ops.rehearsal.cdk_cli import RehearsalError

_ENVIRONMENT = re.compile(r"^aws://(?P<account>[^/]+)/(?P<region>.+)$")
_CONCRETE_ACCOUNT = re.compile(r"^\d{12}$")


@dataclass(frozen=True, kw_only=True)
class TemplateResource:
    """One resource as a template declares it."""

    stack: str
    region: str
    logical_id: str
    type: str
    construct_path: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    deletion_policy: str = "Delete"
    condition: str | None = None

    @property
    def is_custom(self) -> bool:
        """Whether a Lambda function stands behind it."""
        return self.type.startswith("Custom::") or self.type == "AWS::CloudFormation::CustomResource"


@dataclass(frozen=True, kw_only=True)
class AssemblyStack:
    """One stack of an assembly: its id in the assembly, its CloudFormation name, its place, and its template."""

    artifact_id: str
    name: str
    account: str
    region: str
    template_path: Path
    dependencies: tuple[str, ...] = ()

    @cached_property
    def template(self) -> dict[str, Any]:
        """The template, parsed."""
        content: dict[str, Any] = json.loads(self.template_path.read_text(encoding="utf-8"))
        return content

    @cached_property
    def resources(self) -> list[TemplateResource]:
        """Every resource of the template, in its order."""
        return template_resources(self.template, stack=self.name, region=self.region)

    def nested_template(self, resource: TemplateResource) -> dict[str, Any] | None:
        """Return the template of a nested stack's resource where the assembly holds it."""
        metadata = self.template["Resources"][resource.logical_id].get("Metadata", {})
        asset = metadata.get("aws:asset:path")
        path = self.template_path.parent / asset if asset else None
        if path is None or not path.is_file():
            return None
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content


def template_resources(template: Mapping[str, Any], *, stack: str, region: str) -> list[TemplateResource]:
    """Return the resources that a template declares, in its order."""
    return [
        TemplateResource(
            stack=stack,
            region=region,
            logical_id=logical_id,
            type=str(body["Type"]),
            construct_path=str(body.get("Metadata", {}).get("aws:cdk:path", f"{stack}/{logical_id}")),
            properties=body.get("Properties") or {},
            deletion_policy=str(body.get("DeletionPolicy", "Delete")),
            condition=body.get("Condition"),
        )
        for logical_id, body in template.get("Resources", {}).items()
    ]


class Assembly:
    """A synthesized cloud assembly.

    Arguments:
        directory: the folder that holds ``manifest.json``.

    Exposes ``directory``, ``stacks`` (producers before consumers), ``account`` and ``regions``. Raises
    ``RehearsalError`` where the folder is no assembly, or where a stack names no account and region: the rehearsal
    must know where to look.
    """

    def __init__(self, directory: Path) -> None:
        """Read the manifest, and those of the stages in it."""
        self.directory = directory.resolve()
        if not (self.directory / "manifest.json").is_file():
            raise RehearsalError(
                f"{self.directory} is no cloud assembly: it has no manifest.json; `cdk synth` writes one"
            )
        self.stacks = _in_deployment_order(list(_read_stacks(self.directory)))
        if not self.stacks:
            raise RehearsalError(f"the cloud assembly {self.directory} has no stack")
        accounts = sorted({stack.account for stack in self.stacks})
        if len(accounts) > 1:
            raise RehearsalError(f"the assembly's stacks are in several accounts ({', '.join(accounts)}); rehearse one")
        self.account = accounts[0]
        self.regions = sorted({stack.region for stack in self.stacks})

    @property
    def resources(self) -> list[TemplateResource]:
        """Every resource of every stack."""
        return [resource for stack in self.stacks for resource in stack.resources]

    def stack(self, name: str) -> AssemblyStack:
        """Return the stack of that CloudFormation name."""
        return next(stack for stack in self.stacks if stack.name == name)


def _read_stacks(directory: Path) -> Iterator[AssemblyStack]:
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    for artifact_id, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            yield from _read_stacks(directory / properties["directoryName"])
        if artifact["type"] != "aws:cloudformation:stack":
            continue
        match = _ENVIRONMENT.match(artifact.get("environment", ""))
        if match is None or not _CONCRETE_ACCOUNT.match(match["account"]) or match["region"].startswith("unknown"):
            raise RehearsalError(
                f"stack {artifact_id} is for {artifact.get('environment')!r}: give it an explicit account and region"
            )
        yield AssemblyStack(
            artifact_id=artifact_id,
            name=properties.get("stackName", artifact_id),
            account=match["account"],
            region=match["region"],
            template_path=directory / properties["templateFile"],
            dependencies=tuple(artifact.get("dependencies", ())),
        )


def _in_deployment_order(stacks: list[AssemblyStack]) -> list[AssemblyStack]:
    """Order stacks so that each comes after those it depends on; otherwise keep the manifest's order."""
    known = {stack.artifact_id for stack in stacks}
    ordered: list[AssemblyStack] = []
    placed: set[str] = set()
    while len(ordered) < len(stacks):
        ready = [
            stack
            for stack in stacks
            if stack.artifact_id not in placed and all(name in placed for name in stack.dependencies if name in known)
        ]
        if not ready:
            waiting = ", ".join(stack.artifact_id for stack in stacks if stack.artifact_id not in placed)
            raise RehearsalError(f"the stacks depend on each other in a circle: {waiting}")
        ordered += ready
        placed.update(stack.artifact_id for stack in ready)
    return ordered
