"""What our handlers of Route 53 do, and refuse as AWS would."""

from typing import Any

import pytest

from ops.emulator import Emulator

from .conftest import HERE, THERE, Deploy, one


@pytest.fixture(scope="module")
def zone(deploy: Deploy) -> str:
    """The id of a hosted zone."""
    return deploy(one("AWS::Route53::HostedZone", Name="example.com"), {"Id": {"Ref": "Thing"}}).outputs["Id"]


def test_a_record_outside_its_zone(deploy: Deploy, zone: str) -> None:
    stack = deploy(
        one("AWS::Route53::RecordSet", HostedZoneId=zone, Name="www.example.org", Type="CNAME", TTL="60",
             ResourceRecords=["a.example.com"])
    )  # fmt: skip
    assert "lies outside its hosted zone 'example.com'" in stack.reason


def test_an_alias_with_the_zone_of_something_else(deploy: Deploy, zone: str, balancers: dict[str, str]) -> None:
    target = {"DNSName": balancers[f"{HERE}-name"], "HostedZoneId": "Z2BJ6XQ5FK7U4H"}
    stack = deploy(
        one("AWS::Route53::RecordSet", HostedZoneId=zone, Name="a.example.com", Type="A", AliasTarget=target)
    )
    assert "names zone Z2BJ6XQ5FK7U4H, but its target's zone is" in stack.reason


def test_a_health_check_of_an_alarm_elsewhere(deploy: Deploy) -> None:
    alarm = one(
        "AWS::CloudWatch::Alarm", AlarmName="unhealthy", MetricName="Errors", Namespace="Platform", Threshold=1,
        EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    deploy(alarm)

    def check(region: str) -> dict[str, Any]:
        identifier = {"Name": "unhealthy", "Region": region}
        settings = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": identifier}
        return one("AWS::Route53::HealthCheck", HealthCheckConfig=settings)

    assert f"alarm 'unhealthy' does not exist in {THERE}" in deploy(check(THERE)).reason
    assert deploy(check(HERE)).status == "CREATE_COMPLETE"


def test_accelerated_recovery_of_a_zone_is_told(deploy: Deploy, emulator: Emulator) -> None:
    def zone(enabled: bool) -> dict[str, Any]:
        return one(
            "AWS::Route53::HostedZone",
            Name="fast.example.net",
            HostedZoneFeatures={"EnableAcceleratedRecovery": enabled},
        )

    def told() -> dict[str, Any]:
        found: dict[str, Any] = emulator.client("route53").get_hosted_zone(Id=stack.outputs["Id"])["HostedZone"]
        return found

    stack = deploy(zone(True), {"Id": {"Ref": "Thing"}})
    assert told()["Features"] == {"AcceleratedRecoveryStatus": "ENABLED"}
    stack.update(zone(False), {"Id": {"Ref": "Thing"}})
    assert "Features" not in told()
