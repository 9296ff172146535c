"""The five checks, each run for real over every sound and every wrong assembly."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cfnlint.api import lint
from cfnlint.core import get_rules

from ha_checks.report import check
from ops.emulator import Emulator
from tests.ha_checks.planted.mistakes import Mistake
from tests.ha_checks.support import ACCOUNT, HERE, Stack, assembly

CHECKS = ("CDK validator", "cfn-lint", "cdk-nag", "ha_checks", "rehearsal")
Found = set[str]
"""What a check says of an assembly: rules, or the reasons of a failed deployment."""

VARIANTS = ("sound", "wrong")
_ROOT = Path(__file__).parents[3]
_PLUGINS = {"CloudFormation Validate": "CDK validator", "AwsSolutions": "cdk-nag"}
_DEPLOY_SECONDS = 30


def run_checks(mistakes: list[Mistake], workdir: Path) -> dict[str, dict[str, Found]]:
    """What each check says of a mistake that it does not say of the sound assembly, by mistake and check."""
    synthesis = _synthesize(mistakes, workdir / "synthesis")
    deployments = _deploy(mistakes, workdir / "emulator")
    linter = _Linter()
    results: dict[str, dict[str, Found]] = {}
    for number, mistake in enumerate(mistakes):
        said = {
            variant: {
                **synthesis[f"{variant}{number}"],
                "cfn-lint": linter(stacks),
                "ha_checks": {violation.rule.id for violation in check(assembly(*stacks))},
                "rehearsal": deployments[f"{variant}{number}"],
            }
            for variant, stacks in _variants(mistake)
        }
        results[mistake.name] = {name: said["wrong"][name] - said["sound"][name] for name in CHECKS}
        # A sound assembly that does not deploy would prove nothing.
        assert not said["sound"]["rehearsal"], (mistake.name, said["sound"]["rehearsal"])
    return results


def _variants(mistake: Mistake) -> Iterator[tuple[str, list[Stack]]]:
    yield "sound", mistake.sound
    yield "wrong", mistake.wrong


class _Linter:
    """cfn-lint, once a template, with its rules loaded once."""

    def __init__(self) -> None:
        # Errors and warnings, as `ha lint` has them.
        self._rules = get_rules([], [], ["E", "W"], {}, False)
        self._known: dict[str, Found] = {}

    def __call__(self, stacks: list[Stack]) -> Found:
        return set().union(*map(self._lint, stacks))

    def _lint(self, stack: Stack) -> Found:
        text = json.dumps(_template(stack))
        key = f"{stack.region} {text}"
        if key not in self._known:
            matches = lint(text, self._rules, [stack.region or HERE])
            self._known[key] = {match.rule.id for match in matches}
        return self._known[key]


def _template(stack: Stack) -> dict[str, Any]:
    outputs = {"Outputs": stack.template["Outputs"]} if stack.outputs else {}
    return {"Resources": stack.resources, **outputs}


def _synthesize(mistakes: list[Mistake], folder: Path) -> dict[str, dict[str, Found]]:
    """One app with every assembly as a stage, synthesized with the CDK's validator and cdk-nag on."""
    folder.mkdir(parents=True)
    plan = {
        f"{variant}{number}": [
            {"name": each.name, "region": each.region, "template": _template(each)} for each in stacks
        ]
        for number, mistake in enumerate(mistakes)
        for variant, stacks in _variants(mistake)
    }
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    variables = {**os.environ, "CDK_VALIDATION": "true", "PYTHONPATH": str(_ROOT)}
    # Whether pytest runs decides how the CDK fails; here the report is what counts.
    variables = {name: value for name, value in variables.items() if not name.startswith("PYTEST_")}
    subprocess.run(
        [sys.executable, "-O", "-m", "tests.ha_checks.planted.app", str(folder)],
        cwd=_ROOT,
        env=variables,
        check=False,
        capture_output=True,
    )
    report = json.loads((folder / "cdk.out" / "validation-report.json").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Found]] = {name: {"CDK validator": set(), "cdk-nag": set()} for name in plan}
    for plugin in report["pluginReports"]:
        name = _PLUGINS.get(plugin["pluginName"])
        for violation in plugin["violations"] if name else ():
            for place in violation["violatingConstructs"]:
                found[place["constructPath"].partition("/")[0]][str(name)].add(violation["ruleName"])
    return found


def _deploy(mistakes: list[Mistake], folder: Path) -> dict[str, Found]:
    """Every assembly deployed to the emulator and removed again: the reasons where CloudFormation failed."""
    with Emulator(folder, account=ACCOUNT, region=HERE) as emulator:
        return {
            f"{variant}{number}": _life(emulator, f"{variant}{number}", stacks)
            for number, mistake in enumerate(mistakes)
            for variant, stacks in _variants(mistake)
        }


def _life(emulator: Emulator, prefix: str, stacks: list[Stack]) -> Found:
    created: list[tuple[Any, str]] = []
    try:
        for stack in stacks:
            client = emulator.client("cloudformation", stack.region)
            name = f"{prefix}-{stack.name}"
            created.append((client, name))
            try:
                body = json.dumps(_template(stack))
                client.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
            except client.exceptions.ClientError as error:
                return {str(error)}
            if _wait(client, name) != "CREATE_COMPLETE":
                return _reasons(client, name)
        return set()
    finally:
        for client, name in reversed(created):
            client.delete_stack(StackName=name)
            _wait(client, name)


def _wait(client: Any, name: str) -> str:
    deadline = time.monotonic() + _DEPLOY_SECONDS
    while time.monotonic() < deadline:
        try:
            status: str = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        except client.exceptions.ClientError:
            return "DELETE_COMPLETE"
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.02)
    raise TimeoutError(f"{name} is still {status}")


def _reasons(client: Any, name: str) -> Found:
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    reasons = {event.get("ResourceStatusReason", "") for event in events if event["ResourceStatus"].endswith("_FAILED")}
    return reasons or {"the stack failed"}
