"""The network of one region: a VPC over three or more zones that reaches AWS services without the internet."""

import ipaddress
from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

MINIMUM_ZONES = 3
MAXIMUM_ZONES = 6  # no AWS region has more
LARGEST_PREFIX = 16  # the largest block a VPC may have
SMALLEST_PREFIX = 20  # below it a private subnet would hold fewer than 500 pods

# Relative to the VPC's prefix. Room is kept for six zones whatever is in use: 6/8 private, 6/64 public, 6/64 isolated;
# the rest of the block stays free.
PRIVATE_PREFIX_STEP = 3
PUBLIC_PREFIX_STEP = 6
ISOLATED_PREFIX_STEP = 6

# Endpoint services, by the name after com.amazonaws.<region>. Sessions on nodes (ssmmessages, ec2messages) are left out
# on purpose: EKS Auto Mode nodes take none.
DEFAULT_INTERFACE_ENDPOINTS: tuple[str, ...] = (
    "ecr.api",
    "ecr.dkr",
    "sts",
    "sqs",
    "sns",
    "kms",
    "secretsmanager",
    "logs",
    "eks",
    "eks-auth",
    "ec2",
    "elasticloadbalancing",
    "ssm",
)


class Network(Construct):
    """A VPC with public, private and isolated subnets in every zone, NAT, flow logs and endpoints for AWS services.

    Public subnets hold NAT gateways only and give no public addresses. Private subnets hold nodes and pods, which take
    their addresses from the VPC, so they get three quarters of the block. Isolated subnets have no way out and hold
    databases and caches. Sizes depend on ``cidr`` alone (a /16 gives /19 private, /22 public and isolated subnets), and
    positions are reserved for six zones: appending a zone, an endpoint or a NAT gateway never moves a subnet, which
    CloudFormation would otherwise have to replace. Reordering or removing zones does move subnets.

    The default security group is emptied by the CDK's own Lambda-backed resource: CloudFormation has no type that takes
    the rules away which EC2 puts into it at creation.

    Arguments:
        cidr: the VPC's IPv4 block, a literal from /16 to /20. EC2 can't change it: another value replaces the VPC.
        availability_zones: names of three to six zones of the stack's region, in an order that stays. They are given,
            never looked up. (The CDK compares them with the zones of the stack and asks the CLI for those unless the
            stack's context holds ``availability-zones:account=<account>:region=<region>``.)
        logs_key: encrypts the flow logs; its policy must admit CloudWatch Logs (``EncryptionKeys.logs`` does).
        nat_gateways: how many; default one a zone. With fewer, zones lose their way out together, which is reported as
            a warning at synthesis.
        flow_logs_retention: how long flow logs are kept; default three months.
        interface_endpoints: endpoint services by the name after ``com.amazonaws.<region>``; default
            ``DEFAULT_INTERFACE_ENDPOINTS``. The S3 gateway endpoint is always there (it is free).
        deletion_protection: true (default) keeps the flow logs when the stack is deleted.

    Exposes:
        ``vpc``, ``cidr``, ``availability_zones`` (read this, not ``vpc.availability_zones``, which lists the reserved
        positions too), ``public_subnets``, ``private_subnets`` and ``isolated_subnets`` (selections),
        ``private_route_table_ids``, ``isolated_route_table_ids``, ``route_table_ids`` (both), ``nat_gateway_ids``,
        ``endpoints_security_group``, ``interface_endpoints`` (by service name), ``flow_logs_group``.

    Raises:
        ValueError: for a block that is not an IPv4 network from /16 to /20, for fewer than three, more than six or
            repeated zones, for a number of NAT gateways outside one to the number of zones, for repeated endpoints.

    Follows: "VPC and subnet considerations" (https://docs.aws.amazon.com/eks/latest/best-practices/subnets.html),
    "Deploy private clusters with limited internet access"
    (https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html), "NAT gateway basics"
    (https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cidr: str,
        availability_zones: Sequence[str],
        logs_key: kms.IKey,
        nat_gateways: int | None = None,
        flow_logs_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        interface_endpoints: Sequence[str] = DEFAULT_INTERFACE_ENDPOINTS,
        deletion_protection: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        self.cidr = cidr
        self.availability_zones = list(availability_zones)
        prefix = _checked_prefix(cidr)
        _check_zones(self.availability_zones)
        gateways = _checked_nat_gateways(nat_gateways, len(self.availability_zones))

        self.public_subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
        self.private_subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        self.isolated_subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self.vpc = self._build_vpc(prefix, gateways)
        self.private_route_table_ids = _route_table_ids(self.vpc.private_subnets)
        self.isolated_route_table_ids = _route_table_ids(self.vpc.isolated_subnets)
        self.route_table_ids = [*self.private_route_table_ids, *self.isolated_route_table_ids]
        self._tag_subnets_for_load_balancers()
        self.nat_gateway_ids = [
            cast(ec2.CfnNatGateway, subnet.node.find_child("NATGateway")).ref
            for subnet in self.vpc.public_subnets[:gateways]
        ]
        self.flow_logs_group = self._build_flow_logs(logs_key, flow_logs_retention, deletion_protection)
        self.endpoints_security_group = self._build_endpoints_security_group()
        self.interface_endpoints = self._build_endpoints(interface_endpoints)

    def _build_vpc(self, prefix: int, nat_gateways: int) -> ec2.Vpc:
        # The order is part of the address plan: addresses are handed out from the first group to the last.
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(self.cidr),
            availability_zones=self.availability_zones,
            reserved_azs=MAXIMUM_ZONES - len(self.availability_zones),
            nat_gateways=nat_gateways,
            restrict_default_security_group=True,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="private",
                    subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS,
                    cidr_mask=prefix + PRIVATE_PREFIX_STEP,
                ),
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=prefix + PUBLIC_PREFIX_STEP,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="isolated",
                    subnet_type=ec2.SubnetType.PRIVATE_ISOLATED,
                    cidr_mask=prefix + ISOLATED_PREFIX_STEP,
                ),
            ],
        )
        if nat_gateways < len(self.availability_zones):
            cdk.Annotations.of(vpc).add_warning_v2(
                "ha_constructs:sharedNatGateways",
                f"{nat_gateways} NAT gateway(s) for {len(self.availability_zones)} zones: zones without one lose their "
                "way to the internet when another zone fails. Leave nat_gateways out for one a zone.",
            )
        return vpc

    def _tag_subnets_for_load_balancers(self) -> None:
        # Read by EKS's load balancing: "Tag subnets for EKS Auto Mode"
        # (https://docs.aws.amazon.com/eks/latest/userguide/tag-subnets-auto.html).
        for subnet in self.vpc.private_subnets:
            cdk.Tags.of(subnet).add("kubernetes.io/role/internal-elb", "1", include_resource_types=["AWS::EC2::Subnet"])
        for subnet in self.vpc.public_subnets:
            cdk.Tags.of(subnet).add("kubernetes.io/role/elb", "1", include_resource_types=["AWS::EC2::Subnet"])

    def _build_flow_logs(
        self, key: kms.IKey, retention: logs.RetentionDays, deletion_protection: bool
    ) -> logs.LogGroup:
        group = logs.LogGroup(
            self,
            "FlowLogs",
            encryption_key=key,
            retention=retention,
            removal_policy=cdk.RemovalPolicy.RETAIN if deletion_protection else cdk.RemovalPolicy.DESTROY,
        )
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.ALL,
            max_aggregation_interval=ec2.FlowLogMaxAggregationInterval.ONE_MINUTE,
        )
        return group

    def _build_endpoints_security_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "EndpointsSecurityGroup",
            vpc=self.vpc,
            description="HTTPS from this VPC to its interface endpoints",
            allow_all_outbound=False,
        )
        # The literal block, not the VPC's attribute: peers' blocks and later secondary blocks stay outside.
        group.add_ingress_rule(ec2.Peer.ipv4(self.cidr), ec2.Port.tcp(443), "HTTPS from this VPC")
        return group

    def _build_endpoints(self, services: Sequence[str]) -> dict[str, ec2.InterfaceVpcEndpoint]:
        if len(set(services)) != len(services):
            raise ValueError(f"interface_endpoints must name each service once, got {list(services)}")
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        return {
            service: ec2.InterfaceVpcEndpoint(
                self,
                f"Endpoint-{service.replace('.', '-')}",
                vpc=self.vpc,
                service=ec2.InterfaceVpcEndpointAwsService(service),
                subnets=self.private_subnets,
                security_groups=[self.endpoints_security_group],
                private_dns_enabled=True,
                open=False,
            )
            for service in services
        }


def _route_table_ids(subnets: Sequence[ec2.ISubnet]) -> list[str]:
    return [subnet.route_table.route_table_id for subnet in subnets]


def _checked_prefix(cidr: str) -> int:
    try:
        block = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"cidr must be an IPv4 network such as 10.0.0.0/16, got {cidr!r}: {error}") from error
    if not LARGEST_PREFIX <= block.prefixlen <= SMALLEST_PREFIX:
        raise ValueError(f"cidr must be from /{LARGEST_PREFIX} to /{SMALLEST_PREFIX}, got {cidr!r}")
    return block.prefixlen


def _check_zones(zones: Sequence[str]) -> None:
    if not MINIMUM_ZONES <= len(zones) <= MAXIMUM_ZONES:
        raise ValueError(
            f"availability_zones must name {MINIMUM_ZONES} to {MAXIMUM_ZONES} zones of the region, got {list(zones)}"
        )
    if len(set(zones)) != len(zones):
        raise ValueError(f"availability_zones must name each zone once, got {list(zones)}")


def _checked_nat_gateways(nat_gateways: int | None, zones: int) -> int:
    if nat_gateways is None:
        return zones
    if not 1 <= nat_gateways <= zones:
        raise ValueError(f"nat_gateways must be from 1 to the number of zones ({zones}), got {nat_gateways}")
    return nat_gateways
