"""What the writer and the replicas of a PostgreSQL database have in common."""

import re
from typing import Any

import aws_cdk as cdk
from aws_cdk import Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from constructs import Construct

from ha_constructs.rds_settings import RdsSettings

_IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9]){0,62}")
_MONITORING_POLICY = "AmazonRDSEnhancedMonitoringRole"
_DEFAULT_PORT = 5432
_LOG_EXPORTS = ("postgresql", "upgrade")
_INSIGHTS_RETENTION = {
    False: rds.PerformanceInsightRetention.DEFAULT,  # 7 days, free
    True: rds.PerformanceInsightRetention.MONTHS_15,  # 465 days, which the advanced mode requires
}


class RdsInstance(Construct):
    """Base of ``RdsWriter`` and ``RdsReplica``: network, parameters, logs, monitoring and access of one instance.

    The log groups are made here, encrypted and with a retention, *before* the instance, because RDS would make
    them itself, unencrypted and kept for ever. The security group lets nothing in.

    Exposes:
        identifier: literal identifier of the instance.
        settings: the ``RdsSettings`` it was made from.
        security_group: security group of the instance.
        parameter_group, monitoring_role, log_groups: the parts.

    Documentation followed:
        Working with parameters on your RDS for PostgreSQL DB instance
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Parameters.html
        Creating and using an IAM policy for IAM database access
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        identifier: str,
        vpc: ec2.IVpc,
        vpc_subnets: ec2.SubnetSelection | None,
        key: kms.IKey,
        logs_key: kms.IKey,
        settings: RdsSettings,
        deletion_protection: bool,
    ) -> None:
        """Create the parts around the instance; the subclasses create the instance itself.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            identifier: literal identifier, lower case, 1 to 63 characters.
            vpc: network.
            vpc_subnets: subnets. None: the isolated ones.
            key: key of storage, backups and Performance Insights; both are fixed at creation.
            logs_key: key of the log groups.
            settings: engine, sizes, windows.
            deletion_protection: protect and retain.

        Raises:
            ValueError: the identifier is not one that RDS takes.
        """
        super().__init__(scope, construct_id)
        if not _IDENTIFIER.fullmatch(identifier):
            raise ValueError(
                f"identifier must be lower case letters, digits and single hyphens, beginning with a letter, "
                f"at most 63 characters, got {identifier!r}."
            )
        self.identifier = identifier
        self.settings = settings
        self._vpc = vpc
        self._vpc_subnets = vpc_subnets or ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self._key = key
        self._deletion_protection = deletion_protection
        self.security_group = self._build_security_group("SecurityGroup", f"PostgreSQL instance {identifier}")
        self.parameter_group = rds.ParameterGroup(
            self,
            "Parameters",
            engine=settings.engine,
            description=f"PostgreSQL {settings.major_version} of {identifier}",
            parameters=settings.all_parameters,
        )
        self.monitoring_role = self._build_monitoring_role()
        self.log_groups = {name: self._build_log_group(name, logs_key) for name in _LOG_EXPORTS}

    @property
    def port(self) -> int:
        """TCP port of the database (and of its proxy)."""
        return self.settings.port

    @property
    def instance(self) -> rds.DatabaseInstance | rds.DatabaseInstanceReadReplica:
        """The instance."""
        raise NotImplementedError

    @property
    def endpoint_address(self) -> str:
        """DNS name of the instance; it stays the same when the standby takes over."""
        return self.instance.db_instance_endpoint_address

    @property
    def instance_arn(self) -> str:
        """ARN, built from the literal identifier, so that it has a value everywhere."""
        return cdk.Stack.of(self).format_arn(
            service="rds", resource="db", resource_name=self.identifier, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )

    @property
    def resource_id(self) -> str:
        """Immutable id (``db-...``) that IAM database authentication and Performance Insights name the instance by."""
        cfn_instance = self.instance.node.default_child
        assert isinstance(cfn_instance, rds.CfnDBInstance)  # noqa: S101  for the type checker
        return cfn_instance.attr_dbi_resource_id

    def allow_from(self, peer: ec2.IConnectable, description: str = "PostgreSQL") -> None:
        """Let the connections of a construct reach the database port.

        Args:
            peer: what may connect.
            description: description of the rule. Default: ``PostgreSQL``.
        """
        self.security_group.connections.allow_from(peer, ec2.Port.tcp(self.port), description)

    def allow_from_cidr(self, cidr: str, description: str = "PostgreSQL") -> None:
        """Let an address range reach the database port.

        Args:
            cidr: IPv4 range, for example a peer VPC's.
            description: description of the rule. Default: ``PostgreSQL``.
        """
        self.security_group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(self.port), description)

    def grant_connect(self, grantee: iam.IGrantable, user: str) -> iam.Grant:
        """Let a role log in to the instance as one database user with an IAM token.

        The user must exist in PostgreSQL and be a member of the role ``rds_iam``.

        Args:
            grantee: who may connect.
            user: name of the PostgreSQL user.
        """
        return self._grant_connect(grantee, self.resource_id, user)

    def _grant_connect(self, grantee: iam.IGrantable, resource_id: str, user: str) -> iam.Grant:
        arn = cdk.Stack.of(self).format_arn(
            service="rds-db",
            resource="dbuser",
            resource_name=f"{resource_id}/{user}",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        return iam.Grant.add_to_principal(grantee=grantee, actions=["rds-db:connect"], resource_arns=[arn])

    def _build_security_group(self, construct_id: str, description: str) -> ec2.SecurityGroup:
        # PostgreSQL opens no connections of its own, so nothing may leave either.
        return ec2.SecurityGroup(self, construct_id, vpc=self._vpc, description=description, allow_all_outbound=False)

    def _build_monitoring_role(self) -> iam.Role:
        role = iam.Role(
            self,
            "MonitoringRole",
            description=f"Lets RDS write enhanced monitoring of {self.identifier}",
            assumed_by=iam.ServicePrincipal("monitoring.rds.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(f"service-role/{_MONITORING_POLICY}")],
        )
        _acknowledge(
            role,
            f"IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/{_MONITORING_POLICY}]",
            "The managed policy is the one that RDS documents for enhanced monitoring; it writes to the log groups "
            "RDS* only.",
        )
        return role

    def _build_log_group(self, name: str, logs_key: kms.IKey) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            f"{name.capitalize()}Logs",
            log_group_name=f"/aws/rds/instance/{self.identifier}/{name}",
            encryption_key=logs_key,
            retention=self.settings.log_retention,
            removal_policy=cdk.RemovalPolicy.RETAIN if self._deletion_protection else cdk.RemovalPolicy.DESTROY,
        )

    def _instance_arguments(self) -> dict[str, Any]:
        """Arguments that are the same for ``DatabaseInstance`` and ``DatabaseInstanceReadReplica``."""
        settings = self.settings
        return {
            "instance_identifier": self.identifier,
            "instance_type": ec2.InstanceType(settings.instance_class),
            "vpc": self._vpc,
            "vpc_subnets": self._vpc_subnets,
            "security_groups": [self.security_group],
            "publicly_accessible": False,
            "port": settings.port,
            "multi_az": settings.multi_az,
            "parameter_group": self.parameter_group,
            "storage_type": rds.StorageType.GP3,
            "allocated_storage": settings.allocated_storage_gib,
            "max_allocated_storage": settings.max_storage_gib,
            "storage_encryption_key": self._key,
            "iam_authentication": True,
            "ca_certificate": rds.CaCertificate.RDS_CA_RSA2048_G1,
            "auto_minor_version_upgrade": False,
            "backup_retention": cdk.Duration.days(settings.backup_retention_days),
            "preferred_backup_window": settings.backup_window,
            "preferred_maintenance_window": settings.maintenance_window,
            "copy_tags_to_snapshot": True,
            "delete_automated_backups": not self._deletion_protection,
            "deletion_protection": self._deletion_protection,
            "cloudwatch_logs_exports": list(_LOG_EXPORTS),
            "monitoring_interval": cdk.Duration.seconds(settings.monitoring_interval_seconds),
            "monitoring_role": self.monitoring_role,
            "database_insights_mode": (
                rds.DatabaseInsightsMode.ADVANCED if settings.advanced_insights else rds.DatabaseInsightsMode.STANDARD
            ),
            "enable_performance_insights": True,
            "performance_insight_encryption_key": self._key,
            "performance_insight_retention": _INSIGHTS_RETENTION[settings.advanced_insights],
        }

    def _finish(self, instance: rds.DatabaseInstance | rds.DatabaseInstanceReadReplica) -> None:
        """Order the log groups before the instance, and acknowledge what was decided."""
        instance.node.add_dependency(*self.log_groups.values())
        if self.settings.port == _DEFAULT_PORT:
            _acknowledge(
                instance,
                "RDS11",
                "The port is a setting; hiding a database behind an unusual port protects little, and here nothing "
                "reaches it that its security group does not name.",
            )
        if not self._deletion_protection:
            _acknowledge(instance, "RDS10", "deletion_protection is off: this environment may be deleted.")
        if not self.settings.multi_az:
            _acknowledge(instance, "RDS3", "multi_az is off: this environment may stop with its zone.")


def _acknowledge(construct: Construct, finding: str, reason: str) -> None:
    Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=reason))
