"""Rules about physical names."""

from collections.abc import Iterator

from ha_checks.assembly import Assembly
from ha_checks.intrinsics import UNKNOWN_PART
from ha_checks.resource import Resource
from ha_checks.rule import Finding, Settings, rule

THEME = "Names"

_NAMES: dict[str, tuple[str, ...]] = {
    "AWS::Backup::BackupVault": ("BackupVaultName",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::DynamoDB::Table": ("TableName",),
    "AWS::ECR::Repository": ("RepositoryName",),
    "AWS::ECS::Cluster": ("ClusterName",),
    "AWS::EKS::Addon": ("ClusterName", "AddonName"),
    "AWS::EKS::Cluster": ("Name",),
    "AWS::ElastiCache::ReplicationGroup": ("ReplicationGroupId",),
    "AWS::ElastiCache::SubnetGroup": ("CacheSubnetGroupName",),
    "AWS::ElastiCache::User": ("UserId",),
    "AWS::ElastiCache::UserGroup": ("UserGroupId",),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("Name",),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("Name",),
    "AWS::Events::EventBus": ("Name",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::IAM::User": ("UserName",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::RDS::DBCluster": ("DBClusterIdentifier",),
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
_OPTIONAL = {"SetIdentifier"}
_WHOLE_ACCOUNT = ("AWS::IAM::", "AWS::Route53::", "AWS::S3::Bucket", "AWS::RDS::GlobalCluster")
_ANY_CASE = ("AWS::RDS::", "AWS::ElastiCache::", "AWS::Route53::")


@rule(
    theme=THEME,
    why="The second stack that makes the name fails with `AlreadyExists`; roles, buckets and records meet across "
    "regions too.",
    mend="Put the stack's name or region into the name, or leave it to CloudFormation.",
    url="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html",
)
def duplicate_name(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A name that another resource of the account and region has."""
    taken: dict[tuple[object, ...], Resource] = {}
    for kind in _NAMES:
        for resource in assembly.of_type(kind):
            name = _name(resource)
            if name:
                everywhere = kind.startswith(_WHOLE_ACCOUNT)
                place: tuple[object, ...] = (resource.stack.account, None if everywhere else resource.region)
                if None in resource.stack.place:
                    # Stages whose account or region is open may deploy to places of their own.
                    place += resource.stack.family
                first = taken.setdefault((kind, *place, name), resource)
                if first is not resource:
                    where = "the account" if everywhere else resource.region or "the region"
                    message = f"{name.replace('|', ' ').strip()} is the name of {first.path} in {where} already"
                    yield Finding(resource, message, f"Properties.{_NAMES[kind][-1]}")


def _name(resource: Resource) -> str | None:
    """The name that a resource gets, as far as it is told by the template."""
    # Resources under a condition may be alternatives to each other.
    if resource.conditional:
        return None
    parts = []
    for path in _NAMES[resource.type]:
        target = resource.target(path)
        text = target.path if target else resource.text(path)
        if UNKNOWN_PART in text or not (text or path in _OPTIONAL):
            return None
        parts.append(text.rstrip("."))
    name = "|".join(parts)
    return name.lower() if resource.type.startswith(_ANY_CASE) else name
