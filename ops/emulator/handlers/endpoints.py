"""VPC endpoints, and endpoint services in front of network load balancers.

Modelled: the names and interfaces of an interface endpoint; endpoint services and who may connect, in our own state.
Refused: an endpoint whose VPC, subnets or groups the region lacks, or with two subnets in a zone; a service in front of
anything but a network load balancer of its region; permissions of a service that does not exist.
"""

from ops.emulator.handlers.base import (
    Attributes,
    Extension,
    Handler,
    Outcome,
    Refused,
    Request,
    as_bool,
    exists,
    extends,
    handles,
)
from ops.emulator.handlers.lookups import groups_of, subnets_of, vpc_of
from ops.emulator.state import STATE


@extends("AWS::EC2::VPCEndpoint")
class VpcEndpoint(Extension):
    """An endpoint needs its VPC, subnets, groups and tables."""

    def check(self, request: Request) -> None:
        """They exist; each zone has one subnet at most."""
        vpc_of(request, request.properties["VpcId"])
        subnets = subnets_of(request, request.properties.get("SubnetIds", []))
        zones = [subnet["AvailabilityZone"] for subnet in subnets]
        if len(set(zones)) < len(zones):
            raise Refused("an interface endpoint takes one subnet a zone, got two in the same zone")
        groups_of(request, request.properties.get("SecurityGroupIds", []))

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Names and interfaces of an interface endpoint."""
        if request.properties.get("VpcEndpointType", "Gateway") != "Interface":
            return {"DnsEntries": [], "NetworkInterfaceIds": []}
        suffix = outcome.physical_id.removeprefix("vpce-")
        service = request.properties.get("ServiceName", "").rsplit(".", 1)[-1]
        name = f"vpce-{suffix}.{service}.{request.region}.vpce.amazonaws.com"
        count = len(request.properties.get("SubnetIds", []))
        return {
            "DnsEntries": [f"Z7HUB22UULQXV:{name}"],
            "NetworkInterfaceIds": [f"eni-{suffix[:15]}{index:02d}" for index in range(count)],
        }


@handles("AWS::EC2::VPCEndpointService")
class EndpointService(Handler):
    """An endpoint service in front of network load balancers."""

    reason = "the emulator has no endpoint services: kept by our handler"

    def check(self, request: Request) -> None:
        """The load balancers exist in this region and are network load balancers."""
        arns = request.properties.get("NetworkLoadBalancerArns", [])
        if not arns and not request.properties.get("GatewayLoadBalancerArns"):
            raise Refused("an endpoint service needs a load balancer")
        for arn in arns:
            found = exists(request.client("elbv2").describe_load_balancers, LoadBalancerArns=[arn])
            balancers = found["LoadBalancers"] if found else []
            if not balancers or balancers[0]["Type"] != "network":
                raise Refused(f"{arn!r} is no network load balancer of {request.region}")

    def create(self, request: Request) -> Outcome:
        """Note the service under a new id."""
        return self._kept(request, f"vpce-svc-{request.digest(17)}")

    def update(self, request: Request) -> Outcome:
        """Note the new settings."""
        return self._kept(request, request.physical_id)

    def delete(self, request: Request) -> None:
        """Forget the service."""
        self.forget(request)

    def _kept(self, request: Request, service_id: str) -> Outcome:
        name = f"com.amazonaws.vpce.{request.region}.{service_id}"
        self.keep(
            request,
            service_id,
            {
                "ServiceId": service_id,
                "ServiceName": name,
                "AcceptanceRequired": as_bool(request.properties.get("AcceptanceRequired"), default=True),
                "NetworkLoadBalancerArns": request.properties.get("NetworkLoadBalancerArns", []),
            },
        )
        return Outcome(service_id, {"ServiceId": service_id})


@handles("AWS::EC2::VPCEndpointServicePermissions")
class EndpointServicePermissions(Handler):
    """Who may connect to an endpoint service."""

    reason = "the emulator has no endpoint services: kept by our handler"

    def check(self, request: Request) -> None:
        """The service exists."""
        service = request.properties["ServiceId"]
        if STATE.get("AWS::EC2::VPCEndpointService", request.region, service) is None:
            raise Refused(f"endpoint service {service!r} does not exist in {request.region}")

    def create(self, request: Request) -> Outcome:
        """Note the principals."""
        service = request.properties["ServiceId"]
        self.keep(request, service, {"AllowedPrincipals": request.properties.get("AllowedPrincipals", [])})
        return Outcome(service, {})

    def update(self, request: Request) -> Outcome:
        """Note the principals."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Forget them."""
        self.forget(request)
