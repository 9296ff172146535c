"""Physical names: which property names a resource, and who holds a name.

AWS refuses a second resource of the same type and name in an account and region (in the whole account for IAM,
Route 53 and the like, in the world for S3 buckets); stacks that know nothing of each other meet there.
"""

from threading import Lock
from typing import Any

from ops.emulator.schemas import ResourceSchema

_NAME_PROPERTIES: dict[str, tuple[str, ...]] = {
    "AWS::Backup::BackupVault": ("BackupVaultName",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::EC2::SecurityGroup": ("VpcId", "GroupName"),
    "AWS::ECR::PullThroughCacheRule": ("EcrRepositoryPrefix",),
    "AWS::ECR::Repository": ("RepositoryName",),
    "AWS::ECR::RepositoryCreationTemplate": ("Prefix",),
    "AWS::EKS::Addon": ("ClusterName", "AddonName"),
    "AWS::EKS::Cluster": ("Name",),
    "AWS::ElastiCache::ReplicationGroup": ("ReplicationGroupId",),
    "AWS::ElastiCache::SubnetGroup": ("CacheSubnetGroupName",),
    "AWS::ElastiCache::User": ("UserId",),
    "AWS::ElastiCache::UserGroup": ("UserGroupId",),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("Name",),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("Name",),
    "AWS::Events::Rule": ("EventBusName", "Name"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::IAM::User": ("UserName",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::RDS::DBCluster": ("DBClusterIdentifier",),
    "AWS::RDS::DBClusterParameterGroup": ("DBClusterParameterGroupName",),
    "AWS::RDS::DBInstance": ("DBInstanceIdentifier",),
    "AWS::RDS::DBParameterGroup": ("DBParameterGroupName",),
    "AWS::RDS::DBProxy": ("DBProxyName",),
    "AWS::RDS::DBSubnetGroup": ("DBSubnetGroupName",),
    "AWS::RDS::GlobalCluster": ("GlobalClusterIdentifier",),
    "AWS::Route53::RecordSet": ("HostedZoneId", "Name", "Type", "SetIdentifier"),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::SQS::Queue": ("QueueName",),
    "AWS::SSM::Parameter": ("Name",),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::WAFv2::WebACL": ("Scope", "Name"),
}
_OPTIONAL_PARTS = {"EventBusName", "SetIdentifier"}
_GLOBAL_PREFIXES = ("AWS::IAM::", "AWS::Route53::", "AWS::S3::Bucket", "AWS::CloudFront::", "AWS::Chatbot::")
_ANY_CASE_PREFIXES = ("AWS::RDS::", "AWS::ElastiCache::", "AWS::Route53::")
# Rules of one security group are told apart by their content, attachments by what they join: neither is a name.
_NAMELESS_TYPES = {"AWS::CDK::Metadata", "AWS::SNS::TopicInlinePolicy", "AWS::SQS::QueueInlinePolicy"}


class DuplicateNameError(ValueError):
    """The name belongs to a resource already."""


def explicit_name(schema: ResourceSchema, properties: dict[str, Any]) -> str | None:
    """The name that the template gives the resource, ``None`` where CloudFormation makes one up."""
    names = _NAME_PROPERTIES.get(schema.type)
    if names is None:
        names = schema.primary_identifier
        if not names or schema.type in _NAMELESS_TYPES or any(name in schema.read_only_attributes for name in names):
            return None
    values = [properties.get(name) for name in names]
    if any(value in (None, "") and name not in _OPTIONAL_PARTS for name, value in zip(names, values, strict=True)):
        return None
    name = "|".join(str(value or "").rstrip(".") for value in values)
    return name.lower() if schema.type.startswith(_ANY_CASE_PREFIXES) else name


class NameRegistry:
    """Who holds which name."""

    def __init__(self) -> None:
        """Start with no name taken."""
        self._owners: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._lock = Lock()

    def claim(self, resource_type: str, region: str, name: str, owner: tuple[str, str]) -> None:
        """Give ``name`` to ``owner`` (stack and logical id); raises ``DuplicateNameError`` where another one has it."""
        key = (resource_type, _scope(resource_type, region), name)
        with self._lock:
            holder = self._owners.setdefault(key, owner)
        if holder != owner:
            place = "the account" if key[1] == "global" else region
            raise DuplicateNameError(
                f"{resource_type} {name!r} exists already in {place}: it belongs to {holder[1]} of stack {holder[0]}"
            )

    def release(self, resource_type: str, region: str, name: str, owner: tuple[str, str]) -> None:
        """Free ``name`` if ``owner`` holds it."""
        key = (resource_type, _scope(resource_type, region), name)
        with self._lock:
            if self._owners.get(key) == owner:
                del self._owners[key]


def _scope(resource_type: str, region: str) -> str:
    return "global" if resource_type.startswith(_GLOBAL_PREFIXES) else region
