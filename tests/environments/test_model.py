"""What an environment may say, and what it says when nothing is said."""

import ipaddress
import itertools
from collections.abc import Callable

import botocore.session
import pytest
from pydantic import ValidationError

from environments import Environment
from environments.regions import CATALOGUE
from tests.configurations import REGIONS

Make = Callable[..., Environment]


def test_a_minimal_environment_has_production_defaults(environment: Make) -> None:
    made = environment()

    assert made.deletion_protection
    assert not made.database.single_zone
    assert not made.network.single_nat_gateway
    assert made.cluster.api_server.public_access_cidrs == ()


def test_the_first_region_is_the_primary(environment: Make) -> None:
    assert environment(regions=["us-east-1", "eu-west-1"]).primary.name == "us-east-1"


def test_every_commercial_region_is_in_the_catalogue() -> None:
    known = botocore.session.get_session().get_available_regions("ec2", partition_name="aws")

    assert set(known) <= set(CATALOGUE)


def test_no_two_regions_share_addresses(environment: Make) -> None:
    blocks = [
        ipaddress.ip_network(environment(regions=[{"name": name, "zones": [f"{name}{z}" for z in "abc"]}]).cidr(name))
        for name in CATALOGUE
    ]

    assert not [pair for pair in itertools.combinations(blocks, 2) if pair[0].overlaps(pair[1])]


def test_removing_a_region_does_not_renumber_the_others(environment: Make) -> None:
    all_five = environment(regions=list(REGIONS))
    without_second = environment(regions=[name for name in REGIONS if name != REGIONS[1]])

    for name in REGIONS[2:]:
        assert all_five.cidr(name) == without_second.cidr(name)


def test_a_region_spans_three_zones_that_every_account_has(environment: Make) -> None:
    assert environment(regions=["ap-northeast-1"]).primary.availability_zones == (
        "ap-northeast-1a",
        "ap-northeast-1c",
        "ap-northeast-1d",
    )


def test_a_region_registers_with_those_before_it(environment: Make) -> None:
    made = environment(regions=list(REGIONS[:3]))

    assert [region.name for region in made.earlier_regions(REGIONS[2])] == list(REGIONS[:2])
    assert made.earlier_regions(REGIONS[0]) == ()


def test_a_global_datastore_spans_three_regions_at_most(environment: Make) -> None:
    made = environment(regions=list(REGIONS))

    assert [made.shares_cache(name) for name in REGIONS] == [True, True, True, False, False]


def test_one_region_has_no_global_datastore(environment: Make) -> None:
    assert not environment().shares_cache("eu-west-1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regions": []}, "at least 1 item"),
        ({"regions": [*REGIONS, "eu-north-1"]}, "at most 5 items"),
        ({"regions": ["eu-west-1", "eu-west-1"]}, "region 'eu-west-1' is declared twice"),
        ({"regions": ["eu-west-9"]}, "did you mean 'eu-west-3'"),
        ({"regions": ["us-west-1"]}, "give `zones:` with 3 zones"),
        (
            {"regions": [{"name": "eu-west-1", "zones": ["eu-west-1a", "eu-west-1b", "eu-west-2a"]}]},
            "is not in eu-west-1",
        ),
        ({"account": 12345678901}, 'write the account in quotes: "012345678901"'),
        ({"name": "Upper"}, "pattern"),
        ({"name": "a" * 21}, "at most 20 characters"),
        ({"domain": "example.com."}, "pattern"),
        ({"alerts": {}}, "at least one of email, sms, slack, teams"),
        ({"network": {"supernet": "203.0.112.0/20"}}, "must be private"),
        ({"network": {"supernet": "172.16.0.0/12"}}, "overlaps 172.20.0.0/16"),
        ({"network": {"supernet": "10.0.0.0/17"}}, "smaller than one region's"),
        ({"network": {"supernet": "10.0.0.0/15"}}, "too few for every region"),
        ({"regions": [{"name": "eu-west-1", "cidr": "192.168.0.0/16"}]}, "not inside network.supernet"),
        (
            {"regions": [{"name": "eu-west-1", "cidr": "10.65.0.0/16"}, {"name": "us-east-1", "cidr": "10.65.0.0/18"}]},
            "overlaps 10.65.0.0/16 of eu-west-1",
        ),
        ({"regions": [{"name": "eu-west-1", "cidr": "10.64.0.1/16"}]}, "has host bits set"),
        ({"cluster": {"api_server": {"public_access_cidrs": ["0.0.0.0/0"]}}}, "opens the API server to the world"),
        ({"cluster": {"kubernetes_version": "1.20"}}, "'1.35' or '1.36'"),
        ({"database": {"storage_gib": 100, "max_storage_gib": 100}}, "at least a tenth above"),
        ({"messaging": {"queues": [{"name": "billing", "topics": ["orders"]}]}}, "not declared"),
        (
            {"messaging": {"topics": ["orders"], "queues": [{"name": "b", "topics": ["orders"], "fifo": True}]}},
            "both be fifo",
        ),
        ({"messaging": {"topics": ["orders", "orders"]}}, "declared twice"),
        ({"registry": {"repositories": ["web", "web"]}}, "declared twice"),
        ({"ingress": {"tcp_ports": [443]}}, "the HTTP listener's"),
        ({"ingress": {"tcp_ports": list(range(5000, 5011))}}, "at most 10"),
        ({"tags": {"aws:owner": "me"}}, "reserved"),
        ({"colour": "blue"}, "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_is_refused(environment: Make, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=r"(?s)" + message.replace("(", r"\(")):
        environment(**changes)
