"""A region registers itself: joining and leaving changes no template but its own."""

from collections.abc import Callable
from typing import Any

import pytest

from environments import Environment, load
from tests.configurations import REGIONS
from tests.stacks.conftest import Synthesize

Make = Callable[..., Environment]


def with_regions(*names: str) -> Environment:
    document = load("reference").model_dump(mode="json", exclude_defaults=True)
    return Environment.model_validate({**document, "regions": list(names)})


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_region_that_joins_changes_no_other_template(synthesize: Synthesize, count: int) -> None:
    before = synthesize(with_regions(*REGIONS[:count]))
    after = synthesize(with_regions(*REGIONS[: count + 1]))

    assert set(after.stack_names) - set(before.stack_names) == {f"reference-{REGIONS[count]}"}
    for name in before.stack_names:
        assert after.json(name) == before.json(name)


def test_a_region_that_leaves_takes_only_its_peerings_from_later_ones(synthesize: Synthesize) -> None:
    before = synthesize(with_regions(*REGIONS[:3])).json(f"reference-{REGIONS[2]}")["Resources"]
    after = synthesize(with_regions(REGIONS[0], REGIONS[2])).json(f"reference-{REGIONS[2]}")["Resources"]

    gone = {name for name in before if name not in after}
    assert gone
    assert all(f"Peering{REGIONS[1].replace('-', '')}" in name for name in gone)


def test_every_pair_of_regions_is_peered_once(synthesize: Synthesize) -> None:
    synthesized = synthesize(with_regions(*REGIONS))

    pairs = [
        (name, resource["Properties"]["PeerRegion"])
        for name in REGIONS
        for resource in synthesized.json(f"reference-{name}")["Resources"].values()
        if resource["Type"] == "AWS::EC2::VPCPeeringConnection"
    ]
    assert len(pairs) == len(REGIONS) * (len(REGIONS) - 1) // 2
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)


def test_a_region_deploys_after_those_before_it(synthesize: Synthesize) -> None:
    assert synthesize(with_regions(*REGIONS)).stack_names == [
        "reference-global",
        *(f"reference-{name}" for name in REGIONS),
    ]


def of_type(synthesize: Synthesize, environment: Environment, region: str, kind: str) -> list[dict[str, Any]]:
    resources = synthesize(environment).json(environment.stack_name(region))["Resources"]
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]


@pytest.mark.parametrize("region", REGIONS[1:])
def test_every_other_region_has_a_replica_of_the_writer(synthesize: Synthesize, region: str) -> None:
    (replica,) = of_type(synthesize, with_regions(*REGIONS), region, "AWS::RDS::DBInstance")

    source = f"arn:aws:rds:{REGIONS[0]}:111122223333:db:reference-{REGIONS[0]}"
    assert replica["SourceDBInstanceIdentifier"] == source
    assert replica["MultiAZ"]


def test_the_writer_lets_every_region_in_whichever_there_are(synthesize: Synthesize) -> None:
    environment = with_regions(*REGIONS[:2])

    rules = of_type(synthesize, environment, REGIONS[0], "AWS::EC2::SecurityGroup")
    cidrs = {rule["CidrIp"] for group in rules for rule in group.get("SecurityGroupIngress", []) if "CidrIp" in rule}
    assert environment.network.supernet in cidrs


def test_the_fourth_region_has_a_cache_of_its_own(synthesize: Synthesize) -> None:
    environment = with_regions(*REGIONS)

    joined = [
        "GlobalReplicationGroupId" in of_type(synthesize, environment, region, "AWS::ElastiCache::ReplicationGroup")[0]
        for region in REGIONS
    ]
    assert joined == [False, True, True, False, False]


def test_backups_are_copied_to_the_second_region(synthesize: Synthesize) -> None:
    environment = with_regions(*REGIONS[:3])

    (plan,) = of_type(synthesize, environment, REGIONS[0], "AWS::Backup::BackupPlan")
    copies = {
        action["DestinationBackupVaultArn"]
        for rule in plan["BackupPlan"]["BackupPlanRule"]
        for action in rule["CopyActions"]
    }
    assert copies == {f"arn:aws:backup:{REGIONS[1]}:111122223333:backup-vault:reference-database"}
    assert len(of_type(synthesize, environment, REGIONS[1], "AWS::Backup::BackupVault")) == 1
    assert of_type(synthesize, environment, REGIONS[2], "AWS::Backup::BackupVault") == []
