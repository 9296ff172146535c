"""Synthesis of whole environments, each once a session."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from app import build
from environments import Environment

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Synthesized:
    """An environment's cloud assembly."""

    assembly: Any

    @property
    def stack_names(self) -> list[str]:
        """Names of the stacks, in the order in which they deploy."""
        return [stack.stack_name for stack in self.assembly.stacks]

    def json(self, stack_name: str) -> dict[str, Any]:
        """A stack's template."""
        template: dict[str, Any] = self.assembly.get_stack_by_name(stack_name).template
        return template

    def template(self, stack_name: str) -> assertions.Template:
        """A stack's template, for assertions."""
        return assertions.Template.from_json(self.json(stack_name))


Synthesize = Callable[[Environment], Synthesized]


@pytest.fixture(scope="session")
def synthesize() -> Synthesize:
    """Synthesize an environment with the project's own feature flags; the same one twice costs once."""
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    known: dict[str, Synthesized] = {}

    def make(environment: Environment) -> Synthesized:
        key = environment.model_dump_json()
        if key not in known:
            app = cdk.App(context=context)
            build(app, environment)
            known[key] = Synthesized(app.synth())
        return known[key]

    return make
