"""How single properties behave in an update where AWS documents more than the type's schema tells.

The schemas know "replaced", "replaced in some cases" and "not replaced". That a property is changed in place while the
resource does not answer, or that the update is refused, stands in the documentation of the type or of its service: one
row here for each such property of the types that the platform has, with the page. A row goes before the schema.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ops.impact.changes import Consequence, Effect
from ops.impact.values import MISSING

NONE_PUBLISHED = "AWS publishes none"
_REFERENCE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"
_RDS = "https://docs.aws.amazon.com/AmazonRDS/latest"
_CACHE = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg"
_RDS_MODIFY = f"{_RDS}/APIReference/API_ModifyDBInstance.html"
_RDS_INSTANCE = f"{_REFERENCE}/aws-resource-rds-dbinstance.html"
_CACHE_GROUP = f"{_REFERENCE}/aws-resource-elasticache-replicationgroup.html"
_KMS_KEY = f"{_REFERENCE}/aws-resource-kms-key.html"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A changed property: its values, and the whole resource of after."""

    before: Any
    after: Any
    resource: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What changing a property does.

    Arguments:
        type: resource type.
        property: dotted path; the row covers what lies below it too.
        effect: class of the change.
        stops: what does not answer meanwhile.
        duration: for how long, as published.
        source: the page that says so.
        applies: the row counts only where this holds; other changes are the schema's or another row's.
        refused: why AWS refuses the update, where it does.
    """

    type: str
    property: str
    effect: Effect
    stops: str = ""
    duration: str = NONE_PUBLISHED
    source: str
    applies: Callable[[Situation], bool] = lambda situation: True
    refused: str = ""

    def consequence(self, resource: Mapping[str, Any]) -> Consequence | None:
        """Return what the change means for the resource; None where nothing stops."""
        if not self.stops:
            return None
        return Consequence(
            stops=self.stops, duration=self.duration, source=self.source, window=maintenance_window(self.type, resource)
        )


def maintenance_window(resource_type: str, resource: Mapping[str, Any]) -> str:
    """Return whether an interruption waits for the maintenance window.

    Updates by CloudFormation are applied immediately, unless ``ApplyImmediately`` is false:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html
    """
    properties = resource.get("Properties", {})
    window = properties.get("PreferredMaintenanceWindow", "")
    if resource_type == "AWS::RDS::DBInstance" and str(properties.get("ApplyImmediately", "true")).lower() == "false":
        return f"applied in the next maintenance window ({window or 'chosen by AWS'})"
    if resource_type.startswith(("AWS::RDS::", "AWS::ElastiCache::")):
        return "none: CloudFormation applies it during the deployment" + (f", not in {window}" if window else "")
    return "none: it happens during the deployment"


def _to_or_from_zero(situation: Situation) -> bool:
    return "0" in (str(situation.before), str(situation.after)) or MISSING in (situation.before, situation.after)


def _to_or_from_magnetic(situation: Situation) -> bool:
    return "standard" in (situation.before, situation.after)


def _without_online_resharding(situation: Situation) -> bool:
    policy = situation.resource.get("UpdatePolicy", {})
    return str(policy.get("UseOnlineResharding", "false")).lower() != "true"


_FAILOVER = "60 to 120 seconds typically, for a Multi-AZ instance that fails over; AWS publishes none for a single zone"
_DB = "AWS::RDS::DBInstance"
_GROUP = "AWS::ElastiCache::ReplicationGroup"
_NODES = "writes to each shard while it fails over to a node of the new kind"
_SECONDS = "a few seconds"

_BEHAVIOURS = (
    Behaviour(
        type=_DB,
        property="DBInstanceClass",
        effect=Effect.INTERRUPTION,
        stops="the database, while it fails over to the resized standby or restarts",
        duration=_FAILOVER,
        source=f"{_RDS}/UserGuide/Concepts.MultiAZ.Failover.html",
    ),
    Behaviour(
        type=_DB,
        property="EngineVersion",
        effect=Effect.INTERRUPTION,
        stops="the database, primary and standby together, while the engine is upgraded",
        source=f"{_RDS}/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html",
    ),
    Behaviour(
        type=_DB,
        property="DBParameterGroupName",
        effect=Effect.INTERRUPTION,
        stops="the database, while it restarts to take static parameters",
        source=_RDS_MODIFY,
    ),
    Behaviour(
        type=_DB,
        property="MultiAZ",
        effect=Effect.INTERRUPTION,
        stops="nothing by itself; the documentation reserves interruptions and higher latency meanwhile",
        source=_RDS_INSTANCE,
    ),
    Behaviour(
        type=_DB,
        property="BackupRetentionPeriod",
        effect=Effect.INTERRUPTION,
        stops="the database, while backups are switched on or off",
        source=_RDS_MODIFY,
        applies=_to_or_from_zero,
    ),
    Behaviour(type=_DB, property="BackupRetentionPeriod", effect=Effect.UPDATE, source=_RDS_MODIFY),
    Behaviour(
        type=_DB,
        property="AutoMinorVersionUpgrade",
        effect=Effect.INTERRUPTION,
        stops="the database, where a minor version is waiting",
        source=_RDS_MODIFY,
    ),
    Behaviour(
        type=_DB,
        property="PreferredMaintenanceWindow",
        effect=Effect.INTERRUPTION,
        stops="the database, where a restart is pending and the new window is now",
        source=_RDS_MODIFY,
    ),
    Behaviour(
        type=_DB,
        property="StorageType",
        effect=Effect.INTERRUPTION,
        stops="the database, while its volumes change to or from magnetic storage",
        duration="a few minutes",
        source=_RDS_MODIFY,
        applies=_to_or_from_magnetic,
    ),
    Behaviour(type=_DB, property="Port", effect=Effect.REPLACEMENT, source=_RDS_INSTANCE),
    Behaviour(type=_DB, property="DBSnapshotIdentifier", effect=Effect.REPLACEMENT, source=_RDS_INSTANCE),
    Behaviour(
        type="AWS::RDS::DBCluster",
        property="EngineVersion",
        effect=Effect.INTERRUPTION,
        stops="the database, while the engine is upgraded",
        source=f"{_REFERENCE}/aws-resource-rds-dbcluster.html",
    ),
    Behaviour(
        type=_GROUP,
        property="CacheNodeType",
        effect=Effect.INTERRUPTION,
        stops=_NODES,
        duration=_SECONDS,
        source=f"{_CACHE}/Scaling.RedisReplGrps.html",
    ),
    Behaviour(
        type=_GROUP,
        property="EngineVersion",
        effect=Effect.INTERRUPTION,
        stops=_NODES,
        duration=_SECONDS,
        source=f"{_CACHE}/VersionManagement-upgrade-considerations.html",
    ),
    *(
        Behaviour(
            type=_GROUP,
            property=name,
            effect=Effect.REPLACEMENT,
            source=_CACHE_GROUP,
            applies=_without_online_resharding,
        )
        for name in ("NumNodeGroups", "NodeGroupConfiguration")
    ),
    *(
        Behaviour(type=_GROUP, property=name, effect=Effect.UPDATE, source=_CACHE_GROUP)
        for name in ("NumNodeGroups", "NodeGroupConfiguration")
    ),
    Behaviour(type=_GROUP, property="ReplicasPerNodeGroup", effect=Effect.REPLACEMENT, source=_CACHE_GROUP),
    Behaviour(
        type="AWS::EKS::Cluster",
        property="Version",
        effect=Effect.ROLLOUT,
        stops="nothing of the control plane; Auto Mode then replaces every node and so every pod, within the "
        "disruption budgets. A version can't be taken back",
        duration="a few minutes for the control plane; AWS publishes none for the nodes",
        source="https://docs.aws.amazon.com/eks/latest/userguide/auto-upgrade.html",
    ),
    Behaviour(
        type="AWS::EKS::Cluster",
        property="ResourcesVpcConfig",
        effect=Effect.UPDATE,
        source="https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html",
    ),
    *(
        Behaviour(
            type="AWS::EC2::SecurityGroup",
            property=name,
            effect=Effect.INTERRUPTION,
            stops="connections that only a removed or rewritten rule allows",
            source=f"{_REFERENCE}/aws-resource-ec2-securitygroup.html",
        )
        for name in ("SecurityGroupIngress", "SecurityGroupEgress")
    ),
    Behaviour(
        type="AWS::Route53::RecordSet",
        property="Name",
        effect=Effect.REPLACEMENT,
        source=f"{_REFERENCE}/aws-resource-route53-recordset.html",
    ),
    Behaviour(
        type="AWS::CertificateManager::Certificate",
        property="ValidationMethod",
        effect=Effect.REPLACEMENT,
        source=f"{_REFERENCE}/aws-resource-certificatemanager-certificate.html",
    ),
    *(
        Behaviour(
            type="AWS::KMS::Key",
            property=name,
            effect=Effect.UPDATE,
            source=_KMS_KEY,
            refused=f"refused: AWS does not change {name} of a key that exists; the deployment fails ({_KMS_KEY})",
        )
        for name in ("KeySpec", "KeyUsage", "MultiRegion")
    ),
)


def behaviour_of(resource_type: str, path: tuple[str, ...], situation: Situation) -> Behaviour | None:
    """Return the first row that covers a changed property; None where the schema decides."""
    for row in _BEHAVIOURS:
        parts = tuple(row.property.split("."))
        if row.type == resource_type and path[: len(parts)] == parts and row.applies(situation):
            return row
    return None


def documented_properties() -> list[tuple[str, str, str]]:
    """Return type, property and page of every row."""
    return [(row.type, row.property, row.source) for row in _BEHAVIOURS]
