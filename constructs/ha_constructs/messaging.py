"""Topics and queues of a region: publish and subscribe, with work taken by pulling."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from ha_constructs.closest_name import unknown_name
from ha_constructs.dead_letter_queue import QueueSettings, QueueWithDeadLetter
from ha_constructs.location import location_of


@dataclass(frozen=True)
class TopicSettings:
    """What a user decides about a topic.

    Attributes:
        name: name within the environment; letters, digits, "-" and "_".
        fifo: keep the order within a message group; only FIFO queues can subscribe. Default: false.

    Raises:
        ValueError: the name has other characters.
    """

    name: str
    fifo: bool = False

    def __post_init__(self) -> None:
        """Refuse what SNS would refuse, before anything is synthesized."""
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.name):
            raise ValueError(
                f"Topic name {self.name!r} is not usable: give letters, digits, '-' and '_' "
                "(the '.fifo' ending is added by fifo=True)."
            )


class Messaging(Construct):
    """SNS topics fanned out to SQS queues, each queue with a dead-letter queue, all encrypted with one key.

    Publishers know a topic, consumers know a queue, neither knows the other. Messages arrive in a queue as they
    were published (raw delivery). A message that SNS can't deliver, for instance because a queue's policy was
    changed by hand, goes to the dead-letter queue of that queue, so there is one place to look and one alarm.

    Topics and queues have the literal names ``<name_prefix>-<name>`` in every region; ``QueueWithDeadLetter`` says
    why. SNS and SQS are regional: each region has its own set, and messages are not copied between regions.

    The key's policy must let SNS generate data keys for the encrypted queues. This construct adds that statement
    to a key of the same CDK app; an imported key must have it already. It names the topics by prefix instead of by
    resource, because topics refer to the key and the key can't refer back.

    On delete: topics hold nothing and go with the stack; queues follow ``deletion_protection``.

    Exposes:
        topics: ``sns.Topic`` by declared name.
        queues: ``QueueWithDeadLetter`` by declared name.

    Documentation followed:
        Fanout to Amazon SQS queues
        https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
        Amazon SNS dead-letter queues
        https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
        Managing Amazon SNS encryption keys and costs
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topics: Sequence[str | TopicSettings],
        queues: Sequence[QueueSettings],
        key: kms.IKey,
        name_prefix: str,
        deletion_protection: bool = True,
    ) -> None:
        """Create topics, queues and subscriptions.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            topics: topics to create; a plain name makes a standard topic.
            queues: queues to create, each with the topics it receives from.
            key: encrypts topics and queues.
            name_prefix: first part of the physical names, the environment's name.
            deletion_protection: keep the queues when the stack is deleted. Default: true.

        Raises:
            ValueError: a name is declared twice, a queue names an undeclared topic or one topic twice, or a FIFO
                queue a standard topic (and the other way round).
        """
        super().__init__(scope, construct_id)
        declared = [TopicSettings(name=topic) if isinstance(topic, str) else topic for topic in topics]
        _check_declarations(declared, queues)
        self._key = key
        self._name_prefix = name_prefix
        self.topics = {topic.name: self._build_topic(topic) for topic in declared}
        self.queues = {
            settings.name: QueueWithDeadLetter(
                self,
                f"Queue-{settings.name}",
                settings=settings,
                key=key,
                name_prefix=name_prefix,
                deletion_protection=deletion_protection,
            )
            for settings in queues
        }
        self._allow_delivery_to_encrypted_queues()
        for settings in queues:
            for topic_name in settings.topics:
                self._subscribe(self.queues[settings.name], topic_name)

    def topic(self, name: str) -> sns.Topic:
        """Return the topic declared as ``name``; ValueError with the closest name when there is none."""
        if name not in self.topics:
            raise unknown_name("topic", name, self.topics)
        return self.topics[name]

    def queue(self, name: str) -> QueueWithDeadLetter:
        """Return the queue declared as ``name``; ValueError with the closest name when there is none."""
        if name not in self.queues:
            raise unknown_name("queue", name, self.queues)
        return self.queues[name]

    def grant_publish(self, grantee: iam.IGrantable, topic: str) -> iam.Grant:
        """Allow to publish to a topic, and to have SNS encrypt the messages."""
        topic_arn = self.topic(topic).topic_arn
        iam.Grant.add_to_principal(grantee=grantee, actions=["sns:Publish"], resource_arns=[topic_arn])
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resource_arns=[self._key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"sns.{location_of(self).region}.amazonaws.com"}},
        )

    def grant_consume(self, grantee: iam.IGrantable, queue: str) -> iam.Grant:
        """Allow to receive, delete and extend messages of a queue, and to decrypt them."""
        return self.queue(queue).grant_consume(grantee)

    def _build_topic(self, settings: TopicSettings) -> sns.Topic:
        fifo = settings.fifo
        return sns.Topic(
            self,
            f"Topic-{settings.name}",
            topic_name=f"{self._name_prefix}-{settings.name}{'.fifo' if fifo else ''}",
            master_key=self._key,
            enforce_ssl=True,
            fifo=True if fifo else None,
            content_based_deduplication=True if fifo else None,
            fifo_throughput_scope=sns.FifoThroughputScope.MESSAGE_GROUP if fifo else None,
        )

    def _subscribe(self, target: QueueWithDeadLetter, topic_name: str) -> None:
        # Written out, because the CDK's SqsSubscription adds the topic to the key's policy: a circle, as the
        # topic refers to the key.
        topic = self.topics[topic_name]
        delivery = iam.PolicyStatement(
            principals=[iam.ServicePrincipal("sns.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[target.queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
        )
        policy = target.queue.add_to_resource_policy(delivery).policy_dependable
        subscription = sns.Subscription(
            target,
            f"Subscription-{topic_name}",
            topic=topic,
            protocol=sns.SubscriptionProtocol.SQS,
            endpoint=target.queue.queue_arn,
            raw_message_delivery=True,
            dead_letter_queue=target.dead_letter_queue,
        )
        # Nothing published between the two would be lost, but it would land in the dead-letter queue.
        if policy is not None:
            subscription.node.add_dependency(policy)

    def _allow_delivery_to_encrypted_queues(self) -> None:
        if not any(queue.settings.topics for queue in self.queues.values()):
            return
        self._key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["kms:GenerateDataKey", "kms:Decrypt"],
                # In a key's policy, "*" is that key.
                resources=["*"],
                conditions={"ArnLike": {"aws:SourceArn": location_of(self).arn("sns", f"{self._name_prefix}-*")}},
            )
        )


def _check_declarations(topics: Sequence[TopicSettings], queues: Sequence[QueueSettings]) -> None:
    _refuse_duplicates("topic", [topic.name for topic in topics])
    _refuse_duplicates("queue", [queue.name for queue in queues])
    fifo_by_topic = {topic.name: topic.fifo for topic in topics}
    for queue in queues:
        _refuse_duplicates(f"topic of queue {queue.name!r}:", list(queue.topics))
        for topic in queue.topics:
            if topic not in fifo_by_topic:
                raise unknown_name(f"topic of queue {queue.name!r}:", topic, fifo_by_topic)
            if fifo_by_topic[topic] != queue.fifo:
                raise ValueError(
                    f"Queue {queue.name!r} (fifo={queue.fifo}) can't subscribe to topic {topic!r} "
                    f"(fifo={fifo_by_topic[topic]}): set fifo to the same value on both."
                )


def _refuse_duplicates(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"Duplicate {kind} {name!r}: every name may be declared once.")
