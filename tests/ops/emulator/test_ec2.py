"""What our handlers of EC2 networking do, and refuse as AWS would."""

import pytest

from ops.emulator import Emulator

from .conftest import HERE, THERE, Deploy, Network, one


def test_overlapping_subnets(deploy: Deploy, here: Network) -> None:
    stack = deploy(one("AWS::EC2::Subnet", VpcId=here.vpc, CidrBlock="10.0.0.128/25"))
    assert "subnet 10.0.0.128/25 overlaps with subnet" in stack.reason


def test_a_subnet_outside_its_vpc(deploy: Deploy, here: Network) -> None:
    stack = deploy(one("AWS::EC2::Subnet", VpcId=here.vpc, CidrBlock="10.9.0.0/24"))
    assert "lies outside the VPC's addresses 10.0.0.0/16" in stack.reason


def test_a_zone_of_another_region(deploy: Deploy, here: Network) -> None:
    stack = deploy(one("AWS::EC2::Subnet", VpcId=here.vpc, CidrBlock="10.0.9.0/24", AvailabilityZone=f"{THERE}a"))
    assert f"'{THERE}a' is not one of {HERE}" in stack.reason


def test_the_address_of_a_vpc_can_be_read(deploy: Deploy) -> None:
    stack = deploy(
        one("AWS::EC2::VPC", CidrBlock="10.77.0.0/16"),
        {"Cidr": {"Fn::GetAtt": ["Thing", "CidrBlock"]}, "Group": {"Fn::GetAtt": ["Thing", "DefaultSecurityGroup"]}},
    )
    assert stack.outputs["Cidr"] == "10.77.0.0/16"
    assert stack.outputs["Group"].startswith("sg-")


def test_a_gateway_of_an_address_that_is_none(deploy: Deploy, here: Network) -> None:
    stack = deploy(one("AWS::EC2::NatGateway", SubnetId=here.subnets[0], AllocationId="eipalloc-none"))
    assert "elastic address 'eipalloc-none' does not exist" in stack.reason


def test_a_gateway_with_its_address(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    address = {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}}
    allocation = {"Fn::GetAtt": ["Address", "AllocationId"]}
    gateway = one("AWS::EC2::NatGateway", SubnetId=here.subnets[0], AllocationId=allocation)
    stack = deploy({"Address": address, **gateway}, {"Id": {"Ref": "Thing"}})
    ec2 = emulator.client("ec2")
    found = ec2.describe_nat_gateways(NatGatewayIds=[stack.outputs["Id"]])["NatGateways"][0]
    assert found["SubnetId"] == here.subnets[0]
    assert stack.delete().status == "DELETE_COMPLETE"


def test_peers_with_overlapping_addresses(deploy: Deploy, here: Network) -> None:
    twin = deploy(one("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"), {"Id": {"Ref": "Thing"}}, region=THERE)
    stack = deploy(
        one("AWS::EC2::VPCPeeringConnection", VpcId=here.vpc, PeerVpcId=twin.outputs["Id"], PeerRegion=THERE)
    )
    assert "overlapping addresses: they cannot peer" in stack.reason


def test_a_peer_that_is_not_in_the_region_named(deploy: Deploy, here: Network, there: Network) -> None:
    stack = deploy(
        one("AWS::EC2::VPCPeeringConnection", VpcId=here.vpc, PeerVpcId=there.vpc, PeerRegion="eu-central-1")
    )
    assert "does not exist in eu-central-1" in stack.reason


def test_a_peering_is_active_on_both_sides(deploy: Deploy, here: Network, there: Network, emulator: Emulator) -> None:
    stack = deploy(
        one("AWS::EC2::VPCPeeringConnection", VpcId=here.vpc, PeerVpcId=there.vpc, PeerRegion=THERE),
        {"Id": {"Ref": "Thing"}},
    )
    for region in (HERE, THERE):
        ec2 = emulator.client("ec2", region)
        found = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[stack.outputs["Id"]])
        assert found["VpcPeeringConnections"][0]["Status"]["Code"] == "active"


def test_options_of_a_peering_are_set_from_their_own_side(
    deploy: Deploy, here: Network, there: Network, emulator: Emulator
) -> None:
    stack = deploy(
        one("AWS::EC2::VPCPeeringConnection", VpcId=here.vpc, PeerVpcId=there.vpc, PeerRegion=THERE),
        {"Id": {"Ref": "Thing"}},
    )
    request = {"VpcPeeringConnectionId": stack.outputs["Id"]}
    option = {"AllowDnsResolutionFromRemoteVpc": True}
    ec2 = emulator.client("ec2")
    with pytest.raises(ec2.exceptions.ClientError, match=f"can be set in {THERE} only"):
        ec2.modify_vpc_peering_connection_options(**request, AccepterPeeringConnectionOptions=option)
    ec2.modify_vpc_peering_connection_options(**request, RequesterPeeringConnectionOptions=option)
    assert emulator.state()["peering options"]["global"][stack.outputs["Id"]] == {"Requester": option}


def test_a_rule_that_the_group_has(deploy: Deploy, here: Network) -> None:
    rule = {"GroupId": here.group, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
    assert deploy(one("AWS::EC2::SecurityGroupIngress", **rule)).status == "CREATE_COMPLETE"
    assert "has this rule already" in deploy(one("AWS::EC2::SecurityGroupIngress", **rule)).reason


def test_a_second_route_to_a_destination(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    table = ec2.create_route_table(VpcId=here.vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
    ec2.create_route(**route)
    assert "has a route to 0.0.0.0/0 already" in deploy(one("AWS::EC2::Route", **route)).reason
    with pytest.raises(ec2.exceptions.ClientError, match="RouteAlreadyExists"):
        ec2.create_route(**route)
