"""The pack in a CDK app: what it finds fails the synthesis, until somebody says at the construct why it is right."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sqs as sqs

from ha_checks import RULES, HighAvailabilityChecks, check_directory
from ha_checks.plugin import VERSION

ENVIRONMENT = cdk.Environment(account="111122223333", region="eu-west-1")
Build = Callable[[cdk.App], object]


def synthesize(tmp_path: Path, build: Build, **arguments: Any) -> dict[str, Any]:
    """Synthesize an app with the pack and return the pack's part of the validation report; raises where it finds.

    The CDK leaves a plugin without any finding, acknowledged ones included, out of its report.
    """
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    cdk.Validations.of(app).add_plugins(HighAvailabilityChecks(**arguments))
    build(app)
    try:
        app.synth()
    finally:
        report = json.loads((tmp_path / "validation-report.json").read_text(encoding="utf-8"))
    return next((dict(plugin) for plugin in report["pluginReports"] if plugin["pluginName"] == "HaChecks"), {})


def queue(app: cdk.App) -> sqs.Queue:
    return sqs.Queue(cdk.Stack(app, "Main", env=ENVIRONMENT, stack_name="main-stack"), "Jobs")


def read(tmp_path: Path) -> str:
    return (tmp_path / "validation-report.json").read_text(encoding="utf-8")


def test_a_sound_app_synthesizes(tmp_path: Path) -> None:
    def build(app: cdk.App) -> None:
        stack = cdk.Stack(app, "Main", env=ENVIRONMENT)
        dead = sqs.Queue(stack, "Dead")
        sqs.Queue(stack, "Jobs", dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=3))

    assert synthesize(tmp_path, build) == {}


def test_a_finding_fails_the_synthesis_with_the_constructs_path(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Main/Jobs/Resource"):
        synthesize(tmp_path, queue)

    (violation,) = json.loads(read(tmp_path))["pluginReports"][0]["violations"]
    assert violation["ruleName"] == "HaChecks::QueueWithoutDeadLetterQueue"
    assert "Give the queue a `RedrivePolicy`" in violation["suggestedFix"]
    (place,) = violation["violatingConstructs"]
    assert place["constructPath"] == "Main/Jobs/Resource"
    assert place["cloudFormationResource"]["propertyPaths"] == ["Properties.RedrivePolicy"]


@pytest.mark.parametrize("above", [0, 1], ids=["at the construct", "at the stack"])
def test_an_acknowledged_finding_passes_and_keeps_its_reason(tmp_path: Path, above: int) -> None:
    def build(app: cdk.App) -> None:
        jobs = queue(app)
        cdk.Validations.of(jobs.node.scopes[-1 - above]).acknowledge(
            cdk.Acknowledgment(id="HaChecks::QueueWithoutDeadLetterQueue", reason="Messages may be lost here.")
        )

    report = synthesize(tmp_path, build)

    assert report["conclusion"] == "success"
    assert "Messages may be lost here." in read(tmp_path)
    (violation,) = check_directory(tmp_path)
    assert violation.reason == "Messages may be lost here."
    assert violation.finding.construct_path == "Main/Jobs/Resource"


def test_an_acknowledgement_elsewhere_does_not_count(tmp_path: Path) -> None:
    def build(app: cdk.App) -> None:
        jobs = queue(app)
        other = sqs.Queue(jobs.stack, "Other")
        cdk.Validations.of(other).acknowledge(
            cdk.Acknowledgment(id="HaChecks::QueueWithoutDeadLetterQueue", reason="Messages may be lost here.")
        )

    with pytest.raises(RuntimeError, match="Main/Jobs/Resource"):
        synthesize(tmp_path, build)
    assert [str(violation.reason) for violation in check_directory(tmp_path)] == ["None", "Messages may be lost here."]


def test_a_finding_of_a_stack_is_acknowledged_at_the_stack(tmp_path: Path) -> None:
    def build(app: cdk.App, *, acknowledge: bool = True) -> None:
        stack = cdk.Stack(app, "Main", env=ENVIRONMENT)
        for number in range(401):
            cdk.CfnResource(stack, f"Topic{number}", type="AWS::SNS::Topic")
        if acknowledge:
            cdk.Validations.of(stack).acknowledge(
                cdk.Acknowledgment(id="HaChecks::TemplateResources", reason="It is going to be split.")
            )

    assert synthesize(tmp_path / "with", build)["conclusion"] == "success"
    with pytest.raises(RuntimeError, match="TemplateResources"):
        synthesize(tmp_path / "without", lambda app: build(app, acknowledge=False))


def test_stacks_of_stages_and_nested_stacks_are_read(tmp_path: Path) -> None:
    def build(app: cdk.App) -> None:
        stack = cdk.Stack(cdk.Stage(app, "Prod"), "Main", env=ENVIRONMENT)
        nested = cdk.NestedStack(stack, "Inner")
        sqs.Queue(nested, "Jobs")

    with pytest.raises(RuntimeError, match="Prod/Main/Inner/Jobs/Resource"):
        synthesize(tmp_path, build)


def test_a_reference_to_another_region_is_followed(tmp_path: Path) -> None:
    """By the stack's name, which is not its construct's."""

    def build(app: cdk.App) -> None:
        app.node.set_context("@aws-cdk/core:defaultCrossStackReferences", "weak")
        home = cdk.Stack(app, "Home", env=ENVIRONMENT, stack_name="home-stack", cross_region_references=True)
        key = cdk.CfnResource(home, "Key", type="AWS::KMS::Key", properties={"KeyPolicy": {}})
        cdk.CfnOutput(home, "KeyArn", value=key.get_att("Arn").to_string())
        away = cdk.Stack(app, "Away", env=cdk.Environment(account=ENVIRONMENT.account, region="us-east-1"))
        arn = {"Fn::GetStackOutput": {"StackName": "home-stack", "Region": "eu-west-1", "OutputName": "KeyArn"}}
        cdk.CfnResource(away, "Logs", type="AWS::Logs::LogGroup", properties={"KmsKeyId": arn})

    with pytest.raises(RuntimeError, match="KeyOfAnotherRegion"):
        synthesize(tmp_path, build)


def test_the_arguments_reach_the_rules(tmp_path: Path) -> None:
    def build(app: cdk.App) -> None:
        stack = cdk.Stack(app, "Main", env=ENVIRONMENT)
        ec2.Vpc(stack, "Vpc", availability_zones=["eu-west-1a", "eu-west-1b"])

    assert synthesize(tmp_path / "two", build, zones=2) == {}
    with pytest.raises(RuntimeError, match="FewerThanThreeZones"):
        synthesize(tmp_path / "three", build)


def test_name_version_and_rules_are_told() -> None:
    pack = HighAvailabilityChecks()

    assert (pack.name, pack.version) == ("HaChecks", VERSION)
    assert pack.rule_ids == [rule.id for rule in RULES]
