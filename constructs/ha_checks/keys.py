"""Rules about keys: a key's policy must let those services in that use the key by themselves."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from ha_checks.assembly import Assembly, StackTemplate
from ha_checks.intrinsics import UNKNOWN, UNKNOWN_PART
from ha_checks.resource import Resource, as_list, target_of
from ha_checks.rule import Finding, Settings, rule

THEME = "Keys"
_NEEDED = ("kms:Decrypt", "kms:GenerateDataKey")
_TOPIC, _QUEUE = "AWS::SNS::Topic", "AWS::SQS::Queue"


@rule(
    theme=THEME,
    why="Nobody notices: alarms go off and are never heard, because CloudWatch may not encrypt for the topic; log "
    "groups are refused outright. The default policy lets the account's users in, no service.",
    mend="Allow the service's principal `kms:Decrypt` and `kms:GenerateDataKey*` in the key's policy (a customer "
    "managed key: the policy of `alias/aws/sns` and `alias/aws/sqs` can't be changed).",
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
)
def key_policy_without_service(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A key whose policy leaves out a service that must use it."""
    for group in assembly.of_type("AWS::Logs::LogGroup"):
        region = group.region or "*"
        yield from _refused(group, "KmsKeyId", (f"logs.{region}.amazonaws.com", "logs.amazonaws.com"), "holds logs")
    for principal, source, value in _senders(assembly):
        for encrypted in _receivers(value, source.stack):
            yield from _refused(encrypted, "KmsMasterKeyId", (principal,), f"receives from {source.type}")


def _senders(assembly: Assembly) -> Iterator[tuple[str, Resource, Any]]:
    """Service principal, resource and target wherever a service sends to a topic or queue by itself."""
    for alarm in assembly.of_type("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        for path in ("AlarmActions", "OKActions", "InsufficientDataActions"):
            for action in alarm.items(path):
                yield "cloudwatch.amazonaws.com", alarm, action
    for event_rule in assembly.of_type("AWS::Events::Rule"):
        for target in event_rule.items("Targets"):
            # With a role EventBridge sends as that role, and the key's policy must let the account in.
            if isinstance(target, dict) and "RoleArn" not in target:
                yield "events.amazonaws.com", event_rule, target.get("Arn")
    for subscription in assembly.of_type("AWS::SNS::Subscription"):
        if subscription.get("Protocol") == "sqs":
            yield "sns.amazonaws.com", subscription, subscription.get("Endpoint")
            yield "sns.amazonaws.com", subscription, subscription.get("RedrivePolicy.deadLetterTargetArn")
    for events in assembly.of_type("AWS::RDS::EventSubscription"):
        yield "events.rds.amazonaws.com", events, events.get("SnsTopicArn")
    for bucket in assembly.of_type("AWS::S3::Bucket"):
        for path, name in (("Topic", "Topic"), ("Queue", "Queue")):
            for item in bucket.items(f"NotificationConfiguration.{path}Configurations"):
                yield "s3.amazonaws.com", bucket, item.get(name) if isinstance(item, dict) else None


def _receivers(value: Any, stack: StackTemplate) -> Iterator[Resource]:
    target = target_of(value)
    if target and target.type in (_TOPIC, _QUEUE):
        yield target
    elif isinstance(value, str) and ":sns:" in value:
        for topic in stack.assembly.of_type(_TOPIC):
            if topic.region == stack.region and topic.get("TopicName") == value.rpartition(":")[2]:
                yield topic


def _refused(encrypted: Resource, path: str, principals: tuple[str, ...], use: str) -> Iterator[Finding]:
    value = encrypted.get(path)
    name = principals[0]
    if value in ("alias/aws/sns", "alias/aws/sqs"):
        yield Finding(encrypted, f"{use}, but {value} lets no service in ({name})", f"Properties.{path}")
        return
    key = _key(value, encrypted)
    if key and not _allows(key, principals):
        yield Finding(key, f"the policy does not let {name} in; {encrypted.path} {use}", "Properties.KeyPolicy")


def _key(value: Any, user: Resource) -> Resource | None:
    found = target_of(value)
    if found is None and isinstance(value, str):
        # By its alias, literally, in the same account and region.
        for alias in user.stack.assembly.of_type("AWS::KMS::Alias"):
            if alias.stack.place == user.stack.place and value.endswith(str(alias.get("AliasName"))):
                found = alias
    if found and found.type == "AWS::KMS::Alias":
        found = found.target("TargetKeyId")
    return found if found and found.type in ("AWS::KMS::Key", "AWS::KMS::ReplicaKey") else None


def _allows(key: Resource, principals: tuple[str, ...]) -> bool:
    policy = key.get("KeyPolicy")
    if not isinstance(policy, dict):
        # CDK and AWS differ in what they put in place of no policy; an unknown one may say anything.
        return policy is UNKNOWN
    granted: set[str] = set()
    for statement in as_list(policy.get("Statement")):
        if not isinstance(statement, dict):
            return True
        if statement.get("Effect") == "Allow" and _names(statement.get("Principal"), principals):
            actions = [str(action) for action in as_list(statement.get("Action"))]
            granted |= {need for need in _NEEDED if any(_covers(action, need) for action in actions)}
    return granted == set(_NEEDED)


def _covers(action: str, needed: str) -> bool:
    return fnmatchcase(needed.lower(), action.lower())


def _names(principal: Any, wanted: tuple[str, ...]) -> bool:
    if principal == "*" or principal is UNKNOWN:
        return True
    if not isinstance(principal, dict):
        return False
    if "*" in as_list(principal.get("AWS")):
        return True
    return any(
        service in wanted or not isinstance(service, str) or UNKNOWN_PART in service
        for service in as_list(principal.get("Service"))
    )
