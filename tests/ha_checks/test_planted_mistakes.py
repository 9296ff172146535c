"""Twenty mistakes that synthesize but fail to deploy: nearly all are found before, and the page says by what."""

import pytest

from tests.ha_checks.planted.checks import CHECKS, Found, run_checks
from tests.ha_checks.planted.mistakes import MISTAKES, Mistake
from tests.ha_checks.planted.page import PAGE, mistakes_page

pytestmark = pytest.mark.emulator

LEFT_TO_AWS = {"Role that Lambda may not assume"}

BY_THE_PACK = {
    "EKS add-on of a name that does not exist": "UnknownAddon",
    "ARM instance type with an x86 image": "ArchitectureMismatch",
    "Endpoint group of another region than its load balancer": "EndpointGroupInAnotherRegion",
    "Second endpoint group of a listener for one region": "SecondEndpointGroupOfARegion",
    "Alias record with the zone of another service": "AliasZoneMismatch",
    "Log group whose key leaves CloudWatch Logs out": "KeyPolicyWithoutService",
    "Replica of an encrypted database in another region without a key": "CrossRegionReplicaWithoutKey",
    "Automatic failover of a cache with one node": "CacheFailoverWithoutReplica",
    "Global Datastore of burstable nodes": "GlobalDatastoreWithSmallNodes",
    "Certificate of another region": "CertificateOfAnotherRegion",
    "Load balancer name of more than 32 characters": "LoadBalancerName",
    "Subnet in a zone of another region": "ZoneOfAnotherRegion",
    "Queue name that another stack has": "DuplicateName",
}
"""The mistakes that no other check of templates finds."""

Results = dict[str, dict[str, Found]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run_checks(MISTAKES, tmp_path_factory.mktemp("planted"))


def test_there_are_twenty_different_mistakes() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) == 20


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_found_before_deployment(results: Results, mistake: Mistake) -> None:
    found = {check for check in CHECKS if results[mistake.name][check]}

    assert bool(found) == (mistake.name not in LEFT_TO_AWS), found


def test_at_least_eighteen_are_found(results: Results) -> None:
    assert sum(any(found.values()) for found in results.values()) >= 18


@pytest.mark.parametrize(("name", "rule"), BY_THE_PACK.items(), ids=BY_THE_PACK.values())
def test_the_pack_finds_what_other_checks_of_templates_do_not(results: Results, name: str, rule: str) -> None:
    assert f"HaChecks::{rule}" in results[name]["ha_checks"]
    assert not any(results[name][check] for check in ("CDK validator", "cfn-lint", "cdk-nag"))


def test_the_page_is_not_stale(results: Results) -> None:
    assert PAGE.read_text(encoding="utf-8") == mistakes_page(MISTAKES, results), (
        "run `python -m tests.ha_checks.planted`"
    )
