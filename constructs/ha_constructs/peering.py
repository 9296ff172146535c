"""The way between two regions' networks."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from ha_constructs.location import location_of
from ha_constructs.network import Network
from ha_constructs.registrar import CrossRegionRegistrar


@dataclass(frozen=True)
class PeerVpc:
    """The network of another region, in the same account.

    ``region`` and ``cidr`` are literals; ``vpc_id`` and ``route_table_ids`` usually are outputs of that region's stack
    (route tables as a list, or as one string joined by commas).
    """

    region: str
    cidr: str
    vpc_id: str
    route_table_ids: Sequence[str] | str


class RegionPeering(Construct):
    """An inter-region VPC peering connection with routes on both ends and DNS resolution, all owned by this stack.

    CloudFormation requests the connection and, both VPCs being of one account, accepts it without a peering role; it
    reports the connection complete once it is active. Routes of this network's private and isolated subnets are native
    resources; the peer's routes back and the DNS options are entered by the registrar, so that the peer's template
    need not know this region. Traffic between regions is encrypted by AWS and never leaves its network. Public
    subnets get no routes, and no security group is changed: what may talk to what is said where it listens.

    Deleting the construct takes away the peer's routes, then this network's, then the connection. When the *peer* gets
    new route tables (a zone is added there), deploy this region again to route from them.

    Arguments:
        network: this region's network, the requester.
        peer: the accepter. Another region or VPC replaces the connection.
        registrar: enters this network with the peer.

    Exposes:
        ``connection`` (L1), ``connection_id``, ``routes`` (L1), ``registration``.

    Raises:
        ValueError: for a peer in the same region, or a block that overlaps with this network's.

    Follows: "AWS::EC2::VPCPeeringConnection"
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpcpeeringconnection.html),
    "Enable DNS resolution for a VPC peering connection"
    (https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: Network,
        peer: PeerVpc,
        registrar: CrossRegionRegistrar,
    ) -> None:
        super().__init__(scope, construct_id)
        own_region = location_of(self).region
        if peer.region == own_region:
            raise ValueError(f"peer.region must be another region than the stack's own, {own_region}")
        if ipaddress.IPv4Network(network.cidr).overlaps(ipaddress.IPv4Network(peer.cidr)):
            raise ValueError(f"peer.cidr {peer.cidr} must not overlap with this network's {network.cidr}")

        self.connection = ec2.CfnVPCPeeringConnection(
            self,
            "Connection",
            vpc_id=network.vpc.vpc_id,
            peer_vpc_id=peer.vpc_id,
            peer_region=peer.region,
            tags=[cdk.CfnTag(key="Name", value=f"{own_region} to {peer.region}")],
        )
        self.connection_id = self.connection.ref
        self.routes = self._build_routes(network, peer)
        self.registration = registrar.add_peering_routes(
            f"Peering-{peer.region}",
            connection_id=self.connection_id,
            own_cidr=network.cidr,
            peer_region=peer.region,
            peer_vpc_id=peer.vpc_id,
            peer_route_table_ids=peer.route_table_ids,
        )

    def _build_routes(self, network: Network, peer: PeerVpc) -> list[ec2.CfnRoute]:
        groups = {"Private": network.private_route_table_ids, "Isolated": network.isolated_route_table_ids}
        return [
            ec2.CfnRoute(
                self,
                f"{name}Route{position}",
                route_table_id=route_table_id,
                destination_cidr_block=peer.cidr,
                vpc_peering_connection_id=self.connection_id,
            )
            for name, route_table_ids in groups.items()
            for position, route_table_id in enumerate(route_table_ids, start=1)
        ]
