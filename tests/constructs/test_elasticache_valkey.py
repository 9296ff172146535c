"""The cache: alone, as primary and as secondary of a Global Datastore."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.elasticache_valkey import ValkeyCache
from ha_constructs.global_datastore import GlobalDatastoreRole

ACCOUNT = "123456789012"
REGION = "eu-west-1"
# What ElastiCache refuses on a replication group that joins a Global Datastore.
OWNED_BY_THE_GLOBAL_GROUP = [
    "Engine",
    "EngineVersion",
    "CacheNodeType",
    "CacheParameterGroupName",
    "NumNodeGroups",
    "AtRestEncryptionEnabled",
    "TransitEncryptionEnabled",
    "TransitEncryptionMode",
    "Durability",
    "SnapshotName",
    "SnapshotArns",
]


def make(**changes: Any) -> tuple[cdk.Stack, ValkeyCache]:
    """Make a stack with a network, keys and a cache."""
    stack = cdk.Stack(
        cdk.App(context={"@aws-cdk/core:enablePartitionLiterals": True}),
        "Test",
        env=cdk.Environment(account=ACCOUNT, region=REGION),
    )
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        availability_zones=[f"{REGION}{zone}" for zone in "abc"],
        nat_gateways=0,
        subnet_configuration=[ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
    )
    arguments: dict[str, Any] = {
        "name": "test-eu-west-1",
        "vpc": vpc,
        "key": kms.Key(stack, "Key"),
        "secrets_key": kms.Key(stack, "SecretsKey"),
        "logs_key": kms.Key(stack, "LogsKey"),
    }
    return stack, ValkeyCache(stack, "Cache", **{**arguments, **changes})


def group(stack: cdk.Stack) -> dict[str, Any]:
    """The replication group's resource."""
    return dict(*Template.from_stack(stack).find_resources("AWS::ElastiCache::ReplicationGroup").values())


@pytest.fixture(scope="module")
def primary() -> Template:
    """A primary with one granted role and one client network."""
    stack, cache = make(global_datastore=GlobalDatastoreRole.primary("test"))
    role = iam.Role(stack, "App", assumed_by=iam.ServicePrincipal("pods.eks.amazonaws.com"))
    cache.grant_connect(role)
    cache.allow_from_cidr("10.1.0.0/16")
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def secondary() -> Template:
    """A secondary."""
    stack, _ = make(global_datastore=GlobalDatastoreRole.secondary("ldgnf-test"))
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def primary_group(primary: Template) -> Any:
    """Properties of the primary's replication group."""
    return next(iter(primary.find_resources("AWS::ElastiCache::ReplicationGroup").values()))["Properties"]


@pytest.fixture(scope="module")
def secondary_group(secondary: Template) -> Any:
    """Properties of the secondary's replication group."""
    return next(iter(secondary.find_resources("AWS::ElastiCache::ReplicationGroup").values()))["Properties"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Engine", "valkey"),
        ("EngineVersion", "9.0"),
        ("CacheNodeType", "cache.r7g.large"),
        ("NumCacheClusters", 3),
        ("MultiAZEnabled", True),
        ("AutomaticFailoverEnabled", True),
        ("AtRestEncryptionEnabled", True),
        ("TransitEncryptionEnabled", True),
        ("TransitEncryptionMode", "required"),
        ("Durability", "disabled"),
        ("SnapshotRetentionLimit", 7),
    ],
)
def test_primary_has_production_setting(primary_group: dict[str, Any], name: str, value: object) -> None:
    assert primary_group[name] == value


def test_global_group_has_the_primary_as_its_only_member(primary: Template) -> None:
    primary.has_resource_properties(
        "AWS::ElastiCache::GlobalReplicationGroup",
        {
            "GlobalReplicationGroupIdSuffix": "test",
            "Members": [{"ReplicationGroupId": Match.any_value(), "ReplicationGroupRegion": REGION, "Role": "PRIMARY"}],
        },
    )


def test_primary_does_not_name_the_global_group(primary_group: dict[str, Any]) -> None:
    assert "GlobalReplicationGroupId" not in primary_group


def test_secondary_joins_by_id(secondary: Template, secondary_group: dict[str, Any]) -> None:
    assert secondary_group["GlobalReplicationGroupId"] == "ldgnf-test"
    secondary.resource_count_is("AWS::ElastiCache::GlobalReplicationGroup", 0)


@pytest.mark.parametrize("name", OWNED_BY_THE_GLOBAL_GROUP)
def test_secondary_leaves_to_the_global_group(secondary_group: dict[str, Any], name: str) -> None:
    assert name not in secondary_group


def test_secondary_has_its_own_key_users_and_replicas(secondary_group: dict[str, Any]) -> None:
    assert secondary_group["KmsKeyId"]["Fn::GetAtt"][0].startswith("Key")
    assert secondary_group["UserGroupIds"] and secondary_group["NumCacheClusters"] == 3


def test_application_user_logs_in_with_iam_and_its_name_is_its_id(primary: Template) -> None:
    primary.has_resource_properties(
        "AWS::ElastiCache::User",
        {"UserId": "test-eu-west-1-app", "UserName": "test-eu-west-1-app", "AuthenticationMode": {"Type": "iam"}},
    )


def test_default_user_is_off_without_permissions(primary: Template) -> None:
    primary.has_resource_properties("AWS::ElastiCache::User", {"UserName": "default", "AccessString": "off -@all"})


def test_group_holds_both_users(primary: Template) -> None:
    users = set(primary.find_resources("AWS::ElastiCache::User"))
    members = next(iter(primary.find_resources("AWS::ElastiCache::UserGroup").values()))["Properties"]["UserIds"]
    assert {member["Ref"] for member in members} == users


def test_logs_go_to_encrypted_groups(primary: Template, primary_group: dict[str, Any]) -> None:
    primary.all_resources_properties("AWS::Logs::LogGroup", {"KmsKeyId": Match.any_value(), "RetentionInDays": 90})
    assert {log["LogType"] for log in primary_group["LogDeliveryConfigurations"]} == {"slow-log", "engine-log"}


def test_granted_role_connects_to_this_cache_as_the_application_user(primary: Template) -> None:
    primary.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    {
                        "Action": "elasticache:Connect",
                        "Effect": "Allow",
                        "Resource": [
                            f"arn:aws:elasticache:{REGION}:{ACCOUNT}:replicationgroup:test-eu-west-1",
                            f"arn:aws:elasticache:{REGION}:{ACCOUNT}:user:test-eu-west-1-app",
                        ],
                    }
                ]
            }
        },
    )


def test_only_the_allowed_network_reaches_the_cache(primary: Template) -> None:
    primary.has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "Valkey cache test-eu-west-1",
            "SecurityGroupIngress": [Match.object_like({"CidrIp": "10.1.0.0/16", "FromPort": 6379})],
        },
    )


def test_protection_retains_cache_and_global_group(primary: Template) -> None:
    for resource_type in ("AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::GlobalReplicationGroup"):
        primary.has_resource(resource_type, {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"})


def test_cache_without_protection_goes_with_its_stack() -> None:
    stack, _ = make(deletion_protection=False)
    assert group(stack)["DeletionPolicy"] == "Delete"


def test_cache_of_one_region_has_no_global_group() -> None:
    stack, cache = make()
    Template.from_stack(stack).resource_count_is("AWS::ElastiCache::GlobalReplicationGroup", 0)
    assert cache.global_replication_group_id is None


def test_shards_turn_cluster_mode_on() -> None:
    stack, cache = make(shards=3, replicas=1)
    properties = group(stack)["Properties"]
    assert (properties["NumNodeGroups"], properties["ReplicasPerNodeGroup"]) == (3, 1)
    assert "NumCacheClusters" not in properties
    Template.from_stack(stack).has_resource_properties(
        "AWS::ElastiCache::ParameterGroup", {"Properties": {"cluster-enabled": "yes"}}
    )
    endpoint = stack.resolve(cache.primary_endpoint)
    assert endpoint["Fn::GetAtt"][1] == "ConfigurationEndPoint.Address"


def test_sharded_secondary_gives_replicas_but_not_shards() -> None:
    stack, _ = make(shards=3, replicas=1, global_datastore=GlobalDatastoreRole.secondary("ldgnf-test"))
    properties = group(stack)["Properties"]
    assert properties["ReplicasPerNodeGroup"] == 1 and "NumNodeGroups" not in properties


def test_single_node_is_possible_when_asked_for() -> None:
    stack, _ = make(multi_az=False, replicas=0, node_type="cache.t4g.small")
    properties = group(stack)["Properties"]
    assert (properties["NumCacheClusters"], properties["MultiAZEnabled"]) == (1, False)
    assert properties["AutomaticFailoverEnabled"] is False


def test_version_before_9_has_no_durability() -> None:
    stack, _ = make(engine_version="8.1")
    assert "Durability" not in group(stack)["Properties"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Upper"}, "name must be"),
        ({"name": "x" * 37}, "at most 36"),
        ({"replicas": 6}, "0 to 5"),
        ({"replicas": 0}, "nothing to fail over to"),
        ({"snapshot_retention_days": 36}, "0 to 35"),
        ({"engine_version": "7.2"}, "8.0 or later"),
        (
            {"node_type": "cache.t4g.medium", "global_datastore": GlobalDatastoreRole.primary("test")},
            "can't be in a Global Datastore",
        ),
    ],
)
def test_bad_argument_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_third_secondary_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 2 secondary regions"):
        GlobalDatastoreRole.secondary("ldgnf-test", position=3)


def test_bad_suffix_is_refused() -> None:
    with pytest.raises(ValueError, match="suffix must be"):
        GlobalDatastoreRole.primary("under_score")
