"""PostgreSQL read replica in a secondary region."""

import re

import aws_cdk as cdk
from aws_cdk import Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from ha_constructs.location import location_of
from ha_constructs.rds_instance import RdsInstance
from ha_constructs.rds_settings import RdsSettings

_SOURCE_ARN = re.compile(r"arn:[\w-]+:rds:(?P<region>[a-z0-9-]+):[^:]+:db:(?P<identifier>[a-z][a-z0-9-]*)")


class RdsReplica(RdsInstance):
    """Encrypted, Multi-AZ read replica of a writer in another region.

    *Create.* The source is a literal ARN. A replica in another region needs a key of its own region: keys do not
    cross regions. ``SourceRegion`` is not given: only GovCloud and China need a presigned request, and elsewhere RDS
    ignores it; CloudFormation's handler takes the source's region from the ARN. Master user, password and database
    come from the source and must not be given; parameter group, security group, monitoring, logs and IAM
    authentication do not come from it, so they are made here, with the same settings. CloudFormation creates the
    replica first and then modifies it once (backups, parameters, certificate), with a reboot.

    *Backups.* RDS for PostgreSQL takes automated backups of replicas too (14.1 and later); point-in-time recovery is
    the writer's alone. Having them on means that a promoted replica can be restored, and can be a source of replicas,
    from its first minute.

    *Promotion.* ``promote=True`` leaves ``SourceDBInstanceIdentifier`` out of the template. CloudFormation then
    promotes the same instance, without replacement, to a standalone one; RDS reboots it, "several minutes or longer"
    on a busy database. Replication is asynchronous, so what the lag held is lost when the source's region is. Promotion
    can't be undone: to replicate again, a new replica is made. A replica promoted by hand is a replica in the
    template until ``promote=True`` is deployed; that deployment changes nothing then. The replica of the master secret
    in this region must be promoted and rotated here as well.

    *Update.* A changed source or key replaces the instance. Minor versions: deploy the replicas' stacks before the
    writer's (see ``RdsSettings``).

    *Delete.* RDS takes no final snapshot of a replica, and AWS documents that CloudFormation ignores deletion policies
    on replicas; what protects this one is RDS deletion protection, which makes a delete fail. Without protection the
    replica is deleted; the data is the writer's.

    Exposes:
        as ``RdsInstance``; instance is an ``rds.DatabaseInstanceReadReplica``, source_arn the writer's ARN.

    Documentation followed:
        Creating a read replica in a different AWS Region
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html
        Promoting a read replica to be a standalone DB instance
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.Promote.html
        AWS::RDS::DBInstance, SourceDBInstanceIdentifier
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        identifier: str,
        source_arn: str,
        vpc: ec2.IVpc,
        key: kms.IKey,
        logs_key: kms.IKey,
        settings: RdsSettings | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        promote: bool = False,
        deletion_protection: bool = True,
    ) -> None:
        """Create the replica.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            identifier: literal identifier in this region.
            source_arn: literal ARN of the writer, ``arn:aws:rds:<region>:<account>:db:<identifier>``.
            vpc: network.
            key: key, of this region, of storage, backups and Performance Insights.
            logs_key: key of the log groups.
            settings: the writer's settings. Default: ``RdsSettings()``.
            vpc_subnets: subnets in two zones or more. Default: the isolated subnets.
            promote: make the replica a standalone database. Default: false. It can't be undone.
            deletion_protection: protect and retain. Default: true.

        Raises:
            ValueError: the identifier or the source's ARN is malformed, or the source is in this region.
        """
        super().__init__(
            scope,
            construct_id,
            identifier=identifier,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            key=key,
            logs_key=logs_key,
            settings=settings or RdsSettings(),
            deletion_protection=deletion_protection,
        )
        self.source_arn = source_arn
        self._instance = self._build_instance(self._source_identifier(), promote)

    @property
    def instance(self) -> rds.DatabaseInstanceReadReplica:
        """The instance."""
        return self._instance

    def _source_identifier(self) -> str:
        match = _SOURCE_ARN.fullmatch(self.source_arn)
        if not match:
            raise ValueError(
                f"source_arn must be arn:aws:rds:<region>:<account>:db:<identifier>, got {self.source_arn!r}."
            )
        region = location_of(self).region
        if match["region"] == region:
            raise ValueError(
                f"source_arn is in this replica's own region {region}: this construct is for replicas in another "
                "region (a local one inherits the source's key)."
            )
        return match["identifier"]

    def _build_instance(self, source_identifier: str, promote: bool) -> rds.DatabaseInstanceReadReplica:
        source = rds.DatabaseInstance.from_database_instance_attributes(
            self,
            "Source",
            instance_identifier=source_identifier,
            instance_endpoint_address=source_identifier,
            port=self.settings.port,
            security_groups=[],
            engine=self.settings.engine,
        )
        replica = rds.DatabaseInstanceReadReplica(
            self,
            "Instance",
            source_database_instance=source,
            removal_policy=cdk.RemovalPolicy.RETAIN if self._deletion_protection else cdk.RemovalPolicy.DESTROY,
            **{**self._instance_arguments(), "backup_retention": None},
        )
        cfn_replica = replica.node.default_child
        assert isinstance(cfn_replica, rds.CfnDBInstance)  # noqa: S101  for the type checker
        # The L2 would build the source's ARN with this stack's region.
        cfn_replica.source_db_instance_identifier = None if promote else self.source_arn
        # A replica is encrypted because its source is, with the key given here: AWS documents that StorageEncrypted
        # must not be given beside the source. cfn-lint knows that rule (E3020) and its opposite for any key (E3720).
        cfn_replica.storage_encrypted = None
        cfn_replica.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3720"]}})
        # The L2 still refuses backups of PostgreSQL replicas, which RDS has had since PostgreSQL 14.
        cfn_replica.backup_retention_period = self.settings.backup_retention_days
        # Without these the template would never upgrade a replica, and RDS wants replicas upgraded first.
        cfn_replica.engine = "postgres"
        cfn_replica.engine_version = self.settings.engine_version
        cfn_replica.allow_major_version_upgrade = False
        self._finish(replica)
        inherited = "Encrypted with KmsKeyId; the switch comes from the source, and adding it later would replace."
        findings = ["AwsSolutions::AwsSolutions-RDS2", *(["CloudFormation-Validate::W9008"] if promote else [])]
        for finding in findings:
            Validations.of(replica).acknowledge(cdk.Acknowledgment(id=finding, reason=inherited))
        return replica
