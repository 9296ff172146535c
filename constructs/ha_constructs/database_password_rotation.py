"""Rotation of the master password of an RDS instance."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

_HANDLER = Path(__file__).parent / "handlers" / "database_password_rotation"


class DatabasePasswordRotation(Construct):
    """Function that rotates an instance's master password on a schedule, through the RDS API.

    Why not the rotation application of the Serverless Application Repository (``SecretRotation`` in the CDK): it is
    a nested application that a rehearsal can't run and a reader can't read, it needs a database driver, a place in
    the VPC and a rule in the database's security group. This one is a page of Python without dependencies, outside
    the VPC. The price: its role may call ``rds:ModifyDBInstance`` on this one instance, which IAM can't narrow to the
    password, and the test step asks RDS for the state instead of logging in.

    The first rotation happens in the first window of the schedule, not at deployment. Connections that are open stay
    open; between the change in RDS and the new version becoming current, seconds, a new login with the old password
    fails. Workloads log in with IAM tokens and do not notice.

    Exposes:
        function: the Lambda function. schedule: the rotation schedule.

    Documentation followed:
        Lambda rotation functions (the four steps)
        https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
        ModifyDBInstance, MasterUserPassword
        https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        secret: secretsmanager.ISecret,
        instance_identifier: str,
        logs_key: kms.IKey,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        every_days: int = 30,
    ) -> None:
        """Create the function and the schedule.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            secret: secret with ``username`` and ``password``.
            instance_identifier: identifier of the instance, in the same region.
            logs_key: key of the function's log group.
            log_retention: how long its log is kept. Default: three months.
            every_days: days between rotations, 1 to 1000. Default: 30.

        Raises:
            ValueError: ``every_days`` is out of range.
        """
        super().__init__(scope, construct_id)
        if not 1 <= every_days <= 1000:
            raise ValueError(f"every_days must be 1 to 1000, got {every_days}.")
        log_group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=logs_key,
            retention=log_retention,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.function = self._build_function(instance_identifier, log_group)
        self.schedule = secret.add_rotation_schedule(
            "Rotation",
            rotation_lambda=self.function,
            automatically_after=cdk.Duration.days(every_days),
            rotate_immediately_on_update=False,
        )

    def _build_function(self, instance_identifier: str, log_group: logs.LogGroup) -> lambda_.Function:
        role = iam.Role(
            self,
            "Role",
            description=f"Rotates the master password of {instance_identifier}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        log_group.grant_write(role)
        instance_arn = cdk.Stack.of(self).format_arn(
            service="rds",
            resource="db",
            resource_name=instance_identifier,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["rds:DescribeDBInstances", "rds:ModifyDBInstance"], resources=[instance_arn])
        )
        Validations.of(role).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                reason="secretsmanager:GetRandomPassword, which knows no resources.",
            )
        )
        return lambda_.Function(
            self,
            "Function",
            description=f"Rotates the master password of {instance_identifier}",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="index.handler",
            code=lambda_.Code.from_asset(str(_HANDLER), exclude=["__pycache__"]),
            environment={"INSTANCE_IDENTIFIER": instance_identifier},
            memory_size=256,
            # RDS takes some minutes to apply a password; the handler gives up a little before this.
            timeout=cdk.Duration.minutes(10),
            log_group=log_group,
            role=role,
        )
