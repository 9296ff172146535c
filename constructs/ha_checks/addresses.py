"""Rules about addresses."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from ha_checks.assembly import Assembly
from ha_checks.resource import Resource
from ha_checks.rule import Finding, Settings, rule

THEME = "Network"


@rule(
    theme=THEME,
    why="VPCs whose addresses overlap can never be peered, nor joined by a transit gateway, and no resource can be "
    "moved to other addresses without being made anew: by the time the second region must reach the first, it is too "
    "late.",
    mend="Give every VPC of the environment its own range out of one supernet; keep the services' range of Kubernetes "
    "(`ServiceIpv4Cidr`) outside of it.",
    url="https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html",
)
def overlapping_cidrs(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A VPC whose addresses another VPC of the environment has, peered or not; services in a VPC's addresses."""
    for stacks in assembly.families().values():
        taken: list[tuple[Resource, IPv4Network]] = []
        for stack in stacks:
            for vpc in stack.of_type("AWS::EC2::VPC"):
                for own in _networks(vpc):
                    for other, network in taken:
                        if other is not vpc and own.overlaps(network):
                            message = f"{own} overlaps with {network} of {other.path}"
                            yield Finding(vpc, message, "Properties.CidrBlock")
                    taken.append((vpc, own))
        for stack in stacks:
            for cluster in stack.of_type("AWS::EKS::Cluster"):
                services = _network(cluster.get("KubernetesNetworkConfig.ServiceIpv4Cidr"))
                for vpc, network in taken:
                    if services and services.overlaps(network):
                        message = f"the services' {services} overlaps with {network} of {vpc.path}"
                        yield Finding(cluster, message, "Properties.KubernetesNetworkConfig.ServiceIpv4Cidr")


def _networks(vpc: Resource) -> list[IPv4Network]:
    values = [vpc.get("CidrBlock")]
    for block in vpc.stack.of_type("AWS::EC2::VPCCidrBlock"):
        if block.target("VpcId") is vpc:
            values.append(block.get("CidrBlock"))
    return [network for network in map(_network, values) if network]


def _network(value: object) -> IPv4Network | None:
    try:
        return IPv4Network(value, strict=False) if isinstance(value, str) else None
    except ValueError:
        return None
