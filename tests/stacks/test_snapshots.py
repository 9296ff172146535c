"""Snapshots of every template and manifest across the configuration matrix; `make snapshots` writes them anew.

The reference and the smallest environment are kept whole, a file a stack and a file for the manifests of each resource
that applies some, so that every line that is deployed can be read somewhere. For each other environment of the matrix
one file says what it has otherwise than these two: whole, they would be fifty files that all change together, which
nobody reads. Names of environment, domain and regions are replaced before comparing; stacks that differ in the same
way are written out once.

Hashes, versions and layout that change with the CDK library alone are hidden (`ops/snapshots.py`).
"""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from environments import Environment
from ops.snapshots import ReadableStack, difference, manifests_to_yaml, readable, renamed, to_yaml
from tests.configurations import MATRIX
from tests.stacks.conftest import Synthesize

FOLDER = Path(__file__).parents[1] / "snapshots"
WHOLE = ("reference", "single-region")
UPDATE = "UPDATE_SNAPSHOTS"
HOW_TO_UPDATE = "Is it meant? Then run `make snapshots` and review the change with the code: git diff tests/snapshots"
LINES_SHOWN = 30
BYTES_OF_ALL = 1_000_000

Snapshots = dict[str, dict[Path, str]]


@pytest.fixture(scope="session")
def snapshots(synthesize: Synthesize) -> Snapshots:
    """Every file that there should be, with its text, by configuration; written where that is asked for."""
    whole = {name: _readable_stacks(synthesize, MATRIX[name]) for name in WHOLE}
    made: Snapshots = {name: dict(_whole_files(name, stacks)) for name, stacks in whole.items()}
    seen: dict[str, str] = {}
    for name, environment in MATRIX.items():
        if name not in WHOLE:
            text = _differences(name, environment, synthesize, whole, seen)
            made[name] = {Path("differences", f"{name}.yaml"): text}
    if os.environ.get(UPDATE):
        _write({path: text for files in made.values() for path, text in files.items()})
    return made


@pytest.mark.parametrize("configuration", MATRIX)
def test_templates_and_manifests_are_as_in_their_snapshot(snapshots: Snapshots, configuration: str) -> None:
    for path, text in snapshots[configuration].items():
        file = FOLDER / path
        if not file.is_file():
            pytest.fail(f"tests/snapshots/{path} is missing. Run `make snapshots`.", pytrace=False)
        if (kept := file.read_text(encoding="utf-8")) != text:
            pytest.fail(_short_difference(path, kept, text), pytrace=False)


def test_every_snapshot_is_of_something(snapshots: Snapshots) -> None:
    expected = {path for files in snapshots.values() for path in files}
    superfluous = {path.relative_to(FOLDER) for path in _files()} - expected

    assert not superfluous, f"nothing has these snapshots any more; `make snapshots` removes them: {superfluous}"


def test_snapshots_stay_small(snapshots: Snapshots) -> None:
    assert sum(len(text.encode()) for files in snapshots.values() for text in files.values()) <= BYTES_OF_ALL


def test_a_region_that_joins_changes_no_other_regions_template(synthesize: Synthesize) -> None:
    two, three = (synthesize(MATRIX[f"{count}-regions"]) for count in (2, 3))

    for name in two.stack_names:
        assert difference(readable(two.json(name)), readable(three.json(name))) == {}


def _readable_stacks(synthesize: Synthesize, environment: Environment) -> dict[str, ReadableStack]:
    synthesized = synthesize(environment)
    return {name: readable(synthesized.json(name)) for name in synthesized.stack_names}


def _whole_files(name: str, stacks: dict[str, ReadableStack]) -> Iterator[tuple[Path, str]]:
    for stack_name, stack in stacks.items():
        yield Path(name, f"{stack_name}.yaml"), to_yaml(stack.template)
        for resource, objects in stack.manifests.items():
            yield Path(name, stack_name, f"{resource}.yaml"), manifests_to_yaml(objects)


def _differences(
    name: str,
    environment: Environment,
    synthesize: Synthesize,
    whole: dict[str, dict[str, ReadableStack]],
    seen: dict[str, str],
) -> str:
    """What each stack of an environment has otherwise than its counterpart among the whole ones."""
    document: dict[str, Any] = {}
    for stack_name, stack in _readable_stacks(synthesize, environment).items():
        base_environment, base_name = _counterpart(name, environment, stack_name)
        base = renamed(whole[base_environment.name][base_name], _names(base_environment, base_name))
        found = difference(base, renamed(stack, _names(environment, stack_name)))
        text = f"{base_name}: {to_yaml(found)}"
        if found and text in seen:
            document[stack_name] = f"differs as {seen[text]}"
            continue
        seen[text] = f"{stack_name} of {name}"
        document[stack_name] = {f"compared with {base_name}": found or "no difference"}
    return to_yaml(document)


def _counterpart(name: str, environment: Environment, stack_name: str) -> tuple[Environment, str]:
    """The whole stack of the same role: only the reference has a further region, and only it has everything."""
    small, full = MATRIX["single-region"], MATRIX["reference"]
    base = full if name == "production" else small
    if stack_name == environment.global_stack_name:
        return base, base.global_stack_name
    if stack_name == environment.stack_name(environment.primary.name):
        return base, base.stack_name(base.primary.name)
    return full, full.stack_name(full.regions[-1].name)


def _names(environment: Environment, stack_name: str) -> dict[str, str]:
    region = stack_name.removeprefix(f"{environment.name}-")
    names = {environment.name: "<environment>", environment.domain.name: "<domain>"}
    if region != "global":
        names |= {region: "<region>", stack_name: "<environment>-<region>"}
    primary = environment.primary.name
    return names | {primary: "<primary>", environment.stack_name(primary): "<environment>-<primary>"}


def _files() -> list[Path]:
    return [path for path in FOLDER.rglob("*") if path.is_file()]


def _write(files: dict[Path, str]) -> None:
    for path in _files():
        if path.relative_to(FOLDER) not in files:
            path.unlink()
    for path, text in files.items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text, encoding="utf-8")
    for folder in sorted((path for path in FOLDER.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def _short_difference(path: Path, kept: str, text: str) -> str:
    lines = list(difflib.unified_diff(kept.splitlines(), text.splitlines(), "snapshot", "now", n=2, lineterm=""))[2:]
    more = [f"... and {len(lines) - LINES_SHOWN} lines more"] if len(lines) > LINES_SHOWN else []
    return "\n".join([f"tests/snapshots/{path} differs:", *lines[:LINES_SHOWN], *more, HOW_TO_UPDATE])
