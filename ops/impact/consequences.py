"""What it means that a resource is replaced, renamed or deleted: what stops, for how long, and what is at stake.

Types that hold data or an identity are guarded: the gate wants an approval before one of them goes. Durations are
published figures with their page; where AWS publishes none, that is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.impact.behaviours import NONE_PUBLISHED
from ops.impact.changes import Consequence, Effect

_AWS = "https://docs.aws.amazon.com"
_UPDATE_BEHAVIOURS = f"{_AWS}/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html"
_DELETION_POLICY = f"{_AWS}/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What a guarded type holds.

    Arguments:
        what: one or two words for people.
        stops: what does not answer once it is gone.
        data: what is lost with it, empty where it holds an identity only.
        source: page about its loss or replacement.
        duration: how long it takes or lasts, as published.
    """

    what: str
    stops: str
    data: str
    source: str
    duration: str = NONE_PUBLISHED


_DATABASE = Holding(
    what="database",
    stops="everything that reads or writes it; a replacement has another endpoint and starts empty",
    data="all its data and its automated backups, unless they are retained",
    source=f"{_AWS}/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html",
)
_CACHE = Holding(
    what="cache",
    stops="everything that reads or writes it; a replacement has another endpoint and starts empty",
    data="what is cached",
    source=f"{_AWS}/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticache-replicationgroup.html",
)
_KEY = Holding(
    what="key",
    stops="reading whatever it encrypts",
    data="everything encrypted with it can't be read again once it is deleted",
    source=f"{_AWS}/kms/latest/APIReference/API_ScheduleKeyDeletion.html",
    duration="disabled at once, deleted after 7 to 30 days, and for ever",
)
_HOLDINGS = {
    "AWS::EKS::Cluster": Holding(
        what="cluster",
        stops="its API server and every workload in it; a replacement starts empty and its nodes must join anew",
        data="all Kubernetes objects; volumes whose claims are deleted",
        source=f"{_AWS}/eks/latest/userguide/delete-cluster.html",
        duration="creating a cluster takes several minutes",
    ),
    "AWS::RDS::DBInstance": _DATABASE,
    "AWS::RDS::DBCluster": _DATABASE,
    "AWS::RDS::GlobalCluster": _DATABASE,
    "AWS::DynamoDB::Table": _DATABASE,
    "AWS::DynamoDB::GlobalTable": _DATABASE,
    "AWS::ElastiCache::ReplicationGroup": _CACHE,
    "AWS::ElastiCache::GlobalReplicationGroup": _CACHE,
    "AWS::ElastiCache::ServerlessCache": _CACHE,
    "AWS::ElastiCache::CacheCluster": _CACHE,
    "AWS::KMS::Key": _KEY,
    "AWS::KMS::ReplicaKey": _KEY,
    "AWS::Route53::HostedZone": Holding(
        what="zone",
        stops="every name in it, until the registrar delegates to the new zone's name servers",
        data="",
        source=f"{_AWS}/Route53/latest/DeveloperGuide/DeleteHostedZone.html",
        duration="resolvers keep name servers for up to two days",
    ),
    "AWS::GlobalAccelerator::Accelerator": Holding(
        what="accelerator",
        stops="all traffic to its static addresses; a replacement has others",
        data="",
        source=f"{_AWS}/global-accelerator/latest/dg/about-accelerators.deleting.html",
        duration="the addresses are lost for good",
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Holding(
        what="load balancer",
        stops="traffic through it until listeners, targets and whatever names its address have moved to the new one",
        data="",
        source=f"{_AWS}/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-loadbalancer.html",
    ),
    "AWS::S3::Bucket": Holding(
        what="bucket",
        stops="reading and writing its objects",
        data="its objects; a bucket that is not empty can't be deleted",
        source=f"{_AWS}/AmazonS3/latest/userguide/delete-bucket.html",
    ),
    "AWS::SQS::Queue": Holding(
        what="queue",
        stops="senders and receivers until they know the new address",
        data="the messages in it",
        source=f"{_AWS}/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html",
        duration="deletion takes up to 60 seconds, in which sent messages may be lost",
    ),
    "AWS::SNS::Topic": Holding(
        what="topic",
        stops="publishers and subscriptions; people must confirm theirs again",
        data="messages not delivered yet",
        source=f"{_AWS}/sns/latest/api/API_DeleteTopic.html",
    ),
    "AWS::ECR::Repository": Holding(
        what="registry",
        stops="pulling its images: pods on new nodes do not start",
        data="its images",
        source=f"{_AWS}/AmazonECR/latest/userguide/repository-delete.html",
    ),
    "AWS::Backup::BackupVault": Holding(
        what="backup vault",
        stops="backups into it",
        data="its recovery points; a vault that is not empty can't be deleted",
        source=f"{_AWS}/aws-backup/latest/devguide/create-a-vault.html",
    ),
    "AWS::SecretsManager::Secret": Holding(
        what="secret",
        stops="everything that reads it until it knows the new one",
        data="the secret's value",
        source=f"{_AWS}/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html",
    ),
    "AWS::EC2::VPC": Holding(
        what="network",
        stops="everything in it: a VPC is replaced with all that stands in it, cluster, database and cache too",
        data="whatever in it holds data",
        source=f"{_AWS}/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpc.html",
    ),
    "AWS::EFS::FileSystem": Holding(
        what="file system",
        stops="everything that mounts it",
        data="its files",
        source=f"{_AWS}/efs/latest/ug/delete-efs-fs.html",
    ),
}
_SNAPSHOT_BY_DEFAULT = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")
_WINDOW = "none: it happens during the deployment"


def holding_of(resource_type: str) -> str:
    """Return what a type holds that must not be lost by accident, empty where nothing."""
    found = _HOLDINGS.get(resource_type)
    return found.what if found else ""


def deletion_policy(resource: Mapping[str, Any]) -> str:
    """Return what CloudFormation does to a resource that leaves the stack, its defaults included."""
    if "DeletionPolicy" in resource:
        return str(resource["DeletionPolicy"])
    in_cluster = "DBClusterIdentifier" in resource.get("Properties", {})
    return "Snapshot" if resource["Type"] in _SNAPSHOT_BY_DEFAULT and not in_cluster else "Delete"


def consequence_of(effect: Effect, before: Mapping[str, Any], after: Mapping[str, Any] | None = None) -> Consequence:
    """Return what replacing, renaming or deleting a resource means.

    Arguments:
        effect: which of these.
        before: the resource as it is deployed; what leaves the stack follows its deletion policy.
        after: the resource that takes its place; a replacement follows its update-replace policy.
    """
    policy = deletion_policy(before)
    if effect in (Effect.REPLACEMENT, Effect.CONDITIONAL_REPLACEMENT) and after is not None:
        policy = str(after.get("UpdateReplacePolicy", "Delete"))
    if effect is Effect.DELETION and policy.startswith("Retain"):
        return Consequence(
            stops="nothing by itself: it stays outside the stack, and nothing manages it any more",
            duration="until somebody imports or deletes it",
            source=_DELETION_POLICY,
            data="retained",
            window=_WINDOW,
        )
    holding = _HOLDINGS.get(str(before["Type"]))
    if holding is None:
        return Consequence(
            stops="what refers to it from outside the templates" if effect is not Effect.DELETION else "what it did",
            duration=NONE_PUBLISHED,
            source=_UPDATE_BEHAVIOURS if effect is not Effect.DELETION else _DELETION_POLICY,
            window=_WINDOW,
        )
    return Consequence(
        stops=holding.stops,
        duration=holding.duration,
        source=holding.source,
        data=_data_at_stake(holding.data, policy),
        window=_WINDOW,
    )


def _data_at_stake(data: str, policy: str) -> str:
    if policy.startswith("Retain"):
        return "the old one is retained outside the stack; the new one starts without what is in it"
    if not data:
        return ""
    return f"{data}; a final snapshot is taken" if policy == "Snapshot" else f"LOST: {data}"
