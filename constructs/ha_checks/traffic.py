"""Rules about what traffic is sent to: endpoint groups, alias records."""

import re
from collections.abc import Iterator

from ha_checks.assembly import Assembly
from ha_checks.intrinsics import UNKNOWN_PART, references
from ha_checks.resource import Resource, arn_region, target_of
from ha_checks.rule import Finding, Settings, rule

THEME = "Traffic"
_GROUP = "AWS::GlobalAccelerator::EndpointGroup"
_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"

_FIXED_ZONES = {
    "AWS::GlobalAccelerator::Accelerator": "Z2BJ6XQ5FK7U4H",
    "AWS::CloudFront::Distribution": "Z2FDTNDATAQYW2",
}
_FIXED_DOMAINS = {"awsglobalaccelerator.com": "Z2BJ6XQ5FK7U4H", "cloudfront.net": "Z2FDTNDATAQYW2"}

# AWS: "Elastic Load Balancing endpoints and quotas", https://docs.aws.amazon.com/general/latest/gr/elb.html
_BALANCER_ZONES = {
    "af-south-1": ("Z268VQBMOI5EKX", "Z203XCE67M25HM"),
    "ap-east-1": ("Z3DQVH9N71FHZ0", "Z12Y7K3UBGUAD1"),
    "ap-northeast-1": ("Z14GRHDCWA56QT", "Z31USIVHYNEOWT"),
    "ap-northeast-2": ("ZWKZPGTI48KDX", "ZIBE1TIR4HY56"),
    "ap-south-1": ("ZP97RAFLXTNZK", "ZVDDRBQ08TROA"),
    "ap-southeast-1": ("Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"),
    "ap-southeast-2": ("Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"),
    "ca-central-1": ("ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"),
    "eu-central-1": ("Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"),
    "eu-north-1": ("Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"),
    "eu-south-1": ("Z3ULH7SSC9OV64", "Z23146JA1KNAFP"),
    "eu-west-1": ("Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"),
    "eu-west-2": ("ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"),
    "eu-west-3": ("Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"),
    "me-south-1": ("ZS929ML54UICD", "Z3QSRYVP46NYYV"),
    "sa-east-1": ("Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"),
    "us-east-1": ("Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"),
    "us-east-2": ("Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
    "us-west-1": ("Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"),
    "us-west-2": ("Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
}
"""Zones of application and of network load balancers; regions that are not here are left alone."""

_APPLICATION_NAME = re.compile(r"\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.elb\.amazonaws\.com\.?$")
_NETWORK_NAME = re.compile(r"\.elb\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com\.?$")


@rule(
    theme=THEME,
    why="Global Accelerator looks for the load balancer in the endpoint group's region, does not find it, and the "
    "stack fails.",
    mend="Set `EndpointGroupRegion` to the region of the load balancer, best by making the group in that region's "
    "stack.",
    url="https://docs.aws.amazon.com/global-accelerator/latest/dg/about-endpoint-groups.html",
)
def endpoint_group_in_another_region(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """An endpoint group whose endpoint is in another region."""
    for group in assembly.of_type(_GROUP):
        region = group.get("EndpointGroupRegion", group.region)
        for endpoint in group.items("EndpointConfigurations"):
            value = endpoint.get("EndpointId") if isinstance(endpoint, dict) else None
            target = target_of(value)
            home = target.region if target else arn_region(value) if isinstance(value, str) else None
            if home and isinstance(region, str) and home != region:
                message = f"the group is for {region}, its endpoint is in {home}"
                yield Finding(group, message, "Properties.EndpointGroupRegion")


@rule(
    theme=THEME,
    why="A listener takes one endpoint group a region: the second stack that makes one fails.",
    mend="Put both load balancers into one group, or give the second one a listener of its own.",
    url="https://docs.aws.amazon.com/global-accelerator/latest/dg/about-endpoint-groups.html",
)
def second_endpoint_group_of_a_region(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A second endpoint group of one listener for the same region."""
    taken: dict[tuple[str, str], Resource] = {}
    for group in assembly.of_type(_GROUP):
        listener, region = group.target("ListenerArn"), group.get("EndpointGroupRegion", group.region)
        key = listener.path if listener else group.literal("ListenerArn")
        if key and isinstance(region, str):
            first = taken.setdefault((key, region), group)
            if first is not group:
                message = f"{first.path} is this listener's group for {region} already"
                yield Finding(group, message, "Properties.ListenerArn")


@rule(
    theme=THEME,
    why="Route 53 refuses an alias whose zone is not that of its target: each service has one of its own, load "
    "balancers one a region and kind.",
    mend="Take the zone from the target itself: `CanonicalHostedZoneID` of the load balancer, or the CDK's "
    "`route53_targets`.",
    url="https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html",
)
def alias_zone_mismatch(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """An alias record with the zone of another service, region or load balancer."""
    for record in assembly.of_type("AWS::Route53::RecordSet"):
        if "AliasTarget" not in record.properties:
            continue
        zone = record.get("AliasTarget.HostedZoneId")
        name = (
            record.properties["AliasTarget"].get("DNSName")
            if isinstance(record.properties["AliasTarget"], dict)
            else None
        )
        target = next((found.resource for found in references(name, record.stack)), None)
        wanted = _zone_of(target) if target else _zone_of_name(record.text("AliasTarget.DNSName"))
        source = target_of(zone)
        if isinstance(zone, str) and wanted and zone not in wanted:
            message = f"zone {zone} is not that of the target ({' or '.join(sorted(wanted))})"
            yield Finding(record, message, "Properties.AliasTarget.HostedZoneId")
        elif source and target and _place(source) != _place(target):
            message = f"the zone is that of {source.path}, the name that of {target.path}"
            yield Finding(record, message, "Properties.AliasTarget.HostedZoneId")


def _place(resource: Resource) -> tuple[object, ...]:
    # Load balancers of one region and kind share a zone.
    kind = resource.get("Type", "application") if resource.type == _BALANCER else ""
    return resource.type, resource.region, str(kind)


def _zone_of(target: Resource) -> set[str]:
    if target.type in _FIXED_ZONES:
        return {_FIXED_ZONES[target.type]}
    kind = target.get("Type", "application")
    zones = _BALANCER_ZONES.get(target.region or "")
    if target.type != _BALANCER or zones is None or not isinstance(kind, str):
        return set()
    return {zones[1] if kind == "network" else zones[0]}


def _zone_of_name(name: str) -> set[str]:
    for domain, zone in _FIXED_DOMAINS.items():
        if name.rstrip(".").endswith(f".{domain}"):
            return {zone}
    for index, pattern in enumerate((_APPLICATION_NAME, _NETWORK_NAME)):
        match = pattern.search(name)
        if match and UNKNOWN_PART not in match[0]:
            zones = _BALANCER_ZONES.get(match["region"])
            return {zones[index]} if zones else set()
    return set()
