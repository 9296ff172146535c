"""Quotas and names."""

from typing import Any

from tests.ha_checks.cases.case import Case, case
from tests.ha_checks.support import HERE, THERE, Resources, Stack, att, output, ref, resource


def _listeners(count: int) -> Resources:
    listener = resource("GlobalAccelerator::Listener", AcceleratorArn=ref("Accelerator"))
    return {
        "Accelerator": resource("GlobalAccelerator::Accelerator"),
        **{f"L{number}": listener for number in range(count)},
    }


def _groups(count: int) -> Resources:
    group = resource("GlobalAccelerator::EndpointGroup", ListenerArn=ref("L0"))
    return {**_listeners(1), **{f"G{number}": group for number in range(count)}}


def _endpoints(count: int) -> Resources:
    endpoints = [{"EndpointId": f"arn{number}"} for number in range(count)]
    return {"Group": resource("GlobalAccelerator::EndpointGroup", EndpointConfigurations=endpoints)}


def _peerings(count: int) -> list[Stack]:
    peer = resource("EC2::VPCPeeringConnection", VpcId=ref("Vpc"), PeerVpcId="vpc-1")
    theirs = resource("EC2::VPCPeeringConnection", VpcId="vpc-2", PeerVpcId=output("here", HERE, "Vpc"))
    mine = {"Vpc": resource("EC2::VPC"), **{f"P{number}": peer for number in range(count - 1)}}
    return [Stack(mine, HERE, "here", {"Vpc": ref("Vpc")}), Stack({"P": theirs}, THERE, "there")]


def _topics(count: int) -> Resources:
    return {f"T{number}": resource("SNS::Topic") for number in range(count)}


def _balancer(name: Any) -> Resources:
    return {"B": resource("ElasticLoadBalancingV2::LoadBalancer", Name=name)}


def _named(region: str, name: str, **named: dict[str, Any]) -> Stack:
    return Stack(named, region, name)


QUEUE, ROLE = resource("SQS::Queue", QueueName="jobs"), resource("IAM::Role", RoleName="worker")
RECORD = resource("Route53::RecordSet", HostedZoneId="Z1", Name="www.example.com.", Type="A")
LONG = "a-name-of-more-than-thirty-two-characters"

CASES: list[Case] = [
    case("TemplateResources", "count", _topics(400), Stack(_topics(401)), "/", "401 of 500"),
    case(
        "TemplateSize",
        "bytes",
        {"T": resource("SNS::Topic", DisplayName="x" * 700_000)},
        {"T": resource("SNS::Topic", DisplayName="x" * 800_000)},
        "/",
        "of 1,000,000 bytes",
    ),
    case("AcceleratorQuota", "listeners", _listeners(8), _listeners(9), "Accelerator", "9 of 10 listeners"),
    case("AcceleratorQuota", "endpoint groups", _groups(33), _groups(34), "Accelerator", "34 of 42"),
    case("AcceleratorQuota", "endpoints", _endpoints(8), _endpoints(9), "Group", "9 of 10 endpoints"),
    case("PeeringQuota", "of both sides", _peerings(40), _peerings(41), "here/Vpc", "41 of 50"),
    case(
        "ArcPlanName",
        "length",
        {"P": resource("ARCRegionSwitch::Plan", Name="failover")},
        {"P": resource("ARCRegionSwitch::Plan", Name=LONG)},
        "P",
        "32 is the most",
    ),
    case("LoadBalancerName", "length", _balancer("web"), _balancer(LONG), "B", "41 characters"),
    case(
        "LoadBalancerName",
        "length of what is known",
        _balancer({"Fn::Sub": "web-${Value}"}),
        _balancer({"Fn::Join": ["-", [LONG, ref("Value")]]}),
        "B",
        "42 characters",
    ),
    case("LoadBalancerName", "beginning", _balancer("web"), _balancer("internal-web"), "B", "begins"),
    case(
        "LoadBalancerName",
        "target group",
        {"T": resource("ElasticLoadBalancingV2::TargetGroup", Name="web")},
        {"T": resource("ElasticLoadBalancingV2::TargetGroup", Name="web-")},
        "T",
    ),
    case(
        "DuplicateName",
        "two stacks of a region",
        [_named(HERE, "one", Q=QUEUE), _named(THERE, "two", Q=QUEUE)],
        [_named(HERE, "one", Q=QUEUE), _named(HERE, "two", Q=QUEUE)],
        "two/Q",
        "one/Q",
    ),
    case(
        "DuplicateName",
        "roles of two regions",
        [
            _named(HERE, "one", R=ROLE),
            _named(THERE, "two", R=resource("IAM::Role", RoleName={"Fn::Sub": "w-${AWS::Region}"})),
        ],
        [_named(HERE, "one", R=ROLE), _named(THERE, "two", R=ROLE)],
        "two/R",
        "in the account",
    ),
    case(
        "DuplicateName",
        "records",
        [
            _named(HERE, "one", R=resource("Route53::RecordSet", **RECORD["Properties"], SetIdentifier=HERE)),
            _named(THERE, "two", R=resource("Route53::RecordSet", **RECORD["Properties"], SetIdentifier=THERE)),
        ],
        [_named(HERE, "one", R=RECORD), _named(THERE, "two", R=RECORD)],
        "two/R",
        "www.example.com",
    ),
    case(
        "DuplicateName",
        "add-ons of one cluster",
        {"A": resource("EKS::Addon", ClusterName=att("C", "Name"), AddonName="coredns"), "C": resource("EKS::Cluster")},
        {
            "A": resource("EKS::Addon", ClusterName=ref("C"), AddonName="coredns"),
            "B": resource("EKS::Addon", ClusterName=ref("C"), AddonName="coredns"),
            "C": resource("EKS::Cluster"),
        },
        "B",
    ),
]
