"""RDS beyond what the emulator's CloudFormation has.

Modelled: replicas in the same or another region, linked on both sides and with the engine and storage of their source;
insights, their key and the exported logs of an instance; global clusters, over the emulator's RDS API.
Refused: a subnet group, security group, parameter group or key that the region lacks; a replica whose source does not
exist, is not available or keeps no backups; an encrypted replica in another region without a key of that region;
deletion of a protected instance.

AWS: "Creating a read replica in a different AWS Region",
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html
"""

from typing import Any

from ministack.services import rds as store

from ops.emulator.handlers.base import (
    Attributes,
    Extension,
    Handler,
    Outcome,
    Refused,
    Request,
    as_bool,
    exists,
    extends,
    handles,
    quietly,
    region_of,
)
from ops.emulator.handlers.lookups import groups_of, subnets_of

_INHERITED = (
    "Engine", "EngineVersion", "AllocatedStorage", "StorageType", "StorageEncrypted", "MasterUsername", "DBName",
)  # fmt: skip


def check_key(request: Request, key: str) -> None:
    """The key exists in the request's region; an ARN of another region is refused."""
    if key.startswith("arn:") and region_of(key) != request.region:
        raise Refused(
            f"KMS key {key} is in {region_of(key)}, a resource of {request.region} needs a key of {request.region}"
        )
    if exists(request.client("kms").describe_key, KeyId=key) is None:
        raise Refused(f"KMS key {key!r} does not exist in {request.region}")


def _check_subnet_group(request: Request, name: str) -> None:
    if name != "default" and exists(request.client("rds").describe_db_subnet_groups, DBSubnetGroupName=name) is None:
        raise Refused(f"DB subnet group {name!r} does not exist in {request.region}")


@extends("AWS::RDS::DBSubnetGroup")
class SubnetGroup(Extension):
    """A DB subnet group spans two zones at least."""

    def check(self, request: Request) -> None:
        """The subnets exist, in two zones."""
        zones = {subnet["AvailabilityZone"] for subnet in subnets_of(request, request.properties["SubnetIds"])}
        if len(zones) < 2:
            raise Refused("a DB subnet group needs subnets in two availability zones at least")


@extends("AWS::RDS::DBInstance")
class Instance(Extension):
    """An instance, or the replica of one."""

    def check(self, request: Request) -> None:
        """What the instance refers to exists, in its region."""
        properties = request.properties
        if properties.get("DBSubnetGroupName"):
            _check_subnet_group(request, properties["DBSubnetGroupName"])
        groups_of(request, properties.get("VPCSecurityGroups", []))
        for name in ("KmsKeyId", "PerformanceInsightsKMSKeyId"):
            if properties.get(name):
                check_key(request, properties[name])
        group = properties.get("DBParameterGroupName")
        if group and not group.startswith("default."):
            found = exists(request.client("rds").describe_db_parameter_groups, DBParameterGroupName=group)
            if not found or not found.get("DBParameterGroups"):
                raise Refused(f"DB parameter group {group!r} does not exist in {request.region}")
        if properties.get("SourceDBInstanceIdentifier") and not request.is_update:
            _check_source(request)

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Keep the settings that the emulator drops, and link a replica with its source."""
        instance = store._instances.get(outcome.physical_id)
        if instance is not None:
            _keep_settings(instance, request)
        source = _source(request)
        if instance is not None and source is not None:
            own_arn = instance["DBInstanceArn"]
            listed = source.setdefault("ReadReplicaDBInstanceIdentifiers", [])
            same_region = region_of(source["DBInstanceArn"]) == request.region
            name = outcome.physical_id if same_region else own_arn
            if name not in listed:
                listed.append(name)
            instance |= {key: source[key] for key in _INHERITED if key in source and key not in request.properties}
            instance["ReadReplicaSourceDBInstanceIdentifier"] = request.properties["SourceDBInstanceIdentifier"]
            instance["Endpoint"]["Port"] = source["Endpoint"]["Port"]
        attributes = {"Endpoint.HostedZoneId": "Z2R2ITUGPM61AM"}
        return attributes | ({"Endpoint.Port": str(instance["Endpoint"]["Port"])} if instance else {})

    def before_delete(self, request: Request) -> None:
        """Refuse where the instance is protected; unlink a replica."""
        instance = store._instances.get(request.physical_id)
        if instance is not None and instance.get("DeletionProtection"):
            raise Refused(f"DB instance {request.physical_id} cannot be deleted: deletion protection is on")
        source = _source(request)
        if instance is not None and source is not None:
            gone = {request.physical_id, instance["DBInstanceArn"]}
            listed = source.get("ReadReplicaDBInstanceIdentifiers", [])
            source["ReadReplicaDBInstanceIdentifiers"] = [name for name in listed if name not in gone]


_KEPT = (
    "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod", "EngineLifecycleSupport", "DedicatedLogVolume",
    "CACertificateIdentifier", "NetworkType", "Iops", "StorageThroughput",
)  # fmt: skip


def _keep_settings(instance: dict[str, Any], request: Request) -> None:
    """Put what ``DescribeDBInstances`` tells into the instance's record; what is no longer declared stays as it is."""
    properties = request.properties
    instance |= {name: properties[name] for name in _KEPT if name in properties}
    instance["DatabaseInsightsMode"] = properties.get("DatabaseInsightsMode", "standard")
    instance["EnabledCloudwatchLogsExports"] = list(properties.get("EnableCloudwatchLogsExports", []))


def _source(request: Request) -> dict[str, Any] | None:
    source = request.properties.get("SourceDBInstanceIdentifier")
    if not source:
        return None
    region, name = (
        (region_of(source), source.rsplit(":", 1)[-1]) if source.startswith("arn:") else (request.region, source)
    )
    found: dict[str, Any] | None = store._instances.get_scoped(request.account, region, name)
    return found


def _check_source(request: Request) -> None:
    name = request.properties["SourceDBInstanceIdentifier"]
    source = _source(request)
    region = region_of(name) or request.region
    if source is None:
        raise Refused(f"the replica's source {name!r} does not exist in {region}")
    if source["DBInstanceStatus"] != "available":
        raise Refused(f"the replica's source {name} is {source['DBInstanceStatus']}, it must be available")
    if not int(source.get("BackupRetentionPeriod") or 0):
        raise Refused(f"the replica's source {name} keeps no backups: automated backups must be on")
    if region == request.region:
        return
    key = request.properties.get("KmsKeyId")
    if source.get("StorageEncrypted") and not key:
        raise Refused(
            f"the source {name} is encrypted: its replica in {request.region} needs a KmsKeyId of {request.region}"
        )
    if key and not source.get("StorageEncrypted"):
        raise Refused(f"the source {name} is not encrypted: its replica cannot be")


@handles("AWS::RDS::GlobalCluster")
class GlobalCluster(Handler):
    """An Aurora global database."""

    how = "native"
    reason = "through the emulator's RDS API"

    def create(self, request: Request) -> Outcome:
        """Create, empty or from a cluster."""
        names = ("GlobalClusterIdentifier", "SourceDBClusterIdentifier", "Engine", "EngineVersion", "StorageEncrypted")
        arguments = {name: request.properties[name] for name in names if name in request.properties}
        arguments.setdefault("GlobalClusterIdentifier", request.generated_name().lower())
        cluster = request.client("rds").create_global_cluster(**arguments)["GlobalCluster"]
        return Outcome(cluster["GlobalClusterIdentifier"], {})

    def update(self, request: Request) -> Outcome:
        """Take a new engine version or protection."""
        arguments = {name: request.properties[name] for name in ("EngineVersion",) if name in request.properties}
        protected = as_bool(request.properties.get("DeletionProtection"))
        request.client("rds").modify_global_cluster(
            GlobalClusterIdentifier=request.physical_id, DeletionProtection=protected, **arguments
        )
        return Outcome(request.physical_id, {})

    def delete(self, request: Request) -> None:
        """Delete."""
        quietly(request.client("rds").delete_global_cluster, GlobalClusterIdentifier=request.physical_id)
