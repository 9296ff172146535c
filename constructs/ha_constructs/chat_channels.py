"""Slack and Microsoft Teams as subscribers of alert topics: Amazon Q Developer in chat applications (AWS Chatbot)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from ha_constructs.location import location_of

CONFIGURATION_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")

# What the channel may look at: the alarm behind a notification and its graph. Nothing can be changed from the chat.
READ_ALARM_ACTIONS = (
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:DescribeAlarmsForMetric",
    "cloudwatch:GetDashboard",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:GetMetricWidgetImage",
    "cloudwatch:ListDashboards",
    "cloudwatch:ListMetrics",
)


@dataclass(frozen=True, kw_only=True)
class SlackChannel:
    """A Slack channel.

    Arguments:
        workspace_id: such as ``T0123ABCD``; from the console, after the workspace was authorized there once.
        channel_id: such as ``C0123ABCD``; the end of the channel's link. In a private channel invite ``@Amazon Q`` too.
    """

    workspace_id: str
    channel_id: str


@dataclass(frozen=True, kw_only=True)
class TeamsChannel:
    """A Microsoft Teams channel; the ids stand in its link (``tenantId``, ``groupId``, ``/channel/<id>/``).

    Arguments:
        tenant_id: the tenant, authorized once in the console.
        team_id: the team.
        channel_id: the channel, percent-encoded as in the link (``19%3A...%40thread.tacv2``).
    """

    tenant_id: str
    team_id: str
    channel_id: str


class ChatChannels(Construct):
    """Delivers what is published to SNS topics to one Slack and/or one Teams channel.

    The service is global: names of configurations are unique in an account over all regions, and **an account can
    configure the same channel once only** ("Slack channel ... has already been configured for AWS account"). One
    configuration takes topics of several regions, but each must exist before it. For one channel that hears all regions
    see :class:`~ha_constructs.chat_hub.ChatHub`; use this construct alone where each region has a channel of its own.

    Authorizing the workspace or tenant is a step in the console that no API offers; without it the deployment fails
    (https://docs.aws.amazon.com/chatbot/latest/adminguide/setting-up.html).

    *Least privilege.* The channel's role reads alarms, metrics and dashboards, and the same policy is the guardrail.
    Without a guardrail the service would apply AdministratorAccess as the limit of what channel members may run.

    Updates: the configuration's name, Slack workspace, Teams tenant and team replace it; channel, topics and role do
    not.

    Arguments:
        name: the configuration's name, unique in the account: letters, digits, hyphen, underscore; ``-slack`` or
            ``-teams`` is added.
        topics: the topics to deliver.
        slack: default none.
        teams: default none.

    Exposes ``slack_configuration``, ``teams_configuration`` (None where not asked for), ``role`` and ``guardrail``.

    Raises:
        ValueError: a name that the service refuses, or neither channel given.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        topics: Sequence[sns.ITopic],
        slack: SlackChannel | None = None,
        teams: TeamsChannel | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if not CONFIGURATION_NAME.fullmatch(name):
            raise ValueError(f"name: {name!r} will not do; use up to 128 letters, digits, hyphens and underscores")
        if slack is None and teams is None:
            raise ValueError("slack, teams: give at least one channel to deliver to")
        self.guardrail = self._build_guardrail()
        self.role = self._build_role()
        self.slack_configuration = self._build_slack(name, topics, slack) if slack else None
        self.teams_configuration = self._build_teams(name, topics, teams) if teams else None

    def _build_guardrail(self) -> iam.ManagedPolicy:
        guardrail = iam.ManagedPolicy(
            self,
            "Guardrail",
            description="What members of the chat channel may see: alarms, metrics and dashboards",
            # CloudWatch offers no narrower resource for reading metrics; the alarm behind a message may be anyone's.
            statements=[iam.PolicyStatement(actions=list(READ_ALARM_ACTIONS), resources=["*"])],
        )
        cdk.Validations.of(guardrail).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                reason=(
                    "Reading metrics and drawing graphs can't be narrowed to resources in CloudWatch; read-only actions"
                ),
            )
        )
        return guardrail

    def _build_role(self) -> iam.Role:
        return iam.Role(
            self,
            "Role",
            description="Assumed by Amazon Q Developer in chat applications for the alert channel",
            assumed_by=iam.ServicePrincipal(
                "chatbot.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": location_of(self).account}},
            ),
            managed_policies=[self.guardrail],
        )

    def _build_slack(
        self, name: str, topics: Sequence[sns.ITopic], channel: SlackChannel
    ) -> chatbot.CfnSlackChannelConfiguration:
        return chatbot.CfnSlackChannelConfiguration(
            self,
            "Slack",
            configuration_name=f"{name}-slack",
            slack_workspace_id=channel.workspace_id,
            slack_channel_id=channel.channel_id,
            iam_role_arn=self.role.role_arn,
            guardrail_policies=[self.guardrail.managed_policy_arn],
            sns_topic_arns=[topic.topic_arn for topic in topics],
            logging_level="ERROR",
        )

    def _build_teams(
        self, name: str, topics: Sequence[sns.ITopic], channel: TeamsChannel
    ) -> chatbot.CfnMicrosoftTeamsChannelConfiguration:
        return chatbot.CfnMicrosoftTeamsChannelConfiguration(
            self,
            "Teams",
            configuration_name=f"{name}-teams",
            teams_tenant_id=channel.tenant_id,
            team_id=channel.team_id,
            teams_channel_id=channel.channel_id,
            iam_role_arn=self.role.role_arn,
            guardrail_policies=[self.guardrail.managed_policy_arn],
            sns_topic_arns=[topic.topic_arn for topic in topics],
            logging_level="ERROR",
        )
