"""The reference environment, synthesized once a session, and ways to plant a change in it."""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from app import build
from environments import Environment, load
from ops.impact.changes import Change, Impact
from ops.impact.compare import compare
from ops.impact.sources import WITH_PATHS
from ops.impact.templates import Template, read_templates

ROOT = Path(__file__).parents[3]
PRIMARY, SECONDARY, GLOBAL = "reference-eu-west-1", "reference-us-east-1", "reference-global"


class Planted:
    """A copy of an environment's templates, to change as a merge request would."""

    def __init__(self, templates: Sequence[Template]) -> None:
        self.templates = [replace(template, body=copy.deepcopy(template.body)) for template in templates]

    def template(self, stack: str) -> Template:
        """The template of that stack."""
        return next(template for template in self.templates if template.name == stack)

    def logical_id(self, path: str) -> str:
        """The logical id of the construct at a path that starts with its stack."""
        template = self.template(path.split("/")[0])
        return next(key for key in template.resources if template.path_of(key) == path)

    def resource(self, path: str) -> dict[str, Any]:
        """The body of the construct at a path."""
        return self.template(path.split("/")[0]).resources[self.logical_id(path)]

    def properties(self, path: str) -> dict[str, Any]:
        """The properties of the construct at a path."""
        found: dict[str, Any] = self.resource(path)["Properties"]
        return found

    def remove(self, path: str) -> None:
        """Take a resource out of its template."""
        stack = path.split("/")[0]
        self.template(stack).body["Resources"].pop(self.logical_id(path))

    def rename(self, path: str, new_id: str) -> None:
        """Give a resource another logical id, and whatever refers to it the new one."""
        index = self.templates.index(self.template(path.split("/")[0]))
        text = json.dumps(self.templates[index].body).replace(f'"{self.logical_id(path)}"', f'"{new_id}"')
        self.templates[index] = replace(self.templates[index], body=json.loads(text))

    def manifest(
        self, edit: Callable[[list[dict[str, Any]]], None], path: str = f"{PRIMARY}/Cluster/Foundation"
    ) -> None:
        """Change the objects of a manifest, whose references to resources stay as they are."""
        properties = self.properties(path)
        parts = properties["Manifest"]["Fn::Join"][1]
        text = "".join(
            part if isinstance(part, str) else f"<<{json.dumps(part).replace(chr(34), chr(39))}>>" for part in parts
        )
        objects = json.loads(text)
        edit(objects)
        pieces: list[Any] = []
        for piece in json.dumps(objects).split("<<"):
            token, closing, rest = piece.partition(">>")
            pieces += [json.loads(token.replace("'", '"')), rest] if closing else [piece]
        properties["Manifest"] = {"Fn::Join": ["", pieces]}


Edit = Callable[[Planted], None]
Impacts = Callable[..., Impact]


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Environment], list[Template]]:
    """Synthesize an environment as the command does, but in this process; the same one twice costs once."""
    context = {**json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"], **WITH_PATHS}
    known: dict[str, list[Template]] = {}

    def make(environment: Environment) -> list[Template]:
        key = environment.model_dump_json()
        if key not in known:
            directory = tmp_path_factory.mktemp("assembly")
            app = cdk.App(context=context, outdir=str(directory))
            build(app, environment)
            app.synth()
            known[key] = read_templates(directory)
        return known[key]

    return make


@pytest.fixture(scope="session")
def reference(synthesized: Callable[[Environment], list[Template]]) -> list[Template]:
    """The templates of the reference environment."""
    return synthesized(load("reference"))


@pytest.fixture(scope="session")
def impact_of(reference: list[Template]) -> Impacts:
    """Compare the reference environment with itself after an edit; the same edit twice costs once.

    What ``ground`` plants is there before and after.
    """
    known: dict[tuple[Edit, Edit | None], Impact] = {}

    def make(edit: Edit, ground: Edit | None = None) -> Impact:
        if (edit, ground) not in known:
            before = Planted(reference)
            if ground:
                ground(before)
            after = Planted(before.templates)
            edit(after)
            known[edit, ground] = compare(before.templates, after.templates, base_name="before", head_name="after")
        return known[edit, ground]

    return make


def at_path(impact: Impact, path: str) -> Change:
    """Return the one change of a path."""
    found = [change for change in impact.changes if change.path == path]
    assert len(found) == 1, f"{path} is not among {[change.path for change in impact.changes]}"
    return found[0]
