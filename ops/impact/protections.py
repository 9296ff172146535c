"""Finds protection that becomes weaker: deletion protection, retention, standby, encryption, and exposure to the world.

Each row names a property and when its change weakens. Plain properties go in (``values.plain``).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.impact.changes import Effect, Finding
from ops.impact.consequences import deletion_policy
from ops.impact.values import MISSING, at

Weaker = Callable[[Any, Any], bool]
_POLICY_STRENGTH = {"Delete": 0, "Snapshot": 1, "RetainExceptOnCreate": 2, "Retain": 2}


@dataclass(frozen=True, kw_only=True)
class Protection:
    """A property that protects: where it lies, when its change weakens, and how to say so."""

    type: str
    path: str
    weaker: Weaker
    message: str
    effect: Effect = Effect.WEAKENING
    world: bool = False


def _is_on(value: Any) -> bool:
    return str(value).lower() in ("true", "enabled", "required")


def _switched_off(before: Any, after: Any) -> bool:
    return _is_on(before) and not _is_on(after)


def _switched_on(before: Any, after: Any) -> bool:
    return not _is_on(before) and _is_on(after)


def _lowered(before: Any, after: Any) -> bool:
    """Whether a number fell, or a limit came where there was none (which keeps for ever)."""
    old, new = _number(before), _number(after)
    if new is None:
        return False
    return before is MISSING or (old is not None and new < old)


def _lowered_or_gone(before: Any, after: Any) -> bool:
    old, new = _number(before), _number(after)
    return old is not None and old > 0 and (after is MISSING or (new is not None and new < old))


def _shrunk(before: Any, after: Any) -> bool:
    return isinstance(before, list) and (after is MISSING or (isinstance(after, list) and len(after) < len(before)))


def _gone(before: Any, after: Any) -> bool:
    return before is not MISSING and after is MISSING


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _rows(types: str | tuple[str, ...], weaker: Weaker, rows: Mapping[str, str], **more: Any) -> Iterator[Protection]:
    for resource_type in (types,) if isinstance(types, str) else types:
        for path, message in rows.items():
            yield Protection(type=resource_type, path=path, weaker=weaker, message=message, **more)


_DATABASES = ("AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::RDS::GlobalCluster")
_GROUP = "AWS::ElastiCache::ReplicationGroup"
_PUBLIC_BLOCK = "PublicAccessBlockConfiguration"
_PROTECTIONS = (
    *_rows(
        (*_DATABASES, "AWS::EKS::Cluster"), _switched_off, {"DeletionProtection": "deletion protection is switched off"}
    ),
    *_rows("AWS::DynamoDB::Table", _switched_off, {"DeletionProtectionEnabled": "deletion protection is switched off"}),
    *_rows(
        _DATABASES,
        _switched_off,
        {
            "MultiAZ": "there is no standby in another zone any more",
            "StorageEncrypted": "storage is not encrypted any more",
            "CopyTagsToSnapshot": "snapshots do not carry the tags any more",
        },
    ),
    *_rows(_DATABASES, _lowered_or_gone, {"BackupRetentionPeriod": "backups are kept for fewer days"}),
    *_rows(_DATABASES, _switched_on, {"DeleteAutomatedBackups": "its automated backups are deleted with it"}),
    *_rows(
        _DATABASES,
        _switched_on,
        {"PubliclyAccessible": "it has a public address"},
        effect=Effect.BROADENING,
        world=True,
    ),
    *_rows(
        _GROUP,
        _switched_off,
        {
            "MultiAZEnabled": "its nodes may all be in one zone",
            "AutomaticFailoverEnabled": "it does not fail over by itself any more",
            "AtRestEncryptionEnabled": "it is not encrypted at rest any more",
            "TransitEncryptionEnabled": "it is not encrypted in transit any more",
            "TransitEncryptionMode": "it accepts connections that are not encrypted",
        },
    ),
    *_rows(
        _GROUP,
        _lowered_or_gone,
        {
            "SnapshotRetentionLimit": "snapshots are kept for fewer days",
            "NumCacheClusters": "it has fewer nodes",
            "ReplicasPerNodeGroup": "its shards have fewer replicas",
        },
    ),
    *_rows(_GROUP, _gone, {"UserGroupIds": "nobody has to authenticate any more"}),
    *_rows("AWS::KMS::Key", _switched_off, {"EnableKeyRotation": "the key is not rotated any more"}),
    *_rows("AWS::KMS::Key", _lowered_or_gone, {"PendingWindowInDays": "a deletion can be taken back for fewer days"}),
    *_rows("AWS::Logs::LogGroup", _lowered, {"RetentionInDays": "logs are kept for fewer days, older ones go"}),
    *_rows(("AWS::Logs::LogGroup", "AWS::S3::Bucket"), _gone, {"KmsKeyId": "it has no key of its own any more"}),
    *_rows(
        "AWS::SQS::Queue",
        _lowered_or_gone,
        {"MessageRetentionPeriod": "messages are kept for a shorter time, older ones are deleted"},
    ),
    *_rows(
        "AWS::SQS::Queue",
        _gone,
        {
            "RedrivePolicy": "messages that fail are dropped: there is no dead-letter queue any more",
            "KmsMasterKeyId": "it is not encrypted with its own key any more",
        },
    ),
    *_rows("AWS::SNS::Topic", _gone, {"KmsMasterKeyId": "it is not encrypted with its own key any more"}),
    *_rows("AWS::S3::Bucket", _gone, {"BucketEncryption": "it names no encryption any more"}),
    *_rows("AWS::S3::Bucket", _switched_off, {"VersioningConfiguration.Status": "objects are not versioned any more"}),
    *_rows(
        "AWS::S3::Bucket",
        _switched_off,
        {f"{_PUBLIC_BLOCK}.{name}": f"{name} is off: the bucket can be made public"
         for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")},
    ),
    *_rows("AWS::Backup::BackupVault", _gone, {"LockConfiguration": "recovery points can be deleted early"}),
    *_rows(
        "AWS::Backup::BackupPlan",
        _shrunk,
        {
            "BackupPlan.BackupPlanRule": "a rule of the backup plan is gone",
            "BackupPlan.BackupPlanRule.*.CopyActions": "fewer rules copy backups to another region",
        },
    ),
    *_rows(
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::RDS::DBSubnetGroup", "AWS::ElastiCache::SubnetGroup"),
        _shrunk,
        {"Subnets": "it spans fewer zones", "SubnetIds": "it spans fewer zones"},
    ),
    *_rows("AWS::EKS::Cluster", _shrunk, {"ResourcesVpcConfig.SubnetIds": "it spans fewer zones"}),
    *_rows(
        "AWS::EKS::Cluster",
        _switched_on,
        {"ResourcesVpcConfig.EndpointPublicAccess": "its API server has a public endpoint"},
        effect=Effect.BROADENING,
    ),
    *_rows("AWS::ECR::Repository", lambda old, new: old == "IMMUTABLE" and new != old,
           {"ImageTagMutability": "image tags can be overwritten"}),
    *_rows(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        lambda old, new: new == "internet-facing" and old != new,
        {"Scheme": "it faces the internet"},
        effect=Effect.BROADENING,
        world=True,
    ),
)  # fmt: skip


def weaker_protection(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Finding]:
    """Return how a resource is less protected or more exposed than before.

    Arguments:
        before: its body, with plain properties.
        after: the same of after.
    """
    findings = []
    for row in _PROTECTIONS:
        if row.type != after["Type"]:
            continue
        path = row.path.split(".")
        old, new = at(before.get("Properties", {}), path), at(after.get("Properties", {}), path)
        if row.weaker(old, new):
            values = "" if isinstance(old, dict | list) or isinstance(new, dict | list) else f" ({old} -> {new})"
            findings.append(Finding(effect=row.effect, message=row.message + values, world=row.world))
    return [
        *findings,
        *_weaker_attributes(before, after),
        *_weaker_policy(before, after),
        *_shorter_backups(before, after),
        *_open_api_server(before, after),
    ]


def _weaker_policy(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    pairs = {
        "DeletionPolicy": (deletion_policy(before), deletion_policy(after)),
        "UpdateReplacePolicy": (
            before.get("UpdateReplacePolicy", "Delete"),
            after.get("UpdateReplacePolicy", "Delete"),
        ),
    }
    for name, (old, new) in pairs.items():
        if _POLICY_STRENGTH.get(str(new), 0) < _POLICY_STRENGTH.get(str(old), 0):
            yield Finding(effect=Effect.WEAKENING, message=f"{name} is weaker ({old} -> {new})")


def _weaker_attributes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    if after["Type"] != "AWS::ElasticLoadBalancingV2::LoadBalancer":
        return
    old, new = (
        {each.get("Key"): each.get("Value") for each in body.get("Properties", {}).get("LoadBalancerAttributes", [])}
        for body in (before, after)
    )
    for key, message in {
        "deletion_protection.enabled": "deletion protection is switched off",
        "load_balancing.cross_zone.enabled": "it does not balance across zones any more",
    }.items():
        if _switched_off(old.get(key), new.get(key)):
            yield Finding(effect=Effect.WEAKENING, message=message)


def _shorter_backups(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    if after["Type"] != "AWS::Backup::BackupPlan":
        return
    old, new = (
        {each.get("RuleName"): each for each in _listed(at(body, ("Properties", "BackupPlan", "BackupPlanRule")))}
        for body in (before, after)
    )
    for name in sorted(set(old) & set(new), key=str):
        for path in (("Lifecycle", "DeleteAfterDays"), ("CopyActions", "*", "Lifecycle", "DeleteAfterDays")):
            days = [at(rule, path) for rule in (old[name], new[name])]
            lists = [each if isinstance(each, list) else [each] for each in days]
            if any(_lowered(was, now) for was, now in zip(*lists, strict=False)):
                yield Finding(effect=Effect.WEAKENING, message=f"backups of the rule {name} are kept for fewer days")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _open_api_server(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    path = ("Properties", "ResourcesVpcConfig", "PublicAccessCidrs")
    if after["Type"] != "AWS::EKS::Cluster" or not isinstance(at(after, path), list):
        return
    known = at(before, path)
    for cidr in at(after, path):
        if known is MISSING or cidr not in known:
            message = f"its API server is reached from {cidr}"
            yield Finding(effect=Effect.BROADENING, message=message, world=cidr in ("0.0.0.0/0", "::/0"))
