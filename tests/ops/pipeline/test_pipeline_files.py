"""The CI files: valid by their published schemas, pinned, without keys, and made of make targets only."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.pipeline.order import child_pipeline, deployment_order
from tests.configurations import MATRIX

REPOSITORY = Path(__file__).parents[3]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
GITLAB = REPOSITORY / ".gitlab-ci.yml"
FILES = [*WORKFLOWS, GITLAB]
# A make target, alone or with its output sent on.
SCRIPT = re.compile(r"make (?:--silent )?(?P<target>[a-z-]+)(?: FORMAT=[a-z]+ > [a-z-]+\.yml)?")
INTO_OUTPUT = re.compile(r'echo "order=\$\(make --silent (?P<target>[a-z-]+) FORMAT=json\)" >> "\$GITHUB_OUTPUT"')
PINNED = re.compile(r"uses: (?:\./\S+|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$")

each_file = pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])


@pytest.mark.parametrize("file", WORKFLOWS, ids=[file.name for file in WORKFLOWS])
def test_a_workflow_keeps_to_the_published_schema(file: Path) -> None:
    _check(file, "vendor.github-workflows")


def test_the_gitlab_pipeline_keeps_to_the_published_schema(tmp_path: Path) -> None:
    _check_gitlab(yaml.safe_load(GITLAB.read_text(encoding="utf-8")), tmp_path)


def test_the_child_pipeline_keeps_to_the_published_schema(tmp_path: Path) -> None:
    parent = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))

    _check_gitlab(child_pipeline("reference", deployment_order(MATRIX["reference"]), parent), tmp_path)


def test_the_schema_check_finds_a_mistake(tmp_path: Path) -> None:
    parent = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    parent[".deploy"]["when"] = "manually"

    with pytest.raises(AssertionError, match="deploy template"):
        _check_gitlab(parent, tmp_path)


@each_file
def test_every_script_line_is_a_make_target(file: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    lines = list(_script_lines(yaml.safe_load(file.read_text(encoding="utf-8"))))

    assert lines or file.name == "deploy.yml"
    for line in lines:
        match = SCRIPT.fullmatch(line) or INTO_OUTPUT.fullmatch(line)
        assert match, f"{line!r} runs in CI only: make it a target"
        assert match["target"] in targets, f"the Makefile has no target {match['target']!r}"


@each_file
def test_no_long_lived_key_is_named(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert "AWS_ACCESS_KEY_ID" not in text
    assert "aws-access-key-id" not in text
    assert "secrets." not in text


@pytest.mark.parametrize("file", WORKFLOWS, ids=[file.name for file in WORKFLOWS])
def test_every_action_is_pinned_by_commit_with_its_version(file: Path) -> None:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if "uses:" in line]

    assert lines
    assert [line for line in lines if not PINNED.search(line)] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=[file.name for file in WORKFLOWS])
def test_no_script_has_an_expression_in_it(file: Path) -> None:
    """What others write (a branch's name, a title) reaches a script as a variable, never as a part of its text."""
    lines = _script_lines(yaml.safe_load(file.read_text(encoding="utf-8")))

    assert [line for line in lines if "${{" in line] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=[file.name for file in WORKFLOWS])
def test_a_job_may_only_read_unless_it_says_otherwise(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))

    allowed = {"contents": "read"} | ({"id-token": "write"} if file.name == "deploy-region.yml" else {})
    assert workflow["permissions"] == allowed


def _script_lines(document: Any) -> Iterator[str]:
    """Every line that a runner runs, of either kind of file."""
    if isinstance(document, list):
        for item in document:
            yield from _script_lines(item)
    elif isinstance(document, dict):
        for key, value in document.items():
            if key in ("script", "before_script", "after_script"):
                yield from value
            elif key == "run" and isinstance(value, str):
                yield from value.strip().splitlines()
            else:
                yield from _script_lines(value)


def _check_gitlab(pipeline: dict[str, Any], folder: Path) -> None:
    """The schema looks at no hidden job: for the check, templates get a name that it looks at."""
    shown = {f"{name[1:]} template" if name.startswith(".") else name: job for name, job in pipeline.items()}
    file = folder / "shown.yml"
    file.write_text(yaml.safe_dump(shown), encoding="utf-8")
    _check(file, "vendor.gitlab-ci", "--data-transform", "gitlab-ci")


def _check(file: Path, schema: str, *more: str) -> None:
    """Hold a file against a schema of the JSON Schema Store, as the package check-jsonschema brings it."""
    command = [sys.executable, "-m", "check_jsonschema", "--verbose", "--builtin-schema", schema, *more, str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
