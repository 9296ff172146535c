"""The templates of a cloud assembly, read together: stacks, their regions, and resources that know each other."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ha_checks.resource import Resource

Place = tuple[str | None, str | None]
"""Account and region; ``None`` where the assembly does not tell."""

Family = tuple[str, str | None]
"""Stacks that belong together: those of one stage of the app and one account."""


class StackTemplate:
    """A stack's template.

    Arguments:
        assembly: all stacks.
        template: the document.
        stack_name: the name it deploys under.
        construct_path: path of the stack's construct.
        region: where it deploys; ``None`` where the assembly leaves it open.
        account: whose it is; ``None`` where the assembly leaves it open.
        size: length of the template in bytes.
        file: path of the template.

    Exposes these, ``resources``, ``outputs``, ``mappings``, ``parameters`` and ``paths`` (by logical id).
    """

    def __init__(
        self,
        *,
        assembly: "Assembly",
        template: Mapping[str, Any],
        stack_name: str,
        construct_path: str,
        region: str | None,
        account: str | None,
        size: int,
        file: str,
    ) -> None:
        self.assembly = assembly
        self.stack_name = stack_name
        self.construct_path = construct_path
        self.region = region
        self.account = account
        self.size = size
        self.file = file
        self.paths: dict[str, str] = {}
        self.outputs: dict[str, Any] = template.get("Outputs") or {}
        self.mappings: dict[str, Any] = template.get("Mappings") or {}
        self.parameters: dict[str, Any] = template.get("Parameters") or {}
        bodies: dict[str, Any] = template.get("Resources") or {}
        self.resources = {logical_id: Resource(self, logical_id, body) for logical_id, body in bodies.items()}

    @property
    def place(self) -> Place:
        """Account and region."""
        return self.account, self.region

    @property
    def family(self) -> Family:
        """The stacks it belongs with: an app's stage and account; other stages are other environments."""
        return self.construct_path.rpartition("/")[0], self.account

    def of_type(self, *types: str) -> Iterator[Resource]:
        """The resources of these types, in the template's order."""
        return (resource for name in types for resource in self._by_type.get(name, ()))

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources.values():
            found.setdefault(resource.type, []).append(resource)
        return found


class Assembly:
    """All templates of an app.

    Exposes ``stacks``, ``of_type()``, ``twins()`` and ``families()``. Read one with `from_directory`, or add stacks one
    by one.
    """

    def __init__(self) -> None:
        self.stacks: list[StackTemplate] = []

    def add(
        self,
        template: Mapping[str, Any],
        *,
        stack_name: str,
        construct_path: str | None = None,
        region: str | None = None,
        account: str | None = None,
        size: int | None = None,
        file: str = "",
    ) -> StackTemplate:
        """Add a stack's template and return it."""
        stack = StackTemplate(
            assembly=self,
            template=template,
            stack_name=stack_name,
            construct_path=construct_path or stack_name,
            region=region,
            account=account,
            size=len(json.dumps(template)) if size is None else size,
            file=file,
        )
        self.stacks.append(stack)
        return stack

    def add_file(
        self,
        path: Path,
        *,
        stack_name: str,
        construct_path: str,
        region: str | None,
        account: str | None,
        paths: Mapping[str, str] | None = None,
    ) -> None:
        """Add a template from its file, and those of its nested stacks."""
        content = path.read_bytes()
        try:
            template = json.loads(content)
        except ValueError:
            # The CDK writes JSON; a template that an app includes may be YAML, which other checks read.
            return
        stack = self.add(
            template,
            stack_name=stack_name,
            construct_path=construct_path,
            region=region,
            account=account,
            size=len(content),
            file=str(path),
        )
        stack.paths.update(paths or {})
        for nested in stack.of_type("AWS::CloudFormation::Stack"):
            asset = _asset(path, nested.text("TemplateURL"))
            if asset:
                # Named by its file: no other stack refers to it by name.
                self.add_file(
                    asset, stack_name=asset.name, construct_path=construct_path, region=region, account=account
                )

    @classmethod
    def from_directory(cls, directory: Path | str) -> Self:
        """Read a synthesized cloud assembly (``cdk.out``), nested assemblies (stages) included."""
        assembly = cls()
        for stack in manifest_stacks(Path(directory)):
            assembly.add_file(
                stack["file"],
                stack_name=stack["name"],
                construct_path=stack["path"],
                region=stack["region"],
                account=stack["account"],
                paths=_construct_paths(stack["metadata"]),
            )
        return assembly

    @cached_property
    def _by_name(self) -> dict[tuple[str, str | None], list[StackTemplate]]:
        found: dict[tuple[str, str | None], list[StackTemplate]] = {}
        for stack in self.stacks:
            found.setdefault((stack.stack_name, stack.region), []).append(stack)
        return found

    def stack_named(self, name: Any, region: Any, account: str | None) -> StackTemplate | None:
        """The stack of this name in a region, of the same account where several accounts have it."""
        candidates = self._by_name.get((name, region), []) if isinstance(name, str) else []
        return next((stack for stack in candidates if stack.account == account), candidates[0] if candidates else None)

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of these types in all stacks."""
        return [resource for stack in self.stacks for resource in stack.of_type(*types)]

    def families(self) -> dict[Family, list[StackTemplate]]:
        """The stacks by what they belong with."""
        found: dict[Family, list[StackTemplate]] = {}
        for stack in self.stacks:
            found.setdefault(stack.family, []).append(stack)
        return found

    def twins(self, *types: str) -> list[list[Resource]]:
        """The same part of several regions: resources of one family, type and logical id, each in a region of its own.

        A region counts once: where it has the part twice, nobody can say which of them is the twin.
        """
        groups: dict[tuple[Family, str, str], list[Resource]] = {}
        for resource in self.of_type(*types):
            groups.setdefault((resource.stack.family, resource.type, resource.logical_id), []).append(resource)
        return [
            group
            for group in groups.values()
            if len(group) > 1 and len({resource.region for resource in group}) == len(group)
        ]


def manifest_stacks(directory: Path) -> Iterator[dict[str, Any]]:
    """The stacks of a cloud assembly's manifest: name, construct path, template file, account and region."""
    artifacts = json.loads((directory / "manifest.json").read_text(encoding="utf-8")).get("artifacts", {})
    for identifier, artifact in artifacts.items():
        properties = artifact.get("properties", {})
        if artifact.get("type") == "cdk:cloud-assembly":
            yield from manifest_stacks(directory / properties["directoryName"])
        elif artifact.get("type") == "aws:cloudformation:stack":
            account, _, region = artifact["environment"].removeprefix("aws://").partition("/")
            metadata = artifact.get("additionalMetadataFile")
            yield {
                "name": properties.get("stackName", identifier),
                "path": artifact.get("displayName", identifier).split(" (")[0],
                "file": directory / properties["templateFile"],
                "account": None if account == "unknown-account" else account,
                "region": None if region == "unknown-region" else region,
                "metadata": artifact.get("metadata")
                or (json.loads((directory / metadata).read_text(encoding="utf-8")) if metadata else {}),
            }


def _asset(template: Path, url: str) -> Path | None:
    """The file of a stack's asset, by the hash at the end of the URL it is uploaded to."""
    listing = template.with_name(template.name.removesuffix(".template.json") + ".assets.json")
    if not listing.is_file():
        return None
    files = json.loads(listing.read_text(encoding="utf-8")).get("files", {})
    source = files.get(url.rpartition("/")[2].partition(".")[0], {}).get("source", {}).get("path")
    return template.parent / source if source and (template.parent / source).is_file() else None


def _construct_paths(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(entry["data"]): path.strip("/")
        for path, entries in metadata.items()
        for entry in entries
        if entry.get("type") == "aws:cdk:logicalId"
    }
