"""Who hears of what in a region: alarms over every part, their channels, and the names that follow health."""

import aws_cdk as cdk

from ha_constructs.alert_channels import AlertChannels
from ha_constructs.chat_hub import ChatForwarding, ChatHub
from ha_constructs.cluster import KubernetesCluster
from ha_constructs.keys import EncryptionKeys
from ha_constructs.messaging import Messaging
from ha_constructs.monitoring.region import RegionMonitoring
from ha_constructs.monitoring.systems import (
    MonitoredCache,
    MonitoredLoadBalancer,
    MonitoredNetworkLoadBalancer,
    MonitoredQueue,
)
from ha_constructs.network import Network
from ha_constructs.regional_dns import RegionalName
from stacks import settings
from stacks.database import RegionalDatabase
from stacks.ingress import RegionalIngress
from stacks.region_plan import RegionPlan


def add_monitoring(
    stack: cdk.Stack,
    plan: RegionPlan,
    *,
    keys: EncryptionKeys,
    network: Network,
    cluster: KubernetesCluster,
    database: RegionalDatabase,
    cache: MonitoredCache,
    messaging: Messaging,
    ingress: RegionalIngress,
) -> None:
    """Add channels, alarms and dashboard, the region's names with their health check, and the way to the chat."""
    alerts = plan.environment.alerts
    channels = AlertChannels(
        stack, "Alerts", key=keys.alerts, name_prefix=plan.stack_name, email=alerts.email, sms=alerts.sms
    )
    monitoring = RegionMonitoring(
        stack,
        "Monitoring",
        channels=channels,
        name=plan.stack_name,
        cluster_name=cluster.name,
        database=database.monitored,
        database_proxy_name=database.proxy_name,
        cache=cache,
        queues=[
            MonitoredQueue(name=name, queue=part.queue, dead_letter_queue=part.dead_letter_queue)
            for name, part in messaging.queues.items()
        ],
        topics=messaging.topics,
        load_balancer=MonitoredLoadBalancer(
            load_balancer=ingress.web.load_balancer, target_group=ingress.web.target_group
        ),
        network_load_balancer=MonitoredNetworkLoadBalancer(
            load_balancer=ingress.tcp.load_balancer, target_groups=ingress.tcp.target_groups
        ),
        web_acl_metric_name=ingress.web.web_acl.metric_name,
        nat_gateway_ids=network.nat_gateway_ids,
        functions={"api-server-targets": ingress.api_server.reconcile_function},
        certificate=ingress.certificate,
    )
    RegionalName(
        stack,
        "Name",
        zone=ingress.zone,
        region=plan.region.name,
        load_balancer=ingress.web.load_balancer,
        alarm=monitoring.alb_alarm,
        network_load_balancer=ingress.tcp.load_balancer,
    )
    _connect_chat(stack, plan, keys)


def _connect_chat(stack: cdk.Stack, plan: RegionPlan, keys: EncryptionKeys) -> None:
    """The primary region holds the one chat configuration; every region sends its alarms there."""
    slack = settings.slack_channel(plan.environment)
    teams = settings.teams_channel(plan.environment)
    if not (slack or teams):
        return
    name = f"{plan.environment.name}-alerts"
    if plan.is_primary:
        ChatHub(stack, "ChatHub", name=name, key=keys.alerts, slack=slack, teams=teams)
    ChatForwarding(
        stack,
        "ChatForwarding",
        event_bus_arn=ChatHub.event_bus_arn(name=name, region=plan.primary, account=stack.account),
        alarm_name_prefix=f"{plan.stack_name}-",
    )
