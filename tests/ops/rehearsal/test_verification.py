"""Every declared resource is accounted for, and what is not as declared is named."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ops.emulator import Emulator, LedgerEntry
from ops.rehearsal.assembly import Assembly
from ops.rehearsal.clients import Clients
from ops.rehearsal.verify import Verification, verify
from ops.rehearsal.verify.asking import finders

pytestmark = pytest.mark.emulator


class Altered:
    """An emulator whose ledger tells something else."""

    def __init__(self, emulator: Emulator, alter: Callable[[LedgerEntry], LedgerEntry | None]) -> None:
        self.endpoint_url = emulator.endpoint_url
        self.account = emulator.account
        self._emulator = emulator
        self._alter = alter

    def ledger(self) -> list[LedgerEntry]:
        return [altered for entry in self._emulator.ledger() if (altered := self._alter(entry)) is not None]

    def state(self) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
        return self._emulator.state()


@pytest.fixture
def deployed(deploy: Callable[[Assembly], list[str]], sound: Assembly) -> Iterator[Assembly]:
    assert deploy(sound)[-1] == "CREATE_COMPLETE"
    yield sound


def _of(verification: Verification, suffix: str) -> list[Any]:
    return [item for item in verification.resources if item.construct_path.endswith(suffix)]


def test_every_resource_is_accounted_for(emulator: Emulator, clients: Clients, deployed: Assembly) -> None:
    result = verify(emulator, clients, deployed)

    assert result.failures == []
    assert len(result.resources) == len(deployed.resources)
    assert result.counts() == {"native": 10, "handled": 2, "lambda": 0, "recorded": 0, "unaccounted": 0}


def test_a_native_resource_is_found_with_its_declared_settings(
    emulator: Emulator, clients: Clients, deployed: Assembly
) -> None:
    (queue, _) = _of(verify(emulator, clients, deployed), "/Jobs/Resource")

    outcomes = {check.setting: check.outcome for check in queue.checks}
    assert outcomes["VisibilityTimeout"] == "same"
    assert outcomes["QueueName"] == "same"
    assert any(setting.startswith("RedrivePolicy") and outcome == "same" for setting, outcome in outcomes.items())


def test_a_setting_changed_behind_its_back_is_a_failure(
    emulator: Emulator, clients: Clients, deployed: Assembly
) -> None:
    stack = deployed.stacks[-1]
    url = clients.client("sqs", stack.region).get_queue_url(QueueName=f"{stack.name.split('-')[0]}-jobs")["QueueUrl"]
    clients.client("sqs", stack.region).set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})

    failures = verify(emulator, clients, deployed).failures

    assert [(item.kind, item.construct_path) for item in failures] == [
        ("setting differs", f"{stack.name}/Jobs/Resource")
    ]
    assert "VisibilityTimeout is declared 120, found '7'" in failures[0].reason


def test_a_resource_that_is_gone_is_unaccounted(emulator: Emulator, clients: Clients, deployed: Assembly) -> None:
    stack = deployed.stacks[-1]
    sqs = clients.client("sqs", stack.region)
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=f"{stack.name.split('-')[0]}-jobs")["QueueUrl"])

    result = verify(emulator, clients, deployed)

    assert result.counts()["unaccounted"] == 1
    assert [item.kind for item in result.failures] == ["not found"]


def test_a_resource_that_the_ledger_does_not_know_is_unaccounted(
    emulator: Emulator, clients: Clients, deployed: Assembly
) -> None:
    silent = Altered(emulator, lambda entry: None if entry.logical_id == "SubnetA" else entry)

    failures = verify(silent, clients, deployed).failures

    assert {item.kind for item in failures} == {"unaccounted"}
    assert {item.logical_id for item in failures} == {"SubnetA"}


def test_a_handled_resource_without_state_is_unaccounted(
    emulator: Emulator, clients: Clients, deployed: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful = Altered(emulator, lambda entry: entry)
    monkeypatch.setattr(forgetful, "state", dict)

    failures = verify(forgetful, clients, deployed).failures

    assert {item.logical_id for item in failures} == {"Accelerator", "Listener"}


def test_a_type_that_nothing_looks_up_is_only_recorded(
    emulator: Emulator, clients: Clients, deployed: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(finders(), "AWS::EC2::Subnet")

    subnets = [item for item in verify(emulator, clients, deployed).resources if item.type == "AWS::EC2::Subnet"]

    assert {item.how for item in subnets} == {"recorded"}
    assert all(item.reason.startswith("no finder") for item in subnets)


def test_two_resources_that_are_one_thing_are_a_failure(
    emulator: Emulator, clients: Clients, deployed: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it would be if the emulator let the second creation of a name pass."""
    first, second = (
        item
        for item in emulator.ledger()
        if item.logical_id in ("SubnetA", "SubnetB") and item.stack == deployed.stacks[-1].name
    )
    merged = Altered(
        emulator,
        lambda entry: dataclasses.replace(entry, physical_id=first.physical_id) if entry == second else entry,
    )
    client = clients.client("cloudformation", second.region)
    original = client.describe_stack_resources

    def describe(**arguments: Any) -> Any:
        answer = original(**arguments)
        for item in answer["StackResources"]:
            if item["PhysicalResourceId"] == second.physical_id:
                item["PhysicalResourceId"] = first.physical_id
        return answer

    monkeypatch.setattr(client, "describe_stack_resources", describe)

    kinds = {item.kind for item in verify(merged, clients, deployed).failures}

    assert "duplicate physical name" in kinds
