"""The writer: what of it must hold for availability, security and replicas elsewhere."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.rds_settings import RdsSettings
from ha_constructs.rds_writer import RdsWriter

ACCOUNT = "123456789012"
REGION = "eu-west-1"


def make(**changes: Any) -> tuple[cdk.Stack, RdsWriter]:
    """Make a stack with a network, keys and a writer."""
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
        "identifier": "test-eu-west-1",
        "secret_name": "test/database",
        "vpc": vpc,
        "key": kms.Key(stack, "Key"),
        "secrets_key": kms.Key(stack, "SecretsKey"),
        "logs_key": kms.Key(stack, "LogsKey"),
    }
    return stack, RdsWriter(stack, "Writer", **{**arguments, **changes})


@pytest.fixture(scope="module")
def template() -> Template:
    """The default writer with one granted user and one client network."""
    stack, writer = make()
    role = iam.Role(stack, "App", assumed_by=iam.ServicePrincipal("pods.eks.amazonaws.com"))
    writer.grant_connect(role, "shop")
    writer.allow_from_cidr("10.1.0.0/16", "pods elsewhere")
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def instance(template: Template) -> dict[str, Any]:
    """The instance's resource."""
    return dict(*template.find_resources("AWS::RDS::DBInstance").values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DBInstanceIdentifier", "test-eu-west-1"),
        ("MultiAZ", True),
        ("StorageEncrypted", True),
        ("StorageType", "gp3"),
        ("MaxAllocatedStorage", 1000),
        ("PubliclyAccessible", False),
        ("DeletionProtection", True),
        ("BackupRetentionPeriod", 35),
        ("DeleteAutomatedBackups", False),
        ("CopyTagsToSnapshot", True),
        ("AutoMinorVersionUpgrade", False),
        ("EngineVersion", "18.3"),
        ("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        ("EnableIAMDatabaseAuthentication", True),
        ("EnablePerformanceInsights", True),
        ("MonitoringInterval", 60),
        ("EnableCloudwatchLogsExports", ["postgresql", "upgrade"]),
        ("MasterUsername", "platform_admin"),
    ],
)
def test_instance_has_production_setting(instance: dict[str, Any], name: str, value: object) -> None:
    assert instance["Properties"][name] == value


def test_instance_is_retained_with_protection(instance: dict[str, Any]) -> None:
    assert (instance["DeletionPolicy"], instance["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_instance_without_protection_leaves_a_snapshot() -> None:
    stack, _ = make(deletion_protection=False)
    Template.from_stack(stack).has_resource(
        "AWS::RDS::DBInstance", {"DeletionPolicy": "Snapshot", "Properties": {"DeletionProtection": False}}
    )


def test_password_is_in_a_named_secret_with_its_own_key(template: Template, instance: dict[str, Any]) -> None:
    template.has_resource_properties(
        "AWS::SecretsManager::Secret", {"Name": "test/database", "KmsKeyId": Match.any_value()}
    )
    assert "{{resolve:secretsmanager:" in str(instance["Properties"]["MasterUserPassword"])


def test_secret_does_not_name_replica_regions(template: Template) -> None:
    template.has_resource_properties("AWS::SecretsManager::Secret", {"ReplicaRegions": Match.absent()})


def test_rds_does_not_manage_the_password(instance: dict[str, Any]) -> None:
    assert "ManageMasterUserPassword" not in instance["Properties"]


def test_password_is_rotated(template: Template) -> None:
    template.has_resource_properties(
        "AWS::SecretsManager::RotationSchedule",
        {"RotationRules": {"ScheduleExpression": "rate(30 days)"}, "RotateImmediatelyOnUpdate": False},
    )


def test_tls_is_forced(template: Template) -> None:
    template.has_resource_properties(
        "AWS::RDS::DBParameterGroup", {"Family": "postgres18", "Parameters": {"rds.force_ssl": "1"}}
    )


def test_log_groups_are_encrypted_and_come_before_the_instance(template: Template, instance: dict[str, Any]) -> None:
    for name in ("postgresql", "upgrade"):
        found = template.find_resources(
            "AWS::Logs::LogGroup",
            {
                "Properties": {
                    "LogGroupName": f"/aws/rds/instance/test-eu-west-1/{name}",
                    "KmsKeyId": Match.any_value(),
                    "RetentionInDays": 90,
                }
            },
        )
        assert set(found) <= set(instance["DependsOn"]) and found


def test_proxy_wants_tls_and_iam_in_three_subnets(template: Template) -> None:
    template.has_resource_properties(
        "AWS::RDS::DBProxy",
        {
            "DBProxyName": "test-eu-west-1-proxy",
            "RequireTLS": True,
            "DefaultAuthScheme": "IAM_AUTH",
            "Auth": Match.absent(),
            "VpcSubnetIds": [Match.any_value()] * 3,
        },
    )


def test_proxy_leaves_connections_for_the_administrator(template: Template) -> None:
    template.has_resource_properties(
        "AWS::RDS::DBProxyTargetGroup", {"ConnectionPoolConfigurationInfo": {"MaxConnectionsPercent": 90}}
    )


def test_client_network_reaches_the_proxy_and_not_the_instance(template: Template) -> None:
    groups = template.find_resources("AWS::EC2::SecurityGroup")
    opened = [
        group["Properties"]["GroupDescription"]
        for group in groups.values()
        if group["Properties"].get("SecurityGroupIngress")
    ]
    assert opened == ["RDS Proxy of test-eu-west-1"]


def test_direct_access_opens_the_instance() -> None:
    stack, writer = make()
    writer.allow_from_cidr("10.2.0.0/16", direct=True)
    Template.from_stack(stack).has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "PostgreSQL instance test-eu-west-1",
            "SecurityGroupIngress": [Match.object_like({"CidrIp": "10.2.0.0/16", "FromPort": 5432})],
        },
    )


def connect_resources(template: Template, role_id: str) -> list[str]:
    """Resources that a role may connect to, as text."""
    statements = [
        statement
        for policy in template.find_resources("AWS::IAM::Policy").values()
        if policy["Properties"]["Roles"][0]["Ref"].startswith(role_id)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "rds-db:connect"
    ]
    return [str(statement["Resource"]) for statement in statements]


def test_granted_role_connects_to_the_proxy_as_one_user(template: Template) -> None:
    (resource,) = connect_resources(template, "App")
    assert "DBProxyArn" in resource and "/shop" in resource


def test_proxy_role_connects_to_the_instance_as_that_user_only(template: Template) -> None:
    (resource,) = connect_resources(template, "WriterProxyRole")
    assert "DbiResourceId" in resource and "/shop" in resource


def test_direct_grant_names_the_instance() -> None:
    stack, writer = make()
    role = iam.Role(stack, "Migrations", assumed_by=iam.ServicePrincipal("pods.eks.amazonaws.com"))
    writer.grant_direct_connect(role, "migrations")
    (resource,) = connect_resources(Template.from_stack(stack), "Migrations")
    assert "DbiResourceId" in resource and "DBProxyArn" not in resource


def test_advanced_insights_keep_465_days() -> None:
    stack, _ = make(settings=RdsSettings(advanced_insights=True))
    Template.from_stack(stack).has_resource_properties(
        "AWS::RDS::DBInstance", {"DatabaseInsightsMode": "advanced", "PerformanceInsightsRetentionPeriod": 465}
    )


def test_arn_is_literal() -> None:
    _, writer = make()
    assert writer.instance_arn == f"arn:aws:rds:{REGION}:{ACCOUNT}:db:test-eu-west-1"


@pytest.mark.parametrize("identifier", ["Upper", "1digit", "two--hyphens", "x" * 58])
def test_bad_identifier_is_refused(identifier: str) -> None:
    with pytest.raises(ValueError, match="identifier must be"):
        make(identifier=identifier)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine_version": "18"}, "full version such as 18.3"),
        ({"instance_class": "db.r7g.large"}, "without 'db.'"),
        ({"allocated_storage_gib": 10}, "20 to 65536"),
        ({"backup_retention_days": 36}, "1 to 35"),
        ({"max_storage_gib": 105}, "110 or more"),
        ({"monitoring_interval_seconds": 45}, "one of"),
        ({"parameters": {"rds.force_ssl": "0"}}, "rds.force_ssl"),
        ({"proxy_idle_connections_percent": 95}, "0 to 90"),
    ],
)
def test_bad_setting_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RdsSettings(**changes)


def test_own_parameters_join_the_secure_ones() -> None:
    parameters = RdsSettings(parameters={"work_mem": "65536"}).all_parameters
    assert parameters["work_mem"] == "65536" and parameters["rds.force_ssl"] == "1"
