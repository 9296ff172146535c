"""The platform itself under the pack: clean, but for the steps below the standard that an environment asks for."""

import time

import pytest

from environments import Environment
from ha_checks import check_directory
from tests.configurations import MATRIX, matrix
from tests.stacks.conftest import Synthesize, synthesize

__all__ = ["synthesize"]

ASKED_FOR: dict[str, set[str]] = {
    "cheaper": {"SingleNatGateway", "SingleZoneData"},
    "unprotected": {"NoDeletionProtection"},
}
"""The steps below the standard that an environment of the matrix asks for: acknowledged, with their reason."""


@matrix
def test_an_environment_shows_only_what_it_asks_for(
    synthesize: Synthesize, configuration: Environment, request: pytest.FixtureRequest
) -> None:
    name = next(name for name, environment in MATRIX.items() if environment is configuration)

    found = check_directory(synthesize(configuration).assembly.directory)

    assert [str(each) for each in found if each.reason is None] == []
    assert {each.rule.name for each in found} == ASKED_FOR.get(name, set())


def test_five_regions_take_less_than_half_a_second(synthesize: Synthesize) -> None:
    directory = synthesize(MATRIX["5-regions"]).assembly.directory
    start = time.perf_counter()

    check_directory(directory)

    assert time.perf_counter() - start < 0.5
