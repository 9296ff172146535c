"""Valkey cache: an ElastiCache replication group, alone or in a Global Datastore."""

import re
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from ha_constructs.global_datastore import GlobalDatastoreRole
from ha_constructs.valkey_users import ValkeyUsers

PORT = 6379
_NAME = re.compile(r"[a-z](?:-?[a-z0-9]){0,35}")
_LOG_TYPES = ("slow-log", "engine-log")


class ValkeyCache(Construct):
    """Valkey over several zones, encrypted in transit and at rest, with IAM users.

    *Availability.* With ``multi_az``, a replica in another zone takes over when a primary fails; the primary
    endpoint follows. Replication is asynchronous and durability is off: this is a cache, not a database. It is stated
    explicitly because a Global Datastore refuses durable members.

    *Access.* Users log in with IAM tokens of 15 minutes (see ``ValkeyUsers``); the security group lets nothing in.

    *Global Datastore.* The primary's stack makes the global group with itself as the only member. A secondary joins
    by ``GlobalReplicationGroupId`` of its own replication group, so a new region changes no other template. The global
    group's id is chosen by AWS: ``global_replication_group_id`` reads it. A secondary must not give what the global
    group owns (engine, version, node type, shards, parameter group, both encryption switches): ElastiCache answers
    ``InvalidParameterCombination``. Its own are the at-rest key (of its region), replicas, zones, subnets, security
    groups, user group, snapshots, windows and logs. Users and user groups belong to a region, so each region makes
    its own. A secondary is read-only; promoting it is a call of ``FailoverGlobalReplicationGroup``, about a minute
    with a loss of typically under a second. After it the roles in the templates are the old ones, without effect on
    the service. Engine, node type and parameters of a Global Datastore are changed on the global group, not here.

    *Update.* Changing name, subnet group, at-rest key or the joined Global Datastore replaces the cache. Engine
    versions only go up.

    *Delete.* A secondary must be disassociated from the Global Datastore before it can be deleted, and the primary
    after its secondaries. ElastiCache has no deletion protection: ``deletion_protection`` retains cache and global
    group.

    Exposes:
        replication_group_id, primary_endpoint, reader_endpoint, port: with more than one shard both endpoints are
            the configuration endpoint, for clients that know clusters.
        security_group, users (``.application`` is the user's name), log_groups.
        global_replication_group_id: id of the Global Datastore, or None.

    Documentation followed:
        Replication across AWS Regions using global datastores, prerequisites and limitations
        https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Redis-Global-Datastores-Getting-Started.html
        AWS::ElastiCache::ReplicationGroup
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticache-replicationgroup.html
        Durability, limitations
        https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Durability.Limitations.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        vpc: ec2.IVpc,
        key: kms.IKey,
        secrets_key: kms.IKey,
        logs_key: kms.IKey,
        node_type: str = "cache.r7g.large",
        replicas: int = 2,
        shards: int = 1,
        multi_az: bool = True,
        engine_version: str = "9.0",
        parameters: Mapping[str, str] | None = None,
        global_datastore: GlobalDatastoreRole | None = None,
        snapshot_retention_days: int = 7,
        snapshot_window: str = "03:00-04:00",
        maintenance_window: str = "sun:05:00-sun:06:00",
        notification_topic_arn: str | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        vpc_subnets: ec2.SubnetSelection | None = None,
        deletion_protection: bool = True,
    ) -> None:
        """Create the cache.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            name: literal id of the replication group, at most 36 characters.
            vpc: network.
            key: at-rest key, of this region.
            secrets_key: key of the disabled default user's secret.
            logs_key: key of the log groups.
            node_type: node type. Default: ``cache.r7g.large``. A secondary inherits it.
            replicas: replicas of each shard, 0 to 5. Default: 2, so a shard has a node in three zones.
            shards: shards; more than 1 turns cluster mode on. Default: 1. A secondary is told the primary's.
            multi_az: spread over zones and fail over by itself. Default: true.
            engine_version: Valkey version. Default: ``9.0``. A secondary inherits it.
            parameters: parameters of the parameter group. A secondary inherits them.
            global_datastore: part in a Global Datastore. Default: ``GlobalDatastoreRole.none()``.
            snapshot_retention_days: days that daily snapshots are kept, 0 to 35; 0 makes none. Default: 7.
            snapshot_window: daily window, UTC. Default: ``03:00-04:00``.
            maintenance_window: weekly window, UTC. Default: ``sun:05:00-sun:06:00``.
            notification_topic_arn: SNS topic of this account and region for ElastiCache's events. Default: none.
            log_retention: how long slow and engine logs are kept. Default: three months.
            vpc_subnets: subnets. Default: the isolated ones.
            deletion_protection: retain cache and Global Datastore. Default: true.

        Raises:
            ValueError: the name is not one that ElastiCache takes; a number is out of range; failover without a
                replica; a node type that a Global Datastore does not take.
        """
        super().__init__(scope, construct_id)
        self._role = global_datastore or GlobalDatastoreRole.none()
        self._check(name, node_type, replicas, shards, multi_az, engine_version, snapshot_retention_days)
        self.replication_group_id = name
        self._vpc = vpc
        self._removal_policy = cdk.RemovalPolicy.RETAIN if deletion_protection else cdk.RemovalPolicy.DESTROY
        self._clustered = shards > 1
        self.security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, description=f"Valkey cache {name}", allow_all_outbound=False
        )
        self.users = ValkeyUsers(
            self, "Users", name=name, secrets_key=secrets_key, deletion_protection=deletion_protection
        )
        self.log_groups = {log: self._build_log_group(log, logs_key, log_retention) for log in _LOG_TYPES}
        local = {
            "preferred_maintenance_window": maintenance_window,
            "notification_topic_arn": notification_topic_arn,
            "snapshot_retention_limit": snapshot_retention_days,
            "snapshot_window": snapshot_window if snapshot_retention_days else None,
            "multi_az_enabled": multi_az,
            # Cluster mode always needs it.
            "automatic_failover_enabled": multi_az or self._clustered,
            "kms_key_id": key.key_arn,
            "cache_subnet_group_name": self._build_subnet_group(vpc_subnets).ref,
            **({"replicas_per_node_group": replicas} if self._clustered else {"num_cache_clusters": replicas + 1}),
        }
        owned = {} if self._role.is_secondary else self._owned(node_type, shards, engine_version, parameters or {})
        self.replication_group = self._build_replication_group({**local, **owned})
        self._global_group = self._build_global_group()
        self._acknowledge(multi_az, snapshot_retention_days)

    @property
    def primary_endpoint(self) -> str:
        """DNS name that takes writes (in a secondary: reads)."""
        group = self.replication_group
        return group.attr_configuration_end_point_address if self._clustered else group.attr_primary_end_point_address

    @property
    def reader_endpoint(self) -> str:
        """DNS name that spreads reads over the replicas."""
        group = self.replication_group
        return group.attr_configuration_end_point_address if self._clustered else group.attr_reader_end_point_address

    @property
    def port(self) -> int:
        """TCP port."""
        return PORT

    @property
    def global_replication_group_id(self) -> str | None:
        """Id of the Global Datastore that the cache belongs to."""
        if self._global_group:
            return self._global_group.attr_global_replication_group_id
        return self._role.global_replication_group_id

    def allow_from(self, peer: ec2.IConnectable, description: str = "Valkey") -> None:
        """Let the connections of a construct reach the cache.

        Args:
            peer: what may connect.
            description: description of the rule. Default: ``Valkey``.
        """
        self.security_group.connections.allow_from(peer, ec2.Port.tcp(PORT), description)

    def allow_from_cidr(self, cidr: str, description: str = "Valkey") -> None:
        """Let an address range reach the cache.

        Args:
            cidr: IPv4 range, for example a peer VPC's.
            description: description of the rule. Default: ``Valkey``.
        """
        self.security_group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(PORT), description)

    def grant_connect(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let a role log in to this cache as its application user, with an IAM token.

        Args:
            grantee: who may connect.
        """
        group_arn = cdk.Stack.of(self).format_arn(
            service="elasticache",
            resource="replicationgroup",
            resource_name=self.replication_group_id,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["elasticache:Connect"], resource_arns=[group_arn, self.users.application_arn]
        )

    def _check(
        self,
        name: str,
        node_type: str,
        replicas: int,
        shards: int,
        multi_az: bool,
        engine_version: str,
        snapshot_retention_days: int,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(
                "name must be lower case letters, digits and single hyphens, beginning with a letter, at most 36 "
                f"characters, got {name!r}."
            )
        for argument, value, lowest, highest in (
            ("replicas", replicas, 0, 5),
            ("shards", shards, 1, 500),
            ("snapshot_retention_days", snapshot_retention_days, 0, 35),
        ):
            if not lowest <= value <= highest:
                raise ValueError(f"{argument} must be {lowest} to {highest}, got {value}.")
        if multi_az and replicas == 0:
            raise ValueError("multi_az needs replicas of 1 or more: there is nothing to fail over to.")
        if not re.fullmatch(r"(?:8|9)\.\d", engine_version):
            raise ValueError(f"engine_version must be a Valkey version of 8.0 or later, got {engine_version!r}.")
        self._role.check_node_type(node_type)

    def _owned(self, node_type: str, shards: int, engine_version: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Properties that belong to the global group when the cache is a secondary."""
        major = engine_version.partition(".")[0]
        cluster = {"cluster-enabled": "yes"} if self._clustered else {}
        parameter_group = elasticache.CfnParameterGroup(
            self,
            "Parameters",
            cache_parameter_group_family=f"valkey{major}",
            description=f"Valkey {major} of {self.replication_group_id}",
            properties={**cluster, **parameters},
        )
        return {
            "engine": "valkey",
            "engine_version": engine_version,
            "cache_node_type": node_type,
            "cache_parameter_group_name": parameter_group.ref,
            "num_node_groups": shards if self._clustered else None,
            # The version is pinned: a cache that upgrades itself would drift from its Global Datastore.
            "auto_minor_version_upgrade": False,
            "at_rest_encryption_enabled": True,
            "transit_encryption_enabled": True,
            "transit_encryption_mode": "required",
            # The property exists from Valkey 9 on.
            "durability": "disabled" if int(major) >= 9 else None,
        }

    def _build_replication_group(self, properties: dict[str, Any]) -> elasticache.CfnReplicationGroup:
        group = elasticache.CfnReplicationGroup(
            self,
            "ReplicationGroup",
            replication_group_id=self.replication_group_id,
            replication_group_description=f"Valkey cache {self.replication_group_id}",
            global_replication_group_id=self._role.global_replication_group_id,
            port=PORT,
            security_group_ids=[self.security_group.security_group_id],
            user_group_ids=[self.users.group.ref],
            log_delivery_configurations=[
                elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty(
                    destination_type="cloudwatch-logs",
                    destination_details=elasticache.CfnReplicationGroup.DestinationDetailsProperty(
                        cloud_watch_logs_details=elasticache.CfnReplicationGroup.CloudWatchLogsDestinationDetailsProperty(
                            log_group=log_group.log_group_name
                        )
                    ),
                    log_format="json",
                    log_type=log_type,
                )
                for log_type, log_group in self.log_groups.items()
            ],
            **properties,
        )
        group.apply_removal_policy(self._removal_policy)
        return group

    def _build_global_group(self) -> elasticache.CfnGlobalReplicationGroup | None:
        if not self._role.suffix:
            return None
        group = elasticache.CfnGlobalReplicationGroup(
            self,
            "GlobalDatastore",
            global_replication_group_id_suffix=self._role.suffix,
            global_replication_group_description=f"Valkey caches of {self._role.suffix}",
            members=[
                elasticache.CfnGlobalReplicationGroup.GlobalReplicationGroupMemberProperty(
                    replication_group_id=self.replication_group.ref,
                    replication_group_region=cdk.Stack.of(self).region,
                    role="PRIMARY",
                )
            ],
        )
        group.apply_removal_policy(self._removal_policy)
        return group

    def _build_subnet_group(self, vpc_subnets: ec2.SubnetSelection | None) -> elasticache.CfnSubnetGroup:
        selection = vpc_subnets or ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        return elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description=f"Subnets of {self.replication_group_id}",
            subnet_ids=self._vpc.select_subnets(
                subnet_type=selection.subnet_type,
                subnet_group_name=selection.subnet_group_name,
                subnets=selection.subnets,
            ).subnet_ids,
        )

    def _build_log_group(self, log_type: str, logs_key: kms.IKey, retention: logs.RetentionDays) -> logs.LogGroup:
        # Below /aws/vendedlogs/, because that prefix needs no entry in the account's limited resource policies.
        return logs.LogGroup(
            self,
            "".join(word.capitalize() for word in log_type.split("-")),
            log_group_name=f"/aws/vendedlogs/elasticache/{self.replication_group_id}/{log_type}",
            encryption_key=logs_key,
            retention=retention,
            removal_policy=self._removal_policy,
        )

    def _acknowledge(self, multi_az: bool, snapshot_retention_days: int) -> None:
        reasons = {
            "AEC6": "Users log in through a user group with IAM tokens, which replaces the single AUTH password."
        }
        if self._role.is_secondary:
            reasons["AEC5"] = "Nothing reaches the cache that its security group does not name."
            reasons["AEC3"] = "A secondary inherits both encryptions from the Global Datastore and must not give them."
        if not multi_az:
            reasons["AEC4"] = "multi_az is off: this environment may stop with its zone."
        if not snapshot_retention_days:
            reasons["AEC1"] = "Snapshots are off by snapshot_retention_days: the content can be computed again."
        for rule, reason in reasons.items():
            Validations.of(self.replication_group).acknowledge(
                cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
            )
