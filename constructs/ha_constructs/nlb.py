"""Internal Network Load Balancer of a region: TCP to pods, and to whatever else gets a listener on it."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from ha_constructs.access_logs import AccessLogsBucket

ANYWHERE = "0.0.0.0/0"
HEALTH_CHECK_INTERVAL_SECONDS = 10
UNHEALTHY_THRESHOLD = 2


class InternalNetworkLoadBalancer(Construct):
    """Internal TCP load balancer over the private subnets, with a target group a port that pods are bound to.

    *Who may connect.* The security group allows each port from the networks of its listener and nothing else. Global
    Accelerator can preserve the client's address for a Network Load Balancer with a security group, which then sees
    clients of the whole internet: the default allows them. The load balancer has private addresses only, so nothing
    but the accelerator, the VPC, peered networks and accepted interface endpoints has a route to it. Connections over
    an interface endpoint (PrivateLink) are held against the same rules, by the private address of the client.

    *Targets.* Addresses of pods. The tag ``eks:eks-cluster-name`` lets EKS Auto Mode register them for a
    ``TargetGroupBinding``; the pods' security group must allow ``security_group``. Pods see the load balancer's
    address, not the client's: with client addresses preserved a pod could not reach itself through the load balancer.
    Proxy protocol is off, since a pod that does not expect it takes its header for data. Every zone's node sends
    to the targets of all zones, so a zone without a healthy pod keeps answering. A pod that leaves keeps its
    connections for the deregistration delay; then they are closed, so that clients of long connections move on.

    *Zonal shift* is enabled, so that ARC (or its autoshift) can move traffic out of a zone.

    *Access logs* are switched on, but a Network Load Balancer writes them for TLS listeners only; connections to TCP
    listeners are in the VPC's flow logs.

    On update: health check, attributes, security group rules and listeners change in place. Port, protocol, VPC and
    target type of a target group are immutable: CloudFormation makes a new group, points the listener at it and
    deletes the old one, so pods must be bound to the new ARN; no names are given, so both can exist at once. Scheme
    and type replace the load balancer, and with it the endpoint of the accelerator; a security group can only be added
    at creation, which is why there is always one.

    On delete: deletion protection makes CloudFormation's deletion of the load balancer fail; switch it off with a
    deployment first.

    Arguments:
        vpc: network of the region.
        ports: TCP ports that listen, each with a target group of its own. May be empty.
        cluster_name: EKS cluster whose pods are registered.
        access_logs_bucket: receives access logs below "nlb/".
        vpc_subnets: subnets of the load balancer, one a zone. Default: the private ones with egress.
        client_cidrs: IPv4 networks that may connect to ``ports``. Default: everybody; see above.
        preserve_client_ip: pods see the client's address; see above. Default: false.
        deregistration_delay_seconds: seconds that open connections get when a pod leaves; its termination grace must
            be longer. 0 to 3,600. Default: 30.
        deletion_protection: refuse to delete the load balancer. Default: true.

    Exposes ``load_balancer``, ``security_group``, ``target_groups`` (port to group), ``listeners`` (port to listener)
    and ``add_tcp_listener``. Raises ValueError for a port out of range or taken, for ports without a client network,
    and for a delay out of range.

    Follows: "Update the security groups for your Network Load Balancer"
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html), "Edit target
    group attributes for your Network Load Balancer"
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html), "Access logs
    for your Network Load Balancer"
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html), "Client IP address
    preservation in Global Accelerator"
    (https://docs.aws.amazon.com/global-accelerator/latest/dg/preserve-client-ip-address.html).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        ports: Sequence[int],
        cluster_name: str,
        access_logs_bucket: AccessLogsBucket,
        vpc_subnets: ec2.SubnetSelection | None = None,
        client_cidrs: Sequence[str] = (ANYWHERE,),
        preserve_client_ip: bool = False,
        deregistration_delay_seconds: int = 30,
        deletion_protection: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        if not 0 <= deregistration_delay_seconds <= 3_600:
            raise ValueError(f"deregistration_delay_seconds must be 0 to 3600, got {deregistration_delay_seconds}")
        self.vpc = vpc
        self.target_groups: dict[int, elbv2.NetworkTargetGroup] = {}
        self.listeners: dict[int, elbv2.NetworkListener] = {}
        self.security_group = self._build_security_group()
        self.load_balancer = self._build_load_balancer(vpc_subnets, deletion_protection)
        access_logs_bucket.enable_for(self.load_balancer, prefix="nlb")
        for port in ports:
            self._refuse_unusable(port)
            target_group = self._build_pod_target_group(
                port, cluster_name, deregistration_delay_seconds, preserve_client_ip
            )
            self.add_tcp_listener(port, target_group=target_group, client_cidrs=client_cidrs)
            self.target_groups[port] = target_group

    def add_tcp_listener(
        self, port: int, *, target_group: elbv2.NetworkTargetGroup, client_cidrs: Sequence[str]
    ) -> elbv2.NetworkListener:
        """Listen on a port, allow it from networks, and send its connections to a target group.

        Raises ValueError if the port is out of range or already listens, or if no network may connect.
        """
        self._refuse_unusable(port)
        if not client_cidrs:
            raise ValueError(f"port {port} has no client_cidrs: name the networks that may connect")
        for cidr in client_cidrs:
            self.security_group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(port), f"TCP {port} from {cidr}")
        if ANYWHERE in client_cidrs:
            self._acknowledge_open_ingress()
        self.listeners[port] = self.load_balancer.add_listener(
            f"Tcp{port}", port=port, protocol=elbv2.Protocol.TCP, default_target_groups=[target_group]
        )
        return self.listeners[port]

    def _refuse_unusable(self, port: int) -> None:
        if not 1 <= port <= 65_535:
            raise ValueError(f"port {port} must be 1 to 65535")
        if port in self.listeners:
            raise ValueError(f"port {port} already listens on this load balancer: choose another one")

    def _build_security_group(self) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self.vpc,
            description="Internal Network Load Balancer",
            # It connects to registered targets only, and pods choose their ports themselves.
            allow_all_outbound=True,
        )

    def _build_load_balancer(
        self, vpc_subnets: ec2.SubnetSelection | None, deletion_protection: bool
    ) -> elbv2.NetworkLoadBalancer:
        return elbv2.NetworkLoadBalancer(
            self,
            "LoadBalancer",
            vpc=self.vpc,
            vpc_subnets=vpc_subnets or ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            internet_facing=False,
            security_groups=[self.security_group],
            enforce_security_group_inbound_rules_on_private_link_traffic=True,
            cross_zone_enabled=True,
            zonal_shift=True,
            deletion_protection=deletion_protection,
        )

    def _build_pod_target_group(
        self, port: int, cluster_name: str, deregistration_delay_seconds: int, preserve_client_ip: bool
    ) -> elbv2.NetworkTargetGroup:
        target_group = elbv2.NetworkTargetGroup(
            self,
            f"Pods{port}",
            vpc=self.vpc,
            port=port,
            protocol=elbv2.Protocol.TCP,
            target_type=elbv2.TargetType.IP,
            health_check=elbv2.HealthCheck(
                protocol=elbv2.Protocol.TCP,
                interval=cdk.Duration.seconds(HEALTH_CHECK_INTERVAL_SECONDS),
                healthy_threshold_count=UNHEALTHY_THRESHOLD,
                unhealthy_threshold_count=UNHEALTHY_THRESHOLD,
            ),
            deregistration_delay=cdk.Duration.seconds(deregistration_delay_seconds),
            connection_termination=True,
            preserve_client_ip=preserve_client_ip,
            proxy_protocol_v2=False,
        )
        cdk.Tags.of(target_group).add("eks:eks-cluster-name", cluster_name)
        return target_group

    def _acknowledge_open_ingress(self) -> None:
        cdk.Validations.of(self.security_group).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-EC23",
                reason="Clients keep their addresses through the accelerator, the only way in from the internet.",
            )
        )
