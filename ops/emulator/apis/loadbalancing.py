"""ELB: what ministack does not tell of a load balancer."""

from collections.abc import Callable
from typing import Any

from ministack.services import alb

from ops.emulator.apis.answers import elements

_DETAILS = ("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "EnablePrefixForIpv6SourceNat")


def install() -> None:
    """Complete the answers."""
    alb._lb_xml = _with_details(alb._lb_xml)


def _with_details(original: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """A balancer with whether its groups hold for what comes over PrivateLink."""
    return lambda balancer: f"{original(balancer).removesuffix('</member>')}{elements(balancer, _DETAILS)}</member>"
