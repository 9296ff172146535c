"""What a region's monitoring is told about the systems it watches: plain CDK objects and names, with thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sqs as sqs


@dataclass(frozen=True, kw_only=True)
class MonitoredDatabase:
    """An RDS instance.

    Arguments:
        instance: the instance, imported or not.
        is_replica: also watch how far it is behind its writer.
        minimum_free_storage_gib: below it the alarm is critical. Default 10 GiB; storage autoscaling should have acted
            (at 10 % free) before.
        minimum_free_memory_mib: default 256 MiB.
        maximum_replica_lag: default 60 s, a replica's lag being part of what is lost when it is promoted.
    """

    instance: rds.IDatabaseInstance
    is_replica: bool = False
    minimum_free_storage_gib: int = 10
    minimum_free_memory_mib: int = 256
    maximum_replica_lag: cdk.Duration | None = None


@dataclass(frozen=True, kw_only=True)
class MonitoredCache:
    """An ElastiCache replication group.

    Arguments:
        replication_group_id: its id.
        node_ids: ids of its nodes, to which all its metrics belong: ``<group>-001`` and so on with one shard and
            cluster mode off, ``<group>-0001-001`` and so on with cluster mode; see :func:`cache_node_ids`.
        global_datastore_secondary: also watch how far it is behind the primary region.
    """

    replication_group_id: str
    node_ids: Sequence[str]
    global_datastore_secondary: bool = False


def cache_node_ids(
    replication_group_id: str, *, replicas: int, shards: int = 1, cluster_mode: bool = False
) -> list[str]:
    """The ids that ElastiCache gives to the nodes of a replication group.

    Arguments:
        replication_group_id: the group's id.
        replicas: replicas of each shard; 0 or more.
        shards: default 1; more need cluster mode.
        cluster_mode: whether cluster mode is on. Default false.
    """
    members = [f"{number:03d}" for number in range(1, replicas + 2)]
    if not cluster_mode:
        return [f"{replication_group_id}-{member}" for member in members]
    return [f"{replication_group_id}-{shard:04d}-{member}" for shard in range(1, shards + 1) for member in members]


@dataclass(frozen=True, kw_only=True)
class MonitoredQueue:
    """An SQS queue with its dead-letter queue.

    Arguments:
        name: for alarm names and the dashboard; unique in the region.
        queue: the queue.
        dead_letter_queue: where messages end that could not be handled.
        maximum_message_age: how old the oldest message may become. Default 15 minutes.
    """

    name: str
    queue: sqs.IQueue
    dead_letter_queue: sqs.IQueue
    maximum_message_age: cdk.Duration | None = None


@dataclass(frozen=True, kw_only=True)
class MonitoredLoadBalancer:
    """An application load balancer and the target group whose health stands for the region's.

    Arguments:
        load_balancer: the load balancer.
        target_group: the target group of its default action.
        maximum_response_seconds: 99th percentile of the targets' response time. Default 2 s.
    """

    load_balancer: elbv2.ApplicationLoadBalancer
    target_group: elbv2.ApplicationTargetGroup
    maximum_response_seconds: float = 2


@dataclass(frozen=True, kw_only=True)
class MonitoredNetworkLoadBalancer:
    """A network load balancer and its target groups by port.

    Arguments:
        load_balancer: the load balancer.
        target_groups: the target groups; the port names the alarm.
    """

    load_balancer: elbv2.NetworkLoadBalancer
    target_groups: Mapping[int, elbv2.NetworkTargetGroup]
