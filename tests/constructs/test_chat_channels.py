"""Slack and Teams channels."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Match, Template

from ha_constructs.chat_channels import READ_ALARM_ACTIONS, ChatChannels, SlackChannel, TeamsChannel

SLACK = SlackChannel(workspace_id="T0123ABCD", channel_id="C0123ABCD")
TEAMS = TeamsChannel(
    tenant_id="11111111-2222-3333-4444-555555555555",
    team_id="66666666-7777-8888-9999-000000000000",
    channel_id="19%3Aabc%40thread.tacv2",
)


def synthesize(**changes: Any) -> Template:
    scope = cdk.Stack(
        cdk.App(analytics_reporting=False), "region", env=cdk.Environment(account="111111111111", region="eu-west-1")
    )
    arguments = {"name": "production-alerts", "topics": [sns.Topic(scope, "Topic")], **changes}
    ChatChannels(scope, "Chat", **arguments)
    return Template.from_stack(scope)


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesize(slack=SLACK, teams=TEAMS)


def test_slack_channel_is_configured(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Chatbot::SlackChannelConfiguration",
        {
            "ConfigurationName": "production-alerts-slack",
            "SlackWorkspaceId": "T0123ABCD",
            "SlackChannelId": "C0123ABCD",
            "SnsTopicArns": [Match.any_value()],
        },
    )


def test_teams_channel_is_configured(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Chatbot::MicrosoftTeamsChannelConfiguration",
        {
            "ConfigurationName": "production-alerts-teams",
            "TeamsTenantId": TEAMS.tenant_id,
            "TeamId": TEAMS.team_id,
            "TeamsChannelId": TEAMS.channel_id,
        },
    )


@pytest.mark.parametrize(
    "kind", ["AWS::Chatbot::SlackChannelConfiguration", "AWS::Chatbot::MicrosoftTeamsChannelConfiguration"]
)
def test_channels_are_guarded_by_a_policy_that_only_reads(template: Template, kind: str) -> None:
    guardrail = next(iter(template.find_resources("AWS::IAM::ManagedPolicy")))
    template.has_resource_properties(kind, {"GuardrailPolicies": [{"Ref": guardrail}]})
    assert all(action.split(":")[1].startswith(("Describe", "Get", "List")) for action in READ_ALARM_ACTIONS)
    template.has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": {"Statement": [{"Action": list(READ_ALARM_ACTIONS), "Effect": "Allow", "Resource": "*"}]}},
    )


def test_role_serves_this_account_only(template: Template) -> None:
    template.has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {
                        "Action": "sts:AssumeRole",
                        "Effect": "Allow",
                        "Principal": {"Service": "chatbot.amazonaws.com"},
                        "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}},
                    }
                ]
            }
        },
    )


@pytest.mark.parametrize(
    ("changes", "message"), [({}, "at least one channel"), ({"slack": SLACK, "name": "not a name"}, "will not do")]
)
def test_bad_arguments_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        synthesize(**changes)
