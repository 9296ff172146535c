"""Real Kubernetes control planes on loopback: what a cluster would accept, refuse and do, found out here."""

from ops.control_plane.api_client import ApiError
from ops.control_plane.binaries import BinariesMissingError, find_binaries
from ops.control_plane.server import ControlPlane, ControlPlaneError, KubectlError

__all__ = ["ApiError", "BinariesMissingError", "ControlPlane", "ControlPlaneError", "KubectlError", "find_binaries"]
