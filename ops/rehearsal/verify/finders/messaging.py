"""Finders for queues, topics, subscriptions and events."""

import json

from ops.rehearsal.verify.asking import Ask, Settings, finds

_QUEUE_ATTRIBUTES = {
    "KmsMasterKeyId": "KmsMasterKeyId",
    "MessageRetentionPeriod": "MessageRetentionPeriod",
    "VisibilityTimeout": "VisibilityTimeout",
    "DelaySeconds": "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "MaximumMessageSize": "MaximumMessageSize",
    "FifoQueue": "FifoQueue",
    "ContentBasedDeduplication": "ContentBasedDeduplication",
    "KmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled": "SqsManagedSseEnabled",
    "DeduplicationScope": "DeduplicationScope",
    "FifoThroughputLimit": "FifoThroughputLimit",
    "RedrivePolicy": "RedrivePolicy",
    "RedriveAllowPolicy": "RedriveAllowPolicy",
}


@finds(
    "AWS::SQS::Queue",
    must=("QueueName", "RedrivePolicy", "MessageRetentionPeriod", "VisibilityTimeout", "KmsMasterKeyId"),
)
def queue(ask: Ask) -> Settings | None:
    """Ask for the queue's attributes."""
    found = ask.answer(
        ask.client("sqs").get_queue_attributes, "Attributes", QueueUrl=ask.physical_id, AttributeNames=["All"]
    )
    if found is None:
        return None
    settings = {name: found.get(attribute) for name, attribute in _QUEUE_ATTRIBUTES.items()}
    settings["QueueName"] = found.get("QueueArn", "").rsplit(":", 1)[-1] or None
    return settings


@finds("AWS::SQS::QueuePolicy", must=("PolicyDocument",))
def queue_policy(ask: Ask) -> Settings | None:
    """Ask each queue for its policy."""
    policies = [
        ask.answer(
            ask.client("sqs").get_queue_attributes, "Attributes", "Policy", QueueUrl=url, AttributeNames=["Policy"]
        )
        for url in ask.declared.get("Queues", [])
    ]
    if not policies or not all(policies):
        return None
    return {"Queues": ask.declared["Queues"], "PolicyDocument": json.loads(policies[0])}


@finds("AWS::SNS::Topic", must=("TopicName", "KmsMasterKeyId"))
def topic(ask: Ask) -> Settings | None:
    """Ask for the topic's attributes."""
    found = ask.answer(ask.client("sns").get_topic_attributes, "Attributes", TopicArn=ask.physical_id)
    if found is None:
        return None
    return {**ask.alike(found), "TopicName": ask.physical_id.rsplit(":", 1)[-1]}


@finds("AWS::SNS::TopicPolicy", must=("PolicyDocument",))
def topic_policy(ask: Ask) -> Settings | None:
    """Ask each topic for its policy."""
    topics = ask.declared.get("Topics", [])
    policies = [
        ask.answer(ask.client("sns").get_topic_attributes, "Attributes", "Policy", TopicArn=arn) for arn in topics
    ]
    if not policies or not all(policies):
        return None
    return {"Topics": topics, "PolicyDocument": json.loads(policies[0])}


@finds("AWS::SNS::Subscription", must=("Protocol", "TopicArn", "Endpoint"))
def subscription(ask: Ask) -> Settings | None:
    """Ask for the subscription, or, while it waits to be confirmed, for its entry at the topic."""
    client = ask.client("sns")
    found = ask.answer(client.get_subscription_attributes, "Attributes", SubscriptionArn=ask.physical_id)
    entries = ask.answer(client.list_subscriptions_by_topic, "Subscriptions", TopicArn=ask.declared["TopicArn"]) or []
    for entry in entries:
        if entry.get("Protocol") == ask.declared.get("Protocol") and entry.get("Endpoint") == ask.declared.get(
            "Endpoint"
        ):
            return {**ask.alike(found or {}), **ask.alike(entry)}
    return None


@finds("AWS::Events::EventBus", must=("Name",))
def event_bus(ask: Ask) -> Settings | None:
    """Ask for the event bus."""
    found = ask.answer(ask.client("events").describe_event_bus, Name=ask.physical_id)
    return None if found is None else ask.alike(found)


@finds("AWS::Events::EventBusPolicy", must=("Statement",))
def event_bus_policy(ask: Ask) -> Settings | None:
    """Look the statement up in the bus's policy."""
    bus = ask.declared.get("EventBusName", "default")
    policy = ask.answer(ask.client("events").describe_event_bus, "Policy", Name=bus)
    for statement in json.loads(policy)["Statement"] if policy else []:
        if statement.get("Sid") == ask.declared.get("StatementId"):
            declared = ask.declared.get("Statement")
            told = {name: statement.get(name) for name in declared} if isinstance(declared, dict) else None
            return {"EventBusName": bus, "StatementId": statement["Sid"], "Statement": told}
    return None


@finds("AWS::Events::Rule", must=("ScheduleExpression", "EventPattern"))
def event_rule(ask: Ask) -> Settings | None:
    """Ask for the rule and its targets; the physical id of a rule on another bus is bus and name."""
    client = ask.client("events")
    name = ask.physical_id.rsplit("|", 1)[-1].rsplit("/", 1)[-1]
    bus = {"EventBusName": ask.declared["EventBusName"]} if "EventBusName" in ask.declared else {}
    found = ask.answer(client.describe_rule, Name=name, **bus)
    if found is None:
        return None
    targets = ask.answer(client.list_targets_by_rule, "Targets", Rule=name, **bus)
    return {**ask.alike(found), "Targets": targets or None}
