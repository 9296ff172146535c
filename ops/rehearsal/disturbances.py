"""Steps that disturb an environment: an update that AWS refuses, and a change behind CloudFormation's back."""

from collections.abc import Callable
from typing import Any

from ops.rehearsal.assembly import Assembly
from ops.rehearsal.display import StepFailed
from ops.rehearsal.editing import REFUSED_ID, Tweak, add_refusal, edited_copy, find_tweak
from ops.rehearsal.failures import refusals, stack_events
from ops.rehearsal.rehearsal import Rehearsal
from ops.rehearsal.verify import verify


def _tweak_of(assembly: Assembly) -> Tweak | None:
    """Return a setting to play with, in the last stack that has one: the least important region."""
    return next((tweak for tweak in map(find_tweak, reversed(assembly.stacks)) if tweak is not None), None)


def force_a_failure(rehearsal: Rehearsal, assembly: Assembly) -> None:
    """Deploy an update that changes a setting and is then refused: the old value must come back."""
    tweak = _tweak_of(assembly)
    title = "an update that is refused rolls back"
    if tweak is None:
        rehearsal.log.skip("failure", title, "no stack has a queue or a log group to change first")
        return
    stack = assembly.stack(tweak.stack)

    def edit(template: dict[str, Any]) -> None:
        tweak.apply(template)
        add_refusal(template, after=tweak.logical_id)

    refused = edited_copy(assembly, rehearsal.out / "assemblies" / "refused", {tweak.stack: edit})
    with rehearsal.log.step("failure", title) as step:
        rehearsal.follower.expect(refused, whole=False)
        seen = len(stack_events(rehearsal.clients, stack))
        result = rehearsal.cli.on_assembly(
            "deploy", refused.directory, stack.artifact_id, "--exclusively", "--require-approval", "never"
        )
        failures = refusals(rehearsal.clients, refused, since={tweak.stack: seen})
        named = [failure for failure in failures if failure.logical_id == REFUSED_ID]
        if result.succeeded or not named:
            raise StepFailed(f"the update should have been refused, and was not (the CLI's log: {result.log})")
        step.notes.append(f"refused: {named[0].reason}")
        status = rehearsal.status(stack)
        if status != "UPDATE_ROLLBACK_COMPLETE":
            raise StepFailed(f"after the refusal {stack.name} is {status}, not UPDATE_ROLLBACK_COMPLETE")
        events = stack_events(rehearsal.clients, stack)[seen:]
        if not any(event["LogicalResourceId"] == tweak.logical_id for event in events):
            raise StepFailed(f"{tweak.construct_path} was not updated before the refusal: the roll back shows nothing")
        _expect_unchanged(rehearsal, assembly)
        step.notes.append(f"{tweak.construct_path}: {tweak.name} is {tweak.old} again, every other setting as before")


def _expect_unchanged(rehearsal: Rehearsal, assembly: Assembly) -> None:
    result = verify(rehearsal.emulator, rehearsal.clients, assembly)
    rehearsal.outcome.failures += result.failures
    if result.failures:
        raise StepFailed(f"{len(result.failures)} settings are not back to what they were")


def detect_drift(rehearsal: Rehearsal, assembly: Assembly) -> None:
    """Look for drift, change something behind CloudFormation's back, and look again."""
    with rehearsal.log.step("drift", "cdk drift: none"):
        rehearsal.follower.expect(None, whole=False)
        result = rehearsal.cli.on_assembly("drift", assembly.directory, "--fail")
        if not result.succeeded:
            raise StepFailed(f"drift where nobody changed anything:\n{result.tail(30)}\n(all of it: {result.log})")
    tweak = _tweak_of(assembly)
    title = "a change behind CloudFormation's back is detected"
    if tweak is None:
        rehearsal.log.skip("drifted", title, "no stack has a queue or a log group to change")
        return
    with rehearsal.log.step("drifted", title) as step:
        set_value = _setter(rehearsal, tweak)
        set_value(tweak.new)
        try:
            result = rehearsal.cli.on_assembly(
                "drift", assembly.directory, assembly.stack(tweak.stack).artifact_id, "--fail"
            )
        finally:
            set_value(tweak.old)
        step.notes.append(f"{tweak.construct_path}: {tweak.name} {tweak.old} -> {tweak.new}, by the service's own API")
        if result.succeeded or tweak.logical_id not in result.output:
            raise StepFailed(f"the drift was not detected (the CLI's log: {result.log})")


def _setter(rehearsal: Rehearsal, tweak: Tweak) -> Callable[[Any], object]:
    """Return a function that sets the tweak's setting through the service's own API."""
    cloudformation = rehearsal.clients.client("cloudformation", tweak.region)
    detail = cloudformation.describe_stack_resource(StackName=tweak.stack, LogicalResourceId=tweak.logical_id)
    physical_id = detail["StackResourceDetail"]["PhysicalResourceId"]
    if tweak.type == "AWS::SQS::Queue":
        sqs = rehearsal.clients.client("sqs", tweak.region)
        return lambda value: sqs.set_queue_attributes(QueueUrl=physical_id, Attributes={tweak.name: str(value)})
    logs = rehearsal.clients.client("logs", tweak.region)
    return lambda value: logs.put_retention_policy(logGroupName=physical_id, retentionInDays=value)
