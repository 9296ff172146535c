"""Changes of the kind that surprise, each with the classes that a person gives it from AWS's documentation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ops.impact.changes import Effect
from tests.ops.impact.conftest import GLOBAL, PRIMARY, SECONDARY, Edit, Planted

E = Effect


@dataclass(frozen=True, kw_only=True)
class Plant:
    """One planted change.

    Arguments:
        edit: plants it.
        path: the resource or object whose classes are asked for.
        classes: what a person says.
        gated: whether it needs an approval.
        along: other paths that change with it, and how.
        alone: nothing else changes at all.
        ground: planted on both sides.
    """

    edit: Edit
    path: str
    classes: set[Effect]
    gated: bool = False
    along: dict[str, set[Effect]] = field(default_factory=dict)
    alone: bool = False
    ground: Edit | None = None


def _set(path: str, **properties: Any) -> Edit:
    return lambda planted: planted.properties(path).update(properties)


def _zone_removed(planted: Planted) -> None:
    body = planted.template(PRIMARY).body
    part = "Network/Vpc/privateSubnet3/"
    gone = {key for key in body["Resources"] if f"/{part}" in f"{planted.template(PRIMARY).path_of(key)}/"}

    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [without(each) for each in value if not (isinstance(each, dict) and each.get("Ref") in gone)]
        if isinstance(value, dict):
            return {key: without(each) for key, each in value.items() if key not in gone}
        return value

    body["Resources"] = without(body["Resources"])


def _world(planted: Planted) -> None:
    rules = planted.properties(f"{PRIMARY}/Network/EndpointsSecurityGroup")["SecurityGroupIngress"]
    rules.append({"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Description": "all"})


def _wider_action(planted: Planted) -> None:
    policy = planted.properties(f"{PRIMARY}/Network/Vpc/FlowLog/IAMRole/DefaultPolicy")["PolicyDocument"]
    policy["Statement"][0]["Action"].append("logs:DeleteLogGroup")


def _public_queue(planted: Planted) -> None:
    policy = planted.properties(f"{PRIMARY}/Messaging/Queue-billing/Queue/Policy")["PolicyDocument"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy["Statement"].append(statement)


def _key_user(planted: Planted) -> None:
    statement = planted.properties(f"{PRIMARY}/Keys/Database")["KeyPolicy"]["Statement"][-1]
    planted.properties(f"{PRIMARY}/Keys/Database")["KeyPolicy"]["Statement"].append(
        {**statement, "Sid": "Others", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "kms:Decrypt"}
    )


def _pruned_namespace(planted: Planted) -> None:
    planted.properties(f"{PRIMARY}/Cluster/Foundation")["PruneLabel"] = "aws.cdk.eks/prune-c8a1"
    planted.manifest(lambda objects: objects.remove(next(each for each in objects if each["kind"] == "Namespace")))


def _orphaned_namespace(planted: Planted) -> None:
    planted.manifest(lambda objects: objects.remove(next(each for each in objects if each["kind"] == "Namespace")))


def _node_template(planted: Planted) -> None:
    def edit(objects: list[dict[str, Any]]) -> None:
        pool = next(each for each in objects if each["kind"] == "NodePool")
        pool["spec"]["template"]["spec"]["expireAfter"] = "168h"

    planted.manifest(edit)


def _workload(planted: Planted) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "storefront", "namespace": "workloads"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "storefront"}},
            "template": {
                "metadata": {"labels": {"app": "storefront"}},
                "spec": {"containers": [{"name": "web", "image": "storefront:1.4.0"}]},
            },
        },
    }
    planted.manifest(lambda objects: objects.append(deployment))


def _deployment(edit: Callable[[dict[str, Any]], None]) -> Edit:
    return lambda planted: planted.manifest(
        lambda objects: edit(next(each for each in objects if each["kind"] == "Deployment"))
    )


def _pod_image(deployment: dict[str, Any]) -> None:
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "storefront:1.5.0"


def _load_balancer_unprotected(planted: Planted) -> None:
    attributes = planted.properties(f"{PRIMARY}/Web/LoadBalancer")["LoadBalancerAttributes"]
    next(each for each in attributes if each["Key"] == "deletion_protection.enabled")["Value"] = "false"


_INSTANCE = f"{PRIMARY}/Database/Instance"
_GROUP = f"{PRIMARY}/Cache/ReplicationGroup"
_NETWORK = f"{PRIMARY}/Network/Vpc"
_FOUNDATION = f"{PRIMARY}/Cluster/Foundation"

PLANTED = {
    "engine version": Plant(
        edit=_set(_INSTANCE, EngineVersion="17.10"), path=_INSTANCE, classes={E.INTERRUPTION}, alone=True
    ),
    "instance class": Plant(
        edit=_set(_INSTANCE, DBInstanceClass="db.r7g.xlarge"), path=_INSTANCE, classes={E.INTERRUPTION}, alone=True
    ),
    "subnet group": Plant(
        edit=_set(_INSTANCE, DBSubnetGroupName="another"),
        path=_INSTANCE,
        classes={E.REPLACEMENT},
        gated=True,
        along={f"{PRIMARY}/Database/Proxy/ProxyTargetGroup": {E.UPDATE}},
    ),
    "cluster security group": Plant(
        edit=_set(f"{PRIMARY}/Cluster/Cluster/ControlPlaneSecurityGroup", GroupDescription="Control plane"),
        path=f"{PRIMARY}/Cluster/Cluster/ControlPlaneSecurityGroup",
        classes={E.REPLACEMENT},
        along={f"{PRIMARY}/Cluster/Cluster": {E.UPDATE}},
    ),
    "cluster role": Plant(
        edit=_set(f"{PRIMARY}/Cluster/Cluster", RoleArn="arn:aws:iam::111122223333:role/other"),
        path=f"{PRIMARY}/Cluster/Cluster",
        classes={E.REPLACEMENT},
        gated=True,
        along={f"{PRIMARY}/Cluster/MetricsServer": {E.REPLACEMENT}},
    ),
    "cluster version": Plant(
        edit=_set(f"{PRIMARY}/Cluster/Cluster", Version="1.37"),
        path=f"{PRIMARY}/Cluster/Cluster",
        classes={E.ROLLOUT},
        alone=True,
    ),
    "key removed": Plant(
        edit=lambda planted: planted.remove(f"{PRIMARY}/Keys/Cache"),
        path=f"{PRIMARY}/Keys/Cache",
        classes={E.DELETION},
        gated=True,
        alone=True,
    ),
    "security group opened to the world": Plant(
        edit=_world,
        path=f"{PRIMARY}/Network/EndpointsSecurityGroup",
        classes={E.INTERRUPTION, E.BROADENING},
        alone=True,
    ),
    "construct id of a database renamed": Plant(
        edit=lambda planted: planted.rename(_INSTANCE, "WriterInstance"),
        path=_INSTANCE,
        classes={E.RENAME},
        gated=True,
    ),
    "accelerator renamed": Plant(
        edit=_set(f"{GLOBAL}/Accelerator/Accelerator", Name="edge"),
        path=f"{GLOBAL}/Accelerator/Accelerator",
        classes={E.UPDATE},
        alone=True,
    ),
    "construct id of the accelerator renamed": Plant(
        edit=lambda planted: planted.rename(f"{GLOBAL}/Accelerator/Accelerator", "Edge"),
        path=f"{GLOBAL}/Accelerator/Accelerator",
        classes={E.RENAME},
        gated=True,
        along={
            f"{GLOBAL}/Accelerator/WebListener": {E.REPLACEMENT},
            f"{SECONDARY}/WebEndpoint/EndpointGroup": {E.REPLACEMENT},
            f"{GLOBAL}/Domain/Apex": {E.UPDATE},
        },
    ),
    "pod template": Plant(
        edit=_deployment(_pod_image),
        path=f"{_FOUNDATION}/Deployment/workloads/storefront",
        classes={E.ROLLOUT},
        alone=True,
        ground=_workload,
    ),
    "replicas": Plant(
        edit=_deployment(lambda deployment: deployment["spec"].update(replicas=5)),
        path=f"{_FOUNDATION}/Deployment/workloads/storefront",
        classes={E.UPDATE},
        alone=True,
        ground=_workload,
    ),
    "node template": Plant(
        edit=_node_template, path=f"{_FOUNDATION}/NodePool/workloads", classes={E.ROLLOUT}, alone=True
    ),
    "pruned namespace": Plant(
        edit=_pruned_namespace,
        path=f"{_FOUNDATION}/Namespace/workloads",
        classes={E.DELETION},
        gated=True,
        alone=True,
    ),
    "namespace removed without pruning": Plant(
        edit=_orphaned_namespace, path=f"{_FOUNDATION}/Namespace/workloads", classes={E.ORPHANED}, alone=True
    ),
    "cache node type": Plant(
        edit=_set(_GROUP, CacheNodeType="cache.r7g.xlarge"), path=_GROUP, classes={E.INTERRUPTION}, alone=True
    ),
    "cache port": Plant(
        edit=_set(_GROUP, Port=6380),
        path=_GROUP,
        classes={E.REPLACEMENT},
        gated=True,
        along={f"{PRIMARY}/Cache/GlobalDatastore": {E.UPDATE}},
    ),
    "cache not encrypted": Plant(
        edit=_set(_GROUP, AtRestEncryptionEnabled=False),
        path=_GROUP,
        classes={E.REPLACEMENT, E.WEAKENING},
        gated=True,
    ),
    "queue visibility": Plant(
        edit=_set(f"{PRIMARY}/Messaging/Queue-billing/Queue", VisibilityTimeout=300),
        path=f"{PRIMARY}/Messaging/Queue-billing/Queue",
        classes={E.UPDATE},
        alone=True,
    ),
    "queue renamed": Plant(
        edit=_set(f"{PRIMARY}/Messaging/Queue-billing/Queue", QueueName="reference-invoices"),
        path=f"{PRIMARY}/Messaging/Queue-billing/Queue",
        classes={E.REPLACEMENT},
        gated=True,
        along={f"{PRIMARY}/Messaging/Queue-billing/Subscription-orders": {E.REPLACEMENT}},
    ),
    "zone removed": Plant(
        edit=_zone_removed,
        path=f"{PRIMARY}/Network/Vpc/privateSubnet3/Subnet",
        classes={E.DELETION},
        along={
            f"{PRIMARY}/Web/LoadBalancer": {E.UPDATE, E.WEAKENING},
            f"{PRIMARY}/Cluster/Cluster": {E.UPDATE, E.WEAKENING},
        },
    ),
    "database deletion protection off": Plant(
        edit=_set(_INSTANCE, DeletionProtection=False),
        path=_INSTANCE,
        classes={E.UPDATE, E.WEAKENING},
        gated=True,
        alone=True,
    ),
    "load balancer deletion protection off": Plant(
        edit=_load_balancer_unprotected,
        path=f"{PRIMARY}/Web/LoadBalancer",
        classes={E.UPDATE, E.WEAKENING},
        gated=True,
        alone=True,
    ),
    "backup retention lowered": Plant(
        edit=_set(_INSTANCE, BackupRetentionPeriod=7),
        path=_INSTANCE,
        classes={E.UPDATE, E.WEAKENING},
        gated=True,
        alone=True,
    ),
    "backups switched off": Plant(
        edit=_set(_INSTANCE, BackupRetentionPeriod=0),
        path=_INSTANCE,
        classes={E.INTERRUPTION, E.WEAKENING},
        gated=True,
        alone=True,
    ),
    "standby removed": Plant(
        edit=_set(_INSTANCE, MultiAZ=False), path=_INSTANCE, classes={E.INTERRUPTION, E.WEAKENING}, gated=True
    ),
    "IAM action widened": Plant(
        edit=_wider_action,
        path=f"{PRIMARY}/Network/Vpc/FlowLog/IAMRole/DefaultPolicy",
        classes={E.UPDATE, E.BROADENING},
        alone=True,
    ),
    "queue opened to anybody": Plant(
        edit=_public_queue,
        path=f"{PRIMARY}/Messaging/Queue-billing/Queue/Policy",
        classes={E.UPDATE, E.BROADENING},
        alone=True,
    ),
    "key used by another account": Plant(
        edit=_key_user, path=f"{PRIMARY}/Keys/Database", classes={E.UPDATE, E.BROADENING}, alone=True
    ),
    "load balancer scheme": Plant(
        edit=_set(f"{PRIMARY}/Tcp/LoadBalancer", Scheme="internet-facing"),
        path=f"{PRIMARY}/Tcp/LoadBalancer",
        classes={E.REPLACEMENT, E.BROADENING},
        gated=True,
        along={f"{PRIMARY}/Tcp/LoadBalancer/Tcp5671": {E.REPLACEMENT}},
    ),
    "VPC addresses": Plant(
        edit=_set(_NETWORK, CidrBlock="10.200.0.0/16"),
        path=_NETWORK,
        classes={E.REPLACEMENT},
        gated=True,
        along={
            f"{_NETWORK}/privateSubnet1/Subnet": {E.REPLACEMENT},
            f"{PRIMARY}/Web/TargetGroup": {E.REPLACEMENT},
            f"{SECONDARY}/Peering-eu-west-1/Connection": {E.REPLACEMENT},
        },
    ),
    "log retention": Plant(
        edit=_set(f"{PRIMARY}/Network/FlowLogs", RetentionInDays=7),
        path=f"{PRIMARY}/Network/FlowLogs",
        classes={E.UPDATE, E.WEAKENING},
        gated=True,
        alone=True,
    ),
    "zone of another domain": Plant(
        edit=_set(f"{GLOBAL}/Domain/Zone", Name="example.org."),
        path=f"{GLOBAL}/Domain/Zone",
        classes={E.REPLACEMENT},
        gated=True,
        along={f"{PRIMARY}/Name/Name": {E.REPLACEMENT}, f"{GLOBAL}/Certificate/Certificate": {E.REPLACEMENT}},
    ),
    "deletion policy": Plant(
        edit=lambda planted: planted.resource(f"{PRIMARY}/Keys/Logs").update(DeletionPolicy="Delete"),
        path=f"{PRIMARY}/Keys/Logs",
        classes={E.UPDATE, E.WEAKENING},
        gated=True,
        alone=True,
    ),
    "parameter family": Plant(
        edit=_set(f"{PRIMARY}/Database/Parameters", Family="postgres18"),
        path=f"{PRIMARY}/Database/Parameters",
        classes={E.REPLACEMENT},
        along={_INSTANCE: {E.INTERRUPTION}},
    ),
}
"""By name: what was planted, and what a person says of it."""
