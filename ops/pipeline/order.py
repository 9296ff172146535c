"""``ha deploy-order``: an environment's stacks in the order in which they deploy, for people and for pipelines."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from environments import Environment, EnvironmentFileError, load

GLOBAL = "global"
GITLAB_FILE = Path(__file__).parents[2] / ".gitlab-ci.yml"
_USAGE_ERROR = 2

_EPILOG = """\
examples:
  ha deploy-order production                      a line a stack: stack, region, role
  ha deploy-order production --json               one line of JSON: the matrix of a GitHub workflow
  ha deploy-order production --gitlab             the child pipeline that deploys it region by region, for GitLab
  ha deploy-order production --stack us-east-1    the name of one stack; --stack global for the global one
"""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One stack's turn in a deployment.

    Arguments:
        stack: the stack's name.
        region: where it is deployed.
        role: ``global`` and ``primary`` come first, in this order; each of the others depends on those before it.
        step: what a pipeline calls it: ``global``, or the region's name.
    """

    stack: str
    region: str
    role: Literal["global", "primary", "other"]
    step: str


def deployment_order(environment: Environment) -> list[Turn]:
    """Return the turns of an environment's stacks, first to last; nothing is synthesized for it."""
    primary = environment.primary.name
    turns = [Turn(stack=environment.global_stack_name, region=primary, role="global", step=GLOBAL)]
    for region in environment.regions:
        role: Literal["primary", "other"] = "primary" if region.name == primary else "other"
        turns.append(Turn(stack=environment.stack_name(region.name), region=region.name, role=role, step=region.name))
    return turns


def turn_of(environment: Environment, step: str) -> Turn:
    """Return one step's turn.

    Raises:
        ValueError: the environment has no such region.
    """
    turns = deployment_order(environment)
    for turn in turns:
        if turn.step == step:
            return turn
    raise ValueError(f"{environment.name} has no region {step!r}: it has {', '.join(turn.step for turn in turns)}")


def child_pipeline(environment_file: str, turns: Sequence[Turn], parent: dict[str, Any]) -> dict[str, Any]:
    """Return the GitLab pipeline that deploys these stacks one after the other, each with approval and bake.

    Arguments:
        environment_file: name or path of the environment's file, for the make targets.
        turns: the stacks in order.
        parent: the content of ``.gitlab-ci.yml``: its defaults and its templates ``.deploy`` and ``.bake`` are used.
    """
    shared = {key: parent[key] for key in ("default", "variables", ".aws", ".deploy", ".bake")}
    jobs: dict[str, Any] = {}
    previous: str | None = None
    for turn in turns:
        variables = {"ENV": environment_file, "REGION": turn.step}
        deploy = {
            "extends": ".deploy",
            "stage": turn.step,
            "variables": variables,
            "needs": [previous] if previous else [],
            "environment": {"name": f"{environment_file}/{turn.step}"},
        }
        jobs[f"deploy {turn.step}"] = deploy
        previous = f"deploy {turn.step}"
        if turn.role != "global":
            jobs[f"bake {turn.step}"] = {
                "extends": ".bake",
                "stage": turn.step,
                "variables": variables,
                "needs": [previous],
            }
            previous = f"bake {turn.step}"
    return {"stages": [turn.step for turn in turns], **shared, **jobs}


def register(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``deploy-order`` to the command."""
    parser = subcommands.add_parser(
        "deploy-order",
        help="print an environment's stacks in the order in which they deploy",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("environment", help="name in environments/, or the path of a YAML file")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one line of JSON")
    form.add_argument("--gitlab", action="store_true", help="a GitLab child pipeline, in YAML")
    form.add_argument("--stack", metavar="REGION", help="only the name of the stack of this region, or of `global`")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the order and return the exit code."""
    try:
        environment = load(arguments.environment)
        turns = deployment_order(environment)
        if arguments.stack:
            turns = [turn_of(environment, arguments.stack)]
    except (EnvironmentFileError, ValueError) as error:
        print(error, file=sys.stderr)
        return _USAGE_ERROR
    if arguments.stack:
        print(turns[0].stack)
    elif arguments.json:
        print(json.dumps(_matrix(environment, turns)))
    elif arguments.gitlab:
        parent = yaml.safe_load(GITLAB_FILE.read_text(encoding="utf-8"))
        print(yaml.safe_dump(child_pipeline(arguments.environment, turns, parent), sort_keys=False), end="")
    else:
        for turn in turns:
            print(f"{turn.stack:<40} {turn.region:<16} {turn.role}")
    return 0


def _matrix(environment: Environment, turns: Sequence[Turn]) -> dict[str, Any]:
    return {
        "environment": environment.name,
        "account": environment.account,
        "primary": environment.primary.name,
        "others": [turn.region for turn in turns if turn.role == "other"],
        "stacks": [asdict(turn) for turn in turns],
    }
