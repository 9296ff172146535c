"""The order in which an environment's stacks deploy."""

import argparse
import json
from pathlib import Path

import pytest
import yaml

from ops.pipeline import order
from ops.pipeline.order import child_pipeline, deployment_order, turn_of
from ops.rehearsal.assembly import Assembly
from tests.configurations import MATRIX
from tests.stacks.conftest import Synthesize, synthesize

__all__ = ["synthesize"]


@pytest.mark.parametrize("configuration", ["single-region", "production"])
def test_it_is_the_order_of_the_assembly(synthesize: Synthesize, configuration: str) -> None:
    assembly = Assembly(Path(synthesize(MATRIX[configuration]).assembly.directory))

    turns = deployment_order(MATRIX[configuration])

    assert [(turn.stack, turn.region) for turn in turns] == [(stack.name, stack.region) for stack in assembly.stacks]


def test_an_unknown_region_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="it has global, eu-west-1, us-east-1"):
        turn_of(MATRIX["reference"], "eu-central-1")


def test_the_json_is_one_line_for_a_pipelines_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("production", "--json") == 0

    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert json.loads(line)["primary"] == "eu-west-1"
    assert json.loads(line)["others"] == ["us-east-1", "ap-southeast-1"]


def test_one_stacks_name_is_all_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("production", "--stack", "global") == 0
    assert capsys.readouterr().out == "production-global\n"


def test_a_wrong_environment_ends_with_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("prodction") == 2
    assert "did you mean" in capsys.readouterr().err


def test_each_region_of_the_child_pipeline_waits_for_approval_and_for_the_bake_before() -> None:
    parent = yaml.safe_load(order.GITLAB_FILE.read_text(encoding="utf-8"))

    pipeline = child_pipeline("reference", deployment_order(MATRIX["reference"]), parent)

    jobs = {name: job for name, job in pipeline.items() if name.startswith(("deploy ", "bake "))}
    assert [(name, job["needs"]) for name, job in jobs.items()] == [
        ("deploy global", []),
        ("deploy eu-west-1", ["deploy global"]),
        ("bake eu-west-1", ["deploy eu-west-1"]),
        ("deploy us-east-1", ["bake eu-west-1"]),
        ("bake us-east-1", ["deploy us-east-1"]),
    ]
    assert pipeline[".deploy"]["when"] == "manual"
    assert pipeline[".deploy"]["allow_failure"] is False


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    order.register(parser.add_subparsers())
    parsed = parser.parse_args(["deploy-order", *arguments])
    code: int = parsed.run(parsed)
    return code
