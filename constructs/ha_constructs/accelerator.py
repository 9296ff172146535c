"""Two anycast addresses that take clients to the nearest healthy region: AWS Global Accelerator."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_globalaccelerator as globalaccelerator
from aws_cdk import aws_route53_targets as route53_targets
from constructs import Construct

WEB_PORTS = (80, 443)
MAXIMUM_PORT_RANGES = 10


class Accelerator(Construct):
    """A standard accelerator with a listener for the web ports and, on request, one for further TCP ports.

    The accelerator never names a region: each region's stack attaches itself with an
    :class:`~ha_constructs.accelerator_endpoint.AcceleratorEndpoint` by the listener's ARN. Until the first region did
    so, connections are refused.

    Decisions taken here:

    * *IPv4 only.* A dual-stack accelerator needs dual-stack load balancers behind it, and these are internal and IPv4.
      So the name gets A records and no AAAA records.
    * *Client affinity none.* Connections spread over endpoints by their five-tuple. Workloads keep no state in a
      region's memory; affinity would pin a client behind a large NAT to one endpoint.
    * *No accelerator flow logs.* CloudFormation has no property for them (they are an attribute of the API,
      ``UpdateAcceleratorAttributes``). The VPC flow logs of each region record the same connections with the client's
      address, since endpoints preserve it.

    Updates: name, listener ports and affinity change without interruption. Deleting the accelerator gives its two
    static addresses back for good, hence the retention by default.

    Arguments:
        name: the accelerator's name, unique in the account; at most 64 letters, digits, dots and hyphens.
        tcp_ports: further TCP ports, carried to the regions' network load balancers by a listener of their own.
            Neighbouring ports are merged; at most 10 ranges remain.
        client_affinity: ``NONE`` (default) or ``SOURCE_IP``.
        deletion_protection: keep the accelerator, and with it its addresses, when the stack is deleted.

    Exposes ``accelerator``, ``web_listener_arn``, ``tcp_listener_arn`` (None without ``tcp_ports``),
    ``accelerator_arn``, ``dns_name`` and ``alias_target`` (for Route 53 alias records).

    Raises:
        ValueError: a port out of range, given twice or belonging to the web listener, or too many ranges.

    AWS documentation: Listeners for standard accelerators
    (https://docs.aws.amazon.com/global-accelerator/latest/dg/about-listeners.html).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        tcp_ports: Sequence[int] = (),
        client_affinity: globalaccelerator.ClientAffinity = globalaccelerator.ClientAffinity.NONE,
        deletion_protection: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        tcp_ranges = _port_ranges(tcp_ports)
        self.accelerator = globalaccelerator.Accelerator(self, "Accelerator", accelerator_name=name)
        self.accelerator.apply_removal_policy(
            cdk.RemovalPolicy.RETAIN if deletion_protection else cdk.RemovalPolicy.DESTROY
        )
        self._client_affinity = client_affinity
        self.web_listener = self._build_listener("WebListener", [(port, port) for port in WEB_PORTS])
        self.tcp_listener = self._build_listener("TcpListener", tcp_ranges) if tcp_ranges else None

        self.accelerator_arn: str = self.accelerator.accelerator_arn
        self.dns_name: str = self.accelerator.dns_name
        self.web_listener_arn: str = self.web_listener.listener_arn
        self.tcp_listener_arn: str | None = self.tcp_listener.listener_arn if self.tcp_listener else None
        self.alias_target = route53_targets.GlobalAcceleratorTarget(self.accelerator)

    def _build_listener(self, construct_id: str, ranges: Sequence[tuple[int, int]]) -> globalaccelerator.Listener:
        return globalaccelerator.Listener(
            self,
            construct_id,
            accelerator=self.accelerator,
            protocol=globalaccelerator.ConnectionProtocol.TCP,
            client_affinity=self._client_affinity,
            port_ranges=[globalaccelerator.PortRange(from_port=first, to_port=last) for first, last in ranges],
        )


def _port_ranges(ports: Sequence[int]) -> list[tuple[int, int]]:
    """Merge neighbouring ports into ranges, after checking them."""
    ranges: list[tuple[int, int]] = []
    for port in sorted(ports):
        if not 1 <= port <= 65535:
            raise ValueError(f"tcp_ports: {port} is not a port; give numbers from 1 to 65535")
        if port in WEB_PORTS:
            raise ValueError(
                f"tcp_ports: {port} belongs to the web listener; leave out {WEB_PORTS[0]} and {WEB_PORTS[1]}"
            )
        if ranges and port == ranges[-1][1]:
            raise ValueError(f"tcp_ports: {port} is given twice; give each port once")
        if ranges and port == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], port)
        else:
            ranges.append((port, port))
    if len(ranges) > MAXIMUM_PORT_RANGES:
        raise ValueError(
            f"tcp_ports: {len(ranges)} separate ranges; a listener takes at most {MAXIMUM_PORT_RANGES}, "
            "so use neighbouring ports"
        )
    return ranges
