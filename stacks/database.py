"""The region's database: the place that chooses between writer and replica."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from ha_constructs.database_backup import DatabaseBackup
from ha_constructs.keys import EncryptionKeys
from ha_constructs.monitoring.systems import MonitoredDatabase
from ha_constructs.network import Network
from ha_constructs.rds_replica import RdsReplica
from ha_constructs.rds_writer import RdsWriter
from ha_constructs.registrar import CrossRegionRegistrar
from stacks import settings
from stacks.published import Published, publish
from stacks.region_plan import RegionPlan


@dataclass(frozen=True)
class RegionalDatabase:
    """What the rest of the stack knows of the database.

    Arguments:
        endpoint: host name to read from; of the writer, also to write to.
        monitored: the instance, for the alarms.
        proxy_name: the proxy before the writer, in the writer's region.
    """

    endpoint: str
    monitored: MonitoredDatabase
    proxy_name: str | None = None


def add_database(
    stack: cdk.Stack,
    plan: RegionPlan,
    *,
    network: Network,
    keys: EncryptionKeys,
    registrar: CrossRegionRegistrar,
    clients: ec2.IConnectable,
) -> RegionalDatabase:
    """Add the writer to the primary region, a replica to any other."""
    if plan.is_primary:
        return _add_writer(stack, plan, network=network, keys=keys)
    return _add_replica(stack, plan, network=network, keys=keys, registrar=registrar, clients=clients)


def _add_writer(stack: cdk.Stack, plan: RegionPlan, *, network: Network, keys: EncryptionKeys) -> RegionalDatabase:
    writer = RdsWriter(
        stack,
        "Database",
        identifier=plan.stack_name,
        secret_name=_secret_name(plan),
        vpc=network.vpc,
        key=keys.database,
        secrets_key=keys.secrets,
        logs_key=keys.logs,
        settings=settings.database_settings(plan.environment),
        deletion_protection=plan.protected,
    )
    # Every region's workloads write here, over peering: one rule for all, so that a new region changes nothing.
    writer.allow_from_cidr(plan.environment.network.supernet, "Workloads of every region")
    copy_region = _copy_region(plan)
    DatabaseBackup(
        stack,
        "DatabaseBackup",
        vault_name=_vault_name(plan),
        key=keys.backup,
        database_arn=writer.instance_arn,
        copy_vault_arn=f"arn:aws:backup:{copy_region}:{stack.account}:backup-vault:{_vault_name(plan)}"
        if copy_region
        else None,
        deletion_protection=plan.protected,
    )
    publish(
        stack,
        {
            Published.DATABASE_SECRET_ARN: writer.secret.secret_arn,
            Published.DATABASE_PROXY_ENDPOINT: writer.proxy_endpoint,
        },
    )
    return RegionalDatabase(
        endpoint=writer.endpoint_address,
        monitored=MonitoredDatabase(instance=writer.instance),
        proxy_name=writer.proxy.db_proxy_name,
    )


def _add_replica(
    stack: cdk.Stack,
    plan: RegionPlan,
    *,
    network: Network,
    keys: EncryptionKeys,
    registrar: CrossRegionRegistrar,
    clients: ec2.IConnectable,
) -> RegionalDatabase:
    writer_name = plan.environment.stack_name(plan.primary)
    replica = RdsReplica(
        stack,
        "Database",
        identifier=plan.stack_name,
        source_arn=f"arn:aws:rds:{plan.primary}:{stack.account}:db:{writer_name}",
        vpc=network.vpc,
        key=keys.database,
        logs_key=keys.logs,
        settings=settings.database_settings(plan.environment),
        deletion_protection=plan.protected,
    )
    replica.allow_from(clients, "Workloads of this region")
    secret = registrar.add_secret_replica(
        "DatabaseSecret",
        primary_region=plan.primary,
        kms_key_arn=keys.secrets_arn,
        secret_name=_secret_name(plan),
    )
    publish(stack, {Published.DATABASE_SECRET_ARN: secret.secret_arn})
    if plan.region.name == _copy_region(plan):
        DatabaseBackup(
            stack,
            "DatabaseBackup",
            vault_name=_vault_name(plan),
            key=keys.backup,
            deletion_protection=plan.protected,
        )
    return RegionalDatabase(
        endpoint=replica.endpoint_address,
        monitored=MonitoredDatabase(instance=replica.instance, is_replica=True),
    )


def _secret_name(plan: RegionPlan) -> str:
    return f"{plan.environment.name}/database"


def _vault_name(plan: RegionPlan) -> str:
    return f"{plan.environment.name}-database"


def _copy_region(plan: RegionPlan) -> str | None:
    """The second region keeps a copy of every backup; with one region there is nowhere to copy to."""
    return next((region.name for region in plan.environment.regions[1:]), None)
