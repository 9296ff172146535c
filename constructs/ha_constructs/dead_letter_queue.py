"""A queue together with the queue for the messages that nobody could process."""

import re
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ha_constructs.location import location_of

DEAD_LETTER_SUFFIX = "-dead-letter"
_DEAD_LETTER_RETENTION_DAYS = 14
_MAXIMUM_NAME_LENGTH = 80


@dataclass(frozen=True)
class QueueSettings:
    """What a user decides about a queue.

    Attributes:
        name: name within the environment; letters, digits, "-" and "_", not ending in "-dead-letter".
        topics: names of the topics whose messages the queue receives. Default: none.
        visibility_timeout_seconds: seconds during which a received message is hidden from other consumers;
            longer than the slowest processing. 0 to 43,200. Default: 120.
        max_receive_count: receives after which a message goes to the dead-letter queue. 1 to 1,000. Default: 5.
        retention_days: days that an unprocessed message is kept. 1 to 13: the dead-letter queue of a standard
            queue counts its 14 days from the first arrival of a message, so this must stay below. Default: 7.
        fifo: keep the order within a message group and deliver exactly once. Default: false.

    Raises:
        ValueError: the name is not usable or a value is outside its range.
    """

    name: str
    topics: tuple[str, ...] = ()
    visibility_timeout_seconds: int = 120
    max_receive_count: int = 5
    retention_days: int = 7
    fifo: bool = False

    def __post_init__(self) -> None:
        """Refuse what SQS would refuse, before anything is synthesized."""
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.name):
            raise ValueError(
                f"Queue name {self.name!r} is not usable: give letters, digits, '-' and '_' "
                "(the '.fifo' ending is added by fifo=True)."
            )
        if self.name.endswith(DEAD_LETTER_SUFFIX):
            raise ValueError(
                f"Queue name {self.name!r} is not usable: the ending {DEAD_LETTER_SUFFIX!r} is for dead-letter queues."
            )
        if isinstance(self.topics, str):
            raise ValueError(f"topics of queue {self.name!r} must be a tuple of names, such as ({self.topics!r},).")
        self._require("visibility_timeout_seconds", self.visibility_timeout_seconds, 0, 43_200)
        self._require("max_receive_count", self.max_receive_count, 1, 1_000)
        self._require("retention_days", self.retention_days, 1, _DEAD_LETTER_RETENTION_DAYS - 1)

    def _require(self, field: str, value: int, lowest: int, highest: int) -> None:
        if not lowest <= value <= highest:
            raise ValueError(f"{field} of queue {self.name!r} must be {lowest} to {highest}, got {value}.")


class QueueWithDeadLetter(Construct):
    """An encrypted SQS queue and its dead-letter queue, both refusing anything but TLS.

    Names are literal, ``<name_prefix>-<name>`` and ``<name_prefix>-<name>-dead-letter`` (``.fifo`` at the end of a
    FIFO queue): the same in every region, so that a workload's configuration does not change with the region and
    IAM policies can name them. A fixed name blocks only changes that replace a queue, and SQS replaces a queue only
    for a new name or for ``fifo``, which changes the name as well: everything else updates in place without
    interruption.

    The dead-letter queue accepts messages of this queue only and keeps them for 14 days, the longest that SQS
    offers. Queues are regional: a message that is not yet processed stays in its region on a failover and is
    processed when the region returns.

    On delete: with protection both queues stay, with their messages until these expire. Because of the fixed name,
    a later stack takes them back with ``cdk deploy --import-existing-resources``. Without protection they go with
    the stack. SQS lets a queue be created again under the same name only 60 seconds after its deletion.

    Exposes:
        queue, dead_letter_queue: the two ``sqs.Queue``.
        settings: the ``QueueSettings`` it was made of.

    Documentation followed:
        Using dead-letter queues in Amazon SQS
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        Amazon SQS key management
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: QueueSettings,
        key: kms.IKey,
        name_prefix: str,
        deletion_protection: bool = True,
    ) -> None:
        """Create both queues.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            settings: what the user decided.
            key: encrypts both queues; may belong to another stack of the region.
            name_prefix: first part of the physical names, the environment's name.
            deletion_protection: keep both queues when the stack is deleted. Default: true.

        Raises:
            ValueError: the physical name of the dead-letter queue would have more than 80 characters.
        """
        super().__init__(scope, construct_id)
        self.settings = settings
        self._key = key
        self._removal_policy = (
            cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if deletion_protection else cdk.RemovalPolicy.DESTROY
        )
        base_name = f"{name_prefix}-{settings.name}"
        ending = ".fifo" if settings.fifo else ""
        _check_length(base_name + DEAD_LETTER_SUFFIX + ending)
        self.dead_letter_queue = self._build_dead_letter_queue(base_name, ending)
        self.queue = self._build_queue(base_name + ending)

    def grant_consume(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to receive, delete and extend messages of the queue, and to decrypt them."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
            ],
            resource_arns=[self.queue.queue_arn],
        )
        return self._grant_key(grantee, ["kms:Decrypt"])

    def grant_send(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to send messages to the queue directly, past any topic."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
            resource_arns=[self.queue.queue_arn],
        )
        # SQS decrypts the data key that it generated earlier and still caches.
        return self._grant_key(grantee, ["kms:GenerateDataKey", "kms:Decrypt"])

    def _grant_key(self, grantee: iam.IGrantable, actions: list[str]) -> iam.Grant:
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=actions,
            resource_arns=[self._key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"sqs.{location_of(self).region}.amazonaws.com"}},
        )

    def _build_dead_letter_queue(self, base_name: str, ending: str) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "DeadLetterQueue",
            queue_name=f"{base_name}{DEAD_LETTER_SUFFIX}{ending}",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._key,
            enforce_ssl=True,
            fifo=True if self.settings.fifo else None,
            retention_period=cdk.Duration.days(_DEAD_LETTER_RETENTION_DAYS),
            removal_policy=self._removal_policy,
        )
        # The two queues refer to each other. The literal name breaks the circle between the two resources.
        source_arn = location_of(self).arn("sqs", f"{base_name}{ending}")
        resource = cast(sqs.CfnQueue, queue.node.default_child)
        resource.redrive_allow_policy = {"redrivePermission": "byQueue", "sourceQueueArns": [source_arn]}
        return queue

    def _build_queue(self, queue_name: str) -> sqs.Queue:
        fifo = self.settings.fifo
        return sqs.Queue(
            self,
            "Queue",
            queue_name=queue_name,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._key,
            enforce_ssl=True,
            visibility_timeout=cdk.Duration.seconds(self.settings.visibility_timeout_seconds),
            retention_period=cdk.Duration.days(self.settings.retention_days),
            # Long polling: fewer empty answers, and no message missed because only some servers were asked.
            receive_message_wait_time=cdk.Duration.seconds(20),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letter_queue, max_receive_count=self.settings.max_receive_count
            ),
            fifo=True if fifo else None,
            content_based_deduplication=True if fifo else None,
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP if fifo else None,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID if fifo else None,
            removal_policy=self._removal_policy,
        )


def _check_length(physical_name: str) -> None:
    if len(physical_name) > _MAXIMUM_NAME_LENGTH:
        raise ValueError(
            f"Queue name {physical_name!r} has {len(physical_name)} characters, "
            f"SQS allows {_MAXIMUM_NAME_LENGTH}: shorten the queue's name or the environment's."
        )
