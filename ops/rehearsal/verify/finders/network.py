"""Finders for VPCs and what is in them."""

from typing import Any

from ops.rehearsal.verify.asking import Ask, Settings, finds


@finds("AWS::EC2::VPC", must=("CidrBlock",))
def vpc(ask: Ask) -> Settings | None:
    """Ask for the VPC and its DNS attributes."""
    client = ask.client("ec2")
    found = ask.answer(client.describe_vpcs, "Vpcs", 0, VpcIds=[ask.physical_id])
    if found is None:
        return None
    attributes = {
        name: ask.answer(
            client.describe_vpc_attribute, name, "Value", VpcId=ask.physical_id, Attribute=name[0].lower() + name[1:]
        )
        for name in ("EnableDnsHostnames", "EnableDnsSupport")
    }
    return {**ask.alike(found), **attributes}


@finds("AWS::EC2::Subnet", must=("CidrBlock", "AvailabilityZone", "VpcId"))
def subnet(ask: Ask) -> Settings | None:
    """Ask for the subnet."""
    found = ask.answer(ask.client("ec2").describe_subnets, "Subnets", 0, SubnetIds=[ask.physical_id])
    return None if found is None else ask.alike(found)


def _route_table(ask: Ask, route_table_id: str) -> dict[str, Any] | None:
    table: dict[str, Any] | None = ask.answer(
        ask.client("ec2").describe_route_tables, "RouteTables", 0, RouteTableIds=[route_table_id]
    )
    return table


@finds("AWS::EC2::RouteTable", must=("VpcId",))
def route_table(ask: Ask) -> Settings | None:
    """Ask for the route table."""
    found = _route_table(ask, ask.physical_id)
    return None if found is None else ask.alike(found)


@finds("AWS::EC2::SubnetRouteTableAssociation", must=("SubnetId",))
def subnet_route_table_association(ask: Ask) -> Settings | None:
    """Look the subnet up in its route table's associations."""
    table = _route_table(ask, ask.declared["RouteTableId"]) or {}
    for association in table.get("Associations", []):
        if association.get("SubnetId") == ask.declared["SubnetId"]:
            return {"SubnetId": association["SubnetId"], "RouteTableId": association.get("RouteTableId")}
    return None


@finds("AWS::EC2::Route", must=("DestinationCidrBlock",))
def route(ask: Ask) -> Settings | None:
    """Look the destination up in its route table."""
    table = _route_table(ask, ask.declared["RouteTableId"]) or {}
    destinations = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    name = next((item for item in destinations if item in ask.declared), destinations[0])
    for entry in table.get("Routes", []):
        if entry.get(name) == ask.declared.get(name):
            return {**ask.alike(entry), "RouteTableId": table.get("RouteTableId")}
    return None


@finds("AWS::EC2::InternetGateway")
def internet_gateway(ask: Ask) -> Settings | None:
    """Ask for the internet gateway."""
    found = ask.answer(
        ask.client("ec2").describe_internet_gateways, "InternetGateways", 0, InternetGatewayIds=[ask.physical_id]
    )
    return None if found is None else ask.alike(found)


@finds("AWS::EC2::VPCGatewayAttachment", must=("VpcId",))
def gateway_attachment(ask: Ask) -> Settings | None:
    """Look the VPC up in the internet gateway's attachments."""
    gateway = ask.declared.get("InternetGatewayId")
    attachments = ask.answer(
        ask.client("ec2").describe_internet_gateways,
        "InternetGateways",
        0,
        "Attachments",
        InternetGatewayIds=[gateway],
    )
    for attachment in attachments or []:
        if attachment.get("VpcId") == ask.declared["VpcId"]:
            return {"VpcId": attachment["VpcId"], "InternetGatewayId": gateway}
    return None


@finds("AWS::EC2::EIP")
def elastic_address(ask: Ask) -> Settings | None:
    """Ask for the address; CloudFormation's physical id is the address itself."""
    for address in ask.answer(ask.client("ec2").describe_addresses, "Addresses") or []:
        if ask.physical_id in (address.get("PublicIp"), address.get("AllocationId")):
            return ask.alike(address)
    return None


@finds("AWS::EC2::NatGateway", must=("SubnetId", "AllocationId"))
def nat_gateway(ask: Ask) -> Settings | None:
    """Ask for the NAT gateway; one that is deleted is still listed for a while."""
    found = ask.answer(ask.client("ec2").describe_nat_gateways, "NatGateways", 0, NatGatewayIds=[ask.physical_id])
    if found is None or found.get("State") == "deleted":
        return None
    addresses = found.get("NatGatewayAddresses") or [{}]
    return {**ask.alike(found), "AllocationId": addresses[0].get("AllocationId")}


@finds("AWS::EC2::FlowLog", must=("ResourceId",))
def flow_log(ask: Ask) -> Settings | None:
    """Ask for the flow log."""
    found = ask.answer(ask.client("ec2").describe_flow_logs, "FlowLogs", 0, FlowLogIds=[ask.physical_id])
    if found is None or found.get("FlowLogId") != ask.physical_id:
        return None
    # The service tells the resource's id alone, which begins with what it is.
    kinds = {"vpc": "VPC", "subnet": "Subnet", "eni": "NetworkInterface", "tgw": "TransitGateway"}
    return {**ask.alike(found), "ResourceType": kinds.get(str(found.get("ResourceId")).split("-")[0])}


@finds(
    "AWS::EC2::VPCEndpoint", must=("ServiceName", "VpcId", "VpcEndpointType", "PrivateDnsEnabled", "SecurityGroupIds")
)
def vpc_endpoint(ask: Ask) -> Settings | None:
    """Ask for the endpoint."""
    found = ask.answer(ask.client("ec2").describe_vpc_endpoints, "VpcEndpoints", 0, VpcEndpointIds=[ask.physical_id])
    if found is None:
        return None
    groups = [group["GroupId"] for group in found.get("Groups", [])]
    return {**ask.alike(found), "SecurityGroupIds": groups or None}


@finds("AWS::EC2::VPCPeeringConnection", must=("VpcId", "PeerVpcId"))
def peering_connection(ask: Ask) -> Settings | None:
    """Ask for the peering connection from the requester's region."""
    found = ask.answer(
        ask.client("ec2").describe_vpc_peering_connections,
        "VpcPeeringConnections",
        0,
        VpcPeeringConnectionIds=[ask.physical_id],
    )
    if found is None or found.get("Status", {}).get("Code") in ("deleted", "rejected"):
        return None
    accepter = found.get("AccepterVpcInfo", {})
    return {
        **ask.alike(found),
        "VpcId": found.get("RequesterVpcInfo", {}).get("VpcId"),
        "PeerVpcId": accepter.get("VpcId"),
        "PeerRegion": accepter.get("Region"),
        "PeerOwnerId": accepter.get("OwnerId"),
    }


@finds("AWS::EC2::VPCEndpointService")
def endpoint_service(ask: Ask) -> Settings | None:
    """Ask for the endpoint service's configuration."""
    found = ask.answer(
        ask.client("ec2").describe_vpc_endpoint_service_configurations,
        "ServiceConfigurations",
        0,
        ServiceIds=[ask.physical_id],
    )
    return None if found is None else ask.alike(found)


@finds("AWS::EC2::VPCEndpointServicePermissions", must=("AllowedPrincipals",))
def endpoint_service_permissions(ask: Ask) -> Settings | None:
    """Ask the endpoint service who may connect to it."""
    service = ask.declared.get("ServiceId", "")
    found = ask.answer(
        ask.client("ec2").describe_vpc_endpoint_service_permissions, "AllowedPrincipals", ServiceId=service
    )
    if found is None:
        return None
    return {"ServiceId": service, "AllowedPrincipals": [item["Principal"] for item in found] or None}


@finds("AWS::EC2::LaunchTemplate")
def launch_template(ask: Ask) -> Settings | None:
    """Ask for the launch template."""
    found = ask.answer(
        ask.client("ec2").describe_launch_templates, "LaunchTemplates", 0, LaunchTemplateIds=[ask.physical_id]
    )
    return None if found is None else ask.alike(found)
