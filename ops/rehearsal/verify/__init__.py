"""What came to exist: every declared resource looked up afterwards, and accounted for."""

from ops.rehearsal.verify.classify import Accounted, Verification, verify
from ops.rehearsal.verify.settings import Check

__all__ = ["Accounted", "Check", "Verification", "verify"]
