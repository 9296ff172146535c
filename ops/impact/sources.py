"""Finds what to compare: a cloud assembly, an environment of the working tree, or one of a git revision.

Everything is synthesized on this machine by the interpreter that runs the command: no network, no CDK CLI.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from environments.loader import EnvironmentFileError, find
from ops.impact.live import deployed_templates
from ops.impact.templates import Template, read_templates
from ops.rehearsal.cdk_cli import REPOSITORY, RehearsalError

LIVE = "live"
DEFAULT_ENVIRONMENT = "reference"
WITH_PATHS = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}
"""What the CDK CLI adds to the context: construct paths in the templates, and where nested templates lie."""


class ImpactError(RuntimeError):
    """The comparison can't be made; the message says why and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a comparison: what the report calls it, and its stacks in the order of deployment."""

    name: str
    templates: Sequence[Template]


def head_side(given: str | None, environment: str | None) -> Side:
    """Return the side that a merge request would deploy.

    Arguments:
        given: folder of an assembly, environment of the working tree, or git revision; None for the working tree.
        environment: environment to synthesize where ``given`` names none.

    Raises:
        ImpactError: it can't be found or synthesized.
    """
    if given is None:
        return _working_tree(environment or DEFAULT_ENVIRONMENT)
    if (Path(given) / "manifest.json").is_file():
        return _assembly(Path(given))
    if environment_of(given):
        return _working_tree(given)
    return _revision(given, environment or DEFAULT_ENVIRONMENT)


def base_side(given: str, head: Side, environment: str) -> Side:
    """Return the side that is deployed, or counts as deployed.

    Arguments:
        given: folder of an assembly, git revision, or ``live``.
        head: the other side; ``live`` looks for its stacks.
        environment: environment to synthesize from a revision.

    Raises:
        ImpactError: it can't be found or synthesized, or AWS can't be asked.
    """
    if given == LIVE:
        return Side(name="what is deployed", templates=deployed_templates(head.templates))
    if Path(given).is_dir():
        return _assembly(Path(given))
    return _revision(given, environment)


def environment_of(given: str | None) -> str | None:
    """Return the environment that a command line's head names, None where it is an assembly or a revision."""
    return given if given and not (Path(given) / "manifest.json").is_file() and _is_environment(given) else None


def _assembly(directory: Path) -> Side:
    try:
        return Side(name=str(directory), templates=read_templates(directory))
    except RehearsalError as error:
        raise ImpactError(str(error)) from error


def _is_environment(given: str) -> bool:
    try:
        find(given)
    except EnvironmentFileError:
        return False
    return True


def _working_tree(environment: str) -> Side:
    return Side(name=f"{environment} of the working tree", templates=_synthesized(REPOSITORY, environment))


def _revision(revision: str, environment: str) -> Side:
    commit = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise ImpactError(
            f"{revision!r} is neither the folder of a cloud assembly (cdk.out), nor an environment, nor a git revision"
        )
    with _worktree(commit) as directory:
        # An environment file outside the repository is the same on both sides.
        file = Path(environment)
        inside = file.resolve().is_relative_to(REPOSITORY) and file.is_file()
        name = str(directory / file.resolve().relative_to(REPOSITORY)) if inside else environment
        if inside and not Path(name).is_file():
            raise ImpactError(f"revision {revision} has no {file}: it is new, and all it makes is new")
        return Side(name=f"{environment} of {revision} ({commit[:8]})", templates=_synthesized(directory, name))


@contextlib.contextmanager
def _worktree(commit: str) -> Iterator[Path]:
    """Check a commit out beside the repository, and leave no trace of it."""
    with tempfile.TemporaryDirectory(prefix="ha-impact-") as folder:
        directory = Path(folder) / "worktree"
        if _git("worktree", "add", "--detach", "--force", str(directory), commit) is None:
            raise ImpactError(f"git can't check out {commit} into a worktree; `git worktree prune` may help")
        try:
            yield directory
        finally:
            _git("worktree", "remove", "--force", str(directory))


def _git(*arguments: str) -> str | None:
    result = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return result.stdout.strip() if result.returncode == 0 else None


def _synthesized(directory: Path, environment: str) -> list[Template]:
    """Run the app of a checkout, and read what it synthesizes.

    The checkout's own packages go first: the installed ones are those of the working tree.
    """
    settings = json.loads((directory / "cdk.json").read_text(encoding="utf-8"))
    context = {**settings.get("context", {}), **WITH_PATHS, "environment": environment}
    zones = REPOSITORY / "cdk.context.json"
    if zones.is_file():
        context = {**json.loads(zones.read_text(encoding="utf-8")), **context}
    with tempfile.TemporaryDirectory(prefix="ha-impact-") as folder:
        output = Path(folder) / "cdk.out"
        result = subprocess.run(
            [sys.executable, "-O", "app.py"],
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "CDK_OUTDIR": str(output),
                "CDK_CONTEXT_JSON": json.dumps(context),
                "CDK_VALIDATION": "false",
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
                "PYTHONPATH": os.pathsep.join([str(directory / "constructs"), str(directory)]),
            },
        )
        if result.returncode:
            raise ImpactError(
                f"{environment} can't be synthesized in {directory}:\n{result.stdout}{result.stderr}".rstrip()
            )
        return read_templates(output)
