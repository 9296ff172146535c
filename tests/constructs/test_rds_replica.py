"""The replica: what another region needs of it, and what it must not say."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.rds_replica import RdsReplica
from ha_constructs.rds_settings import RdsSettings

ACCOUNT = "123456789012"
REGION = "us-east-1"
SOURCE = f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:test-eu-west-1"


def make(**changes: Any) -> tuple[cdk.Stack, RdsReplica]:
    """Make a stack with a network, keys and a replica."""
    app = cdk.App(context={"@aws-cdk/core:enablePartitionLiterals": True})
    stack = cdk.Stack(app, "Test", env=cdk.Environment(account=ACCOUNT, region=REGION))
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        availability_zones=[f"{REGION}{zone}" for zone in "abc"],
        nat_gateways=0,
        subnet_configuration=[ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
    )
    arguments: dict[str, Any] = {
        "identifier": "test-us-east-1",
        "source_arn": SOURCE,
        "vpc": vpc,
        "key": kms.Key(stack, "Key"),
        "logs_key": kms.Key(stack, "LogsKey"),
    }
    return stack, RdsReplica(stack, "Replica", **{**arguments, **changes})


@pytest.fixture(scope="module")
def template() -> Template:
    """The default replica with one granted user and one client network."""
    stack, replica = make()
    role = iam.Role(stack, "App", assumed_by=iam.ServicePrincipal("pods.eks.amazonaws.com"))
    replica.grant_connect(role, "reports")
    replica.allow_from_cidr("10.2.0.0/16")
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def instance(template: Template) -> dict[str, Any]:
    """The instance's resource."""
    return dict(*template.find_resources("AWS::RDS::DBInstance").values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SourceDBInstanceIdentifier", SOURCE),
        ("MultiAZ", True),
        ("DeletionProtection", True),
        ("BackupRetentionPeriod", 35),
        ("EnableIAMDatabaseAuthentication", True),
        ("EngineVersion", "18.3"),
        ("AutoMinorVersionUpgrade", False),
        ("PubliclyAccessible", False),
        ("EnableCloudwatchLogsExports", ["postgresql", "upgrade"]),
        ("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
    ],
)
def test_replica_has_production_setting(instance: dict[str, Any], name: str, value: object) -> None:
    assert instance["Properties"][name] == value


def test_replica_uses_a_key_of_its_own_region(instance: dict[str, Any]) -> None:
    assert instance["Properties"]["KmsKeyId"]["Fn::GetAtt"][0].startswith("Key")


@pytest.mark.parametrize(
    "name",
    ["MasterUsername", "MasterUserPassword", "DBName", "StorageEncrypted", "SourceRegion", "DBSnapshotIdentifier"],
)
def test_replica_leaves_to_the_source(instance: dict[str, Any], name: str) -> None:
    assert name not in instance["Properties"]


def test_parameters_equal_the_writers(template: Template) -> None:
    template.has_resource_properties(
        "AWS::RDS::DBParameterGroup", {"Family": "postgres18", "Parameters": RdsSettings().all_parameters}
    )


def test_promotion_drops_the_source_and_keeps_everything_else(instance: dict[str, Any]) -> None:
    stack, _ = make(promote=True)
    promoted = next(iter(Template.from_stack(stack).find_resources("AWS::RDS::DBInstance").values()))
    expected = {key: value for key, value in instance["Properties"].items() if key != "SourceDBInstanceIdentifier"}
    assert promoted["Properties"] == expected


def test_replica_without_protection_goes_with_its_stack() -> None:
    stack, _ = make(deletion_protection=False)
    Template.from_stack(stack).has_resource(
        "AWS::RDS::DBInstance", {"DeletionPolicy": "Delete", "Properties": {"DeletionProtection": False}}
    )


def test_granted_role_connects_to_the_replica_as_one_user(template: Template) -> None:
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    Match.object_like(
                        {
                            "Action": "rds-db:connect",
                            "Resource": {
                                "Fn::Join": [
                                    "",
                                    Match.array_with([Match.object_like({}), "/reports"]),
                                ]
                            },
                        }
                    )
                ]
            }
        },
    )


def test_only_the_allowed_network_reaches_the_replica(template: Template) -> None:
    template.resource_count_is("AWS::EC2::SecurityGroupIngress", 0)
    template.has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "PostgreSQL instance test-us-east-1",
            "SecurityGroupIngress": [
                {
                    "CidrIp": "10.2.0.0/16",
                    "Description": "PostgreSQL",
                    "FromPort": 5432,
                    "ToPort": 5432,
                    "IpProtocol": "tcp",
                }
            ],
        },
    )


@pytest.mark.parametrize(
    ("source_arn", "message"),
    [
        ("test-eu-west-1", "source_arn must be arn:aws:rds"),
        (f"arn:aws:rds:{REGION}:{ACCOUNT}:db:neighbour", "own region"),
    ],
)
def test_bad_source_is_refused(source_arn: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(source_arn=source_arn)
