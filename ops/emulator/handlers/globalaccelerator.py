"""Global Accelerator, which the emulator lacks.

Modelled: accelerators, listeners and endpoint groups with their settings, in our own state.
Refused: a listener of no accelerator, overlapping listener ports, an endpoint group whose listener does not exist, a
second group of the same listener and region, an endpoint that is no load balancer of the group's own region, port
overrides outside the listener or two to one endpoint port, deletion of what still has something below it.

AWS: "Endpoint groups in AWS Global Accelerator",
https://docs.aws.amazon.com/global-accelerator/latest/dg/about-endpoint-groups.html
"""

from typing import Any

from ops.emulator.handlers.base import (
    Handler,
    Outcome,
    Properties,
    Refused,
    Request,
    as_bool,
    exists,
    handles,
    region_of,
)
from ops.emulator.state import GLOBAL, STATE

_ACCELERATOR = "AWS::GlobalAccelerator::Accelerator"
_LISTENER = "AWS::GlobalAccelerator::Listener"
_GROUP = "AWS::GlobalAccelerator::EndpointGroup"
_REASON = "the emulator has no Global Accelerator: state and checks of our handler"
HOSTED_ZONE_ID = "Z2BJ6XQ5FK7U4H"


class _Accelerated(Handler):
    reason = _REASON
    regional = False

    def delete(self, request: Request) -> None:
        """Forget, unless something below still exists."""
        for below in (_LISTENER, _GROUP):
            names = [arn for arn in STATE.find(below) if arn.startswith(request.physical_id + "/")]
            if names:
                raise Refused(f"{request.physical_id} still has {names[0]}")
        self.forget(request)


@handles(_ACCELERATOR)
class Accelerator(_Accelerated):
    """An accelerator with two anycast addresses."""

    def create(self, request: Request) -> Outcome:
        """Give it an ARN, a DNS name and addresses."""
        digest = request.digest(20)
        arn = request.arn("globalaccelerator", f"accelerator/{digest}", regional=False)
        return self._kept(request, arn)

    def update(self, request: Request) -> Outcome:
        """Take the new settings."""
        return self._kept(request, request.physical_id)

    def _kept(self, request: Request, arn: str) -> Outcome:
        digest = arn.rsplit("/", 1)[-1]
        addresses = [f"75.2.{int(digest[0:2], 16)}.{int(digest[2:4], 16)}", f"99.83.{int(digest[4:6], 16)}.1"]
        dns_name = f"a{digest[:16]}.awsglobalaccelerator.com"
        record = {
            "AcceleratorArn": arn,
            "Name": request.properties["Name"],
            "Enabled": as_bool(request.properties.get("Enabled"), default=True),
            "IpAddressType": request.properties.get("IpAddressType", "IPV4"),
            "IpAddresses": addresses,
            "DnsName": dns_name,
            "Status": "DEPLOYED",
        }
        self.keep(request, arn, record)
        attributes = {"AcceleratorArn": arn, "DnsName": dns_name, "Ipv4Addresses": addresses, "Ipv6Addresses": []}
        return Outcome(arn, {**attributes, "DualStackDnsName": f"a{digest[:16]}.dualstack.awsglobalaccelerator.com"})


@handles(_LISTENER)
class Listener(_Accelerated):
    """The ports an accelerator listens on."""

    def check(self, request: Request) -> None:
        """The accelerator exists, and no other listener of it has one of the ports."""
        accelerator = request.properties["AcceleratorArn"]
        if STATE.get(_ACCELERATOR, GLOBAL, accelerator) is None:
            raise Refused(f"accelerator {accelerator!r} does not exist")
        wanted = _ports(request.properties)
        for arn, other in STATE.find(_LISTENER).items():
            if arn == request.physical_id or other["AcceleratorArn"] != accelerator:
                continue
            if other["Protocol"] == request.properties["Protocol"] and wanted & _ports(other):
                raise Refused(f"listener {arn} of the accelerator has port {min(wanted & _ports(other))} already")

    def create(self, request: Request) -> Outcome:
        """Give it an ARN below its accelerator's."""
        return self._kept(request, f"{request.properties['AcceleratorArn']}/listener/{request.digest(8)}")

    def update(self, request: Request) -> Outcome:
        """Take the new settings."""
        return self._kept(request, request.physical_id)

    def _kept(self, request: Request, arn: str) -> Outcome:
        record = {name: request.properties[name] for name in ("AcceleratorArn", "Protocol", "PortRanges")}
        record["ClientAffinity"] = request.properties.get("ClientAffinity", "NONE")
        self.keep(request, arn, {"ListenerArn": arn, **record})
        return Outcome(arn, {"ListenerArn": arn})


@handles(_GROUP)
class EndpointGroup(_Accelerated):
    """The endpoints of one listener in one region."""

    def check(self, request: Request) -> None:
        """Everything the module's docstring names."""
        properties = request.properties
        listener = STATE.get(_LISTENER, GLOBAL, properties["ListenerArn"])
        if listener is None:
            raise Refused(f"listener {properties['ListenerArn']!r} does not exist")
        region = properties["EndpointGroupRegion"]
        for arn, other in STATE.find(_GROUP).items():
            taken = (other["ListenerArn"], other["EndpointGroupRegion"]) == (properties["ListenerArn"], region)
            if taken and arn != request.physical_id:
                raise Refused(f"the listener has an endpoint group for {region} already: {arn}")
        _check_overrides(properties.get("PortOverrides", []), _ports(listener))
        for endpoint in properties.get("EndpointConfigurations", []):
            _check_endpoint(request, endpoint["EndpointId"], region)

    def create(self, request: Request) -> Outcome:
        """Give it an ARN below its listener's."""
        return self._kept(request, f"{request.properties['ListenerArn']}/endpoint-group/{request.digest(12)}")

    def update(self, request: Request) -> Outcome:
        """Take the new settings."""
        return self._kept(request, request.physical_id)

    def _kept(self, request: Request, arn: str) -> Outcome:
        defaults: Properties = {
            "TrafficDialPercentage": 100,
            "HealthCheckIntervalSeconds": 30,
            "ThresholdCount": 3,
            "HealthCheckProtocol": "TCP",
        }
        self.keep(request, arn, {"EndpointGroupArn": arn, **defaults, **request.properties})
        return Outcome(arn, {"EndpointGroupArn": arn})


def _ports(listener: Properties) -> set[int]:
    ranges = ((int(item["FromPort"]), int(item["ToPort"])) for item in listener.get("PortRanges", []))
    return {port for first, last in ranges for port in range(first, last + 1)}


def _check_overrides(overrides: list[dict[str, Any]], ports: set[int]) -> None:
    for override in overrides:
        if int(override["ListenerPort"]) not in ports:
            raise Refused(f"port override of {override['ListenerPort']}, which the listener does not have")
    endpoint_ports = [int(override["EndpointPort"]) for override in overrides]
    if len(set(endpoint_ports)) < len(endpoint_ports):
        raise Refused("two port overrides lead to the same endpoint port")


def _check_endpoint(request: Request, endpoint: str, region: str) -> None:
    if endpoint.startswith("eipalloc-"):
        addresses = request.client("ec2", region).describe_addresses()["Addresses"]
        if endpoint not in {address.get("AllocationId") for address in addresses}:
            raise Refused(f"elastic address {endpoint!r} does not exist in {region}")
        return
    if region_of(endpoint) != region:
        raise Refused(
            f"endpoint {endpoint!r} is in {region_of(endpoint) or 'no region'}, but the endpoint group is of {region}: "
            "an endpoint must be in its group's own region"
        )
    if not exists(request.client("elbv2", region).describe_load_balancers, LoadBalancerArns=[endpoint]):
        raise Refused(f"load balancer {endpoint!r} does not exist in {region}")
