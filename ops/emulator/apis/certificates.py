"""ACM: the algorithm of a certificate's key."""

from collections.abc import Callable
from typing import Any

from ministack.services import acm


def install() -> None:
    """Complete the answers."""
    acm._cert_shape = _with_algorithm(acm._cert_shape)


def _with_algorithm(original: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Ministack keeps the algorithm, and tells RSA_2048 of every certificate."""
    return lambda certificate: {
        **original(certificate),
        "KeyAlgorithm": certificate.get("KeyAlgorithm") or "RSA_2048",
    }
