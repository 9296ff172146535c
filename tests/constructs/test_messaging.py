"""Topics fanned out to queues."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.dead_letter_queue import QueueSettings
from ha_constructs.messaging import Messaging, TopicSettings

PREFIX = "reference"


def new_stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Test", env=cdk.Environment(account="111111111111", region="eu-central-1"))


@pytest.fixture(scope="module")
def template() -> Template:
    stack = new_stack()
    messaging = Messaging(
        stack,
        "Messaging",
        topics=["orders", "refunds", TopicSettings("ledger", fifo=True)],
        queues=[
            QueueSettings("billing", topics=("orders", "refunds")),
            QueueSettings("books", topics=("ledger",), fifo=True),
            QueueSettings("jobs"),
        ],
        key=kms.Key(stack, "Key"),
        name_prefix=PREFIX,
    )
    publisher = iam.Role(stack, "Publisher", assumed_by=iam.ServicePrincipal("pods.eks.amazonaws.com"))
    messaging.grant_publish(publisher, "orders")
    return Template.from_stack(stack)


@pytest.fixture
def stack() -> cdk.Stack:
    return new_stack()


def topic_id(template: Template, name: str) -> str:
    (found,) = template.find_resources("AWS::SNS::Topic", {"Properties": {"TopicName": name}})
    return str(found)


def queue_id(template: Template, name: str) -> str:
    (found,) = template.find_resources("AWS::SQS::Queue", {"Properties": {"QueueName": name}})
    return str(found)


def deliveries(template: Template, queue: str) -> list[dict[str, Any]]:
    """Return the statements that let SNS send to a queue."""
    (policy,) = (
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in template.find_resources("AWS::SQS::QueuePolicy").values()
        if policy["Properties"]["Queues"] == [{"Ref": queue_id(template, queue)}]
    )
    return [statement for statement in policy if statement["Effect"] == "Allow"]


def test_topics_are_encrypted(template: Template) -> None:
    (key_id,) = template.find_resources("AWS::KMS::Key")
    template.all_resources_properties("AWS::SNS::Topic", {"KmsMasterKeyId": {"Fn::GetAtt": [key_id, "Arn"]}})


def test_topics_refuse_anything_but_tls(template: Template) -> None:
    template.resource_count_is("AWS::SNS::TopicPolicy", 3)
    template.all_resources_properties(
        "AWS::SNS::TopicPolicy",
        {
            "PolicyDocument": {
                "Statement": [
                    Match.object_like(
                        {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}, "Principal": "*"}
                    )
                ]
            }
        },
    )


def test_fifo_topic_has_its_ending_and_deduplicates(template: Template) -> None:
    template.has_resource_properties(
        "AWS::SNS::Topic",
        {"TopicName": "reference-ledger.fifo", "FifoTopic": True, "ContentBasedDeduplication": True},
    )


def test_every_declared_topic_is_subscribed_raw(template: Template) -> None:
    template.resource_count_is("AWS::SNS::Subscription", 3)
    for topic in ("reference-orders", "reference-refunds"):
        template.has_resource_properties(
            "AWS::SNS::Subscription",
            {
                "TopicArn": {"Ref": topic_id(template, topic)},
                "Endpoint": {"Fn::GetAtt": [queue_id(template, "reference-billing"), "Arn"]},
                "Protocol": "sqs",
                "RawMessageDelivery": True,
            },
        )


def test_messages_that_cannot_be_delivered_go_to_the_dead_letter_queue(template: Template) -> None:
    dead_letters = {"Fn::GetAtt": [queue_id(template, "reference-books-dead-letter.fifo"), "Arn"]}
    template.has_resource_properties(
        "AWS::SNS::Subscription",
        {
            "TopicArn": {"Ref": topic_id(template, "reference-ledger.fifo")},
            "RedrivePolicy": {"deadLetterTargetArn": dead_letters},
        },
    )


@pytest.mark.parametrize("queue", ["reference-billing", "reference-billing-dead-letter"])
def test_only_the_subscribed_topics_may_send_to_a_queue(template: Template, queue: str) -> None:
    sources = [delivery["Condition"]["ArnEquals"]["aws:SourceArn"] for delivery in deliveries(template, queue)]
    flat = [ref for source in sources for ref in (source if isinstance(source, list) else [source])]
    expected = [{"Ref": topic_id(template, name)} for name in ("reference-orders", "reference-refunds")]
    assert sorted(flat, key=str) == sorted(expected, key=str)
    assert all(d["Principal"] == {"Service": "sns.amazonaws.com"} for d in deliveries(template, queue))


def test_queue_without_topics_lets_no_topic_send(template: Template) -> None:
    assert deliveries(template, "reference-jobs") == []


def test_subscription_waits_for_the_queue_policy(template: Template) -> None:
    policies = set(template.find_resources("AWS::SQS::QueuePolicy"))
    for subscription in template.find_resources("AWS::SNS::Subscription").values():
        assert policies & set(subscription["DependsOn"])


def test_key_lets_sns_encrypt_for_topics_of_the_environment_only(template: Template) -> None:
    (key,) = template.find_resources("AWS::KMS::Key").values()
    (statement,) = (
        statement
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
        if statement["Principal"] == {"Service": "sns.amazonaws.com"}
    )
    assert set(statement["Action"]) == {"kms:GenerateDataKey", "kms:Decrypt"}
    assert f":sns:eu-central-1:111111111111:{PREFIX}-*" in str(statement["Condition"]["ArnLike"]["aws:SourceArn"])


def test_publisher_may_publish_to_its_topic_only(template: Template) -> None:
    (policy,) = template.find_resources("AWS::IAM::Policy").values()
    publish, encrypt = policy["Properties"]["PolicyDocument"]["Statement"]
    assert publish == {
        "Action": "sns:Publish",
        "Effect": "Allow",
        "Resource": {"Ref": topic_id(template, "reference-orders")},
    }
    assert encrypt["Condition"] == {"StringEquals": {"kms:ViaService": "sns.eu-central-1.amazonaws.com"}}


@pytest.mark.parametrize(
    ("topics", "queues", "message"),
    [
        (["orders", "orders"], [], "Duplicate topic 'orders'"),
        (["orders"], [QueueSettings("jobs"), QueueSettings("jobs")], "Duplicate queue 'jobs'"),
        (["orders"], [QueueSettings("jobs", topics=("order",))], "Did you mean 'orders'"),
        (["orders"], [QueueSettings("jobs", topics=("orders", "orders"))], "Duplicate topic of queue 'jobs'"),
        (["orders"], [QueueSettings("jobs", topics=("orders",), fifo=True)], "set fifo to the same value"),
        ([TopicSettings("orders", fifo=True)], [QueueSettings("jobs", topics=("orders",))], "set fifo to the same"),
    ],
)
def test_declarations_that_do_not_fit_together_are_refused(
    stack: cdk.Stack, topics: list[str | TopicSettings], queues: list[QueueSettings], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Messaging(stack, "Messaging", topics=topics, queues=queues, key=kms.Key(stack, "Key"), name_prefix=PREFIX)


def test_unknown_names_are_refused_with_the_closest_one(stack: cdk.Stack) -> None:
    messaging = Messaging(
        stack,
        "Messaging",
        topics=["orders"],
        queues=[QueueSettings("billing")],
        key=kms.Key(stack, "Key"),
        name_prefix=PREFIX,
    )
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("pods.eks.amazonaws.com"))
    with pytest.raises(ValueError, match=r"Unknown topic 'order'\. Did you mean 'orders'"):
        messaging.grant_publish(role, "order")
    with pytest.raises(ValueError, match=r"Unknown queue 'biling'\. Did you mean 'billing'"):
        messaging.grant_consume(role, "biling")


def test_topic_name_with_ending_is_refused() -> None:
    with pytest.raises(ValueError, match="added by fifo=True"):
        TopicSettings("orders.fifo")
