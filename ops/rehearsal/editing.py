"""Changes templates of a synthesized assembly: for what no environment file would ever ask for, such as a refusal."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.rehearsal.assembly import Assembly, AssemblyStack

Template = dict[str, Any]


def edited_copy(assembly: Assembly, target: Path, edits: Mapping[str, Callable[[Template], None]]) -> Assembly:
    """Copy an assembly and edit templates of the copy, by stack name.

    A template is published under its hash, and the CLI leaves alone what is published already, so the hash changes with
    the template.
    """
    shutil.copytree(assembly.directory, target, copy_function=_link, ignore=shutil.ignore_patterns("*.lock"))
    copied = Assembly(target)
    for name, edit in edits.items():
        stack = copied.stack(name)
        template = stack.template
        edit(template)
        _rewrite(stack, json.dumps(template, indent=1))
    return Assembly(target)


def _link(source: str, target: str) -> None:
    """Assets are large and never edited: link them where the file system can."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _rewrite(stack: AssemblyStack, content: str) -> None:
    directory = stack.template_path.parent
    _replace(stack.template_path, content)
    manifest = directory / "manifest.json"
    listed = json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].get(f"{stack.artifact_id}.assets")
    if listed is None:
        return
    assets = directory / listed["properties"]["file"]
    files = json.loads(assets.read_text(encoding="utf-8"))["files"]
    former = next(key for key, item in files.items() if item["source"].get("path") == stack.template_path.name)
    digest = hashlib.sha256(content.encode()).hexdigest()
    for path in (assets, manifest):
        _replace(path, path.read_text(encoding="utf-8").replace(former, digest))


def _replace(path: Path, content: str) -> None:
    """Write a new file in place of a linked one, so that the original stays as it is."""
    path.unlink()
    path.write_text(content, encoding="utf-8")


@dataclass(frozen=True)
class Tweak:
    """One setting that can be changed in place, with its old and its new value."""

    stack: str
    region: str
    logical_id: str
    construct_path: str
    type: str
    name: str
    old: Any
    new: Any

    def apply(self, template: Template) -> None:
        """Set the new value."""
        template["Resources"][self.logical_id]["Properties"][self.name] = self.new


# Settings that services change without interruption, and that the emulator's drift detection reads back.
_TWEAKS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("AWS::SQS::Queue", "VisibilityTimeout", lambda old: int(old) + 30),
    ("AWS::SQS::Queue", "MessageRetentionPeriod", lambda old: int(old) - 3600),
    ("AWS::Logs::LogGroup", "RetentionInDays", lambda old: 30 if int(old) != 30 else 60),
)


def find_tweak(stack: AssemblyStack) -> Tweak | None:
    """Return a setting of a stack to change, or ``None`` where it has none of the known kinds."""
    for resource_type, name, change in _TWEAKS:
        for resource in stack.resources:
            old = resource.properties.get(name)
            if resource.type == resource_type and isinstance(old, int):
                return Tweak(
                    stack=stack.name,
                    region=stack.region,
                    logical_id=resource.logical_id,
                    construct_path=resource.construct_path,
                    type=resource.type,
                    name=name,
                    old=old,
                    new=change(old),
                )
    return None


REFUSED_ID = "RehearsedRefusal"


def add_refusal(template: Template, *, after: str) -> None:
    """Add a resource that AWS refuses (a subnet of a VPC that does not exist), made after the resource ``after``."""
    template["Resources"][REFUSED_ID] = {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": "vpc-00000000000000000", "CidrBlock": "10.0.0.0/24"},
        "DependsOn": [after],
    }
