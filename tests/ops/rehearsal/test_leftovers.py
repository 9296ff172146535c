"""What outlives its stack is found, and explained where it is meant to."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.emulator import Emulator
from ops.rehearsal.assembly import Assembly
from ops.rehearsal.clients import Clients
from ops.rehearsal.editing import edited_copy
from ops.rehearsal.leftovers import inventory, left_behind, unlisted
from ops.rehearsal.verify import verify
from tests.ops.rehearsal.apps.small import PRIMARY, SECONDARY

pytestmark = pytest.mark.emulator


def _destroy(clients: Clients, assembly: Assembly) -> None:
    for stack in reversed(assembly.stacks):
        client = clients.client("cloudformation", stack.region)
        client.delete_stack(StackName=stack.name)
        while client.list_stacks(StackStatusFilter=["DELETE_IN_PROGRESS"])["StackSummaries"]:
            time.sleep(0.1)


@pytest.fixture
def retaining(sound: Assembly, tmp_path: Path) -> Assembly:
    """The sound app, with the secondary region's queues retained."""
    stack = sound.stacks[-1]

    def retain(template: dict[str, Any]) -> None:
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::SQS::Queue":
                resource["DeletionPolicy"] = "Retain"

    return edited_copy(sound, tmp_path / "retaining", {stack.name: retain})


def test_a_retained_resource_is_found_and_explained(
    deploy: Callable[[Assembly], list[str]], emulator: Emulator, clients: Clients, retaining: Assembly
) -> None:
    deploy(retaining)
    before = verify(emulator, clients, retaining)
    _destroy(clients, retaining)

    rest = left_behind(emulator, clients, retaining, before)

    assert {item.construct_path.rsplit("/", 2)[-2] for item in rest} == {"Dead", "Jobs"}
    assert {item.region for item in rest} == {retaining.stacks[-1].region}
    assert all(item.expected and "Retain" in item.reason for item in rest)


def test_a_resource_that_should_be_gone_is_unexpected(
    deploy: Callable[[Assembly], list[str]], emulator: Emulator, clients: Clients, sound: Assembly, tmp_path: Path
) -> None:
    deploy(sound)
    before = verify(emulator, clients, sound)
    _destroy(clients, sound)
    # Somebody makes it again, as if it had never gone.
    clients.client("sqs", SECONDARY).create_queue(QueueName=f"{sound.stacks[0].name.split('-')[0]}-jobs")

    rest = left_behind(emulator, clients, sound, before)

    assert [item.expected for item in rest] == [False]
    assert "yet it is still there" in rest[0].reason


def test_what_no_stack_declares_is_listed(clients: Clients) -> None:
    before = inventory(clients, [PRIMARY])
    clients.client("logs", PRIMARY).create_log_group(logGroupName="/aws/lambda/by-itself")

    found = unlisted(inventory(clients, [PRIMARY]), before, [])

    assert [(item.region, item.physical_id) for item in found] == [(PRIMARY, "/aws/lambda/by-itself")]


def test_an_edited_template_is_published_under_another_name(sound: Assembly, tmp_path: Path) -> None:
    stack = sound.stacks[0]
    edited = edited_copy(
        sound, tmp_path / "edited", {stack.name: lambda template: template.update(Description="other")}
    )

    def key(assembly: Assembly) -> str:
        files = json.loads((assembly.directory / f"{stack.name}.assets.json").read_text())["files"]
        return next(str(name) for name, item in files.items() if item["source"]["path"] == stack.template_path.name)

    assert key(edited) != key(sound)
    assert "Description" not in Assembly(sound.directory).stack(stack.name).template
    assert edited.stack(stack.name).template["Description"] == "other"
