"""A queue with its dead-letter queue."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.dead_letter_queue import QueueSettings, QueueWithDeadLetter

ENVIRONMENT = cdk.Environment(account="111111111111", region="eu-west-1")


def synthesize(settings: QueueSettings, *, deletion_protection: bool = True) -> Template:
    stack = cdk.Stack(cdk.App(), "Test", env=ENVIRONMENT)
    key = kms.Key(stack, "Key")
    queue = QueueWithDeadLetter(
        stack, "Orders", settings=settings, key=key, name_prefix="reference", deletion_protection=deletion_protection
    )
    consumer = iam.Role(stack, "Consumer", assumed_by=iam.ServicePrincipal("pods.eks.amazonaws.com"))
    sender = iam.Role(stack, "Sender", assumed_by=iam.ServicePrincipal("pods.eks.amazonaws.com"))
    queue.grant_consume(consumer)
    queue.grant_send(sender)
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesize(QueueSettings(name="orders", max_receive_count=3, visibility_timeout_seconds=90))


@pytest.fixture(scope="module")
def fifo() -> Template:
    return synthesize(QueueSettings(name="orders", fifo=True), deletion_protection=False)


def queue_named(template: Template, name: str) -> dict[str, Any]:
    (queue,) = template.find_resources("AWS::SQS::Queue", {"Properties": {"QueueName": name}}).values()
    return dict(queue)


def grants(template: Template, role: str) -> dict[str, dict[str, Any]]:
    """Return the statements of a role's policy by their first action's service."""
    (policy,) = (
        policy
        for policy in template.find_resources("AWS::IAM::Policy").values()
        if policy["Properties"]["Roles"][0]["Ref"].startswith(role)
    )
    return {
        statement["Action"][0].partition(":")[0] if isinstance(statement["Action"], list) else "kms": statement
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    }


def test_queue_has_the_declared_settings(template: Template) -> None:
    properties = queue_named(template, "reference-orders")["Properties"]
    assert properties["VisibilityTimeout"] == 90
    assert properties["MessageRetentionPeriod"] == 7 * 86_400
    assert properties["ReceiveMessageWaitTimeSeconds"] == 20


def test_messages_that_fail_move_to_the_dead_letter_queue(template: Template) -> None:
    redrive = queue_named(template, "reference-orders")["Properties"]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == 3
    assert "DeadLetterQueue" in redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]


def test_dead_letters_are_kept_for_14_days(template: Template) -> None:
    assert queue_named(template, "reference-orders-dead-letter")["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


def test_only_its_own_queue_may_use_the_dead_letter_queue(template: Template) -> None:
    allowed = queue_named(template, "reference-orders-dead-letter")["Properties"]["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    (source,) = allowed["sourceQueueArns"]
    assert source["Fn::Join"][1][-1] == ":sqs:eu-west-1:111111111111:reference-orders"


def test_both_queues_are_encrypted_with_the_key(template: Template) -> None:
    keys = [q["Properties"]["KmsMasterKeyId"] for q in template.find_resources("AWS::SQS::Queue").values()]
    (key_id,) = template.find_resources("AWS::KMS::Key")
    assert keys == [{"Fn::GetAtt": [key_id, "Arn"]}] * 2


def test_both_queues_refuse_anything_but_tls(template: Template) -> None:
    policies = template.find_resources(
        "AWS::SQS::QueuePolicy",
        {
            "Properties": {
                "PolicyDocument": {
                    "Statement": [
                        {
                            "Action": "sqs:*",
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                            "Effect": "Deny",
                            "Principal": {"AWS": "*"},
                            "Resource": Match.any_value(),
                        }
                    ]
                }
            }
        },
    )
    assert len(policies) == 2


def test_protected_queues_stay(template: Template) -> None:
    assert {q["DeletionPolicy"] for q in template.find_resources("AWS::SQS::Queue").values()} == {
        "RetainExceptOnCreate"
    }


def test_unprotected_queues_go_with_the_stack(fifo: Template) -> None:
    assert {q["DeletionPolicy"] for q in fifo.find_resources("AWS::SQS::Queue").values()} == {"Delete"}


def test_fifo_queue_has_a_fifo_dead_letter_queue(fifo: Template) -> None:
    assert queue_named(fifo, "reference-orders-dead-letter.fifo")["Properties"]["FifoQueue"] is True
    properties = queue_named(fifo, "reference-orders.fifo")["Properties"]
    assert properties["ContentBasedDeduplication"] is True
    assert properties["FifoThroughputLimit"] == "perMessageGroupId"


def test_consumer_may_take_messages_and_decrypt_but_not_send(template: Template) -> None:
    statements = grants(template, "Consumer")
    assert set(statements["sqs"]["Action"]) == {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
    }
    assert statements["kms"]["Action"] == "kms:Decrypt"
    assert statements["kms"]["Condition"] == {"StringEquals": {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}}


def test_sender_may_send_and_encrypt_but_not_receive(template: Template) -> None:
    statements = grants(template, "Sender")
    assert set(statements["sqs"]["Action"]) == {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
    assert set(statements["kms"]["Action"]) == {"kms:GenerateDataKey", "kms:Decrypt"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "orders.fifo"}, "added by fifo=True"),
        ({"name": ""}, "not usable"),
        ({"name": "orders-dead-letter"}, "is for dead-letter queues"),
        ({"visibility_timeout_seconds": 43_201}, "must be 0 to 43200, got 43201"),
        ({"max_receive_count": 0}, "must be 1 to 1000, got 0"),
        ({"retention_days": 14}, "must be 1 to 13, got 14"),
        ({"topics": "orders"}, "must be a tuple of names"),
    ],
)
def test_settings_that_sqs_would_refuse_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QueueSettings(**{"name": "orders", **changes})


def test_name_that_leaves_no_room_for_the_dead_letter_queue_is_refused() -> None:
    stack = cdk.Stack(cdk.App(), "Test", env=ENVIRONMENT)
    with pytest.raises(ValueError, match="has 82 characters, SQS allows 80"):
        QueueWithDeadLetter(
            stack, "Long", settings=QueueSettings(name="q" * 60), key=kms.Key(stack, "Key"), name_prefix="reference"
        )
