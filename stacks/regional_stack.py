"""A region's stack: the list of its parts, and what they have to do with one another and with other regions."""

import aws_cdk as cdk
import cdk8s
from constructs import Construct

from environments import Environment
from environments.platform import SERVICE_NETWORK, Region
from ha_constructs.cluster import KubernetesCluster
from ha_constructs.ecr_registry import EcrRegistry
from ha_constructs.elasticache_valkey import ValkeyCache
from ha_constructs.keys import EncryptionKeys
from ha_constructs.messaging import Messaging
from ha_constructs.monitoring.systems import MonitoredCache, cache_node_ids
from ha_constructs.network import Network
from ha_constructs.peering import PeerVpc, RegionPeering
from ha_constructs.registrar import CrossRegionRegistrar
from k8s_charts.foundation import FoundationChart
from stacks import settings
from stacks.acknowledged import acknowledge_choices
from stacks.database import add_database
from stacks.ingress import add_ingress
from stacks.monitoring import add_monitoring
from stacks.published import Published, from_region, publish
from stacks.region_plan import RegionPlan


class RegionalStack(cdk.Stack):
    """One region. It registers itself with what is global and with the regions before it; none of them knows it.

    Arguments:
        environment: what to build.
        region: which of its regions this is.
    """

    def __init__(self, scope: Construct, *, environment: Environment, region: Region) -> None:
        plan = RegionPlan(environment, region)
        super().__init__(
            scope,
            plan.stack_name,
            stack_name=plan.stack_name,
            description=f"{environment.name} in {region.name}",
            env=cdk.Environment(account=environment.account, region=region.name),
            cross_region_references=True,
            # Of the stack, not of each resource: CloudFormation passes them on to what can be tagged.
            tags={"environment": environment.name, **environment.tags},
            termination_protection=environment.deletion_protection,
        )
        self._plan = plan
        acknowledge_choices(self, environment)
        self._name_zones()
        keys = self._build_keys()
        network = self._build_network(keys)
        registrar = CrossRegionRegistrar(self, "Registrar", logs_key=keys.logs)
        self._peer_with_earlier_regions(network, registrar)
        cluster = self._build_cluster(network, keys)
        database = add_database(self, plan, network=network, keys=keys, registrar=registrar, clients=cluster.cluster)
        cache = self._build_cache(network, keys, cluster)
        self._build_registry(keys, registrar, cluster)
        messaging = self._build_messaging(keys)
        ingress = add_ingress(self, plan, network=network, keys=keys, cluster=cluster)
        add_monitoring(
            self,
            plan,
            keys=keys,
            network=network,
            cluster=cluster,
            database=database,
            cache=self._monitored(cache),
            messaging=messaging,
            ingress=ingress,
        )
        publish(
            self,
            {
                Published.VPC_ID: network.vpc.vpc_id,
                Published.ROUTE_TABLE_IDS: cdk.Fn.join(",", network.route_table_ids),
                Published.SECRETS_KEY_ARN: keys.secrets_arn,
                Published.CLUSTER_NAME: cluster.name,
                Published.CLUSTER_ENDPOINT: cluster.endpoint,
                Published.DATABASE_ENDPOINT: database.endpoint,
                Published.CACHE_ENDPOINT: cache.primary_endpoint,
                Published.WEB_TARGET_GROUP_ARN: ingress.web.target_group.target_group_arn,
                Published.API_SERVER_ENDPOINT_SERVICE: ingress.api_server.endpoint_service_name,
            },
        )

    def _name_zones(self) -> None:
        """Give the CDK the zones, which it would otherwise ask the account for at synthesis."""
        key = f"availability-zones:account={self.account}:region={self.region}"
        self.node.set_context(key, list(self._plan.region.availability_zones))

    def _build_keys(self) -> EncryptionKeys:
        return EncryptionKeys(
            self,
            "Keys",
            environment_name=self._plan.environment.name,
            secrets_primary_key_arn=None
            if self._plan.is_primary
            else self._plan.from_primary(Published.SECRETS_KEY_ARN),
            deletion_protection=self._plan.protected,
        )

    def _build_network(self, keys: EncryptionKeys) -> Network:
        network = self._plan.environment.network
        return Network(
            self,
            "Network",
            cidr=self._plan.environment.cidr(self._plan.region.name),
            availability_zones=self._plan.region.availability_zones,
            logs_key=keys.logs,
            nat_gateways=1 if network.single_nat_gateway else None,
            flow_logs_retention=settings.LOG_RETENTION[network.flow_log_retention_days],
            deletion_protection=self._plan.protected,
        )

    def _peer_with_earlier_regions(self, network: Network, registrar: CrossRegionRegistrar) -> None:
        environment = self._plan.environment
        for peer in environment.earlier_regions(self._plan.region.name):
            RegionPeering(
                self,
                f"Peering-{peer.name}",
                network=network,
                peer=PeerVpc(
                    region=peer.name,
                    cidr=environment.cidr(peer.name),
                    vpc_id=from_region(environment, peer.name, Published.VPC_ID),
                    route_table_ids=from_region(environment, peer.name, Published.ROUTE_TABLE_IDS),
                ),
                registrar=registrar,
            )

    def _build_cluster(self, network: Network, keys: EncryptionKeys) -> KubernetesCluster:
        options = self._plan.environment.cluster
        cluster = KubernetesCluster(
            self,
            "Cluster",
            cluster_name=self._plan.stack_name,
            version=options.kubernetes_version,
            vpc=network.vpc,
            encryption_key=keys.cluster,
            administrator_role_arns=options.administrators,
            public_access_cidrs=options.api_server.public_access_cidrs,
            logs_key=keys.logs,
            deletion_protection=self._plan.protected,
        )
        chart = FoundationChart(
            cdk8s.App(),
            "foundation",
            namespaces=options.namespaces,
            availability_zones=self._plan.region.availability_zones,
            kubernetes_version=options.kubernetes_version,
            node_role_name=cluster.node_role.role_name,
            subnet_ids=cluster.subnet_ids,
            security_group_id=cluster.security_group.security_group_id,
            service_cidr=str(SERVICE_NETWORK),
            volume_key_arn=keys.cluster.key_arn,
            deletion_protection=self._plan.protected,
        )
        cluster.add_chart("Foundation", chart)
        return cluster

    def _build_cache(self, network: Network, keys: EncryptionKeys, cluster: KubernetesCluster) -> ValkeyCache:
        options = self._plan.environment.cache
        cache = ValkeyCache(
            self,
            "Cache",
            name=self._plan.stack_name,
            vpc=network.vpc,
            key=keys.cache,
            secrets_key=keys.secrets,
            logs_key=keys.logs,
            node_type=options.node_type,
            replicas=options.replicas,
            shards=options.shards,
            engine_version=options.engine_version,
            global_datastore=settings.global_datastore_role(self._plan.environment, self._plan.region),
            deletion_protection=self._plan.protected,
        )
        cache.allow_from(cluster.cluster, "Workloads of this region")
        if self._plan.is_primary and cache.global_replication_group_id:
            publish(self, {Published.CACHE_GLOBAL_REPLICATION_GROUP_ID: cache.global_replication_group_id})
        return cache

    def _monitored(self, cache: ValkeyCache) -> MonitoredCache:
        options = self._plan.environment.cache
        return MonitoredCache(
            replication_group_id=cache.replication_group_id,
            node_ids=cache_node_ids(
                cache.replication_group_id,
                replicas=options.replicas,
                shards=options.shards,
                cluster_mode=options.shards > 1,
            ),
            global_datastore_secondary=not self._plan.is_primary
            and self._plan.environment.shares_cache(self._plan.region.name),
        )

    def _build_registry(
        self, keys: EncryptionKeys, registrar: CrossRegionRegistrar, cluster: KubernetesCluster
    ) -> None:
        environment = self._plan.environment
        registry = EcrRegistry(
            self,
            "Registry",
            prefix=environment.name,
            repositories=environment.registry.repositories,
            key=keys.registry,
            pull_through=environment.registry.pull_through,
            pull_through_credentials=environment.registry.pull_through_credentials,
            tags={"environment": environment.name, **environment.tags},
            deletion_protection=self._plan.protected,
        )
        registry.grant_pull(cluster.node_role)
        if not self._plan.is_primary:
            replication = registrar.add_registry_replication(
                "RegistryReplication",
                primary_region=self._plan.primary,
                repository_prefix=registry.replication_prefix,
            )
            # The repositories are this stack's: images must not arrive, and make them, before.
            replication.node.add_dependency(registry)

    def _build_messaging(self, keys: EncryptionKeys) -> Messaging:
        return Messaging(
            self,
            "Messaging",
            topics=settings.topic_settings(self._plan.environment),
            queues=settings.queue_settings(self._plan.environment),
            key=keys.messaging,
            name_prefix=self._plan.environment.name,
            deletion_protection=self._plan.protected,
        )
