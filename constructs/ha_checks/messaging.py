"""Rules about queues and topics."""

import json
from collections.abc import Iterator
from typing import Any

from ha_checks.assembly import Assembly
from ha_checks.resource import Resource, target_of
from ha_checks.rule import Finding, Settings, rule

THEME = "Messaging"
_QUEUE = "AWS::SQS::Queue"


@rule(
    theme=THEME,
    why="A message that can't be worked on comes back until it expires, and takes a worker each time; then it is "
    "gone, unseen.",
    mend="Give the queue a `RedrivePolicy` to a dead-letter queue of longer retention, and an alarm on that queue's "
    "depth.",
    url="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
)
def queue_without_dead_letter_queue(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A queue that neither has a dead-letter queue nor is one."""
    dead_letter_queues = _dead_letter_queues(assembly)
    for queue in assembly.of_type(_QUEUE):
        if queue.get("RedrivePolicy") is None and queue.path not in dead_letter_queues:
            yield Finding(queue, "the queue has no dead-letter queue", "Properties.RedrivePolicy")


@rule(
    theme=THEME,
    why="SQS refuses a standard dead-letter queue for a FIFO queue and the other way round; SNS refuses a FIFO queue "
    "at a standard topic.",
    mend="Make both FIFO, or neither.",
    url="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
)
def fifo_mismatch(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A FIFO queue with a standard dead-letter queue or topic, or the other way round."""
    for queue in assembly.of_type(_QUEUE):
        other = _dead_letter_target(queue, "RedrivePolicy")
        if other and other.type == _QUEUE and _differ(queue, other):
            yield Finding(queue, f"{_kind(queue)} queue, {_kind(other)} dead-letter queue", "Properties.RedrivePolicy")
    for subscription in assembly.of_type("AWS::SNS::Subscription"):
        topic, endpoint = subscription.target("TopicArn"), subscription.target("Endpoint")
        if not (topic and endpoint and topic.type == "AWS::SNS::Topic" and endpoint.type == _QUEUE):
            continue
        # The other way round is allowed: a FIFO topic may lead to a standard queue.
        if topic.flag("FifoTopic", False) is False and endpoint.flag("FifoQueue", False):
            yield Finding(subscription, "a FIFO queue at a standard topic", "Properties.Endpoint")


def _dead_letter_queues(assembly: Assembly) -> set[str]:
    """Paths of the queues that failures of something go to."""
    found: set[str] = set()
    for stack in assembly.stacks:
        for resource in stack.resources.values():
            for value in _failure_targets(resource):
                target = target_of(value)
                if target:
                    found.add(target.path)
    # Named so by whom it allows to be.
    found |= {queue.path for queue in assembly.of_type(_QUEUE) if queue.get("RedriveAllowPolicy") is not None}
    return found


def _failure_targets(resource: Resource) -> Iterator[Any]:
    if resource.type in (_QUEUE, "AWS::SNS::Subscription"):
        yield resource.get("RedrivePolicy.deadLetterTargetArn")
    elif resource.type == "AWS::Lambda::Function":
        yield resource.get("DeadLetterConfig.TargetArn")
    elif resource.type in ("AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping"):
        yield resource.get("DestinationConfig.OnFailure.Destination")
    elif resource.type == "AWS::Events::Rule":
        for target in resource.items("Targets"):
            if isinstance(target, dict) and isinstance(target.get("DeadLetterConfig"), dict):
                yield target["DeadLetterConfig"].get("Arn")
    elif resource.type in ("AWS::Scheduler::Schedule", "AWS::Pipes::Pipe"):
        yield resource.get("Target.DeadLetterConfig.Arn")
    elif resource.type == "AWS::Events::EventBus":
        yield resource.get("DeadLetterConfig.Arn")


def _dead_letter_target(queue: Resource, path: str) -> Resource | None:
    policy = queue.get(path)
    if isinstance(policy, str):
        policy = json.loads(policy) if policy.startswith("{") else None
    return target_of(policy.get("deadLetterTargetArn")) if isinstance(policy, dict) else None


def _differ(queue: Resource, other: Resource) -> bool:
    own, others = queue.flag("FifoQueue", False), other.flag("FifoQueue", False)
    return own is not None and others is not None and own != others


def _kind(queue: Resource) -> str:
    return "FIFO" if queue.flag("FifoQueue", False) else "standard"
