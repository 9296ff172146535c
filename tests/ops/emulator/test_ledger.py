"""The ledger and what it says exists."""

from pathlib import Path
from typing import Any

import pytest

from ops.emulator.ledger import Ledger, LedgerEntry, current_resources


@pytest.fixture
def entry() -> Any:
    """Make an entry from what a test cares about."""

    def make(**changes: Any) -> LedgerEntry:
        defaults: dict[str, Any] = {
            "stack": "network", "region": "eu-west-1", "logical_id": "Vpc", "construct_path": "network/Vpc",
            "type": "AWS::EC2::VPC", "physical_id": "vpc-1", "how": "native", "reason": "", "operation": "create",
        }  # fmt: skip
        return LedgerEntry(**{**defaults, **changes})

    return make


def test_reads_what_was_appended_in_order(tmp_path: Path, entry: Any) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    entries = [entry(properties={"CidrBlock": "10.0.0.0/16"}), entry(operation="delete")]
    for item in entries:
        ledger.append(item)
    assert ledger.read() == entries


def test_leaves_a_line_out_that_is_being_written(tmp_path: Path, entry: Any) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(entry())
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write('{"stack": "netw')
    assert len(ledger.read()) == 1


def test_what_was_deleted_or_failed_does_not_exist(entry: Any) -> None:
    entries = [entry(), entry(operation="delete"), entry(logical_id="Subnet", state="failed")]
    assert current_resources(entries) == []


def test_a_replacement_leaves_the_new_resource(entry: Any) -> None:
    new = entry(operation="update", physical_id="vpc-2")
    assert current_resources([entry(), new, entry(operation="delete")]) == [new]


def test_what_a_policy_kept_still_exists(entry: Any) -> None:
    kept = entry(operation="retain")
    assert current_resources([entry(), kept]) == [kept]
