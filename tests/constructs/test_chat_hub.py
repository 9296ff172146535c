"""One chat channel for all regions."""

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.chat_channels import SlackChannel
from ha_constructs.chat_hub import ChatForwarding, ChatHub

ACCOUNT = "111111111111"
BUS = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/production-alerts"


def stack(region: str) -> cdk.Stack:
    return cdk.Stack(cdk.App(analytics_reporting=False), "stack", env=cdk.Environment(account=ACCOUNT, region=region))


@pytest.fixture(scope="module")
def hub() -> Template:
    scope = stack("eu-west-1")
    ChatHub(
        scope,
        "Hub",
        name="production-alerts",
        key=kms.Key(scope, "Key"),
        slack=SlackChannel(workspace_id="T0123ABCD", channel_id="C0123ABCD"),
    )
    return Template.from_stack(scope)


@pytest.fixture(scope="module")
def forwarding() -> Template:
    scope = stack("us-east-1")
    ChatForwarding(scope, "Forwarding", event_bus_arn=BUS, alarm_name_prefix="production-us-east-1-")
    return Template.from_stack(scope)


def rule(template: Template) -> dict[str, Any]:
    rules = list(template.find_resources("AWS::Events::Rule").values())
    assert len(rules) == 1
    properties: dict[str, Any] = rules[0]["Properties"]
    return properties


def test_the_channel_is_configured_once_with_the_hubs_topic(hub: Template) -> None:
    topic = next(iter(hub.find_resources("AWS::SNS::Topic")))
    hub.resource_count_is("AWS::Chatbot::SlackChannelConfiguration", 1)
    hub.has_resource_properties("AWS::Chatbot::SlackChannelConfiguration", {"SnsTopicArns": [{"Ref": topic}]})
    hub.has_resource_properties("AWS::SNS::Topic", {"KmsMasterKeyId": Match.any_value()})


def test_bus_has_the_name_that_regions_expect(hub: Template) -> None:
    hub.has_resource_properties("AWS::Events::EventBus", {"Name": "production-alerts"})
    assert ChatHub.event_bus_arn(name="production-alerts", region="eu-west-1", account=ACCOUNT) == BUS


def test_hub_turns_alarms_into_messages_that_the_chat_service_understands(hub: Template) -> None:
    transformer = rule(hub)["Targets"][0]["InputTransformer"]
    # EventBridge puts quotes around a value that stands alone, and none around one within a text.
    alone = re.sub(r"(?<=[:\[,])<([\w-]+)>", r'"\1"', transformer["InputTemplate"])
    filled = re.sub(r"<([\w-]+)>", r"\1", alone)
    message = json.loads(filled)
    assert message["version"] == "1.0"
    assert message["source"] == "custom"
    assert message["content"]["textType"] == "client-markdown"
    assert message["metadata"]["threadId"] == "detail-alarmName"
    assert message["content"]["title"] == "detail-state-value: detail-alarmName"


def test_region_sends_its_own_alarms_to_the_hubs_region(forwarding: Template) -> None:
    properties = rule(forwarding)
    assert properties["EventPattern"]["detail"]["alarmName"] == [{"prefix": "production-us-east-1-"}]
    assert properties["Targets"][0]["Arn"] == BUS


def test_region_sends_alarms_that_start_or_end_and_no_first_states(forwarding: Template) -> None:
    assert rule(forwarding)["EventPattern"]["detail"]["$or"] == [
        {"state": {"value": ["ALARM"]}},
        {"state": {"value": ["OK"]}, "previousState": {"value": ["ALARM"]}},
    ]


def test_region_may_put_events_on_the_hubs_bus_only(forwarding: Template) -> None:
    forwarding.has_resource_properties(
        "AWS::IAM::Policy",
        {"PolicyDocument": {"Statement": [{"Action": "events:PutEvents", "Effect": "Allow", "Resource": BUS}]}},
    )


def test_forwarding_every_alarm_of_the_account_is_refused() -> None:
    with pytest.raises(ValueError, match="alarm_name_prefix"):
        ChatForwarding(stack("us-east-1"), "Forwarding", event_bus_arn=BUS, alarm_name_prefix="")
