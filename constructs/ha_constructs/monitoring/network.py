"""Alarms of the way out (NAT gateways) and graphs of the way in (the accelerator)."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from ha_constructs.alert_channels import Severity
from ha_constructs.monitoring.alarm_book import Alarm, AlarmBook, Graph, chunks, combined, metric, numbered

# Global Accelerator publishes its metrics here, wherever its endpoints are.
ACCELERATOR_METRICS_REGION = "us-west-2"


def monitor_nat_gateways(book: AlarmBook, nat_gateway_ids: Sequence[str]) -> None:
    """Watch for connections that a NAT gateway could not open or dropped; an alarm for up to 10 gateways.

    Metrics: Monitor NAT gateways using Amazon CloudWatch
    (https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway-cloudwatch.html).
    """

    def total(name: str, label: str, portion: int, gateways: Sequence[str]) -> cloudwatch.MathExpression:
        return combined(
            "SUM",
            label,
            f"{name[0].lower()}{name[1:]}{portion}gateway",
            [
                metric("AWS/NATGateway", name, {"NatGatewayId": gateway}, statistic="Sum", label=f"Gateway {number}")
                for number, gateway in enumerate(gateways, start=1)
            ],
        )

    lines: list[Alarm] = []
    for index, gateways in enumerate(chunks(nat_gateway_ids)):
        lines.append(
            Alarm(
                name=numbered("nat-ports-exhausted", index),
                metric=total("ErrorPortAllocation", "Connections without a free port", index, gateways),
                severity=Severity.WARNING,
                above=0,
                meaning=(
                    "A NAT gateway had no free port: more than 55,000 connections to one destination. New "
                    "connections to it fail. Reuse connections, add addresses to the gateway, or a VPC endpoint "
                    "for the destination."
                ),
            )
        )
        lines.append(
            Alarm(
                name=numbered("nat-packets-dropped", index),
                metric=total("PacketsDropCount", "Packets dropped", index, gateways),
                severity=Severity.WARNING,
                above=100,
                periods=10,
                meaning="NAT gateways have dropped more than 100 packets a minute for 10 minutes. See the AWS Health "
                "dashboard for the zone.",
            )
        )
    book.add("NAT gateways", [Graph(title="Failures", lines=lines)])


def monitor_accelerator(book: AlarmBook, accelerator_arn: str) -> None:
    """Draw the accelerator's traffic.

    There is no alarm on it: its metrics exist in us-west-2 only, and an alarm must be in the region of its metric. Nor
    is one missing: the accelerator follows the health of the load balancers' targets, which have alarms here.

    Metrics: Using Amazon CloudWatch with AWS Global Accelerator
    (https://docs.aws.amazon.com/global-accelerator/latest/dg/cloudwatch-monitoring.html).
    """
    accelerator_id = cdk.Fn.select(1, cdk.Fn.split("/", accelerator_arn))

    def of(name: str) -> cloudwatch.Metric:
        return metric(
            "AWS/GlobalAccelerator",
            name,
            {"Accelerator": accelerator_id},
            statistic="Sum",
            region=ACCELERATOR_METRICS_REGION,
        )

    book.add(
        "Accelerator (all regions)",
        [
            Graph(title="New connections", lines=[of("NewFlowCount")]),
            Graph(title="Bytes", lines=[of("ProcessedBytesIn"), of("ProcessedBytesOut")]),
        ],
    )
