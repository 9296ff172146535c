"""Settings that AWS itself does not tell: a template sets them, and no API of the service answers them.

The published schema of a type names them as write-only. They are counted apart from the settings that only the emulator
does not tell: a deployment to a real account could not be checked for them either. One that a finder tells all the same
is compared like any other.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from ops.emulator.schemas import UnknownTypeError, schema_of
from ops.rehearsal.verify.settings import Check

# Write-only for CloudFormation, but told by the service's own API: where the emulator does not tell one of these, that
# is a gap of the emulator.
_TOLD_BY_THE_SERVICE: dict[str, frozenset[str]] = {
    # DescribeCertificate
    "AWS::CertificateManager::Certificate": frozenset({"ValidationMethod"}),
    # DescribePullThroughCacheRules
    "AWS::ECR::PullThroughCacheRule": frozenset({"CredentialArn", "CustomRoleArn", "UpstreamRegistry"}),
    # DescribeAddon
    "AWS::EKS::Addon": frozenset({"PodIdentityAssociations"}),
    # DescribeGlobalReplicationGroups
    "AWS::ElastiCache::GlobalReplicationGroup": frozenset(
        {"CacheNodeType", "EngineVersion", "GlobalNodeGroupCount", "GlobalReplicationGroupIdSuffix"}
    ),
    # DescribeReplicationGroups and DescribeCacheClusters
    "AWS::ElastiCache::ReplicationGroup": frozenset(
        {
            "CacheParameterGroupName", "CacheSubnetGroupName", "EngineVersion", "KmsKeyId", "NotificationTopicArn",
            "NumNodeGroups", "PreferredMaintenanceWindow", "SecurityGroupIds",
        }
    ),
    # DescribeUsers
    "AWS::ElastiCache::User": frozenset({"AccessString", "AuthenticationMode"}),
    # GetKeyRotationStatus
    "AWS::KMS::Key": frozenset({"RotationPeriodInDays"}),
    # GetFunctionConfiguration
    "AWS::Lambda::Function": frozenset({"SnapStart", "SnapStart.ApplyOn"}),
    # DescribeDBInstances
    "AWS::RDS::DBInstance": frozenset({"SourceDBInstanceIdentifier"}),
    # GetBucketLifecycleConfiguration
    "AWS::S3::Bucket": frozenset(
        f"LifecycleConfiguration.Rules.*.{name}"
        for name in (
            "ExpiredObjectDeleteMarker", "NoncurrentVersionExpirationInDays", "NoncurrentVersionTransition",
            "Transition",
        )
    ),
    # DescribeParameters
    "AWS::SSM::Parameter": frozenset({"AllowedPattern", "Description", "Policies", "Tier"}),
}  # fmt: skip
# Told in part only, which the schema cannot say: DescribeUsers tells the number of passwords.
_WITHIN_WHAT_IS_TOLD: dict[str, tuple[str, ...]] = {"AWS::ElastiCache::User": ("AuthenticationMode.Passwords",)}
_SECRET = frozenset(
    {"AuthToken", "ClientSecret", "MasterUserPassword", "Passwords", "SecretString", "TdeCredentialPassword"}
)


def set_apart(
    resource_type: str, region: str, declared: Mapping[str, Any], found: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Check]]:
    """Take from the declared settings those that AWS does not tell.

    Arguments:
        resource_type: CloudFormation type name.
        region: whose schema of the type counts.
        declared: the declared settings; they stay as they are.
        found: what the finder tells.

    Returns the settings left to be compared, and a check with the outcome ``withheld`` for each one taken.
    """
    left = copy.deepcopy(dict(declared))
    checks = [
        Check(setting, "not shown" if setting.rsplit(".", 1)[-1] in _SECRET else value, None, "withheld")
        for path in _withheld_paths(resource_type, region)
        for setting, value in list(_taken(left, found, path.split(".")))
    ]
    return left, checks


def _withheld_paths(resource_type: str, region: str) -> list[str]:
    if not resource_type.startswith("AWS::"):
        return []
    try:
        paths = schema_of(resource_type, region).write_only
    except UnknownTypeError:
        return []
    told = _TOLD_BY_THE_SERVICE.get(resource_type, frozenset())
    return [*(path for path in paths if path not in told), *_WITHIN_WHAT_IS_TOLD.get(resource_type, ())]


def _taken(declared: Any, found: Any, path: list[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Take what lies at ``path`` out of ``declared``, unless it is found; a mapping that is left empty goes too."""
    name, rest = path[0], path[1:]
    if name == "*":
        told = {key: value for item in _items(found) for key, value in item.items()}
        for item in _items(declared):
            yield from _taken(item, told, rest, f"{prefix}*.")
    elif isinstance(declared, dict) and name in declared:
        inner = found.get(name) if isinstance(found, Mapping) else None
        if rest:
            yield from _taken(declared[name], inner, rest, f"{prefix}{name}.")
        elif inner is None:
            yield prefix + name, declared.pop(name)
        if rest and declared[name] == {}:
            del declared[name]


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
