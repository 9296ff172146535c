"""Internal Application Load Balancer of a region: TLS and firewall in front of the pods."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import Validations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_kms as kms
from constructs import Construct

from ha_constructs.access_logs import AccessLogsBucket
from ha_constructs.web_acl import RegionalWebAcl

ANYWHERE = "0.0.0.0/0"


class InternalApplicationLoadBalancer(Construct):
    """Internal HTTPS load balancer with a web ACL and a target group that a ``TargetGroupBinding`` fills with pods.

    *Who may connect.* Global Accelerator reaches the load balancer inside the VPC and always preserves the client's
    address for internal Application Load Balancers, so the security group sees clients of the whole internet and must
    allow them. The load balancer has private addresses only: nothing but the accelerator, the VPC and peered networks
    has a route to it. Name ``client_cidrs`` where all clients are known.

    *Requests.* HTTPS with TLS 1.2 or 1.3, forward secrecy, authenticated ciphers and post-quantum key exchange; HTTP is
    redirected (301). Header fields with invalid names are dropped; requests that could desynchronise proxies are
    handled defensively: strictest mode would turn away many harmless clients. Client connections close after
    60 seconds instead of an hour, because clients keep an open connection to a region after its traffic was moved
    away.

    *Targets.* The target group takes pod addresses in three zones. The weighted random algorithm with anomaly
    mitigation moves requests away from a pod that answers with errors while its health check still passes; it
    excludes slow start and stickiness, which stay off. Below ``minimum_healthy_targets`` the load balancer's DNS name
    fails over and requests go to all targets, healthy or not. The tag ``eks:eks-cluster-name`` lets EKS Auto Mode
    register pods.

    On update: a new certificate, policy, attribute or health check changes in place. Port, protocol, VPC and target
    type of a target group are immutable: CloudFormation makes a new group, points the listener at it and deletes the
    old one, so pods must be bound to the new ARN first; the group's name is generated, so that both can exist at once.
    Scheme and type replace the load balancer, and with it the endpoint of the accelerator.

    Zonal shift is enabled, so that ARC (or its autoshift) can move traffic out of a zone.

    On delete: deletion protection makes CloudFormation's deletion of the load balancer fail; switch it off with a
    deployment first.

    Exposes:
        load_balancer, https_listener, http_listener, target_group, security_group.
        web_acl: the ``RegionalWebAcl``.

    Documentation followed:
        Client IP address preservation in Global Accelerator
        https://docs.aws.amazon.com/global-accelerator/latest/dg/preserve-client-ip-address.html
        Security policies for your Application Load Balancer
        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
        Edit target group attributes for your Application Load Balancer
        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
        Load balancing in EKS Auto Mode
        https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-alb.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        certificate: acm.ICertificate,
        cluster_name: str,
        access_logs_bucket: AccessLogsBucket,
        logs_key: kms.IKey,
        vpc_subnets: ec2.SubnetSelection | None = None,
        client_cidrs: Sequence[str] = (ANYWHERE,),
        ssl_policy: elbv2.SslPolicy = elbv2.SslPolicy.TLS13_12_RES_PQ,
        target_port: int = 8080,
        target_protocol: elbv2.ApplicationProtocol = elbv2.ApplicationProtocol.HTTP,
        health_check_path: str = "/healthz",
        minimum_healthy_targets: int = 1,
        deregistration_delay_seconds: int = 60,
        idle_timeout_seconds: int = 60,
        client_keep_alive_seconds: int = 60,
        minimum_capacity_units: int | None = None,
        rate_limit: int = 2_000,
        sql_injection_rules: bool = True,
        waf_count_only: bool = False,
        waf_counted_rules: Mapping[str, Sequence[str]] | None = None,
        deletion_protection: bool = True,
    ) -> None:
        """Create load balancer, listeners, target group and web ACL.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            vpc: network of the region.
            certificate: certificate of this region.
            cluster_name: EKS cluster whose pods are registered.
            access_logs_bucket: receives the access logs below "alb/".
            logs_key: encrypts the web ACL's log; its policy must allow CloudWatch Logs.
            vpc_subnets: subnets of the load balancer, one a zone. Default: the private ones with egress.
            client_cidrs: IPv4 networks that may connect. Default: everybody; see above.
            ssl_policy: TLS versions and ciphers. Default: TLS 1.2 and 1.3, restricted ciphers, post-quantum.
            target_port: port of targets registered without one; a pod is registered with its own. Default: 8080.
            target_protocol: protocol between load balancer and pods. Default: HTTP.
            health_check_path: path that answers 2xx when a pod can serve. Default: "/healthz".
            minimum_healthy_targets: healthy targets below which DNS and routing fail over. Default: 1.
            deregistration_delay_seconds: seconds that requests in flight get when a pod leaves; the pod's
                termination grace must be longer. 0 to 3,600. Default: 60.
            idle_timeout_seconds: seconds without data after which a connection is closed. 1 to 4,000. Default: 60.
            client_keep_alive_seconds: seconds after which a client's connection is closed. 60 to 604,800. Default: 60.
            minimum_capacity_units: load balancer capacity units held ready (at a price), so that a region takes over
                another one's traffic at once. Default: none.
            rate_limit: requests of one address in 5 minutes, above which it is blocked. Default: 2,000.
            sql_injection_rules: include the managed rules against SQL injection. Default: true.
            waf_count_only: the web ACL counts instead of blocking. Default: false.
            waf_counted_rules: rules of managed groups that only count; see ``RegionalWebAcl``. Default: none.
            deletion_protection: refuse to delete the load balancer, keep the web ACL's log. Default: true.

        Raises:
            ValueError: a number is out of its range, the health check path does not start with "/", or there are no
                client networks.
        """
        super().__init__(scope, construct_id)
        _check_range("deregistration_delay_seconds", deregistration_delay_seconds, 0, 3_600)
        _check_range("idle_timeout_seconds", idle_timeout_seconds, 1, 4_000)
        _check_range("client_keep_alive_seconds", client_keep_alive_seconds, 60, 604_800)
        _check_range("minimum_healthy_targets", minimum_healthy_targets, 1, 1_000)
        _check_range("target_port", target_port, 1, 65_535)
        if not health_check_path.startswith("/"):
            raise ValueError(f"health_check_path must start with '/', got {health_check_path!r}.")
        if not client_cidrs:
            raise ValueError(f"client_cidrs is empty: name networks, or leave it out for {ANYWHERE}.")
        self._vpc = vpc
        self.security_group = self._build_security_group(client_cidrs)
        self.load_balancer = self._build_load_balancer(
            vpc_subnets or ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            idle_timeout=cdk.Duration.seconds(idle_timeout_seconds),
            client_keep_alive=cdk.Duration.seconds(client_keep_alive_seconds),
            minimum_capacity_units=minimum_capacity_units,
            deletion_protection=deletion_protection,
        )
        access_logs_bucket.enable_for(self.load_balancer, prefix="alb")
        self.target_group = self._build_target_group(
            target_port,
            target_protocol,
            health_check_path,
            minimum_healthy_targets,
            cdk.Duration.seconds(deregistration_delay_seconds),
        )
        cdk.Tags.of(self.target_group).add("eks:eks-cluster-name", cluster_name)
        self.https_listener = self._build_https_listener(certificate, ssl_policy)
        self.http_listener = self._build_http_listener()
        self.web_acl = RegionalWebAcl(
            self,
            "WebAcl",
            logs_key=logs_key,
            rate_limit=rate_limit,
            sql_injection_rules=sql_injection_rules,
            count_only=waf_count_only,
            counted_rules=waf_counted_rules,
            deletion_protection=deletion_protection,
        )
        self.web_acl.protect(self.load_balancer)

    def _build_security_group(self, client_cidrs: Sequence[str]) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self._vpc,
            description="Clients to the internal application load balancer, and from it to pods",
            allow_all_outbound=False,
        )
        for cidr in client_cidrs:
            group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(443), "HTTPS")
            group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(80), "HTTP, redirected to HTTPS")
        # Pods listen where their workload says, so every TCP port, but only inside the network.
        group.add_egress_rule(ec2.Peer.ipv4(self._vpc.vpc_cidr_block), ec2.Port.all_tcp(), "Pods")
        if ANYWHERE in client_cidrs:
            Validations.of(group).acknowledge(
                cdk.Acknowledgment(
                    id="AwsSolutions::AwsSolutions-EC23",
                    reason=(
                        "Global Accelerator preserves the client's address for internal load balancers, so clients of "
                        "the whole internet must be allowed; the load balancer has private addresses only."
                    ),
                )
            )
        return group

    def _build_load_balancer(
        self,
        vpc_subnets: ec2.SubnetSelection,
        *,
        idle_timeout: cdk.Duration,
        client_keep_alive: cdk.Duration,
        minimum_capacity_units: int | None,
        deletion_protection: bool,
    ) -> elbv2.ApplicationLoadBalancer:
        load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=self._vpc,
            vpc_subnets=vpc_subnets,
            internet_facing=False,
            security_group=self.security_group,
            deletion_protection=deletion_protection,
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elbv2.DesyncMitigationMode.DEFENSIVE,
            idle_timeout=idle_timeout,
            client_keep_alive=client_keep_alive,
            minimum_capacity_unit=minimum_capacity_units,
        )
        load_balancer.set_attribute("zonal_shift.config.enabled", "true")
        return load_balancer

    def _build_target_group(
        self,
        port: int,
        protocol: elbv2.ApplicationProtocol,
        health_check_path: str,
        minimum_healthy_targets: int,
        deregistration_delay: cdk.Duration,
    ) -> elbv2.ApplicationTargetGroup:
        return elbv2.ApplicationTargetGroup(
            self,
            "TargetGroup",
            vpc=self._vpc,
            target_type=elbv2.TargetType.IP,
            port=port,
            protocol=protocol,
            deregistration_delay=deregistration_delay,
            load_balancing_algorithm_type=elbv2.TargetGroupLoadBalancingAlgorithmType.WEIGHTED_RANDOM,
            enable_anomaly_mitigation=True,
            target_group_health=elbv2.TargetGroupHealth(
                dns_minimum_healthy_target_count=minimum_healthy_targets,
                routing_minimum_healthy_target_count=minimum_healthy_targets,
            ),
            health_check=elbv2.HealthCheck(
                path=health_check_path,
                healthy_http_codes="200-299",
                # A pod that fails is out after 20 seconds.
                interval=cdk.Duration.seconds(10),
                timeout=cdk.Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
        )

    def _build_https_listener(
        self, certificate: acm.ICertificate, ssl_policy: elbv2.SslPolicy
    ) -> elbv2.ApplicationListener:
        listener = self.load_balancer.add_listener(
            "Https",
            port=443,
            protocol=elbv2.ApplicationProtocol.HTTPS,
            certificates=[certificate],
            ssl_policy=ssl_policy,
            default_action=elbv2.ListenerAction.forward([self.target_group]),
            open=False,
        )
        # The product's name in every answer helps attackers only.
        listener.set_attribute("routing.http.response.server.enabled", "false")
        return listener

    def _build_http_listener(self) -> elbv2.ApplicationListener:
        return self.load_balancer.add_listener(
            "Http",
            port=80,
            protocol=elbv2.ApplicationProtocol.HTTP,
            default_action=elbv2.ListenerAction.redirect(protocol="HTTPS", port="443", permanent=True),
            open=False,
        )


def _check_range(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise ValueError(f"{name} must be {lowest} to {highest}, got {value}.")
