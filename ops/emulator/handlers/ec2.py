"""EC2 networking that CloudFormation of the emulator lacks, over its own EC2 API.

Modelled: elastic addresses, NAT gateways, flow logs, peering between regions (accepted at once in one account, as
CloudFormation does), network interfaces; and more attributes of VPCs and subnets.
Refused: what does not exist in the region (VPC, subnet, address, route target, peer), overlapping subnets, a subnet
outside its VPC or in a zone of another region, peers with overlapping addresses, a second route to a destination.
"""

import ipaddress
from typing import Any

from ops.emulator.handlers.base import (
    Attributes,
    Extension,
    Handler,
    Outcome,
    Properties,
    Refused,
    Request,
    extends,
    handles,
    quietly,
    tags_of,
)
from ops.emulator.handlers.lookups import find, groups_of, subnets_of, vpc_of
from ops.emulator.state import GLOBAL, STATE

PEERING_OPTIONS = "peering options"


def _tag_specifications(request: Request, resource: str) -> list[dict[str, Any]]:
    tags = tags_of(request.properties)
    return [{"ResourceType": resource, "Tags": tags}] if tags else []


def _retag(request: Request, resource_id: str) -> None:
    tags = tags_of(request.properties)
    if tags:
        request.client("ec2").create_tags(Resources=[resource_id], Tags=tags)
    gone = {tag["Key"] for tag in tags_of(request.previous)} - {tag["Key"] for tag in tags}
    if gone:
        request.client("ec2").delete_tags(Resources=[resource_id], Tags=[{"Key": key} for key in sorted(gone)])


class _TaggedOnly(Handler):
    """A type of which only tags can change in place."""

    how = "native"
    reason = "through the emulator's EC2 API"

    def attributes(self, physical_id: str, request: Request) -> Attributes:
        """What ``Fn::GetAtt`` reads."""
        raise NotImplementedError

    def update(self, request: Request) -> Outcome:
        """Change the tags."""
        _retag(request, request.physical_id)
        return Outcome(request.physical_id, self.attributes(request.physical_id, request))


@handles("AWS::EC2::EIP")
class ElasticAddress(Handler):
    """An elastic IP address; its physical id is the address."""

    how = "native"
    reason = "through the emulator's EC2 API"

    def create(self, request: Request) -> Outcome:
        """Allocate."""
        answer = request.client("ec2").allocate_address(
            Domain="vpc", TagSpecifications=_tag_specifications(request, "elastic-ip")
        )
        return self._outcome(answer)

    def update(self, request: Request) -> Outcome:
        """Change the tags."""
        address = self._address(request)
        if address is None:
            return self.create(request)
        _retag(request, address["AllocationId"])
        return self._outcome(address)

    def delete(self, request: Request) -> None:
        """Release, unless a NAT gateway holds the address."""
        address = self._address(request)
        if address is not None:
            quietly(request.client("ec2").release_address, AllocationId=address["AllocationId"])

    @staticmethod
    def _address(request: Request) -> dict[str, Any] | None:
        addresses = request.client("ec2").describe_addresses()["Addresses"]
        return next((item for item in addresses if item.get("PublicIp") == request.physical_id), None)

    @staticmethod
    def _outcome(address: dict[str, Any]) -> Outcome:
        attributes = {"AllocationId": address["AllocationId"], "PublicIp": address["PublicIp"]}
        return Outcome(address["PublicIp"], attributes)


@handles("AWS::EC2::NatGateway")
class NatGateway(_TaggedOnly):
    """A NAT gateway in a subnet, with its elastic address."""

    def check(self, request: Request) -> None:
        """Subnet and address exist; a public gateway has an address."""
        subnets_of(request, [request.properties["SubnetId"]])
        allocation = request.properties.get("AllocationId")
        if request.properties.get("ConnectivityType", "public") == "public" and not allocation:
            raise Refused("a public NAT gateway needs an AllocationId")
        if allocation:
            addresses = request.client("ec2").describe_addresses()["Addresses"]
            if allocation not in {item.get("AllocationId") for item in addresses}:
                raise Refused(f"elastic address {allocation!r} does not exist in {request.region}")

    def create(self, request: Request) -> Outcome:
        """Create in its subnet."""
        arguments: Properties = {"SubnetId": request.properties["SubnetId"]}
        for name in ("AllocationId", "ConnectivityType"):
            if request.properties.get(name):
                arguments[name] = request.properties[name]
        specifications = _tag_specifications(request, "natgateway")
        gateway = request.client("ec2").create_nat_gateway(**arguments, TagSpecifications=specifications)["NatGateway"]
        return Outcome(gateway["NatGatewayId"], self.attributes(gateway["NatGatewayId"], request))

    def delete(self, request: Request) -> None:
        """Delete."""
        quietly(request.client("ec2").delete_nat_gateway, NatGatewayId=request.physical_id)

    def attributes(self, physical_id: str, request: Request) -> Attributes:
        """Its id."""
        return {"NatGatewayId": physical_id}


@handles("AWS::EC2::FlowLog")
class FlowLog(_TaggedOnly):
    """Flow logs of a VPC, subnet or interface."""

    def check(self, request: Request) -> None:
        """What is logged exists."""
        if request.properties["ResourceType"] == "VPC":
            vpc_of(request, request.properties["ResourceId"])
        elif request.properties["ResourceType"] == "Subnet":
            subnets_of(request, [request.properties["ResourceId"]])
        if request.properties.get("LogDestinationType", "cloud-watch-logs") == "cloud-watch-logs":
            self._check_log_group(request)

    @staticmethod
    def _check_log_group(request: Request) -> None:
        destination = request.properties.get("LogDestination", "")
        name = request.properties.get("LogGroupName") or destination.split(":log-group:")[-1].removesuffix(":*")
        if not request.properties.get("DeliverLogsPermissionArn"):
            raise Refused("flow logs to CloudWatch Logs need a DeliverLogsPermissionArn")
        groups = request.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        if name not in {group["logGroupName"] for group in groups}:
            raise Refused(f"log group {name!r} does not exist in {request.region}")

    def create(self, request: Request) -> Outcome:
        """Create."""
        names = (
            "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName", "DeliverLogsPermissionArn",
            "LogFormat", "MaxAggregationInterval", "ResourceType",
        )  # fmt: skip
        arguments = {name: request.properties[name] for name in names if name in request.properties}
        answer = request.client("ec2").create_flow_logs(
            ResourceIds=[request.properties["ResourceId"]],
            TagSpecifications=_tag_specifications(request, "vpc-flow-log"),
            **arguments,
        )
        flow_log_id = answer["FlowLogIds"][0]
        return Outcome(flow_log_id, self.attributes(flow_log_id, request))

    def delete(self, request: Request) -> None:
        """Delete."""
        quietly(request.client("ec2").delete_flow_logs, FlowLogIds=[request.physical_id])

    def attributes(self, physical_id: str, request: Request) -> Attributes:
        """Its id."""
        return {"Id": physical_id}


@handles("AWS::EC2::VPCPeeringConnection")
class PeeringConnection(_TaggedOnly):
    """A peering between two VPCs of one account, in one region or two; active at once, as with CloudFormation."""

    def check(self, request: Request) -> None:
        """Both VPCs exist, and their addresses do not overlap."""
        peer_region = request.properties.get("PeerRegion") or request.region
        own = vpc_of(request, request.properties["VpcId"])
        peer = vpc_of(request, request.properties["PeerVpcId"], peer_region)
        if ipaddress.ip_network(own["CidrBlock"]).overlaps(ipaddress.ip_network(peer["CidrBlock"])):
            raise Refused(
                f"{own['VpcId']} in {request.region} ({own['CidrBlock']}) and {peer['VpcId']} in {peer_region} "
                f"({peer['CidrBlock']}) have overlapping addresses: they cannot peer"
            )

    def create(self, request: Request) -> Outcome:
        """Request in this region, accept in the other."""
        peer_region = request.properties.get("PeerRegion") or request.region
        connection = request.client("ec2").create_vpc_peering_connection(
            VpcId=request.properties["VpcId"],
            PeerVpcId=request.properties["PeerVpcId"],
            PeerRegion=peer_region,
            PeerOwnerId=request.properties.get("PeerOwnerId", request.account),
            TagSpecifications=_tag_specifications(request, "vpc-peering-connection"),
        )["VpcPeeringConnection"]
        connection_id = connection["VpcPeeringConnectionId"]
        request.client("ec2", peer_region).accept_vpc_peering_connection(VpcPeeringConnectionId=connection_id)
        return Outcome(connection_id, self.attributes(connection_id, request))

    def delete(self, request: Request) -> None:
        """Delete."""
        quietly(request.client("ec2").delete_vpc_peering_connection, VpcPeeringConnectionId=request.physical_id)
        STATE.remove(PEERING_OPTIONS, GLOBAL, request.physical_id)

    def attributes(self, physical_id: str, request: Request) -> Attributes:
        """Its id."""
        return {"Id": physical_id}


@handles("AWS::EC2::NetworkInterface")
class NetworkInterface(_TaggedOnly):
    """A network interface of its own."""

    def check(self, request: Request) -> None:
        """Subnet and groups exist."""
        subnets_of(request, [request.properties["SubnetId"]])
        groups_of(request, request.properties.get("GroupSet", []))

    def create(self, request: Request) -> Outcome:
        """Create."""
        interface = request.client("ec2").create_network_interface(
            SubnetId=request.properties["SubnetId"],
            Description=request.properties.get("Description", ""),
            Groups=request.properties.get("GroupSet", []),
        )["NetworkInterface"]
        attributes = {
            "Id": interface["NetworkInterfaceId"],
            "PrimaryPrivateIpAddress": interface.get("PrivateIpAddress", ""),
            "VpcId": interface.get("VpcId", ""),
        }
        return Outcome(interface["NetworkInterfaceId"], attributes)

    def delete(self, request: Request) -> None:
        """Delete."""
        quietly(request.client("ec2").delete_network_interface, NetworkInterfaceId=request.physical_id)

    def attributes(self, physical_id: str, request: Request) -> Attributes:
        """Its id."""
        return {"Id": physical_id}


@extends("AWS::EC2::VPC")
class Vpc(Extension):
    """The address attributes of a VPC."""

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Addresses and the default group."""
        vpc_id = outcome.physical_id
        return {
            "CidrBlock": request.properties.get("CidrBlock", ""),
            "CidrBlockAssociations": [f"vpc-cidr-assoc-{vpc_id.removeprefix('vpc-')}"],
            "Ipv6CidrBlocks": [],
        }


@extends("AWS::EC2::Subnet")
class Subnet(Extension):
    """Where a subnet may lie."""

    def check(self, request: Request) -> None:
        """Inside its VPC, in a zone of the region, apart from the other subnets."""
        properties = request.properties
        vpc = vpc_of(request, properties["VpcId"])
        zone = properties.get("AvailabilityZone") or f"{request.region}a"
        if not zone.startswith(request.region):
            raise Refused(f"availability zone {zone!r} is not one of {request.region}")
        if not properties.get("CidrBlock"):
            return
        wanted = ipaddress.ip_network(properties["CidrBlock"])
        if not wanted.subnet_of(ipaddress.ip_network(vpc["CidrBlock"])):  # type: ignore[arg-type]
            raise Refused(f"subnet {wanted} lies outside the VPC's addresses {vpc['CidrBlock']}")
        for other in request.client("ec2").describe_subnets()["Subnets"]:
            if other["VpcId"] != vpc["VpcId"] or other["SubnetId"] == request.physical_id:
                continue
            if wanted.overlaps(ipaddress.ip_network(other["CidrBlock"])):
                raise Refused(f"subnet {wanted} overlaps with subnet {other['SubnetId']} ({other['CidrBlock']})")

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """The attributes the emulator leaves out."""
        suffix = outcome.physical_id.removeprefix("subnet-")
        return {
            "VpcId": request.properties["VpcId"],
            "CidrBlock": request.properties.get("CidrBlock", ""),
            "NetworkAclAssociationId": f"aclassoc-{suffix}",
            "Ipv6CidrBlocks": [],
        }


@extends("AWS::EC2::Route")
class Route(Extension):
    """A route needs a table and a target."""

    _TARGETS = {
        "NatGatewayId": ("describe_nat_gateways", "NatGatewayIds", "NatGateways"),
        "VpcPeeringConnectionId": (
            "describe_vpc_peering_connections", "VpcPeeringConnectionIds", "VpcPeeringConnections",
        ),
    }  # fmt: skip

    def check(self, request: Request) -> None:
        """The table and the target exist, and the destination is free."""
        properties = request.properties
        table = find(request, "describe_route_tables", "RouteTableIds", "RouteTables", properties["RouteTableId"])
        if table is None:
            raise Refused(f"route table {properties['RouteTableId']!r} does not exist in {request.region}")
        for name, lookup in self._TARGETS.items():
            if properties.get(name) and find(request, *lookup, properties[name]) is None:
                raise Refused(f"{name} {properties[name]!r} does not exist in {request.region}")
        destination = properties.get("DestinationCidrBlock")
        taken = {route.get("DestinationCidrBlock") for route in table.get("Routes", [])}
        kept = request.previous.get("DestinationCidrBlock") if request.is_update else None
        if destination and destination in taken and destination != kept:
            raise Refused(f"route table {properties['RouteTableId']} has a route to {destination} already")
