"""Topics by severity and their subscribers."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.alert_channels import AlertChannels, Severity
from ha_constructs.chat_channels import SlackChannel

NAMES = {severity: f"production-eu-west-1-{severity}" for severity in Severity}


def synthesize(**changes: Any) -> Template:
    scope = cdk.Stack(
        cdk.App(analytics_reporting=False), "region", env=cdk.Environment(account="111111111111", region="eu-west-1")
    )
    key = kms.Key(scope, "Key", enable_key_rotation=True)
    AlertChannels(scope, "Alerts", key=key, name_prefix="production-eu-west-1", **changes)
    return Template.from_stack(scope)


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesize(
        email=["on-call@example.com"],
        sms=["+4915112345678"],
        slack=SlackChannel(workspace_id="T0123ABCD", channel_id="C0123ABCD"),
        publishers=["backup.amazonaws.com"],
    )


def topic_of(template: Template, severity: Severity) -> str:
    return next(iter(template.find_resources("AWS::SNS::Topic", {"Properties": {"TopicName": NAMES[severity]}})))


@pytest.mark.parametrize("severity", list(Severity))
def test_each_severity_has_an_encrypted_topic(template: Template, severity: Severity) -> None:
    template.has_resource_properties(
        "AWS::SNS::Topic", {"TopicName": NAMES[severity], "KmsMasterKeyId": Match.any_value()}
    )


@pytest.mark.parametrize("severity", list(Severity))
def test_everyone_by_mail_hears_every_severity(template: Template, severity: Severity) -> None:
    template.has_resource_properties(
        "AWS::SNS::Subscription",
        {
            "Protocol": "email",
            "Endpoint": "on-call@example.com",
            "TopicArn": {"Ref": topic_of(template, severity)},
        },
    )


def test_text_messages_are_for_critical_alerts_only(template: Template) -> None:
    texts = template.find_resources("AWS::SNS::Subscription", {"Properties": {"Protocol": "sms"}})
    assert [text["Properties"]["TopicArn"] for text in texts.values()] == [
        {"Ref": topic_of(template, Severity.CRITICAL)}
    ]


def test_topics_take_alarms_of_this_account_and_region_only(template: Template) -> None:
    template.all_resources_properties(
        "AWS::SNS::TopicPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Action": "sns:Publish",
                                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                                "Condition": {
                                    "StringEquals": {"aws:SourceAccount": "111111111111"},
                                    "ArnLike": {
                                        "aws:SourceArn": {
                                            "Fn::Join": [
                                                "",
                                                [
                                                    "arn:",
                                                    {"Ref": "AWS::Partition"},
                                                    ":cloudwatch:eu-west-1:111111111111:alarm:*",
                                                ],
                                            ]
                                        }
                                    },
                                },
                            }
                        )
                    ]
                )
            }
        },
    )


def test_topics_refuse_plain_text(template: Template) -> None:
    template.all_resources_properties(
        "AWS::SNS::TopicPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [Match.object_like({"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}})]
                )
            }
        },
    )


@pytest.mark.parametrize("service", ["cloudwatch.amazonaws.com", "backup.amazonaws.com"])
def test_publishers_may_use_the_key(template: Template, service: str) -> None:
    template.has_resource_properties(
        "AWS::KMS::Key",
        {
            "KeyPolicy": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                                "Principal": {"Service": service},
                                "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}},
                            }
                        )
                    ]
                )
            }
        },
    )


def test_own_chat_channel_hears_every_severity(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Chatbot::SlackChannelConfiguration",
        {"SnsTopicArns": [{"Ref": topic_of(template, severity)} for severity in Severity]},
    )


def test_no_chat_unless_asked_for() -> None:
    synthesize().resource_count_is("AWS::Chatbot::SlackChannelConfiguration", 0)


@pytest.mark.parametrize(
    ("changes", "message"), [({"email": ["nobody"]}, "email: 'nobody'"), ({"sms": ["0151 12345"]}, "sms: '0151 12345'")]
)
def test_addresses_that_are_none_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        synthesize(**changes)
