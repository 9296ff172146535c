"""What our handlers of alarms do, and refuse as AWS would."""

from ops.emulator import Emulator

from .conftest import ACCOUNT, HERE, THERE, Deploy, one


def test_a_topic_of_another_region(deploy: Deploy) -> None:
    stack = deploy(
        one("AWS::CloudWatch::Alarm", MetricName="Errors", Namespace="Platform", Threshold=1, EvaluationPeriods=1,
             ComparisonOperator="GreaterThanThreshold", AlarmActions=[f"arn:aws:sns:{THERE}:{ACCOUNT}:critical"])
    )  # fmt: skip
    assert f"an alarm of {HERE} can only notify a topic there" in stack.reason


def test_a_composite_of_an_alarm_that_does_not_exist(deploy: Deploy) -> None:
    stack = deploy(one("AWS::CloudWatch::CompositeAlarm", AlarmName="region", AlarmRule='ALARM("none")'))
    assert "alarm 'none' of the rule does not exist" in stack.reason


def test_an_alarm_on_an_expression_keeps_it(deploy: Deploy, emulator: Emulator) -> None:
    stat = {"Metric": {"MetricName": "Errors", "Namespace": "Platform"}, "Period": 60, "Stat": "Sum"}
    metrics = [
        {"Id": "errors", "MetricStat": stat, "ReturnData": False},
        {"Id": "rate", "Expression": "errors / 60", "ReturnData": True},
    ]
    deploy(
        one("AWS::CloudWatch::Alarm", AlarmName="rate", Metrics=metrics, Threshold=1, EvaluationPeriods=1,
             ComparisonOperator="GreaterThanThreshold")
    )  # fmt: skip
    alarm = emulator.client("cloudwatch").describe_alarms(AlarmNames=["rate"])["MetricAlarms"][0]
    assert [metric["Id"] for metric in alarm["Metrics"]] == ["errors", "rate"]
