"""One chat channel for the alarms of all regions: an event bus they send to, and the chat configuration behind it."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from ha_constructs.chat_channels import ChatChannels, SlackChannel, TeamsChannel
from ha_constructs.location import location_of

ALARM_EVENT_SOURCE = "aws.cloudwatch"
ALARM_EVENT_TYPE = "CloudWatch Alarm State Change"


class ChatHub(Construct):
    """Lives once in an environment; every region sends its alarms here with a :class:`ChatForwarding` of its own.

    An account can configure a chat channel once only (see :class:`~ha_constructs.chat_channels.ChatChannels`), so the
    regions can't each bring a configuration for the same channel. Nor can one configuration list the topics of regions
    that are yet to be built. Here the configuration knows a single topic, and the regions register themselves: an
    EventBridge rule in each sends changes of alarm state to this hub's bus, in whatever region that is
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html). The hub turns each into a message
    for the chat, threaded by alarm, so that recovery appears under the alarm it belongs to
    (https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html).

    While the hub's region is down, the chat hears nothing from any region; EventBridge retries for 24 hours. E-mail and
    SMS are each region's own and don't pass here.

    Arguments:
        name: name of the event bus, the topic and the chat configuration; unique in the account.
        key: encrypts the topic. The construct adds what it needs to the key's policy.
        slack: default none.
        teams: default none; at least one of the two is needed.

    Exposes ``event_bus``, ``topic`` and ``channels``. The bus has a literal name, so that other stacks can tell its ARN
    with :meth:`event_bus_arn` without a reference.

    Raises:
        ValueError: neither channel given, or a name that the chat service refuses.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: kms.IKey,
        slack: SlackChannel | None = None,
        teams: TeamsChannel | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.event_bus = events.EventBus(
            self,
            "Bus",
            event_bus_name=name,
            description="Changes of alarm state from every region, for the chat channel",
        )
        self.topic = sns.Topic(self, "Topic", topic_name=name, master_key=key, enforce_ssl=True)
        self._build_rule()
        self.channels = ChatChannels(self, "Channels", name=name, topics=[self.topic], slack=slack, teams=teams)

    @staticmethod
    def event_bus_arn(*, name: str, region: str, account: str) -> str:
        """The ARN of the bus of the hub called ``name``, for use in another region's stack."""
        return f"arn:aws:events:{region}:{account}:event-bus/{name}"

    def _build_rule(self) -> None:
        rule = events.Rule(
            self,
            "Alarms",
            description="Alarms of every region to the chat channel",
            event_bus=self.event_bus,
            event_pattern=events.EventPattern(source=[ALARM_EVENT_SOURCE], detail_type=[ALARM_EVENT_TYPE]),
        )
        # A role, not the topic's policy: the policy could not tell this rule from another account's.
        rule.add_target(targets.SnsTopic(self.topic, message=_chat_message(), authorize_using_role=True))
        cdk.Validations.of(rule).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
                reason="Publishing to the encrypted topic needs GenerateDataKey and its variants, of this one key only",
            )
        )


class ChatForwarding(Construct):
    """Sends a region's alarms to the chat hub: those that start, and those that end after having alarmed.

    Arguments:
        event_bus_arn: the hub's bus, in any region of the same account.
        alarm_name_prefix: which alarms: those of this environment and region, such as ``production-eu-west-1-``.

    Exposes ``rule`` and ``role``.

    Raises:
        ValueError: an empty prefix, which would send every alarm of the account.
    """

    def __init__(self, scope: Construct, construct_id: str, *, event_bus_arn: str, alarm_name_prefix: str) -> None:
        super().__init__(scope, construct_id)
        if not alarm_name_prefix:
            raise ValueError(
                "alarm_name_prefix: empty would send every alarm of the account; give <environment>-<region>-"
            )
        self.role = iam.Role(
            self,
            "Role",
            description="Lets EventBridge send alarms to the chat hub's event bus",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": location_of(self).account}},
            ),
        )
        bus = events.EventBus.from_event_bus_arn(self, "Bus", event_bus_arn)
        self.rule = events.Rule(
            self,
            "Alarms",
            description="Alarms of this region to the chat hub",
            event_pattern=events.EventPattern(
                source=[ALARM_EVENT_SOURCE],
                detail_type=[ALARM_EVENT_TYPE],
                detail={
                    "alarmName": [{"prefix": alarm_name_prefix}],
                    # A new alarm goes from "insufficient data" to "OK": nobody needs to hear of that.
                    "$or": [
                        {"state": {"value": ["ALARM"]}},
                        {"state": {"value": ["OK"]}, "previousState": {"value": ["ALARM"]}},
                    ],
                },
            ),
            targets=[targets.EventBus(bus, role=self.role)],
        )


def _chat_message() -> events.RuleTargetInput:
    def field(path: str) -> str:
        return events.EventField.from_path(path)

    alarm, state, region = field("$.detail.alarmName"), field("$.detail.state.value"), field("$.region")
    return events.RuleTargetInput.from_object(
        {
            "version": "1.0",
            "source": "custom",
            "id": field("$.id"),
            "content": {
                "textType": "client-markdown",
                "title": f"{state}: {alarm}",
                "description": field("$.detail.state.reason"),
                "keywords": [state, region],
            },
            "metadata": {
                "threadId": alarm,
                "summary": f"{alarm} is {state} in {region}",
                "relatedResources": [field("$.resources[0]")],
            },
        }
    )
