"""Finds the network access that security groups give and did not give before.

Rules count wherever they stand: within the group or as resources of their own, so that a rule that only moves is no
change. https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.impact.changes import Effect, Finding

_WORLD = ("0.0.0.0/0", "::/0")
_SEPARATE = {"AWS::EC2::SecurityGroupIngress": "ingress", "AWS::EC2::SecurityGroupEgress": "egress"}
_SOURCES = (
    "CidrIp",
    "CidrIpv6",
    "SourceSecurityGroupId",
    "DestinationSecurityGroupId",
    "SourcePrefixListId",
    "DestinationPrefixListId",
    "SourceSecurityGroupName",
)
_NO_TRAFFIC = "255.255.255.255/32"
"""The CDK's rule for a group that lets nothing out."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a security group: direction, protocol, ports (text where they are references), and the other side."""

    direction: str
    protocol: str
    first_port: str
    last_port: str
    peer: str

    @property
    def is_public(self) -> bool:
        """Whether anybody on the internet comes in."""
        return self.direction == "ingress" and self.peer in _WORLD

    def covers(self, other: "Rule") -> bool:
        """Whether whatever the other lets through, this lets through too."""
        return (
            self.direction == other.direction
            and self.protocol in ("-1", other.protocol)
            and self._covers_ports(other)
            and _contains(self.peer, other.peer)
        )

    def _covers_ports(self, other: "Rule") -> bool:
        if self.protocol == "-1" or (self.first_port, self.last_port) == (other.first_port, other.last_port):
            return True
        ports = (self.first_port, other.first_port, other.last_port, self.last_port)
        if not all(port.isdigit() for port in ports):
            return False
        first, low, high, last = (int(port) for port in ports)
        return first <= low and high <= last

    def __str__(self) -> str:
        ports = "every port" if self.first_port in ("", "-1") else f"port {self.first_port}"
        if self.last_port not in ("", self.first_port):
            ports = f"ports {self.first_port} to {self.last_port}"
        what = "everything" if self.protocol == "-1" else f"{self.protocol} {ports}"
        return f"{what} {'from' if self.direction == 'ingress' else 'to'} {self.peer}"


def rules_of(logical_id: str, resource_type: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, Rule]]:
    """Yield each rule of a resource with the group it belongs to; plain properties go in."""
    if resource_type == "AWS::EC2::SecurityGroup":
        for name, direction in (("SecurityGroupIngress", "ingress"), ("SecurityGroupEgress", "egress")):
            rules = properties.get(name, [])
            for rule in rules if isinstance(rules, list) else []:
                yield logical_id, _rule(direction, rule)
    elif resource_type in _SEPARATE:
        yield group_of(properties), _rule(_SEPARATE[resource_type], properties)


def group_of(properties: Mapping[str, Any]) -> str:
    """Return the group that a separate rule belongs to, a logical id where it is in the template."""
    text = str(properties.get("GroupId", properties.get("GroupName", "")))
    return re.sub(r"^\$\{([^.}]+)(\.GroupId)?\}$", r"\1", text)


def opened(rules: list[Rule], known: list[Rule]) -> list[Finding]:
    """Return what the rules let through and none of the known ones did."""
    return [
        Finding(effect=Effect.BROADENING, message=f"lets through {rule}", world=rule.is_public)
        for rule in rules
        if rule.peer != _NO_TRAFFIC and not any(each.covers(rule) for each in known)
    ]


def _rule(direction: str, body: Mapping[str, Any]) -> Rule:
    peer = next((str(body[name]) for name in _SOURCES if name in body), "")
    return Rule(
        direction=direction,
        protocol=str(body.get("IpProtocol", "-1")),
        first_port=str(body.get("FromPort", "")),
        last_port=str(body.get("ToPort", body.get("FromPort", ""))),
        peer=re.sub(r"\.GroupId\}$", "}", peer),
    )


def _contains(wide: str, narrow: str) -> bool:
    if wide == narrow:
        return True
    try:
        outer, inner = ipaddress.ip_network(wide), ipaddress.ip_network(narrow)
    except ValueError:
        return False
    if isinstance(outer, ipaddress.IPv4Network) and isinstance(inner, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(outer, ipaddress.IPv6Network) and isinstance(inner, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False
