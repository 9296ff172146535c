"""PostgreSQL writer in the primary region: Multi-AZ instance, credentials, rotation and proxy."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from ha_constructs.database_password_rotation import DatabasePasswordRotation
from ha_constructs.rds_instance import RdsInstance
from ha_constructs.rds_settings import RdsSettings


class RdsWriter(RdsInstance):
    """Multi-AZ PostgreSQL instance that takes the writes of every region.

    *Availability.* A synchronous standby in another zone takes over under the same endpoint, typically within 60 to
    120 seconds; RDS Proxy keeps client connections during it and reaches the standby without waiting for DNS. A lost
    region means promoting a replica (see ``RdsReplica``).

    *Identity.* The identifier is a literal, because replicas in other regions name their source by an ARN that must
    be known before either exists. Changing it, the storage key or the Performance Insights key replaces the instance.

    *Credentials.* The master password is generated into a secret with a literal name and rotated on a schedule.
    ``ManageMasterUserPassword`` is not used: RDS can't create read replicas of an instance whose password it manages
    (for every engine but SQL Server), and its secret has no name of ours to replicate. The secret lists no replica
    regions either: each region registers its own, so that a new region changes nothing here.

    *Connections.* Workloads connect to RDS Proxy, in three zones, with TLS and with IAM tokens end to end
    (``DefaultAuthScheme: IAM_AUTH``): no password is in a pod, the proxy can read no secret, and it may log in only
    as the users that ``grant_connect`` named. Its pool holds the instance below ``max_connections`` in rush hours:
    clients queue for ``proxy_borrow_timeout_seconds`` instead of exhausting it. Migrations and sessions that pin
    (LISTEN, advisory locks) go to the instance itself: ``allow_from(..., direct=True)`` and
    ``grant_direct_connect``. Changing the proxy's subnets replaces it, with a new endpoint.

    *Delete.* With ``deletion_protection`` RDS refuses to delete and CloudFormation retains the instance, its
    automated backups and the secret; without, CloudFormation takes a final snapshot.

    Exposes (besides those of ``RdsInstance``):
        instance: ``rds.DatabaseInstance``. secret: the master user's secret. rotation: its rotation.
        proxy, proxy_endpoint, proxy_security_group: RDS Proxy.
        endpoint_address, port, instance_arn, resource_id.

    Documentation followed:
        Multi-AZ DB instance deployments for Amazon RDS
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html
        Password management with Amazon RDS and AWS Secrets Manager (limitations)
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
        Amazon RDS Proxy
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html
        Configuring IAM authentication for RDS Proxy
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        identifier: str,
        secret_name: str,
        vpc: ec2.IVpc,
        key: kms.IKey,
        secrets_key: kms.IKey,
        logs_key: kms.IKey,
        settings: RdsSettings | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        deletion_protection: bool = True,
    ) -> None:
        """Create the writer.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            identifier: literal identifier, at most 57 characters (the proxy appends ``-proxy``).
            secret_name: literal name of the master user's secret, for example ``production/database``.
            vpc: network.
            key: key of storage, backups and Performance Insights.
            secrets_key: multi-region key of the secret.
            logs_key: key of the log groups.
            settings: engine, sizes, windows. Default: ``RdsSettings()``.
            vpc_subnets: subnets of instance and proxy, in two zones or more. Default: the isolated subnets.
            deletion_protection: protect and retain. Default: true.

        Raises:
            ValueError: the identifier is not one that RDS takes, or too long for the proxy's name.
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
        self._proxy_name = f"{identifier}-proxy"
        if len(self._proxy_name) > 63:
            raise ValueError(f"identifier must be at most 57 characters, so that '{self._proxy_name}' is a proxy name.")
        self.secret = self._build_secret(secret_name, secrets_key)
        self._instance = self._build_instance()
        self.rotation = self._build_rotation(logs_key)
        self.proxy_role = self._build_proxy_role()
        self.proxy_security_group = self._build_security_group("ProxySecurityGroup", f"RDS Proxy of {identifier}")
        self.proxy = self._build_proxy()

    @property
    def instance(self) -> rds.DatabaseInstance:
        """The instance."""
        return self._instance

    @property
    def proxy_endpoint(self) -> str:
        """DNS name of the proxy, what workloads connect to for writing."""
        return self.proxy.endpoint

    def allow_from(self, peer: ec2.IConnectable, description: str = "PostgreSQL", *, direct: bool = False) -> None:
        """Let the connections of a construct reach the proxy.

        Args:
            peer: what may connect.
            description: description of the rule. Default: ``PostgreSQL``.
            direct: open the instance instead of the proxy. Default: false.
        """
        self._target(direct).connections.allow_from(peer, ec2.Port.tcp(self.port), description)

    def allow_from_cidr(self, cidr: str, description: str = "PostgreSQL", *, direct: bool = False) -> None:
        """Let an address range reach the proxy.

        Args:
            cidr: IPv4 range, for example a peer VPC's.
            description: description of the rule. Default: ``PostgreSQL``.
            direct: open the instance instead of the proxy. Default: false.
        """
        self._target(direct).add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(self.port), description)

    def grant_connect(self, grantee: iam.IGrantable, user: str) -> iam.Grant:
        """Let a role log in through the proxy as one database user with an IAM token.

        The proxy's own role gets the same for the instance, which end-to-end IAM authentication needs. The user must
        exist in PostgreSQL and be a member of the role ``rds_iam``.

        Args:
            grantee: who may connect.
            user: name of the PostgreSQL user.
        """
        self._grant_connect(self.proxy_role, self.resource_id, user)
        proxy_id = cdk.Fn.select(6, cdk.Fn.split(":", self.proxy.db_proxy_arn))
        return self._grant_connect(grantee, proxy_id, user)

    def grant_direct_connect(self, grantee: iam.IGrantable, user: str) -> iam.Grant:
        """Let a role log in to the instance itself, past the proxy, as one database user with an IAM token.

        Args:
            grantee: who may connect.
            user: name of the PostgreSQL user.
        """
        return self._grant_connect(grantee, self.resource_id, user)

    def _target(self, direct: bool) -> ec2.SecurityGroup:
        return self.security_group if direct else self.proxy_security_group

    def _build_secret(self, secret_name: str, secrets_key: kms.IKey) -> rds.DatabaseSecret:
        secret = rds.DatabaseSecret(
            self,
            "Secret",
            username=self.settings.administrator_name,
            dbname=self.settings.database_name,
            secret_name=secret_name,
            encryption_key=secrets_key,
        )
        secret.apply_removal_policy(
            cdk.RemovalPolicy.RETAIN if self._deletion_protection else cdk.RemovalPolicy.DESTROY
        )
        return secret

    def _build_instance(self) -> rds.DatabaseInstance:
        instance = rds.DatabaseInstance(
            self,
            "Instance",
            engine=self.settings.engine,
            database_name=self.settings.database_name,
            credentials=rds.Credentials.from_secret(self.secret, self.settings.administrator_name),
            allow_major_version_upgrade=False,
            removal_policy=cdk.RemovalPolicy.RETAIN if self._deletion_protection else cdk.RemovalPolicy.SNAPSHOT,
            **self._instance_arguments(),
        )
        self._finish(instance)
        return instance

    def _build_rotation(self, logs_key: kms.IKey) -> DatabasePasswordRotation:
        # The attached secret comes after the instance and carries its host and port, so the schedule does as well.
        attached_secret = self._instance.secret
        assert attached_secret  # noqa: S101  for the type checker: the instance was made with credentials
        return DatabasePasswordRotation(
            self,
            "Rotation",
            secret=attached_secret,
            instance_identifier=self.identifier,
            logs_key=logs_key,
            log_retention=self.settings.log_retention,
            every_days=self.settings.password_rotation_days,
        )

    def _build_proxy_role(self) -> iam.Role:
        # Guards against another account's proxy using the role (the confused deputy).
        account = cdk.Stack.of(self).account
        return iam.Role(
            self,
            "ProxyRole",
            description=f"Lets RDS Proxy log in to {self.identifier} as the users that were granted",
            assumed_by=iam.ServicePrincipal(
                "rds.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": account}}
            ),
        )

    def _build_proxy(self) -> rds.DatabaseProxy:
        settings = self.settings
        # The CDK lets the proxy's security group reach the instance's.
        return rds.DatabaseProxy(
            self,
            "Proxy",
            proxy_target=rds.ProxyTarget.from_instance(self._instance),
            db_proxy_name=self._proxy_name,
            default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH,
            require_tls=True,
            role=self.proxy_role,
            vpc=self._vpc,
            vpc_subnets=self._vpc_subnets,
            security_groups=[self.proxy_security_group],
            max_connections_percent=settings.proxy_connections_percent,
            max_idle_connections_percent=settings.proxy_idle_connections_percent,
            borrow_timeout=cdk.Duration.seconds(settings.proxy_borrow_timeout_seconds),
            idle_client_timeout=cdk.Duration.minutes(settings.proxy_idle_client_minutes),
        )
