"""Zones, nodes, addresses."""

from collections.abc import Callable
from typing import Any

from tests.ha_checks.cases.case import Case, case
from tests.ha_checks.support import HERE, THERE, Resources, Stack, applied, network, ref, resource, subnets


def _pool(zones: list[str], **spec: Any) -> dict[str, Any]:
    requirement = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": zones}
    body = {"template": {"spec": {"requirements": [requirement]}}, **spec}
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "general"}, "spec": body}


def _group(zones: str = "abc", **properties: Any) -> dict[str, Any]:
    return resource("EKS::Nodegroup", ClusterName="main", Subnets=subnets(zones), **properties)


def _scaling(least: int, most: int) -> dict[str, Any]:
    return {"ScalingConfig": {"MinSize": least, "MaxSize": most}}


def _vpc(cidr: str, region: str, name: str, **more: dict[str, Any]) -> Stack:
    return Stack({"Vpc": resource("EC2::VPC", CidrBlock=cidr), **more}, region, name)


ARM, X86 = "/aws/service/ami/al2023-arm64", "/aws/service/ami/al2023-x86_64"


def _instance(image: str) -> dict[str, Any]:
    return {"I": resource("EC2::Instance", InstanceType="m7g.large", ImageId=f"{{{{resolve:ssm:{image}}}}}")}


def _template(image: str) -> Stack:
    data = {"InstanceType": "c7gn.xlarge", "ImageId": ref("Image")}
    parameter = {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", "Default": image}
    template = resource("EC2::LaunchTemplate", LaunchTemplateData=data)
    return Stack({"T": template}, parameters={"Image": parameter})


def _function(layer: str) -> Resources:
    return {
        "F": resource("Lambda::Function", Architectures=["arm64"], Layers=[ref("L")]),
        "L": resource("Lambda::LayerVersion", CompatibleArchitectures=[layer]),
    }


def _services(cidr: str) -> dict[str, Any]:
    return resource("EKS::Cluster", KubernetesNetworkConfig={"ServiceIpv4Cidr": cidr})


SPANNING: dict[str, Callable[[Any], dict[str, Any]]] = {
    "RDS::DBSubnetGroup": lambda ids: {"SubnetIds": ids},
    "ElasticLoadBalancingV2::LoadBalancer": lambda ids: {"Subnets": ids},
    "EKS::Cluster": lambda ids: {"ResourcesVpcConfig": {"SubnetIds": ids}},
}

CASES: list[Case] = [
    case("FewerThanThreeZones", "subnets of a VPC", network("abc"), network("ab"), "Vpc", "2 zones"),
    case(
        "FewerThanThreeZones",
        "zones by their place in the list",
        {
            "Vpc": resource("EC2::VPC"),
            **{
                f"S{place}": resource(
                    "EC2::Subnet", VpcId=ref("Vpc"), AvailabilityZone={"Fn::Select": [place, {"Fn::GetAZs": ""}]}
                )
                for place in range(3)
            },
        },
        {
            "Vpc": resource("EC2::VPC"),
            **{
                f"S{number}": resource(
                    "EC2::Subnet", VpcId=ref("Vpc"), AvailabilityZone={"Fn::Select": [number % 2, {"Fn::GetAZs": ""}]}
                )
                for number in range(3)
            },
        },
        "Vpc",
        "2 zones",
    ),
    *(
        case(
            "ZonesLeftUnused",
            kind,
            network() | {"X": resource(kind, **properties(subnets("abc")))},
            network() | {"X": resource(kind, **properties(subnets("ab")))},
            "X",
            f"{HERE}a, {HERE}b",
        )
        for kind, properties in SPANNING.items()
    ),
    case("SingleNatGateway", "one for all", network("abc", "abc"), network("abc", "aaa"), "Nata", "3 zones"),
    case("SingleNatGateway", "one for two", network("abc", "abc"), network("abc", "abb"), "Natb", "2 zones"),
    case(
        "OneInstancePool",
        "node group",
        {"G": _group(**_scaling(2, 6))},
        {"G": _group(**_scaling(1, 6))},
        "G",
        "MinSize",
    ),
    case(
        "OneInstancePool",
        "largest size",
        {"G": _group(**_scaling(0, 6))},
        {"G": _group(**_scaling(0, 1))},
        "G",
        "MaxSize",
    ),
    case(
        "OneInstancePool",
        "service",
        {"S": resource("ECS::Service", DesiredCount=2)},
        {"S": resource("ECS::Service", DesiredCount=1)},
        "S",
    ),
    case(
        "OneInstancePool",
        "Karpenter",
        {"M": applied(_pool(["a", "b", "c"], replicas=3))},
        {"M": applied(_pool(["a", "b", "c"], replicas=1))},
        "M",
        "NodePool general",
    ),
    case("OneZonePool", "node group", network() | {"G": _group("abc")}, network() | {"G": _group("a")}, "G", "1 of 3"),
    case(
        "OneZonePool",
        "a group a zone",
        network() | {f"G{zone}": _group(zone) for zone in "abc"},
        network() | {f"G{zone}": _group(zone) for zone in "ab"},
        "Ga Gb",
    ),
    case(
        "OneZonePool",
        "Karpenter",
        {"M": applied(_pool(["eu-west-1a", "eu-west-1b", "eu-west-1c"]))},
        {"M": applied(_pool(["eu-west-1a"]))},
        "M",
        "NodePool general",
    ),
    case(
        "UnknownAddon",
        "name",
        {"A": resource("EKS::Addon", AddonName="vpc-cni"), "M": resource("EKS::Addon", AddonName="vendor_product")},
        {"A": resource("EKS::Addon", AddonName="aws-vpc-cni")},
        "A",
        "aws-vpc-cni",
    ),
    case("ArchitectureMismatch", "instance", _instance(ARM), _instance(X86), "I", "m7g.large is arm64"),
    case("ArchitectureMismatch", "image by parameter", _template(ARM), _template(X86), "T", "c7gn.xlarge"),
    case(
        "ArchitectureMismatch",
        "node group",
        {"G": _group(InstanceTypes=["r7g.large"], AmiType="BOTTLEROCKET_ARM_64")},
        {"G": _group(InstanceTypes=["r7g.large"], AmiType="AL2023_x86_64_STANDARD")},
        "G",
    ),
    case(
        "ArchitectureMismatch",
        "graphics is not ARM",
        {"G": _group(InstanceTypes=["g4dn.xlarge"], AmiType="AL2023_x86_64_NVIDIA")},
        {"G": _group(InstanceTypes=["g5g.xlarge"], AmiType="AL2023_x86_64_NVIDIA")},
        "G",
    ),
    case("ArchitectureMismatch", "layer", _function("arm64"), _function("x86_64"), "F", "its layer"),
    case(
        "OverlappingCidrs",
        "VPCs of two regions",
        [_vpc("10.0.0.0/16", HERE, "one"), _vpc("10.1.0.0/16", THERE, "two")],
        [_vpc("10.0.0.0/16", HERE, "one"), _vpc("10.0.128.0/20", THERE, "two")],
        "two/Vpc",
        "10.0.0.0/16 of one/Vpc",
    ),
    case(
        "OverlappingCidrs",
        "second block of a VPC",
        [_vpc("10.0.0.0/16", HERE, "one"), _vpc("10.1.0.0/16", THERE, "two")],
        [
            _vpc("10.0.0.0/16", HERE, "one"),
            _vpc(
                "10.1.0.0/16", THERE, "two", B=resource("EC2::VPCCidrBlock", VpcId=ref("Vpc"), CidrBlock="10.0.0.0/24")
            ),
        ],
        "two/Vpc",
        "10.0.0.0/24",
    ),
    case(
        "OverlappingCidrs",
        "services of a cluster",
        _vpc("10.0.0.0/16", HERE, "app", C=_services("172.20.0.0/16")),
        _vpc("10.0.0.0/16", HERE, "app", C=_services("10.0.0.0/20")),
        "C",
        "the services'",
    ),
]
