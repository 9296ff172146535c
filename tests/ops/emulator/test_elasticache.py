"""What our handlers of ElastiCache do, and refuse as AWS would."""

from typing import Any

import pytest

from ops.emulator import Emulator

from .conftest import HERE, THERE, Deploy, one


@pytest.fixture(scope="module")
def primary(deploy: Deploy) -> str:
    """The id of a Global Datastore of one group."""
    group = _group("primary", CacheNodeType="cache.r7g.large")
    datastore = one(
        "AWS::ElastiCache::GlobalReplicationGroup",
        GlobalReplicationGroupIdSuffix="global",
        Members=[_member({"Ref": "Group"})],
    )
    stack = deploy({"Group": group["Thing"], **datastore}, {"Id": {"Ref": "Thing"}})
    assert stack.status == "CREATE_COMPLETE", stack.reason
    return stack.outputs["Id"]


def _group(name: str, **more: Any) -> dict[str, Any]:
    return one(
        "AWS::ElastiCache::ReplicationGroup",
        **{
            "ReplicationGroupId": name, "ReplicationGroupDescription": name, "Engine": "valkey", "NumNodeGroups": 1,
            "ReplicasPerNodeGroup": 1, "AutomaticFailoverEnabled": True, **more,
        },
    )  # fmt: skip


def _member(group: Any, region: str = HERE, role: str = "PRIMARY") -> dict[str, Any]:
    return {"ReplicationGroupId": group, "ReplicationGroupRegion": region, "Role": role}


def test_failover_with_one_node(deploy: Deploy) -> None:
    stack = deploy(_group("lonely", CacheNodeType="cache.r7g.large", ReplicasPerNodeGroup=0))
    assert "AutomaticFailoverEnabled needs a replica" in stack.reason


def test_a_subnet_group_that_does_not_exist(deploy: Deploy) -> None:
    stack = deploy(_group("lost", CacheNodeType="cache.r7g.large", CacheSubnetGroupName="none"))
    assert "cache subnet group 'none' does not exist" in stack.reason


def test_a_member_that_does_not_exist(deploy: Deploy) -> None:
    stack = deploy(
        one(
            "AWS::ElastiCache::GlobalReplicationGroup",
            GlobalReplicationGroupIdSuffix="none",
            Members=[_member("none")],
        )
    )
    assert f"replication group 'none' does not exist in {HERE}" in stack.reason


def test_nodes_that_are_too_small(deploy: Deploy) -> None:
    assert deploy(_group("small", CacheNodeType="cache.t4g.medium")).status == "CREATE_COMPLETE"
    stack = deploy(
        one(
            "AWS::ElastiCache::GlobalReplicationGroup",
            GlobalReplicationGroupIdSuffix="small",
            Members=[_member("small")],
        )
    )
    assert "a Global Datastore needs `large` and up" in stack.reason


def test_a_secondary_joins_and_leaves(deploy: Deploy, primary: str, emulator: Emulator) -> None:
    def roles() -> dict[str, str]:
        record = emulator.state()["AWS::ElastiCache::GlobalReplicationGroup"]["global"][primary]
        return {member["ReplicationGroupRegion"]: member["Role"] for member in record["Members"]}

    stack = deploy(_group("secondary", GlobalReplicationGroupId=primary), region=THERE)
    assert stack.status == "CREATE_COMPLETE", stack.reason
    assert roles() == {HERE: "PRIMARY", THERE: "SECONDARY"}
    stack.delete()
    assert roles() == {HERE: "PRIMARY"}


def test_a_second_member_of_a_region(deploy: Deploy, primary: str) -> None:
    stack = deploy(_group("second", GlobalReplicationGroupId=primary))
    assert f"has a member in {HERE} already" in stack.reason


def test_two_secondaries_are_the_most(deploy: Deploy, primary: str) -> None:
    regions = ("eu-central-1", "eu-north-1", "ap-south-1")
    stacks = [deploy(_group("joining", GlobalReplicationGroupId=primary), region=region) for region in regions]
    assert [stack.status for stack in stacks] == ["CREATE_COMPLETE", "CREATE_COMPLETE", "ROLLBACK_COMPLETE"]
    assert "two secondaries already" in stacks[-1].reason
    for stack in stacks[:2]:
        stack.delete()
