"""Fixtures that every test may use."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# The virtual environment's Node.js runs the CDK, whatever the machine has; unit tests leave the validator out.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ.setdefault("CDK_VALIDATION", "false")

from environments import Environment
from tests.configurations import minimal


@pytest.fixture
def environment() -> Callable[..., Environment]:
    """Make an environment from the ten mandatory lines and what a test changes."""

    def make(**changes: Any) -> Environment:
        return Environment.model_validate(minimal(**changes))

    return make


@pytest.fixture(scope="session")
def node() -> str:
    """Path of the Node.js that runs the CDK."""
    path = shutil.which("node")
    assert path, "run `make setup` first: it brings Node.js"
    return path
