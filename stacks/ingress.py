"""How traffic comes into a region: load balancers, their certificate, and the region's place at the accelerator."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_route53 as route53

from ha_constructs.accelerator_endpoint import AcceleratorEndpoint
from ha_constructs.access_logs import AccessLogsBucket
from ha_constructs.alb import InternalApplicationLoadBalancer
from ha_constructs.api_server_endpoint import ApiServerEndpoint
from ha_constructs.certificate import DomainCertificate
from ha_constructs.cluster import KubernetesCluster
from ha_constructs.keys import EncryptionKeys
from ha_constructs.network import Network
from ha_constructs.nlb import InternalNetworkLoadBalancer
from stacks.published import Published, from_global
from stacks.region_plan import RegionPlan

UNPRIVILEGED_PORTS = ec2.Port.tcp_range(1024, 65535)


@dataclass(frozen=True)
class RegionalIngress:
    """What the rest of the stack knows of the way in.

    Arguments:
        zone: the domain's zone.
        certificate: the region's certificate for the domain.
        web: the load balancer for HTTP.
        tcp: the load balancer for everything else.
        api_server: the cluster's API server behind the latter.
    """

    zone: route53.IHostedZone
    certificate: acm.ICertificate
    web: InternalApplicationLoadBalancer
    tcp: InternalNetworkLoadBalancer
    api_server: ApiServerEndpoint


def add_ingress(
    stack: cdk.Stack, plan: RegionPlan, *, network: Network, keys: EncryptionKeys, cluster: KubernetesCluster
) -> RegionalIngress:
    """Add both load balancers and register them at the accelerator."""
    zone = _import_zone(stack, plan)
    certificate = DomainCertificate(stack, "Certificate", zone=zone).certificate
    logs = AccessLogsBucket(stack, "AccessLogs", deletion_protection=plan.protected)
    options = plan.environment.ingress
    web = InternalApplicationLoadBalancer(
        stack,
        "Web",
        vpc=network.vpc,
        certificate=certificate,
        cluster_name=cluster.name,
        access_logs_bucket=logs,
        logs_key=keys.logs,
        health_check_path=options.health_check_path,
        deregistration_delay_seconds=options.deregistration_delay_seconds,
        client_keep_alive_seconds=options.client_keep_alive_seconds,
        rate_limit=options.rate_limit_per_five_minutes,
        waf_count_only=options.firewall_count_only,
        deletion_protection=plan.protected,
    )
    tcp = InternalNetworkLoadBalancer(
        stack,
        "Tcp",
        vpc=network.vpc,
        ports=options.tcp_ports,
        cluster_name=cluster.name,
        access_logs_bucket=logs,
        deregistration_delay_seconds=options.deregistration_delay_seconds,
        deletion_protection=plan.protected,
    )
    api_server = ApiServerEndpoint(
        stack,
        "ApiServerEndpoint",
        cluster=cluster,
        vpc=network.vpc,
        load_balancer=tcp,
        allowed_principals=plan.environment.cluster.api_server.endpoint_service_principals,
        logs_key=keys.logs,
    )
    # Pods listen on unprivileged ports, being restricted.
    for source in (web.security_group, tcp.security_group):
        cluster.security_group.connections.allow_from(source, UNPRIVILEGED_PORTS, "Load balancer to pods")
    _join_accelerator(stack, plan, web, tcp)
    return RegionalIngress(zone=zone, certificate=certificate, web=web, tcp=tcp, api_server=api_server)


def _import_zone(stack: cdk.Stack, plan: RegionPlan) -> route53.IHostedZone:
    domain = plan.environment.domain
    return route53.HostedZone.from_hosted_zone_attributes(
        stack,
        "Zone",
        hosted_zone_id=domain.hosted_zone_id or from_global(plan.environment, Published.HOSTED_ZONE_ID),
        zone_name=domain.name,
    )


def _join_accelerator(
    stack: cdk.Stack, plan: RegionPlan, web: InternalApplicationLoadBalancer, tcp: InternalNetworkLoadBalancer
) -> None:
    AcceleratorEndpoint(
        stack,
        "WebEndpoint",
        listener_arn=from_global(plan.environment, Published.WEB_LISTENER_ARN),
        region=plan.region.name,
        load_balancer_arn=web.load_balancer.load_balancer_arn,
        traffic_dial=plan.region.traffic_dial,
    )
    if plan.environment.ingress.tcp_ports:
        AcceleratorEndpoint(
            stack,
            "TcpEndpoint",
            listener_arn=from_global(plan.environment, Published.TCP_LISTENER_ARN),
            region=plan.region.name,
            load_balancer_arn=tcp.load_balancer.load_balancer_arn,
            traffic_dial=plan.region.traffic_dial,
        )
