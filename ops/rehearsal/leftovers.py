"""Looks for what is left behind: things that outlive their stack, and why."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.rehearsal.assembly import Assembly
from ops.rehearsal.clients import Clients, EmulatedAccount
from ops.rehearsal.verify import Verification
from ops.rehearsal.verify.asking import Ask, finders

_POLICY_REASONS = {
    "Retain": "its deletion policy is Retain",
    "RetainExceptOnCreate": "its deletion policy is RetainExceptOnCreate",
}


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """Something that is still there; ``expected`` says whether that is as declared."""

    region: str
    type: str
    physical_id: str
    construct_path: str
    reason: str
    expected: bool

    def as_dict(self) -> dict[str, Any]:
        """Return it as the report holds it."""
        return asdict(self)


@dataclass(frozen=True)
class _Listing:
    """How a service lists what an account has: the call, where the list is, what names an item, and what to skip."""

    service: str
    call: str
    items: str
    identity: str
    arguments: Mapping[str, Any] | None = None
    skip: Callable[[Mapping[str, Any]], bool] = lambda item: False


# Everything the architecture makes that could cost money or block a second deployment.
_LISTINGS = (
    _Listing("ec2", "describe_vpcs", "Vpcs", "VpcId", skip=lambda item: bool(item.get("IsDefault"))),
    _Listing("ec2", "describe_subnets", "Subnets", "SubnetId", skip=lambda item: bool(item.get("DefaultForAz"))),
    _Listing("ec2", "describe_addresses", "Addresses", "PublicIp"),
    _Listing(
        "ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId", skip=lambda item: item.get("State") == "deleted"
    ),
    _Listing("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    _Listing(
        "ec2",
        "describe_vpc_peering_connections",
        "VpcPeeringConnections",
        "VpcPeeringConnectionId",
        skip=lambda item: item.get("Status", {}).get("Code") == "deleted",
    ),
    _Listing("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    _Listing("ec2", "describe_volumes", "Volumes", "VolumeId"),
    _Listing("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    _Listing("rds", "describe_db_clusters", "DBClusters", "DBClusterIdentifier"),
    _Listing("rds", "describe_db_snapshots", "DBSnapshots", "DBSnapshotIdentifier"),
    _Listing("elasticache", "describe_replication_groups", "ReplicationGroups", "ReplicationGroupId"),
    _Listing("elasticache", "describe_cache_clusters", "CacheClusters", "CacheClusterId"),
    _Listing("elasticache", "describe_snapshots", "Snapshots", "SnapshotName"),
    _Listing("eks", "list_clusters", "clusters", ""),
    _Listing("ecr", "describe_repositories", "repositories", "repositoryName"),
    _Listing("sqs", "list_queues", "QueueUrls", ""),
    _Listing("sns", "list_topics", "Topics", "TopicArn"),
    _Listing("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    _Listing("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    _Listing("logs", "describe_log_groups", "logGroups", "logGroupName"),
    _Listing("lambda", "list_functions", "Functions", "FunctionName"),
    _Listing("secretsmanager", "list_secrets", "SecretList", "Name"),
    _Listing("acm", "list_certificates", "CertificateSummaryList", "CertificateArn"),
    _Listing("backup", "list_backup_vaults", "BackupVaultList", "BackupVaultName"),
    _Listing("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
)
_GLOBAL_LISTINGS = (
    _Listing("s3", "list_buckets", "Buckets", "Name"),
    _Listing("iam", "list_roles", "Roles", "RoleName"),
    _Listing("route53", "list_hosted_zones", "HostedZones", "Id"),
)

Inventory = frozenset[tuple[str, str, str]]


def inventory(clients: Clients, regions: Iterable[str]) -> Inventory:
    """List what exists in the regions: region, kind and identity of each thing."""
    regions = list(regions)
    asked = [(region, listing) for region in regions for listing in _LISTINGS]
    asked += [("global", listing) for listing in _GLOBAL_LISTINGS]
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda pair: _list(clients, pair[0] if pair[0] != "global" else regions[0], *pair), asked)
        return frozenset(item for answer in answers for item in answer)


def _list(clients: Clients, place: str, region: str, listing: _Listing) -> list[tuple[str, str, str]]:
    call = getattr(clients.client(listing.service, place), listing.call)
    try:
        items = call(**(listing.arguments or {})).get(listing.items) or []
    except (BotoCoreError, ClientError):
        return []
    kind = f"{listing.service} {listing.items}"
    return [
        (region, kind, str(item[listing.identity] if listing.identity else item))
        for item in items
        if not (listing.identity and listing.skip(item))
    ]


def left_behind(
    emulator: EmulatedAccount,
    clients: Clients,
    assembly: Assembly,
    before_destroy: Verification,
) -> list[Leftover]:
    """Look every resource of the destroyed stacks up again; what still answers was left behind.

    Arguments:
        emulator: tells its handlers' state.
        clients: ask the services.
        assembly: what was destroyed, with its deletion policies.
        before_destroy: the verification that knew the physical ids.
    """
    declared = {(item.stack, item.logical_id): item for item in assembly.resources}
    properties = {(item.stack, item.logical_id): item.properties for item in emulator.ledger()}
    state = emulator.state()
    found = []
    for item in before_destroy.resources:
        key = (item.stack, item.logical_id)
        resource, registered = declared.get(key), finders().get(item.type)
        if resource is None or item.how in ("lambda", "unaccounted"):
            continue
        records = {**state.get(item.type, {}).get(item.region, {}), **state.get(item.type, {}).get("global", {})}
        still = item.physical_id in records
        if registered is not None and not still:
            still = _answers(clients, item.region, item.physical_id, properties.get(key, {}), registered.find)
        if still:
            reason = _POLICY_REASONS.get(resource.deletion_policy)
            found.append(
                Leftover(
                    region=item.region,
                    type=item.type,
                    physical_id=item.physical_id,
                    construct_path=item.construct_path,
                    reason=reason or f"its deletion policy is {resource.deletion_policy}, yet it is still there",
                    expected=reason is not None,
                )
            )
    return found


def _answers(
    clients: Clients, region: str, physical_id: str, declared: Mapping[str, Any], find: Callable[[Ask], Any]
) -> bool:
    ask = Ask(clients=clients, region=region, physical_id=physical_id, declared=declared)
    try:
        return find(ask) is not None
    except (BotoCoreError, ClientError, KeyError, ValueError, TypeError):
        # What it hung on (its cluster, its queue) is gone, and it with it.
        return False


def unlisted(now: Inventory, bootstrapped: Inventory, known: Iterable[Leftover]) -> list[Leftover]:
    """Return what exists that neither the bootstrap made nor a stack's resource is: things a service made by itself."""
    explained = {item.physical_id for item in known}
    return [
        Leftover(
            region=region,
            type=kind,
            physical_id=identity,
            construct_path="",
            reason=_by_itself(kind, identity),
            expected=True,
        )
        for region, kind, identity in sorted(now - bootstrapped)
        if identity not in explained and identity.rsplit("/", 1)[-1] not in explained
    ]


def _by_itself(kind: str, identity: str) -> str:
    if "Snapshot" in kind:
        return "the final snapshot of what was deleted, which its deletion policy asks for"
    if kind.startswith("logs") and identity.startswith("/aws/"):
        return "a log group that the service made when it first wrote; it belongs to no stack"
    return "belongs to no stack: a service or a handler made it"


def of_bootstrap(bootstrapped: Inventory) -> list[Leftover]:
    """Return what the bootstrap made: it stays for the next deployment and goes with the CDKToolkit stack."""
    return [
        Leftover(
            region=region,
            type=kind,
            physical_id=identity,
            construct_path="CDKToolkit",
            reason="made by cdk bootstrap; stays for the next deployment",
            expected=True,
        )
        for region, kind, identity in sorted(bootstrapped)
        if "cdk-hnb659fds" in identity
    ]
