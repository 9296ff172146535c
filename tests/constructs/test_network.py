import ipaddress
import json
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match, Template

from ha_constructs.network import DEFAULT_INTERFACE_ENDPOINTS, Network

ACCOUNT = "111111111111"
REGION = "eu-west-1"
ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]


def make_network(**arguments: object) -> Network:
    stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(account=ACCOUNT, region=REGION))
    stack.node.set_context(
        f"availability-zones:account={ACCOUNT}:region={REGION}", [f"{REGION}{zone}" for zone in "abcdef"]
    )
    defaults: dict[str, object] = {
        "cidr": "10.0.0.0/16",
        "availability_zones": ZONES,
        "logs_key": kms.Key(stack, "Key"),
    }
    return Network(stack, "Network", **(defaults | arguments))  # type: ignore[arg-type]


def template_of(network: Network) -> Template:
    return Template.from_stack(cdk.Stack.of(network))


def subnet_blocks(network: Network) -> dict[tuple[str, str], str]:
    subnets = template_of(network).find_resources("AWS::EC2::Subnet").values()
    return {
        (tag["Value"], subnet["Properties"]["AvailabilityZone"]): subnet["Properties"]["CidrBlock"]
        for subnet in subnets
        for tag in subnet["Properties"]["Tags"]
        if tag["Key"] == "aws-cdk:subnet-name"
    }


@pytest.fixture(scope="module")
def network() -> Network:
    return make_network()


@pytest.fixture(scope="module")
def template(network: Network) -> Template:
    return template_of(network)


def test_has_a_subnet_of_each_kind_in_every_zone(network: Network, template: Template) -> None:
    assert set(subnet_blocks(network)) == {(kind, zone) for kind in ("public", "private", "isolated") for zone in ZONES}


def test_gives_pods_the_most_addresses(network: Network) -> None:
    sizes = {kind: ipaddress.IPv4Network(block).prefixlen for (kind, _), block in subnet_blocks(network).items()}
    assert sizes == {"private": 19, "public": 22, "isolated": 22}


def test_every_zone_has_its_own_nat_gateway(template: Template) -> None:
    template.resource_count_is("AWS::EC2::NatGateway", 3)


def test_no_subnet_gives_public_addresses(template: Template) -> None:
    template.all_resources_properties("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": False})


def test_isolated_subnets_have_no_way_out(network: Network, template: Template) -> None:
    stack = cdk.Stack.of(network)
    isolated = [stack.resolve(subnet.route_table.route_table_id) for subnet in network.vpc.isolated_subnets]
    routed = [route["Properties"]["RouteTableId"] for route in template.find_resources("AWS::EC2::Route").values()]
    assert routed
    assert not [table for table in isolated if table in routed]


@pytest.mark.parametrize(
    ("kind", "tag"), [("private", "kubernetes.io/role/internal-elb"), ("public", "kubernetes.io/role/elb")]
)
def test_subnets_are_tagged_for_load_balancers(template: Template, kind: str, tag: str) -> None:
    tagged = template.find_resources(
        "AWS::EC2::Subnet", {"Properties": {"Tags": Match.array_with([{"Key": tag, "Value": "1"}])}}
    )
    names = {
        entry["Value"]
        for subnet in tagged.values()
        for entry in subnet["Properties"]["Tags"]
        if entry["Key"] == "aws-cdk:subnet-name"
    }
    assert (len(tagged), names) == (3, {kind})


def test_flow_logs_of_all_traffic_go_to_an_encrypted_group(template: Template) -> None:
    template.has_resource_properties("AWS::EC2::FlowLog", {"TrafficType": "ALL", "MaxAggregationInterval": 60})
    template.has_resource(
        "AWS::Logs::LogGroup",
        {
            "Properties": {
                "KmsKeyId": {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]},
                "RetentionInDays": 90,
            },
            "DeletionPolicy": "Retain",
        },
    )


def test_default_security_group_is_emptied(template: Template) -> None:
    template.resource_count_is("Custom::VpcRestrictDefaultSG", 1)


def test_s3_is_reached_over_a_gateway_endpoint(template: Template) -> None:
    template.has_resource_properties("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"})


@pytest.mark.parametrize("service", DEFAULT_INTERFACE_ENDPOINTS)
def test_service_is_reached_over_an_interface_endpoint(template: Template, service: str) -> None:
    template.has_resource_properties(
        "AWS::EC2::VPCEndpoint",
        {
            "ServiceName": f"com.amazonaws.{REGION}.{service}",
            "VpcEndpointType": "Interface",
            "PrivateDnsEnabled": True,
            "SecurityGroupIds": [{"Fn::GetAtt": [Match.string_like_regexp("EndpointsSecurityGroup"), "GroupId"]}],
        },
    )


def test_endpoints_admit_https_from_the_vpc_alone(template: Template) -> None:
    groups = template.find_resources("AWS::EC2::SecurityGroup")
    ingress = [rule for group in groups.values() for rule in group["Properties"].get("SecurityGroupIngress", [])]
    assert [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in ingress] == [("10.0.0.0/16", 443, 443)]
    template.resource_count_is("AWS::EC2::SecurityGroupIngress", 0)


def test_exposes_route_tables_of_private_and_isolated_subnets(network: Network) -> None:
    assert len(set(network.route_table_ids)) == 6


@pytest.mark.parametrize("gateways", [1, 2, 3])
def test_exposes_every_nat_gateway(gateways: int) -> None:
    network = make_network(nat_gateways=gateways)
    exposed = {cdk.Stack.of(network).resolve(identifier)["Ref"] for identifier in network.nat_gateway_ids}
    assert exposed == set(template_of(network).find_resources("AWS::EC2::NatGateway"))


def test_names_only_the_zones_in_use(network: Network) -> None:
    assert network.availability_zones == ZONES


def test_looks_nothing_up(network: Network, template: Template) -> None:
    stage = cdk.Stage.of(network)
    assert stage is not None
    manifest = json.loads((Path(stage.synth().directory) / "manifest.json").read_text())
    assert "missing" not in manifest


def test_appending_a_zone_moves_no_subnet(network: Network) -> None:
    longer = subnet_blocks(make_network(availability_zones=[*ZONES, "eu-west-1d"]))
    assert len(longer) == 12
    assert subnet_blocks(network).items() <= longer.items()


def test_other_endpoints_move_no_subnet(network: Network) -> None:
    other = make_network(interface_endpoints=["sts"], nat_gateways=1)
    assert subnet_blocks(other) == subnet_blocks(network)


def test_six_zones_fit_into_the_smallest_block() -> None:
    network = make_network(cidr="10.0.16.0/20", availability_zones=[f"{REGION}{zone}" for zone in "abcdef"])
    blocks = [ipaddress.IPv4Network(block) for block in subnet_blocks(network).values()]
    assert len(blocks) == 18
    assert all(block.subnet_of(ipaddress.IPv4Network("10.0.16.0/20")) for block in blocks)


def test_fewer_nat_gateways_are_reported() -> None:
    network = make_network(nat_gateways=1)
    template_of(network).resource_count_is("AWS::EC2::NatGateway", 1)
    Annotations.from_stack(cdk.Stack.of(network)).has_warning("*", Match.string_like_regexp("1 NAT gateway"))


def test_a_nat_gateway_a_zone_is_not_reported(network: Network) -> None:
    Annotations.from_stack(cdk.Stack.of(network)).has_no_warning("*", Match.string_like_regexp("NAT gateway"))


def test_flow_logs_go_with_the_stack_without_deletion_protection() -> None:
    template_of(make_network(deletion_protection=False)).has_resource(
        "AWS::Logs::LogGroup", {"DeletionPolicy": "Delete"}
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cidr": "10.0.0.0/15"}, "from /16 to /20"),
        ({"cidr": "10.0.0.0/21"}, "from /16 to /20"),
        ({"cidr": "10.0.1.0/16"}, "host bits"),
        ({"cidr": "fd00::/16"}, "IPv4 network"),
        ({"availability_zones": ZONES[:2]}, "3 to 6 zones"),
        ({"availability_zones": [f"{REGION}{zone}" for zone in "abcdefg"]}, "3 to 6 zones"),
        ({"availability_zones": [*ZONES, "eu-west-1a"]}, "each zone once"),
        ({"nat_gateways": 0}, "from 1 to the number of zones"),
        ({"nat_gateways": 4}, "from 1 to the number of zones"),
        ({"interface_endpoints": ["sts", "sts"]}, "each service once"),
    ],
)
def test_refuses(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_network(**arguments)
