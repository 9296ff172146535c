"""Each rule finds what it is for, where it is, and nothing in a template that is sound."""

import copy
import json
from typing import Any

import pytest

from ha_checks.report import check
from ha_checks.rule import Settings
from ha_checks.rules import RULES
from tests.ha_checks.cases import CASES, Case
from tests.ha_checks.support import Stack, assembly, findings

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@every_case
def test_a_sound_template_passes(case: Case) -> None:
    assert findings(case.rule, *case.sound) == {}


@every_case
def test_a_faulty_template_is_found_where_it_is_wrong(case: Case) -> None:
    found = findings(case.rule, *case.faulty)

    assert set(found) == set(case.at)
    assert all(case.says in message for message in found.values()), found


def test_every_rule_has_a_case() -> None:
    assert {case.rule for case in CASES} == {rule.name for rule in RULES}


@every_case
def test_values_that_are_not_known_raise_no_alarm(case: Case) -> None:
    """With every value left to a parameter, a rule may at most miss a property: it never judges a value."""
    stacks = [
        Stack(_unknown(stack.resources), stack.region, stack.name, parameters={"Value": {"Type": "String"}})
        for stack in case.faulty
    ]

    for violation in check(assembly(*stacks)):
        assert violation.rule.name in STRUCTURAL, str(violation)


STRUCTURAL = {
    "QueueWithoutDeadLetterQueue",
    "NoDeletionProtection",
    "SingleZoneData",
    "ClientKeepAliveTooLong",
    "HealthCheckTooSlow",
    "TemplateResources",
    "CacheFailoverWithoutReplica",
}
"""Rules that also judge what a template does not give at all."""


def _unknown(resources: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(copy.deepcopy(resources)))
    for body in changed.values():
        body["Properties"] = {name: {"Ref": "Value"} for name in body.get("Properties", {})}
    return changed


def test_the_objective_is_an_argument() -> None:
    case = next(case for case in CASES if case.rule == "HealthCheckTooSlow")

    assert findings(case.rule, *case.faulty, settings=Settings(recovery_objective_seconds=300)) == {}


def test_the_grace_of_unseen_pods_is_an_argument() -> None:
    case = next(case for case in CASES if case.id == "DeregistrationOutlastsGrace-pods the assembly does not hold")

    assert findings(case.rule, *case.faulty, settings=Settings(pod_grace_seconds=120)) == {}


def test_the_zones_wanted_are_an_argument() -> None:
    case = next(case for case in CASES if case.rule == "FewerThanThreeZones")

    assert findings(case.rule, *case.faulty, settings=Settings(zones=2)) == {}


@pytest.mark.parametrize(
    "wrong", [{"zones": 1}, {"recovery_objective_seconds": 0}, {"pod_grace_seconds": -1}, {"quota_share": 80}]
)
def test_figures_without_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)


def test_stages_of_one_app_are_environments_of_their_own() -> None:
    case = next(case for case in CASES if case.rule == "OverlappingCidrs")
    first, second = case.faulty

    apart = [
        Stack(each.resources, each.region, each.name, stage=stage) for each, stage in ((first, "dev"), (second, "prod"))
    ]
    assert findings(case.rule, *apart) == {}
