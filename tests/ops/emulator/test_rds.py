"""What our handlers of RDS do, and refuse as AWS would."""

from typing import Any

import pytest

from ops.emulator import Emulator

from .conftest import ACCOUNT, HERE, THERE, Deploy, Network, one


@pytest.fixture(scope="module")
def groups(deploy: Deploy, here: Network, there: Network) -> None:
    """A DB subnet group of the same name in each region."""
    for region, network in ((HERE, here), (THERE, there)):
        group = {"DBSubnetGroupName": "data", "DBSubnetGroupDescription": "data", "SubnetIds": network.subnets}
        assert deploy(one("AWS::RDS::DBSubnetGroup", **group), region=region).status == "CREATE_COMPLETE"


@pytest.fixture(scope="module")
def writer(deploy: Deploy, here: Network, groups: None) -> str:
    """The ARN of an encrypted instance with backups."""
    stack = deploy(_instance("writer", BackupRetentionPeriod=7, KmsKeyId=here.key))
    assert stack.status == "CREATE_COMPLETE", stack.reason
    return f"arn:aws:rds:{HERE}:{ACCOUNT}:db:writer"


def _instance(name: str, **more: Any) -> dict[str, Any]:
    fixed = {"DBInstanceIdentifier": name, "DBInstanceClass": "db.r7g.large", "DBSubnetGroupName": "data"}
    engine = {"Engine": "postgres", "AllocatedStorage": "100", "StorageEncrypted": True}
    engine |= {"MasterUsername": "app", "MasterUserPassword": "secret-one"}
    return one("AWS::RDS::DBInstance", **fixed, **({} if "SourceDBInstanceIdentifier" in more else engine), **more)


def _replica(source: str, **more: Any) -> dict[str, Any]:
    return _instance("replica", SourceDBInstanceIdentifier=source, SourceRegion=HERE, **more)


def test_a_subnet_group_that_does_not_exist(deploy: Deploy) -> None:
    stack = deploy(one("AWS::RDS::DBInstance", DBSubnetGroupName="none", DBInstanceClass="db.r7g.large"))
    assert "DB subnet group 'none' does not exist" in stack.reason


def test_a_replica_of_nothing(deploy: Deploy, there: Network, groups: None) -> None:
    source = f"arn:aws:rds:{HERE}:{ACCOUNT}:db:none"
    stack = deploy(_replica(source, KmsKeyId=there.key), region=THERE)
    assert f"source '{source}' does not exist in {HERE}" in stack.reason


def test_a_replica_without_a_key_of_its_region(deploy: Deploy, writer: str) -> None:
    assert f"needs a KmsKeyId of {THERE}" in deploy(_replica(writer), region=THERE).reason


def test_a_replica_with_a_key_of_the_source_region(deploy: Deploy, writer: str, here: Network) -> None:
    stack = deploy(_replica(writer, KmsKeyId=here.key), region=THERE)
    assert f"needs a key of {THERE}" in stack.reason


def test_a_replica_of_a_source_without_backups(deploy: Deploy, here: Network, there: Network, groups: None) -> None:
    deploy(_instance("careless", BackupRetentionPeriod=0, KmsKeyId=here.key))
    source = f"arn:aws:rds:{HERE}:{ACCOUNT}:db:careless"
    stack = deploy(_replica(source, KmsKeyId=there.key), region=THERE)
    assert "automated backups must be on" in stack.reason


def test_a_replica_is_linked_until_it_is_deleted(
    deploy: Deploy, writer: str, there: Network, emulator: Emulator
) -> None:
    def replicas() -> list[str]:
        answer = emulator.client("rds").describe_db_instances(DBInstanceIdentifier="writer")
        names: list[str] = answer["DBInstances"][0]["ReadReplicaDBInstanceIdentifiers"]
        return names

    stack = deploy(_replica(writer, KmsKeyId=there.key), region=THERE)
    assert stack.status == "CREATE_COMPLETE", stack.reason
    rds = emulator.client("rds", THERE)
    replica = rds.describe_db_instances(DBInstanceIdentifier="replica")["DBInstances"][0]
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == writer
    assert (replica["Engine"], replica["StorageEncrypted"]) == ("postgres", True)
    assert replicas() == [f"arn:aws:rds:{THERE}:{ACCOUNT}:db:replica"]
    stack.delete()
    assert replicas() == []


def test_a_protected_instance_stays(deploy: Deploy, here: Network, groups: None) -> None:
    stack = deploy(_instance("kept", KmsKeyId=here.key, DeletionProtection=True)).delete()
    assert stack.status == "DELETE_FAILED"
    assert "deletion protection is on" in stack.reason


def test_insights_and_exported_logs_are_told(deploy: Deploy, here: Network, emulator: Emulator, groups: None) -> None:
    def told() -> dict[str, Any]:
        answer = emulator.client("rds").describe_db_instances(DBInstanceIdentifier="watched")
        instance: dict[str, Any] = answer["DBInstances"][0]
        return instance

    key = {"EnablePerformanceInsights": True, "PerformanceInsightsKMSKeyId": here.key}
    stack = deploy(_instance("watched", **key, EnableCloudwatchLogsExports=["postgresql", "upgrade"]))
    assert stack.status == "CREATE_COMPLETE", stack.reason
    assert told()["EnabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    assert (told()["PerformanceInsightsKMSKeyId"], told()["DatabaseInsightsMode"]) == (here.key, "standard")
    assert told()["MasterUsername"] == "app"
    more = {"DatabaseInsightsMode": "advanced", "PerformanceInsightsRetentionPeriod": 465}
    stack.update(_instance("watched", **key, **more, EnableCloudwatchLogsExports=["postgresql"]))
    assert told()["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert (told()["DatabaseInsightsMode"], told()["PerformanceInsightsRetentionPeriod"]) == ("advanced", 465)


def test_targets_and_pool_of_a_proxy_are_told(deploy: Deploy, here: Network, writer: str, emulator: Emulator) -> None:
    proxy = {
        "Type": "AWS::RDS::DBProxy",
        "Properties": {
            "DBProxyName": "door", "EngineFamily": "POSTGRESQL", "VpcSubnetIds": here.subnets,
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/proxy", "Auth": [{"AuthScheme": "SECRETS", "IAMAuth": "REQUIRED"}],
        },
    }  # fmt: skip
    pool = {"MaxConnectionsPercent": 90, "MaxIdleConnectionsPercent": 40, "ConnectionBorrowTimeout": 30}

    def resources(**changed: int) -> dict[str, Any]:
        group = one(
            "AWS::RDS::DBProxyTargetGroup", DBProxyName={"Ref": "Proxy"}, TargetGroupName="default",
            DBInstanceIdentifiers=["writer"], ConnectionPoolConfigurationInfo={**pool, **changed},
        )  # fmt: skip
        return {"Proxy": proxy, **group}

    def told() -> dict[str, Any]:
        answer = emulator.client("rds").describe_db_proxy_target_groups(DBProxyName="door")
        found: dict[str, Any] = answer["TargetGroups"][0]["ConnectionPoolConfig"]
        return {name: found[name] for name in pool}

    stack = deploy(resources())
    assert stack.status == "CREATE_COMPLETE", stack.reason
    targets = emulator.client("rds").describe_db_proxy_targets(DBProxyName="door")["Targets"]
    assert [target["RdsResourceId"] for target in targets] == ["writer"]
    assert told() == pool
    stack.update(resources(ConnectionBorrowTimeout=60))
    assert told()["ConnectionBorrowTimeout"] == 60
    stack.delete()
