"""Where alerts of a region go: one encrypted SNS topic a severity, and the people subscribed to it."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from ha_constructs.chat_channels import ChatChannels, SlackChannel, TeamsChannel
from ha_constructs.location import location_of

CLOUDWATCH = "cloudwatch.amazonaws.com"
PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
EMAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Severity(StrEnum):
    """How urgent an alert is, and so which topic it goes to.

    ``CRITICAL``: users are affected or will be within minutes; wakes somebody. ``WARNING``: look at it today. ``INFO``:
    worth knowing.
    """

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class AlertChannels(Construct):
    """Three SNS topics, named ``<name_prefix>-<severity>``, with their subscribers.

    * *E-mail* gets every severity. SNS sends each address a confirmation link a topic, and delivers nothing before it
      is clicked; unconfirmed subscriptions are dropped after 48 hours
      (https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html).
    * *SMS* gets critical alerts only. An account starts in the SMS sandbox (verified numbers only) with a limit of 1
      USD a month: lift both, per region, before relying on it
      (https://docs.aws.amazon.com/sns/latest/dg/sns-sms-sandbox.html). Where a region has no SMS in SNS, give none
      there.
    * *Slack and Teams* given here belong to **this region alone**, since an account can configure a channel once only;
      they get every severity. For one channel shared by all regions leave them out and use
      :class:`~ha_constructs.chat_hub.ChatForwarding`.

    The topics take messages from CloudWatch alarms of the same account and region, from the services in ``publishers``
    acting for the same account, and over TLS only. Their key must let those services use it: the construct adds that to
    the policy of a key of the same app; a key imported by ARN must allow it already
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html). An alarm whose topic's key refuses it fails
    silently.

    Updates: a new ``name_prefix`` replaces the topics, and every address has to confirm again.

    Arguments:
        key: the KMS key that encrypts the topics.
        name_prefix: first part of the topics' names; unique in account and region.
        email: addresses.
        sms: phone numbers in E.164 form, ``+4915112345678``.
        slack: this region's own Slack channel. Default none.
        teams: this region's own Teams channel. Default none.
        publishers: further services that may publish, such as ``budgets.amazonaws.com`` or ``backup.amazonaws.com``.

    Exposes ``critical``, ``warning``, ``info``, ``topics`` (by :class:`Severity`) and ``chat`` (None without a
    channel).

    Raises:
        ValueError: an address or number that isn't one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        name_prefix: str,
        email: Sequence[str] = (),
        sms: Sequence[str] = (),
        slack: SlackChannel | None = None,
        teams: TeamsChannel | None = None,
        publishers: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        _check_all("email", email, EMAIL_ADDRESS, "an address such as on-call@example.com")
        _check_all("sms", sms, PHONE_NUMBER, "an E.164 number such as +4915112345678")
        self._key = key
        self.topics: Mapping[Severity, sns.Topic] = {
            severity: self._build_topic(severity, f"{name_prefix}-{severity}", publishers) for severity in Severity
        }
        self.critical: sns.Topic = self.topics[Severity.CRITICAL]
        self.warning: sns.Topic = self.topics[Severity.WARNING]
        self.info: sns.Topic = self.topics[Severity.INFO]
        for service in (CLOUDWATCH, *publishers):
            key.grant(self._service(service), "kms:Decrypt", "kms:GenerateDataKey*")
        self._subscribe(email, sms)
        self.chat: ChatChannels | None = None
        if slack or teams:
            self.chat = ChatChannels(
                self, "Chat", name=name_prefix, topics=list(self.topics.values()), slack=slack, teams=teams
            )

    def _service(self, service: str) -> iam.ServicePrincipal:
        """The service, acting for this account only, so that no other account's alarm can publish through it."""
        return iam.ServicePrincipal(
            service, conditions={"StringEquals": {"aws:SourceAccount": location_of(self).account}}
        )

    def _build_topic(self, severity: Severity, name: str, publishers: Sequence[str]) -> sns.Topic:
        topic = sns.Topic(
            self,
            severity.capitalize(),
            topic_name=name,
            # The sender's name in e-mail and SMS; SMS shows the first 10 characters.
            display_name=name[:100],
            master_key=self._key,
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisRegion",
                principals=[self._service(CLOUDWATCH)],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": location_of(self).arn("cloudwatch", "alarm:*")}},
            )
        )
        for service in publishers:
            topic.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[self._service(service)], actions=["sns:Publish"], resources=[topic.topic_arn]
                )
            )
        return topic

    def _subscribe(self, email: Sequence[str], sms: Sequence[str]) -> None:
        for topic in self.topics.values():
            for address in email:
                topic.add_subscription(subscriptions.EmailSubscription(address))
        for number in sms:
            self.critical.add_subscription(subscriptions.SmsSubscription(number))


def _check_all(argument: str, values: Sequence[str], pattern: re.Pattern[str], expected: str) -> None:
    for value in values:
        if not pattern.fullmatch(value):
            raise ValueError(f"{argument}: {value!r} will not do; give {expected}")
