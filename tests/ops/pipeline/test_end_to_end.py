"""The pipeline's own scripts, run on this machine against the emulator: deploy, bake, and a stop at an alarm."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from environments import load
from ops.emulator import Emulator
from ops.pipeline.order import GITLAB_FILE, child_pipeline, deployment_order
from ops.rehearsal.cdk_cli import REPOSITORY, CdkCli, find_cdk
from ops.rehearsal.surroundings import loopback_environment
from tests.configurations import minimal

FIRST, SECOND = "eu-west-1", "us-east-1"
NAME = "piped"
ALARM = f"{NAME}-{FIRST}-alb-errors"
_TIMEOUT_SECONDS = 300

pytestmark = pytest.mark.emulator


@dataclass
class Pipeline:
    """The child pipeline that GitLab would run, job after job, as a shell runner would run it."""

    emulator: Emulator
    jobs: dict[str, dict[str, Any]]
    templates: dict[str, dict[str, Any]]
    variables: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)

    def run(self, after: Callable[[str], None] = lambda job: None) -> list[str]:
        """Run the jobs until one fails, and return the names of those that passed."""
        passed = []
        for name, job in self.jobs.items():
            if self.run_job(name, job):
                break
            passed.append(name)
            after(name)
        return passed

    def run_job(self, name: str, job: dict[str, Any]) -> int:
        """Run a job's script and return its exit code; its output is kept."""
        # The tools are there already: `setup` would look for newer ones.
        lines = [
            line.replace("make ", "make --assume-old=setup ", 1) for line in self.templates[job["extends"]]["script"]
        ]
        result = subprocess.run(
            ["bash", "-e", "-c", "\n".join(lines)],
            cwd=REPOSITORY,
            env={**self.variables, **job["variables"]},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        self.outputs[name] = result.stdout + result.stderr
        return result.returncode

    def set_alarm(self, state: str) -> None:
        """Let the alarm fire, or end."""
        client = self.emulator.client("cloudwatch", FIRST)
        client.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="set by the test")

    def stack_names(self, region: str) -> set[str]:
        """Names of the stacks there are in a region."""
        stacks = self.emulator.client("cloudformation", region).describe_stacks()["Stacks"]
        return {stack["StackName"] for stack in stacks}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The pipeline of an environment of two regions; its account is bootstrapped, nothing is deployed."""
    folder = tmp_path_factory.mktemp("pipeline")
    file = folder / f"{NAME}.yaml"
    file.write_text(yaml.safe_dump(minimal(name=NAME, regions=[FIRST, SECOND], deletion_protection=False)))
    parent = yaml.safe_load(GITLAB_FILE.read_text(encoding="utf-8"))
    content = child_pipeline(str(file), deployment_order(load(str(file))), parent)
    jobs = {name: job for name, job in content.items() if name.startswith(("deploy ", "bake "))}
    with Emulator(folder / "emulator", region=FIRST) as emulator:
        variables = loopback_environment(emulator.environment, state_directory=folder / "home")
        variables |= {"CI": "true", "MINUTES": "0.05", "PATH": f"{find_cdk().parent}{os.pathsep}{variables['PATH']}"}
        cli = CdkCli(executable=find_cdk(), environment=variables, logs=folder / "logs")
        bootstrap = cli.bootstrap(account=emulator.account, regions=[FIRST, SECOND])
        assert bootstrap.succeeded, bootstrap.tail()
        yield Pipeline(emulator, jobs, content, variables)


def test_an_alarm_stops_the_deployment_before_the_next_region(pipeline: Pipeline) -> None:
    def alarm_after_the_first_region(job: str) -> None:
        if job == f"deploy {FIRST}":
            pipeline.set_alarm("ALARM")

    passed = pipeline.run(after=alarm_after_the_first_region)

    assert passed == ["deploy global", f"deploy {FIRST}"], pipeline.outputs
    said = pipeline.outputs[f"bake {FIRST}"]
    assert f"{ALARM}: ALARM" in said
    assert "No further region is deployed" in said
    assert f"{NAME}-{SECOND}" not in pipeline.stack_names(SECOND)


def test_a_region_is_refused_while_one_before_it_is_unwell(pipeline: Pipeline) -> None:
    pipeline.set_alarm("ALARM")
    job = f"deploy {SECOND}"

    assert pipeline.run_job(job, pipeline.jobs[job]) != 0
    assert ALARM in pipeline.outputs[job]
    assert f"{NAME}-{SECOND}" not in pipeline.stack_names(SECOND)


def test_a_quiet_bake_lets_the_pipeline_go_on(pipeline: Pipeline) -> None:
    pipeline.set_alarm("OK")
    job = f"bake {FIRST}"

    assert pipeline.run_job(job, pipeline.jobs[job]) == 0, pipeline.outputs[job]
    assert "none fires" in pipeline.outputs[job]


def test_a_region_that_is_not_deployed_does_not_pass(pipeline: Pipeline) -> None:
    job = f"bake {SECOND}"

    assert pipeline.run_job(job, pipeline.jobs[job]) != 0
    assert "is the region deployed" in pipeline.outputs[job]
