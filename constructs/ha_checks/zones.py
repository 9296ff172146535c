"""Rules about availability zones: how many a network has and its users span, and whether each has its own way out."""

from collections.abc import Iterator
from typing import Any

from ha_checks.assembly import Assembly
from ha_checks.resource import Resource, target_of
from ha_checks.rule import Finding, Settings, rule

THEME = "Availability zones"

_SPANNING = {
    "AWS::RDS::DBSubnetGroup": "SubnetIds",
    "AWS::ElastiCache::SubnetGroup": "SubnetIds",
    "AWS::DocDB::DBSubnetGroup": "SubnetIds",
    "AWS::Neptune::DBSubnetGroup": "SubnetIds",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Subnets",
    "AWS::EKS::Cluster": "ResourcesVpcConfig.SubnetIds",
    "AWS::AutoScaling::AutoScalingGroup": "VPCZoneIdentifier",
    "AWS::ECS::Service": "NetworkConfiguration.AwsvpcConfiguration.Subnets",
    "AWS::MSK::Cluster": "BrokerNodeGroupInfo.ClientSubnets",
}


def zones_of(subnets: Any) -> set[str] | None:
    """The zones of a resolved list of subnets; ``None`` where one of them is not known."""
    if not isinstance(subnets, list) or not subnets:
        return None
    zones = {zone_of(target_of(subnet)) for subnet in subnets}
    return None if None in zones else {zone for zone in zones if zone}


def zone_of(subnet: Resource | None) -> str | None:
    """The zone of a subnet; ``None`` where it is not known."""
    if subnet is None or subnet.type != "AWS::EC2::Subnet":
        return None
    return subnet.literal("AvailabilityZone") or subnet.literal("AvailabilityZoneId")


@rule(
    theme=THEME,
    why="With two zones the loss of one takes half of the capacity, and what votes (etcd, Kafka, Raft) may lose "
    "its majority.",
    mend="Give the VPC subnets in three zones: `max_azs=3`, with account and region set on the stack, because the CDK "
    "otherwise takes two whatever `max_azs` says.",
    url="https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_fault_isolation_multiaz_region_system.html",
)
def fewer_than_three_zones(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A VPC whose subnets lie in fewer zones."""
    for vpc in assembly.of_type("AWS::EC2::VPC"):
        zones = {zone_of(subnet) for subnet in _subnets(vpc)}
        if zones and None not in zones and len(zones) < settings.zones:
            yield Finding(vpc, f"the VPC's subnets lie in {_named(zones)}, {settings.zones} are wanted")


@rule(
    theme=THEME,
    why="A part that lives in fewer zones than its network fails with them, though the room for more is there.",
    mend="Give it a subnet of every zone.",
    url="https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_fault_isolation_multiaz_region_system.html",
)
def zones_left_unused(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A load balancer, cluster, subnet group or service in fewer zones than wanted."""
    for kind, path in _SPANNING.items():
        for resource in assembly.of_type(kind):
            zones = zones_of(resource.get(path))
            if zones and len(zones) < settings.zones:
                message = f"spans {_named(zones)}, {settings.zones} are wanted"
                yield Finding(resource, message, f"Properties.{path}")


@rule(
    theme=THEME,
    why="A NAT gateway lives in one zone. When that zone fails, nodes in all zones behind it lose their way to the "
    "internet; until then each byte from another zone is paid for.",
    mend="One NAT gateway a zone (`nat_gateways` = number of zones), each zone's route table leading to its own.",
    url="https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html",
)
def single_nat_gateway(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A NAT gateway that serves subnets of several zones."""
    served: dict[str, tuple[Resource, set[str]]] = {}
    for route in assembly.of_type("AWS::EC2::Route"):
        gateway = route.target("NatGatewayId")
        # A regional NAT gateway spans zones by itself.
        if gateway is None or gateway.get("AvailabilityMode") == "regional":
            continue
        table = route.target("RouteTableId")
        behind = {zone_of(subnet) for subnet in _subnets_behind(assembly, table)} if table else set()
        served.setdefault(gateway.path, (gateway, set()))[1].update(zone for zone in behind if zone)
    for gateway, zones in served.values():
        if len(zones) > 1:
            yield Finding(gateway, f"serves subnets of {_named(zones)}", "Properties.SubnetId")


def _subnets(vpc: Resource) -> list[Resource]:
    return [subnet for subnet in vpc.stack.assembly.of_type("AWS::EC2::Subnet") if subnet.target("VpcId") is vpc]


def _subnets_behind(assembly: Assembly, table: Resource) -> Iterator[Resource]:
    for association in table.stack.of_type("AWS::EC2::SubnetRouteTableAssociation"):
        subnet = association.target("SubnetId")
        if association.target("RouteTableId") is table and subnet:
            yield subnet


def _named(zones: set[Any]) -> str:
    return f"{len(zones)} zone{'s' if len(zones) > 1 else ''} ({', '.join(sorted(map(str, zones)))})"
