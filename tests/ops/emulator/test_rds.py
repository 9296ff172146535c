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
