"""Rules for high availability and for regions that agree with each other, as a validation plugin of any CDK app.

    from ha_checks import HighAvailabilityChecks

    cdk.Validations.of(app).add_plugins(HighAvailabilityChecks())

The rules read synthesized templates and nothing else. Without a CDK app, `check_directory` checks a cloud assembly.
"""

from ha_checks.plugin import HighAvailabilityChecks
from ha_checks.report import Violation, check, check_directory
from ha_checks.rule import Finding, Rule, Settings
from ha_checks.rules import RULES

__all__ = ["RULES", "Finding", "HighAvailabilityChecks", "Rule", "Settings", "Violation", "check", "check_directory"]
