"""What our handlers of ElastiCache do, and refuse as AWS would."""

from typing import Any

import pytest

from ops.emulator import Emulator

from .conftest import HERE, THERE, Deploy, Network, one


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


def _described(emulator: Emulator, name: str, region: str = HERE) -> dict[str, Any]:
    answer = emulator.client("elasticache", region).describe_replication_groups(ReplicationGroupId=name)
    group: dict[str, Any] = answer["ReplicationGroups"][0]
    return group


def test_a_group_tells_its_key_port_and_security_groups(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    stack = deploy(
        _group(
            "guarded", CacheNodeType="cache.r7g.large", KmsKeyId=here.key, AtRestEncryptionEnabled=True, Port=6380,
            SecurityGroupIds=[here.group],
        )
    )  # fmt: skip
    assert stack.status == "CREATE_COMPLETE", stack.reason
    group = _described(emulator, "guarded")
    assert group["KmsKeyId"] == here.key
    assert group["NodeGroups"][0]["PrimaryEndpoint"]["Port"] == 6380
    nodes = emulator.client("elasticache").describe_cache_clusters(CacheClusterId=group["MemberClusters"][1])
    assert [item["SecurityGroupId"] for item in nodes["CacheClusters"][0]["SecurityGroups"]] == [here.group]


def test_other_security_groups_are_told_after_an_update(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    stack = deploy(_group("moving", CacheNodeType="cache.r7g.large", SecurityGroupIds=[here.group]))
    stack.update(_group("moving", CacheNodeType="cache.r7g.large"))
    node = _described(emulator, "moving")["MemberClusters"][0]
    found = emulator.client("elasticache").describe_cache_clusters(CacheClusterId=node)["CacheClusters"][0]
    assert found["SecurityGroups"] == []


def test_a_datastore_and_its_members_are_told_in_their_regions(
    deploy: Deploy, primary: str, emulator: Emulator
) -> None:
    secondary = deploy(_group("reading", GlobalReplicationGroupId=primary), region=THERE)
    for region in (HERE, THERE):
        client = emulator.client("elasticache", region)
        answer = client.describe_global_replication_groups(GlobalReplicationGroupId=primary, ShowMemberInfo=True)
        (datastore,) = answer["GlobalReplicationGroups"]
        members = {(item["ReplicationGroupRegion"], item["Role"]) for item in datastore["Members"]}
        assert members == {(HERE, "PRIMARY"), (THERE, "SECONDARY")}
        assert datastore["CacheNodeType"] == "cache.r7g.large"
    info = {"GlobalReplicationGroupId": primary, "GlobalReplicationGroupMemberRole": "SECONDARY"}
    assert _described(emulator, "reading", THERE)["GlobalReplicationGroupInfo"] == info
    assert (
        _described(emulator, "primary")["GlobalReplicationGroupInfo"]["GlobalReplicationGroupMemberRole"] == "PRIMARY"
    )
    secondary.delete()
    client = emulator.client("elasticache", THERE)
    assert client.describe_global_replication_groups()["GlobalReplicationGroups"] == []
    with pytest.raises(client.exceptions.GlobalReplicationGroupNotFoundFault):
        client.describe_global_replication_groups(GlobalReplicationGroupId=primary)


def _user(name: str, kind: str, **more: Any) -> dict[str, Any]:
    user = {"UserId": name, "UserName": name, "Engine": "valkey", "AccessString": "on ~* +@all"}
    return one("AWS::ElastiCache::User", **{**user, "AuthenticationMode": {"Type": kind}, **more})


def test_how_a_user_proves_who_it_is_is_told(deploy: Deploy, emulator: Emulator) -> None:
    def authentication() -> dict[str, Any]:
        told: dict[str, Any] = emulator.client("elasticache").describe_users(UserId="app")["Users"][0]["Authentication"]
        return told

    stack = deploy(_user("app", "iam"))
    assert authentication() == {"Type": "iam", "PasswordCount": 0}
    stack.update(_user("app", "password", AuthenticationMode={"Type": "password", "Passwords": ["x" * 16, "y" * 16]}))
    assert authentication() == {"Type": "password", "PasswordCount": 2}


def test_an_iam_user_with_two_names(deploy: Deploy) -> None:
    stack = deploy(_user("one", "iam", UserName="two"))
    assert "the id and the name of IAM user 'one' must be the same" in stack.reason
