"""Rules about what must be of a resource's own region: certificates, availability zones, what it calls."""

import re
from collections.abc import Iterator
from typing import Any

from ha_checks.assembly import Assembly
from ha_checks.intrinsics import Attribute, resolve, text_of
from ha_checks.resource import Resource, arn_region, as_list
from ha_checks.rule import Finding, Settings, rule

THEME = "Regions"
_ANYWHERE = "us-east-1"
"""Where services without a region look for certificates."""

_CERTIFICATES = {
    "AWS::ElasticLoadBalancingV2::Listener": ("Certificates", None),
    "AWS::ElasticLoadBalancingV2::ListenerCertificate": ("Certificates", None),
    "AWS::CloudFront::Distribution": ("DistributionConfig.ViewerCertificate.AcmCertificateArn", _ANYWHERE),
    "AWS::Cognito::UserPoolDomain": ("CustomDomainConfig.CertificateArn", _ANYWHERE),
    "AWS::ApiGateway::DomainName": ("RegionalCertificateArn", None),
    "AWS::ApiGatewayV2::DomainName": ("DomainNameConfigurations", None),
}

_ZONES = {
    "AWS::EC2::Subnet": "AvailabilityZone",
    "AWS::EC2::Instance": "AvailabilityZone",
    "AWS::EC2::Volume": "AvailabilityZone",
    "AWS::RDS::DBInstance": "AvailabilityZone",
    "AWS::RDS::DBCluster": "AvailabilityZones",
    "AWS::AutoScaling::AutoScalingGroup": "AvailabilityZones",
    "AWS::ElastiCache::ReplicationGroup": "PreferredCacheClusterAZs",
}

_OWN_REGION = {
    "AWS::CloudWatch::Alarm": ("AlarmActions", "OKActions", "InsufficientDataActions"),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmActions", "OKActions", "InsufficientDataActions"),
    "AWS::Lambda::Function": ("Layers", "DeadLetterConfig"),
    "AWS::Lambda::EventSourceMapping": ("EventSourceArn",),
    "AWS::SQS::Queue": ("RedrivePolicy",),
    "AWS::ElasticLoadBalancingV2::Listener": ("DefaultActions",),
    "AWS::ElasticLoadBalancingV2::ListenerRule": ("Actions",),
    "AWS::WAFv2::WebACLAssociation": ("ResourceArn", "WebACLArn"),
    "AWS::RDS::DBProxy": ("Auth",),
    "AWS::ECS::Service": ("LoadBalancers", "TaskDefinition"),
}

_ZONE = re.compile(r"^(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)[a-z]$")


@rule(
    theme=THEME,
    why="A load balancer takes certificates of its own region only, CloudFront those of us-east-1: "
    "`CertificateNotFound`, when the load balancer is already there.",
    mend="Make a certificate in each region; DNS validation through the same zone serves them all.",
    url="https://docs.aws.amazon.com/acm/latest/userguide/acm-regions.html",
)
def certificate_of_another_region(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A certificate of a region where it can't be used."""
    for kind, (path, fixed) in _CERTIFICATES.items():
        for resource in assembly.of_type(kind):
            wanted = fixed or resource.region
            for region in _regions(resource, path, ":acm:", "AWS::CertificateManager::Certificate"):
                if wanted and region != wanted:
                    message = f"the certificate is of {region}, {wanted} is needed"
                    yield Finding(resource, message, f"Properties.{path}")


@rule(
    theme=THEME,
    why="A zone belongs to one region; named in another, the resource is refused.",
    mend="Take the zones of the stack's own region, from the environment's file or `Fn::GetAZs`.",
    url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html",
)
def zone_of_another_region(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """An availability zone of another region than the stack's."""
    for kind, path in _ZONES.items():
        for resource in assembly.of_type(kind):
            for zone in as_list(resource.get(path)):
                match = _ZONE.match(zone) if isinstance(zone, str) else None
                if match and resource.region and match["region"] != resource.region:
                    yield Finding(resource, f"{zone} is no zone of {resource.region}", f"Properties.{path}")


@rule(
    theme=THEME,
    why="An alarm notifies topics, a function reads layers, a listener forwards to target groups of its own region "
    "only: others are refused, or never called.",
    mend="Make what is referred to in this region too, or send events to the other region through EventBridge.",
    url="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
)
def resource_of_another_region(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A reference to another region where the service takes those of its own only."""
    for kind, paths in _OWN_REGION.items():
        for resource in assembly.of_type(kind):
            for path in paths:
                for region in _regions(resource, path):
                    if resource.region and region != resource.region:
                        yield Finding(resource, f"{path} names something of {region}", f"Properties.{path}")


def _regions(resource: Resource, path: str, service: str = "arn:", kind: str = "") -> Iterator[str]:
    value: Any = resource.properties
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    for leaf in _leaves(value):
        found = resolve(leaf, resource.stack)
        if isinstance(found, Attribute):
            if found.resource.region and found.resource.type.startswith(kind or "AWS::"):
                yield found.resource.region
        else:
            arn = text_of(leaf, resource.stack)
            region = arn_region(arn) if service in arn else None
            if region and ":iam:" not in arn:
                yield region


def _leaves(value: Any) -> Iterator[Any]:
    """The texts and functions in a property, without a look into the functions."""
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict) and not (len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, str | dict):
        yield value
