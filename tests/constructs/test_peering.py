from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.network import Network
from ha_constructs.peering import PeerVpc, RegionPeering
from ha_constructs.registrar import CrossRegionRegistrar

ACCOUNT = "111111111111"
REGION = "us-east-1"
PEER_STACK = "production-eu-west-1"


def make_stack(peer: PeerVpc | None) -> cdk.Stack:
    stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(account=ACCOUNT, region=REGION))
    key = kms.Key(stack, "Key")
    zones = [f"{REGION}{zone}" for zone in "abc"]
    network = Network(stack, "Network", cidr="10.1.0.0/16", availability_zones=zones, logs_key=key)
    registrar = CrossRegionRegistrar(stack, "Registrar", logs_key=key)
    if peer is not None:
        RegionPeering(stack, "Peering", network=network, peer=peer, registrar=registrar)
    return stack


def make_peer(**changes: Any) -> PeerVpc:
    values: dict[str, Any] = {
        "region": "eu-west-1",
        "cidr": "10.0.0.0/16",
        "vpc_id": cdk.Fn.get_stack_output(PEER_STACK, "VpcId", "eu-west-1"),
        "route_table_ids": cdk.Fn.get_stack_output(PEER_STACK, "RouteTableIds", "eu-west-1"),
    }
    return PeerVpc(**(values | changes))


@pytest.fixture(scope="module")
def template() -> Template:
    return Template.from_stack(make_stack(make_peer()))


def test_requests_a_connection_to_the_peer_region(template: Template) -> None:
    template.has_resource_properties(
        "AWS::EC2::VPCPeeringConnection",
        {
            "VpcId": {"Ref": Match.string_like_regexp("^NetworkVpc")},
            "PeerVpcId": {
                "Fn::GetStackOutput": {"StackName": PEER_STACK, "OutputName": "VpcId", "Region": "eu-west-1"}
            },
            "PeerRegion": "eu-west-1",
        },
    )


def test_private_and_isolated_subnets_route_to_the_peer(template: Template) -> None:
    routes = template.find_resources(
        "AWS::EC2::Route",
        {
            "Properties": {
                "DestinationCidrBlock": "10.0.0.0/16",
                "VpcPeeringConnectionId": {"Ref": Match.string_like_regexp("^PeeringConnection")},
            }
        },
    )
    tables = {route["Properties"]["RouteTableId"]["Ref"] for route in routes.values()}
    assert len(tables) == 6
    assert not [table for table in tables if "public" in table]


def test_registers_the_routes_back_with_the_peer(template: Template) -> None:
    template.has_resource_properties(
        "Custom::PeeringRegistration",
        {
            "ConnectionId": {"Ref": Match.string_like_regexp("^PeeringConnection")},
            "OwnCidr": "10.1.0.0/16",
            "OwnRegion": REGION,
            "PeerRegion": "eu-west-1",
            "PeerRouteTableIds": {"Fn::GetStackOutput": Match.object_like({"OutputName": "RouteTableIds"})},
        },
    )


def test_changes_nothing_but_connection_routes_and_registration(template: Template) -> None:
    before = Template.from_stack(make_stack(None)).to_json()["Resources"]
    after = template.to_json()["Resources"]
    added = {resource["Type"] for name, resource in after.items() if name not in before}
    assert {name: after[name] for name in before} == before
    assert added == {
        "AWS::EC2::VPCPeeringConnection",
        "AWS::EC2::Route",
        "AWS::IAM::Policy",
        "Custom::PeeringRegistration",
    }


def test_refuses_a_peer_in_its_own_region() -> None:
    with pytest.raises(ValueError, match="another region"):
        make_stack(make_peer(region=REGION))


def test_refuses_overlapping_blocks() -> None:
    with pytest.raises(ValueError, match=r"10\.1\.128\.0/17 must not overlap"):
        make_stack(make_peer(cidr="10.1.128.0/17"))
