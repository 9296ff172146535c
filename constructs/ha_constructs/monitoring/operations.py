"""Alarms of what keeps the platform running: its own functions, the certificate, the backups."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
import cdk_monitoring_constructs as monitoring
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from ha_constructs.alert_channels import Severity
from ha_constructs.monitoring.alarm_book import Alarm, AlarmBook, Graph, chunks, combined, expression, metric, numbered

FIVE_MINUTES = cdk.Duration.minutes(5)
ONE_HOUR = cdk.Duration.hours(1)
CERTIFICATE_DAYS = 30


def monitor_functions(book: AlarmBook, functions: Mapping[str, lambda_.IFunction]) -> None:
    """Watch the platform's own functions for errors; one alarm for up to 10 functions.

    Metrics: Using CloudWatch metrics with Lambda
    (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html).
    """

    def errors(index: int, names: Sequence[str]) -> cloudwatch.MathExpression:
        return combined(
            "SUM",
            "Errors",
            f"portion{index}function",
            [
                metric(
                    "AWS/Lambda",
                    "Errors",
                    {"FunctionName": functions[name].function_name},
                    statistic="Sum",
                    label=name,
                    period=FIVE_MINUTES,
                )
                for name in names
            ],
            period=FIVE_MINUTES,
        )

    book.add(
        "Functions",
        [
            Graph(
                title="Errors",
                lines=[
                    Alarm(
                        name=numbered("functions-errors", index),
                        metric=errors(index, names),
                        severity=Severity.WARNING,
                        above=0,
                        periods=1,
                        meaning=f"One of the platform's own functions failed: {', '.join(names)}. See its log group.",
                    )
                    for index, names in enumerate(chunks(sorted(functions)))
                ],
            )
        ],
    )


def monitor_certificate(book: AlarmBook, certificate: acm.ICertificate) -> None:
    """Watch the days left; ACM renews 60 days before the end, so 30 mean that renewal has failed for a month.

    Metrics: Supported CloudWatch metrics (https://docs.aws.amazon.com/acm/latest/userguide/cloudwatch-metrics.html).
    """
    book.facade.monitor_certificate(
        certificate=certificate,
        human_readable_name="Certificate",
        alarm_friendly_name="certificate",
        add_days_to_expiry_alarm={
            Severity.WARNING.value: monitoring.DaysToExpiryThreshold(
                min_days_to_expiry=CERTIFICATE_DAYS,
                alarm_name_override=book.alarm_name("certificate-expiry"),
                alarm_description_override=(
                    f"The certificate expires in less than {CERTIFICATE_DAYS} days: ACM could not renew it. See its "
                    "validation record in the zone and the CAA records."
                ),
                # Published twice a day: hours without it say nothing.
                period=cdk.Duration.days(1),
                evaluation_periods=1,
                datapoints_to_alarm=1,
                treat_missing_data_override=cloudwatch.TreatMissingData.IGNORE,
            )
        },
    )


def monitor_backups(book: AlarmBook, vault_name: str) -> None:
    """Watch for backup and copy jobs that failed, within the hour.

    Metrics: AWS Backup metrics with CloudWatch
    (https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html).
    """

    def failed(name: str) -> cloudwatch.Metric:
        return metric("AWS/Backup", name, {"BackupVaultName": vault_name}, statistic="Sum", period=ONE_HOUR)

    book.add(
        "Backups",
        [
            Graph(
                title="Failed jobs",
                lines=[
                    Alarm(
                        name="backup-failed",
                        metric=expression(
                            "FILL(backups, 0) + FILL(copies, 0)",
                            "Backup and copy jobs that failed",
                            {
                                "backups": failed("NumberOfBackupJobsFailed"),
                                "copies": failed("NumberOfCopyJobsFailed"),
                            },
                            period=ONE_HOUR,
                        ),
                        severity=Severity.WARNING,
                        above=0,
                        periods=1,
                        meaning=(
                            "A backup, or its copy to another region, failed. See the vault's jobs; the next run "
                            "is due by the plan's schedule."
                        ),
                    )
                ],
            )
        ],
    )
