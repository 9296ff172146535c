"""Databases, replicas, caches."""

from typing import Any

from tests.ha_checks.cases.case import Case, case
from tests.ha_checks.support import ACCOUNT, HERE, THERE, Resources, Stack, att, attributes, output, ref, resource

WRITER_ARN = f"arn:aws:rds:{HERE}:{ACCOUNT}:db:main"


def _database(**properties: Any) -> dict[str, Any]:
    return resource("RDS::DBInstance", **properties)


def _pair(writer: dict[str, Any], replica: dict[str, Any]) -> list[Stack]:
    """A writer, and in another region a replica that names it by ARN."""
    source = _database(DBInstanceIdentifier="main", **writer)
    copy = _database(DBInstanceIdentifier="copy", SourceDBInstanceIdentifier=WRITER_ARN, **replica)
    return [Stack({"Db": source}, HERE, "here"), Stack({"Db": copy}, THERE, "there")]


def _aurora(instance_class: str) -> list[Stack]:
    def stack(region: str, name: str, size: str, **cluster: str) -> Stack:
        members = {
            "Cluster": resource("RDS::DBCluster", GlobalClusterIdentifier="world", **cluster),
            "Db": _database(DBClusterIdentifier=ref("Cluster"), DBInstanceClass=size),
        }
        return Stack(members, region, name)

    return [stack(HERE, "here", "db.r7g.xlarge", MasterUsername="app"), stack(THERE, "there", instance_class)]


def _members(count: int) -> Resources:
    members = {f"Db{number}": _database(DBClusterIdentifier=ref("Cluster")) for number in range(count)}
    return {"Cluster": resource("RDS::DBCluster"), **members}


def _cache(**properties: Any) -> Resources:
    return {"Cache": resource("ElastiCache::ReplicationGroup", **properties)}


def _datastore(node_type: str) -> Resources:
    members = [{"ReplicationGroupId": ref("Cache"), "Role": "PRIMARY"}]
    datastore = resource("ElastiCache::GlobalReplicationGroup", Members=members)
    return {**_cache(CacheNodeType=node_type), "World": datastore}


def _secondaries(*regions: str) -> list[Stack]:
    joined = {"GlobalReplicationGroupId": output("primary", HERE, "World")}
    first = Stack(_datastore("cache.r7g.large"), HERE, "primary", {"World": att("World", "GlobalReplicationGroupId")})
    return [first, *(Stack(_cache(**joined), region, f"s{number}") for number, region in enumerate(regions))]


FAILOVER = {"AutomaticFailoverEnabled": True}
BOTH = {**FAILOVER, "MultiAZEnabled": True}
PROTECTED = attributes(deletion_protection__enabled="true")

CASES: list[Case] = [
    case("SingleZoneData", "database", {"Db": _database(MultiAZ=True)}, {"Db": _database()}, "Db", "MultiAZ is off"),
    case("SingleZoneData", "cache", _cache(MultiAZEnabled="true"), _cache(MultiAZEnabled=False), "Cache"),
    case("SingleZoneData", "Aurora cluster", _members(2), _members(1), "Cluster", "one instance"),
    case(
        "SingleZoneData",
        "broker",
        {"B": resource("AmazonMQ::Broker", DeploymentMode="ACTIVE_STANDBY_MULTI_AZ")},
        {"B": resource("AmazonMQ::Broker", DeploymentMode="SINGLE_INSTANCE")},
        "B",
    ),
    case(
        "NoDeletionProtection",
        "database",
        {"Db": _database(DeletionProtection=True), "Member": _database(DBClusterIdentifier="main")},
        {"Db": _database()},
        "Db",
    ),
    case(
        "NoDeletionProtection",
        "table",
        {"T": resource("DynamoDB::Table", DeletionProtectionEnabled=True)},
        {"T": resource("DynamoDB::Table", DeletionProtectionEnabled=False)},
        "T",
    ),
    case(
        "NoDeletionProtection",
        "load balancer",
        {"B": resource("ElasticLoadBalancingV2::LoadBalancer", LoadBalancerAttributes=PROTECTED)},
        {
            "B": resource("ElasticLoadBalancingV2::LoadBalancer"),
            "C": resource(
                "ElasticLoadBalancingV2::LoadBalancer",
                LoadBalancerAttributes=attributes(deletion_protection__enabled="false"),
            ),
        },
        "B C",
    ),
    case(
        "ReplicaSmallerThanWriter",
        "size",
        _pair({"DBInstanceClass": "db.r7g.xlarge"}, {"DBInstanceClass": "db.r8g.2xlarge"}),
        _pair({"DBInstanceClass": "db.r7g.xlarge"}, {"DBInstanceClass": "db.r7g.large"}),
        "there/Db",
        "its writer a db.r7g.xlarge",
    ),
    case(
        "ReplicaSmallerThanWriter",
        "memory of another family",
        _pair({"DBInstanceClass": "db.m7g.large"}, {"DBInstanceClass": "db.r7g.large"}),
        _pair({"DBInstanceClass": "db.r7g.large"}, {"DBInstanceClass": "db.m7g.large"}),
        "there/Db",
    ),
    case(
        "ReplicaSmallerThanWriter",
        "burstable sizes",
        _pair({"DBInstanceClass": "db.t4g.small"}, {"DBInstanceClass": "db.t4g.medium"}),
        _pair({"DBInstanceClass": "db.t4g.medium"}, {"DBInstanceClass": "db.t4g.small"}),
        "there/Db",
    ),
    case(
        "ReplicaSmallerThanWriter",
        "storage",
        _pair({"AllocatedStorage": "100"}, {"AllocatedStorage": 100}),
        _pair({"AllocatedStorage": "500"}, {"AllocatedStorage": 100}),
        "there/Db",
        "AllocatedStorage is 100",
    ),
    case(
        "ReplicaSmallerThanWriter",
        "by reference",
        {
            "W": _database(DBInstanceClass="db.m7g.large"),
            "R": _database(DBInstanceClass="db.m7g.large", SourceDBInstanceIdentifier=ref("W")),
        },
        {
            "W": _database(DBInstanceClass="db.m7g.large"),
            "R": _database(DBInstanceClass="db.t4g.micro", SourceDBInstanceIdentifier=ref("W")),
        },
        "R",
    ),
    case(
        "ReplicaSmallerThanWriter",
        "Aurora global database",
        _aurora("db.r7g.xlarge"),
        _aurora("db.r7g.large"),
        "there/Db",
    ),
    case(
        "CrossRegionReplicaWithoutKey",
        "encrypted writer",
        _pair({"StorageEncrypted": True}, {"KmsKeyId": "alias/database"}),
        _pair({"StorageEncrypted": True}, {}),
        "there/Db",
        f"no key of {THERE}",
    ),
    case(
        "CrossRegionReplicaWithoutKey",
        "writer elsewhere",
        _pair({}, {"StorageEncrypted": False})[1],
        _pair({}, {"StorageEncrypted": True})[1],
        "there/Db",
    ),
    case(
        "CacheFailoverWithoutReplica",
        "one node",
        _cache(NumCacheClusters=2, **FAILOVER),
        _cache(NumCacheClusters=1, **FAILOVER),
        "Cache",
        "one node",
    ),
    case(
        "CacheFailoverWithoutReplica",
        "no replica a shard",
        _cache(NumNodeGroups=3, ReplicasPerNodeGroup=1, **BOTH),
        _cache(NumNodeGroups=3, ReplicasPerNodeGroup=0, **BOTH),
        "Cache",
        "Multi-AZ",
    ),
    case(
        "CacheFailoverWithoutReplica",
        "Multi-AZ without failover",
        _cache(NumCacheClusters=3, **BOTH),
        _cache(NumCacheClusters=3, MultiAZEnabled=True),
        "Cache",
        "without automatic failover",
    ),
    case(
        "GlobalDatastoreWithSmallNodes",
        "burstable",
        _datastore("cache.r7g.large"),
        _datastore("cache.t4g.medium"),
        "Cache",
        "cache.t4g.medium",
    ),
    case(
        "GlobalDatastoreWithSmallNodes",
        "burstable large",
        _datastore("cache.m7g.large"),
        _datastore("cache.t3.large"),
        "Cache",
    ),
    case(
        "TooManyDatastoreSecondaries",
        "third",
        _secondaries(THERE, "eu-central-1"),
        _secondaries(THERE, "eu-central-1", "sa-east-1"),
        "s2/Cache",
        "2 is the most",
    ),
    case(
        "TooManyDatastoreSecondaries",
        "twice a region",
        _secondaries(THERE),
        _secondaries(THERE, THERE),
        "s1/Cache",
        THERE,
    ),
]
