"""Route 53: the features of a hosted zone."""

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from ministack.services import route53


def install() -> None:
    """Complete the answers."""
    route53._build_hosted_zone_el = _with_features(route53._build_hosted_zone_el)


def _with_features(original: Callable[[Element, dict[str, Any]], None]) -> Callable[[Element, dict[str, Any]], None]:
    """A zone with the state of its accelerated recovery."""

    def build(parent: Element, zone: dict[str, Any]) -> None:
        original(parent, zone)
        if zone.get("accelerated_recovery"):
            features = SubElement(parent[-1], "Features")
            SubElement(features, "AcceleratedRecoveryStatus").text = "ENABLED"

    return build
