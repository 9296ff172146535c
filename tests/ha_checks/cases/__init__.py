"""A sound and a faulty assembly for each rule, and for each way in which it judges."""

from tests.ha_checks.cases import data, infrastructure, limits, regions, services
from tests.ha_checks.cases.case import Case

CASES: list[Case] = [*infrastructure.CASES, *limits.CASES, *data.CASES, *regions.CASES, *services.CASES]

__all__ = ["CASES", "Case"]
