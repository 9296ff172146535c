"""Load balancers, certificates and web ACLs: the checks and settings the emulator leaves out.

Modelled: the attributes of a listener, and whether a balancer's groups hold for what comes over PrivateLink.

Refused: a load balancer's name over 32 characters, an application load balancer in fewer than two zones, subnets of two
VPCs or twice the same zone, a group that does not exist; a listener whose certificate is of another region or does not
exist, or whose target group or balancer does not exist; deletion of a protected balancer; a web ACL for a resource that
does not exist in its region; logging of a web ACL to a destination that AWS would not take.
"""

from typing import Any

from ministack.services import alb as store

from ops.emulator.handlers.base import (
    Attributes,
    Extension,
    Handler,
    Outcome,
    Refused,
    Request,
    exists,
    extends,
    handles,
    quietly,
    region_of,
)
from ops.emulator.handlers.lookups import groups_of, subnets_of, vpc_of

_NAME_LIMIT = 32


def balancer_of(request: Request, arn: str) -> dict[str, Any]:
    """The load balancer, refused where the region has none of that ARN."""
    found = exists(request.client("elbv2").describe_load_balancers, LoadBalancerArns=[arn])
    balancers = found.get("LoadBalancers", []) if found else []
    if not balancers:
        raise Refused(f"load balancer {arn!r} does not exist in {request.region}")
    balancer: dict[str, Any] = balancers[0]
    return balancer


@extends("AWS::ElasticLoadBalancingV2::LoadBalancer")
class LoadBalancer(Extension):
    """An application or network load balancer."""

    def check(self, request: Request) -> None:
        """Name, subnets and groups are what ELB takes."""
        properties = request.properties
        _check_name(properties.get("Name", ""), "load balancer")
        mapped = [mapping["SubnetId"] for mapping in properties.get("SubnetMappings", [])]
        subnets = subnets_of(request, properties.get("Subnets") or mapped)
        if len({subnet["VpcId"] for subnet in subnets}) > 1:
            raise Refused("the subnets of a load balancer must be of one VPC")
        zones = {subnet["AvailabilityZone"] for subnet in subnets}
        if len(zones) < len(subnets):
            raise Refused("a load balancer takes one subnet a zone, got two in the same zone")
        if properties.get("Type", "application") == "application" and len(zones) < 2:
            raise Refused("an application load balancer needs subnets in two availability zones at least")
        groups_of(request, properties.get("SecurityGroups", []))

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Keep the settings that the emulator drops."""
        for name in ("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "EnablePrefixForIpv6SourceNat"):
            store._lbs[outcome.physical_id][name] = request.properties.get(name)
        return {}

    def before_delete(self, request: Request) -> None:
        """Refuse where the balancer is protected."""
        attributes = exists(
            request.client("elbv2").describe_load_balancer_attributes, LoadBalancerArn=request.physical_id
        )
        for attribute in (attributes or {}).get("Attributes", []):
            if attribute["Key"] == "deletion_protection.enabled" and str(attribute["Value"]).lower() == "true":
                raise Refused(f"load balancer {request.physical_id} cannot be deleted: deletion protection is on")


def _check_name(name: str, what: str) -> None:
    if len(name) > _NAME_LIMIT:
        raise Refused(f"{what} name {name!r} has {len(name)} characters, {_NAME_LIMIT} is the most")
    if name.startswith(("-", "internal-")) or name.endswith("-"):
        raise Refused(f"{what} name {name!r} may neither start with '-' or 'internal-' nor end with '-'")


@extends("AWS::ElasticLoadBalancingV2::TargetGroup")
class TargetGroup(Extension):
    """A target group."""

    def check(self, request: Request) -> None:
        """Name and VPC."""
        _check_name(request.properties.get("Name", ""), "target group")
        if request.properties.get("VpcId"):
            vpc_of(request, request.properties["VpcId"])


@extends("AWS::ElasticLoadBalancingV2::Listener")
class Listener(Extension):
    """A listener of a load balancer."""

    def check(self, request: Request) -> None:
        """Balancer, certificates and target groups exist in the region."""
        properties = request.properties
        if properties.get("LoadBalancerArn"):
            balancer_of(request, properties["LoadBalancerArn"])
        certificates = properties.get("Certificates", [])
        if properties.get("Protocol") in ("HTTPS", "TLS") and not certificates:
            raise Refused(f"a listener of {properties['Protocol']} needs a certificate")
        for certificate in certificates:
            _check_certificate(request, certificate["CertificateArn"])
        for action in properties.get("DefaultActions", []):
            forward = action.get("ForwardConfig", {}).get("TargetGroups", [])
            named = [action.get("TargetGroupArn"), *(group.get("TargetGroupArn") for group in forward)]
            for arn in filter(None, named):
                if exists(request.client("elbv2").describe_target_groups, TargetGroupArns=[arn]) is None:
                    raise Refused(f"target group {arn!r} does not exist in {request.region}")

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Set the attributes; one that is no longer declared keeps its value, as with ELB."""
        attributes = [
            {"Key": item["Key"], "Value": str(item["Value"])}
            for item in request.properties.get("ListenerAttributes", [])
        ]
        if attributes:
            request.client("elbv2").modify_listener_attributes(ListenerArn=outcome.physical_id, Attributes=attributes)
        return {}


def _check_certificate(request: Request, arn: str) -> None:
    if ":iam:" in arn:
        return
    if region_of(arn) != request.region:
        raise Refused(
            f"certificate {arn} is in {region_of(arn)}: a listener of {request.region} needs one of {request.region}"
        )
    if exists(request.client("acm").describe_certificate, CertificateArn=arn) is None:
        raise Refused(f"certificate {arn!r} does not exist in {request.region}")


@extends("AWS::WAFv2::WebACL")
class WebAcl(Extension):
    """A web ACL's attributes."""

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Capacity and namespace."""
        return {
            "Capacity": 1 + len(request.properties.get("Rules", [])),
            "LabelNamespace": f"awswaf:{request.account}:webacl:",
        }


def _check_web_acl(request: Request, arn: str) -> None:
    if region_of(arn) != request.region:
        raise Refused(f"web ACL {arn} is not one of {request.region}")
    scope = "CLOUDFRONT" if "/global/" in arn or ":global/" in arn else "REGIONAL"
    acls = request.client("wafv2").list_web_acls(Scope=scope)["WebACLs"]
    if arn not in {acl["ARN"] for acl in acls}:
        raise Refused(f"web ACL {arn!r} does not exist in {request.region}")


@handles("AWS::WAFv2::WebACLAssociation")
class WebAclAssociation(Handler):
    """A web ACL in front of a load balancer."""

    how = "native"
    reason = "through the emulator's WAF API"

    def check(self, request: Request) -> None:
        """Both exist in the region; the balancer has no other web ACL."""
        resource = request.properties["ResourceArn"]
        _check_web_acl(request, request.properties["WebACLArn"])
        if ":elasticloadbalancing:" in resource and balancer_of(request, resource)["Type"] != "application":
            raise Refused(f"a web ACL protects application load balancers, {resource} is none")

    def create(self, request: Request) -> Outcome:
        """Associate."""
        resource, acl = request.properties["ResourceArn"], request.properties["WebACLArn"]
        request.client("wafv2").associate_web_acl(ResourceArn=resource, WebACLArn=acl)
        return Outcome(f"{resource}|{acl}", {})

    def update(self, request: Request) -> Outcome:
        """Both properties replace; nothing else changes."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Dissociate."""
        quietly(request.client("wafv2").disassociate_web_acl, ResourceArn=request.properties["ResourceArn"])


@handles("AWS::WAFv2::LoggingConfiguration")
class LoggingConfiguration(Handler):
    """Where a web ACL writes its logs."""

    reason = "the emulator's WAF has no logging: state and checks of our handler"

    def check(self, request: Request) -> None:
        """The destination has the name WAF asks for, and exists."""
        _check_web_acl(request, request.properties["ResourceArn"])
        for arn in request.properties["LogDestinationConfigs"]:
            name = arn.split(":log-group:")[-1].split(":::")[-1].split("deliverystream/")[-1].removesuffix(":*")
            if not name.startswith("aws-waf-logs-"):
                raise Refused(f"a destination of web ACL logs must be named aws-waf-logs-..., got {name!r}")
            if ":log-group:" in arn:
                groups = request.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
                if name not in {group["logGroupName"] for group in groups}:
                    raise Refused(f"log group {name!r} does not exist in {request.region}")

    def create(self, request: Request) -> Outcome:
        """Keep it under the web ACL's ARN."""
        self.keep(request, request.properties["ResourceArn"], dict(request.properties))
        return Outcome(request.properties["ResourceArn"], {"ManagedByFirewallManager": False})

    def update(self, request: Request) -> Outcome:
        """Take the new settings."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Forget it."""
        self.forget(request)
