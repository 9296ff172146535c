"""Alarms and logs.

Modelled: composite alarms, over the emulator's CloudWatch API.
Refused: a composite alarm of alarms that do not exist, an alarm whose topic is of another region or does not exist, a
log group whose key does not exist in its region or does not let the logs service use it.
"""

import json
import re

from ops.emulator.handlers.base import (
    Extension,
    Handler,
    Outcome,
    Properties,
    Refused,
    Request,
    as_bool,
    exists,
    extends,
    handles,
    region_of,
    tags_of,
)
from ops.emulator.handlers.rds import check_key

_NAMED_ALARM = re.compile(r"(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*\"?([^\")]+?)\"?\s*\)")
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def _check_actions(request: Request) -> None:
    for arn in [action for name in _ACTIONS for action in request.properties.get(name, [])]:
        if ":sns:" not in arn:
            continue
        if region_of(arn) != request.region:
            raise Refused(
                f"topic {arn} is in {region_of(arn)}: an alarm of {request.region} can only notify a topic there"
            )
        if exists(request.client("sns").get_topic_attributes, TopicArn=arn) is None:
            raise Refused(f"topic {arn!r} does not exist in {request.region}")


@extends("AWS::CloudWatch::Alarm")
class Alarm(Extension):
    """A metric alarm."""

    def check(self, request: Request) -> None:
        """The topics exist in the region."""
        _check_actions(request)


@handles("AWS::CloudWatch::CompositeAlarm")
class CompositeAlarm(Handler):
    """An alarm of alarms."""

    how = "native"
    reason = "through the emulator's CloudWatch API"

    def check(self, request: Request) -> None:
        """The topics exist, and so does each alarm of the rule."""
        _check_actions(request)
        rule = request.properties["AlarmRule"]
        names = [name.split(":alarm:")[-1] for name in _NAMED_ALARM.findall(rule)]
        if not names:
            return
        answer = request.client("cloudwatch").describe_alarms(
            AlarmNames=list(dict.fromkeys(names))[:100],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=100,
        )
        known = {alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in answer.get(kind, [])}
        missing = [name for name in names if name not in known]
        if missing:
            raise Refused(f"alarm {missing[0]!r} of the rule does not exist in {request.region}")

    def create(self, request: Request) -> Outcome:
        """Put the alarm."""
        properties = request.properties
        name = properties.get("AlarmName") or request.physical_id or request.generated_name(255)
        kept = (*_ACTIONS, "AlarmRule", "AlarmDescription", "ActionsSuppressor")
        arguments: Properties = {key: properties[key] for key in kept if key in properties}
        request.client("cloudwatch").put_composite_alarm(
            AlarmName=name,
            ActionsEnabled=as_bool(properties.get("ActionsEnabled"), default=True),
            Tags=tags_of(properties),
            **arguments,
        )
        return Outcome(name, {"Arn": request.arn("cloudwatch", f"alarm:{name}")})

    def update(self, request: Request) -> Outcome:
        """Put it again."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Delete."""
        request.client("cloudwatch").delete_alarms(AlarmNames=[request.physical_id])


@extends("AWS::Logs::LogGroup")
class LogGroup(Extension):
    """A log group's key.

    AWS: "Encrypt log data in CloudWatch Logs using AWS KMS",
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """

    def check(self, request: Request) -> None:
        """It exists, and its policy names the logs service of the region."""
        key = request.properties.get("KmsKeyId")
        if not key:
            return
        check_key(request, key)
        policy = request.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        text = json.dumps(json.loads(policy))
        if f"logs.{request.region}.amazonaws.com" not in text and "logs.amazonaws.com" not in text:
            raise Refused(f"the policy of KMS key {key} does not let logs.{request.region}.amazonaws.com use it")
