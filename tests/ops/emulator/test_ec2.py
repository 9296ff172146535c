"""What our handlers of EC2 networking do, and refuse as AWS would."""

from typing import Any

import pytest

from ops.emulator import Emulator

from .conftest import ACCOUNT, HERE, THERE, Deploy, Network, one


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
    assert found["NatGatewayAddresses"][0]["AllocationId"].startswith("eipalloc-")
    assert found["NatGatewayAddresses"][0]["PublicIp"]
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


def test_an_endpoint_tells_its_groups_and_private_names(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    def endpoint(private: bool) -> dict[str, Any]:
        return one(
            "AWS::EC2::VPCEndpoint", VpcId=here.vpc, ServiceName=f"com.amazonaws.{HERE}.sqs", SubnetIds=here.subnets,
            VpcEndpointType="Interface", SecurityGroupIds=[here.group], PrivateDnsEnabled=private,
        )  # fmt: skip

    def told() -> dict[str, Any]:
        answer = emulator.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[stack.outputs["Id"]])
        found: dict[str, Any] = answer["VpcEndpoints"][0]
        return found

    stack = deploy(endpoint(True), {"Id": {"Ref": "Thing"}})
    assert told()["PrivateDnsEnabled"] is True
    assert [group["GroupId"] for group in told()["Groups"]] == [here.group]
    stack.update(endpoint(False), {"Id": {"Ref": "Thing"}})
    assert told()["PrivateDnsEnabled"] is False


def test_a_flow_log_tells_how_it_delivers(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/flow-logs"
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "flows"}}
    log = one(
        "AWS::EC2::FlowLog", ResourceId=here.vpc, ResourceType="VPC", TrafficType="ALL", LogGroupName={"Ref": "Group"},
        DeliverLogsPermissionArn=role, MaxAggregationInterval=60, Tags=[{"Key": "Name", "Value": "flows"}],
    )  # fmt: skip
    stack = deploy({"Group": group, **log}, {"Id": {"Ref": "Thing"}})
    assert stack.status == "CREATE_COMPLETE", stack.reason
    found = emulator.client("ec2").describe_flow_logs(FlowLogIds=[stack.outputs["Id"]])["FlowLogs"][0]
    assert (found["DeliverLogsPermissionArn"], found["LogGroupName"]) == (role, "flows")
    assert found["MaxAggregationInterval"] == 60
    assert found["Tags"] == [{"Key": "Name", "Value": "flows"}]


def test_the_description_of_a_rule_changes_in_place(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    def rule(description: str) -> dict[str, Any]:
        ports = {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443}
        source = {"GroupId": here.group, "SourceSecurityGroupId": here.group}
        return one("AWS::EC2::SecurityGroupIngress", **ports, **source, Description=description)

    def told() -> list[str]:
        (group,) = emulator.client("ec2").describe_security_groups(GroupIds=[here.group])["SecurityGroups"]
        rules = [rule for rule in group["IpPermissions"] if rule.get("FromPort") == 8443]
        return [pair["Description"] for rule in rules for pair in rule["UserIdGroupPairs"]]

    stack = deploy(rule("before"))
    assert told() == ["before"]
    assert stack.update(rule("after")).status == "UPDATE_COMPLETE"
    assert told() == ["after"]
    stack.delete()
    assert told() == []


def test_a_rule_is_revoked_whatever_its_description(here: Network, emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    ports = {"IpProtocol": "tcp", "FromPort": 9443, "ToPort": 9443}
    described = {**ports, "UserIdGroupPairs": [{"GroupId": here.group, "Description": "all"}]}
    ec2.authorize_security_group_ingress(GroupId=here.group, IpPermissions=[described])
    ec2.revoke_security_group_ingress(
        GroupId=here.group, IpPermissions=[{**ports, "UserIdGroupPairs": [{"GroupId": here.group}]}]
    )
    (group,) = ec2.describe_security_groups(GroupIds=[here.group])["SecurityGroups"]
    assert not [rule for rule in group["IpPermissions"] if rule.get("FromPort") == 9443]
