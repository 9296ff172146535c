"""All alarms of a region, its dashboard, and the one alarm that says whether the region is healthy."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from ha_constructs.alert_channels import AlertChannels
from ha_constructs.location import location_of
from ha_constructs.monitoring.alarm_book import AlarmBook
from ha_constructs.monitoring.cache import monitor_cache
from ha_constructs.monitoring.cluster import monitor_cluster
from ha_constructs.monitoring.database import monitor_database, monitor_proxy
from ha_constructs.monitoring.load_balancers import (
    ALB_HEALTH_ALARM,
    monitor_application_load_balancer,
    monitor_network_load_balancer,
    monitor_web_acl,
)
from ha_constructs.monitoring.messaging import monitor_queue, monitor_topics
from ha_constructs.monitoring.network import monitor_accelerator, monitor_nat_gateways
from ha_constructs.monitoring.operations import monitor_backups, monitor_certificate, monitor_functions
from ha_constructs.monitoring.systems import (
    MonitoredCache,
    MonitoredDatabase,
    MonitoredLoadBalancer,
    MonitoredNetworkLoadBalancer,
    MonitoredQueue,
)

UNHEALTHY_ALARM = "unhealthy"


class RegionMonitoring(Construct):
    """Watches every system it is given; a system left out has neither alarm nor graph.

    Alarms are called ``<name>-<what is wrong>``, the dashboard ``<name>``. Alarm names are unique in an account and
    region, and dashboards in the account, so ``name`` carries environment and region. Each alarm says in its
    description what it means and where to look first. Critical alarms are few: users are affected, or will be within
    minutes. Together they make the composite alarm ``<name>-unhealthy``: this region can't do its work. Critical and
    warning alarms also tell when they end.

    With every system this makes about 30 alarms, and 2 for each further queue; CloudWatch charges by alarm and by the
    metrics that an alarm computes with. Updates: alarms change without interruption; renaming replaces them, with their
    history.

    Arguments:
        channels: where alarms go, by severity.
        name: ``<environment>-<region>``.
        cluster_name: the EKS cluster.
        database: the region's RDS instance, writer or replica.
        database_proxy_name: the RDS Proxy before the writer.
        cache: the ElastiCache replication group.
        queues: SQS queues with dead-letter queues.
        topics: SNS topics by name.
        load_balancer: the application load balancer; needed for ``alb_alarm``.
        network_load_balancer: the network load balancer.
        web_acl_metric_name: metric name of the web ACL at the load balancer.
        nat_gateway_ids: the VPC's NAT gateways.
        accelerator_arn: the accelerator, for its graphs.
        functions: the platform's own Lambda functions by name.
        certificate: the region's certificate.
        backup_vault_name: the vault whose jobs are watched.

    Exposes ``dashboard``, ``alb_alarm`` (a standard metric alarm for Route 53's health check; only with a load
    balancer) and ``unhealthy_alarm`` (None where no system with critical alarms is given).

    Raises:
        ValueError: no system at all.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        channels: AlertChannels,
        name: str,
        cluster_name: str | None = None,
        database: MonitoredDatabase | None = None,
        database_proxy_name: str | None = None,
        cache: MonitoredCache | None = None,
        queues: Sequence[MonitoredQueue] = (),
        topics: Mapping[str, sns.ITopic] | None = None,
        load_balancer: MonitoredLoadBalancer | None = None,
        network_load_balancer: MonitoredNetworkLoadBalancer | None = None,
        web_acl_metric_name: str | None = None,
        nat_gateway_ids: Sequence[str] = (),
        accelerator_arn: str | None = None,
        functions: Mapping[str, lambda_.IFunction] | None = None,
        certificate: acm.ICertificate | None = None,
        backup_vault_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._book = AlarmBook(self, "Alarms", name=name, channels=channels)
        self._watch_traffic(load_balancer, network_load_balancer, web_acl_metric_name, accelerator_arn, nat_gateway_ids)
        self._watch_cluster(cluster_name, functions or {})
        self._watch_data(database, database_proxy_name, cache, backup_vault_name)
        self._watch_messaging(queues, topics or {})
        if certificate is not None:
            monitor_certificate(self._book, certificate)

        if not self._book.systems:
            raise ValueError("nothing to watch: give at least one system")
        self.dashboard: cloudwatch.Dashboard = self._book.dashboard
        self.unhealthy_alarm = self._build_unhealthy_alarm()

    @property
    def alb_alarm(self) -> cloudwatch.AlarmBase:
        """Whether the load balancer has healthy targets; an error when no load balancer is watched."""
        return self._book.find(ALB_HEALTH_ALARM)

    def _watch_traffic(
        self,
        load_balancer: MonitoredLoadBalancer | None,
        network_load_balancer: MonitoredNetworkLoadBalancer | None,
        web_acl_metric_name: str | None,
        accelerator_arn: str | None,
        nat_gateway_ids: Sequence[str],
    ) -> None:
        if load_balancer is not None:
            monitor_application_load_balancer(self._book, load_balancer)
        if network_load_balancer is not None:
            monitor_network_load_balancer(self._book, network_load_balancer)
        if web_acl_metric_name is not None:
            monitor_web_acl(self._book, web_acl_metric_name, location_of(self).region)
        if accelerator_arn is not None:
            monitor_accelerator(self._book, accelerator_arn)
        if nat_gateway_ids:
            monitor_nat_gateways(self._book, nat_gateway_ids)

    def _watch_cluster(self, cluster_name: str | None, functions: Mapping[str, lambda_.IFunction]) -> None:
        if cluster_name is not None:
            monitor_cluster(self._book, cluster_name)
        if functions:
            monitor_functions(self._book, functions)

    def _watch_data(
        self,
        database: MonitoredDatabase | None,
        database_proxy_name: str | None,
        cache: MonitoredCache | None,
        backup_vault_name: str | None,
    ) -> None:
        if database is not None:
            monitor_database(self._book, database, role="replica" if database.is_replica else "writer")
        if database_proxy_name is not None:
            monitor_proxy(self._book, database_proxy_name)
        if cache is not None:
            monitor_cache(self._book, cache)
        if backup_vault_name is not None:
            monitor_backups(self._book, backup_vault_name)

    def _watch_messaging(self, queues: Sequence[MonitoredQueue], topics: Mapping[str, sns.ITopic]) -> None:
        for queue in queues:
            monitor_queue(self._book, queue)
        if topics:
            monitor_topics(self._book, topics)

    def _build_unhealthy_alarm(self) -> cloudwatch.CompositeAlarm | None:
        return self._book.composite_of_critical_alarms(
            UNHEALTHY_ALARM,
            "This region can't do its work: at least one of its critical alarms is on. The alarm's detail "
            "names which; each says where to look first.",
        )
