"""Alarms of queues with their dead-letter queues, and of topics."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
import cdk_monitoring_constructs as monitoring
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns

from ha_constructs.alert_channels import Severity
from ha_constructs.monitoring.alarm_book import Alarm, AlarmBook, Graph, chunks, combined, metric, numbered
from ha_constructs.monitoring.systems import MonitoredQueue

FIVE_MINUTES = cdk.Duration.minutes(5)


def monitor_queue(book: AlarmBook, queue: MonitoredQueue) -> None:
    """Watch the age of the oldest message, and whether anything lies in the dead-letter queue.

    Metrics: Available CloudWatch metrics for Amazon SQS
    (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html).
    """
    age = queue.maximum_message_age or cdk.Duration.minutes(15)
    book.facade.monitor_sqs_queue_with_dlq(
        queue=queue.queue,
        dead_letter_queue=queue.dead_letter_queue,
        human_readable_name=f"Queue {queue.name}",
        alarm_friendly_name=queue.name,
        add_queue_max_message_age_alarm={
            Severity.WARNING.value: monitoring.MaxMessageAgeThreshold(
                max_age_in_seconds=age.to_seconds(),
                alarm_name_override=book.alarm_name(f"queue-{queue.name}-delay"),
                alarm_description_override=f"The oldest message of queue {queue.name} is older than "
                f"{age.to_human_string()}: workers are too few, or stuck on it.",
                evaluation_periods=5,
                datapoints_to_alarm=5,
                # An idle queue sends no metrics after 6 hours.
                treat_missing_data_override=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
        },
        add_dead_letter_queue_max_size_alarm={
            Severity.WARNING.value: monitoring.MaxMessageCountThreshold(
                max_message_count=0,
                alarm_name_override=book.alarm_name(f"queue-{queue.name}-dead-letters"),
                alarm_description_override=(
                    f"Messages of queue {queue.name} could not be handled and lie in its dead-letter queue. Read "
                    "one, mend the worker, then redrive them; they are deleted when their retention is over."
                ),
                evaluation_periods=1,
                datapoints_to_alarm=1,
                treat_missing_data_override=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
        },
    )


def monitor_topics(book: AlarmBook, topics: Mapping[str, sns.ITopic]) -> None:
    """Watch whether topics reach their subscribers; one alarm for up to 10 topics.

    Metrics: Monitoring Amazon SNS topics using CloudWatch
    (https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html).
    """

    def failures(index: int, names: Sequence[str]) -> cloudwatch.MathExpression:
        return combined(
            "SUM",
            "Deliveries that failed",
            f"portion{index}topic",
            [
                metric(
                    "AWS/SNS",
                    "NumberOfNotificationsFailed",
                    {"TopicName": topics[name].topic_name},
                    statistic="Sum",
                    label=name,
                    period=FIVE_MINUTES,
                )
                for name in names
            ],
            period=FIVE_MINUTES,
        )

    book.add(
        "Topics",
        [
            Graph(
                title="Failed deliveries",
                lines=[
                    Alarm(
                        name=numbered("topics-undelivered", index),
                        metric=failures(index, names),
                        severity=Severity.WARNING,
                        above=0,
                        periods=1,
                        meaning=(
                            f"SNS could not deliver messages of these topics to a subscriber: {', '.join(names)}. "
                            "See the queue's policy and the KMS keys' policies."
                        ),
                    )
                    for index, names in enumerate(chunks(sorted(topics)))
                ],
            )
        ],
    )
