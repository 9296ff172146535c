"""Each mistake that deploys fail on in AWS fails the rehearsal, with the path of the construct that is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ops.rehearsal.assembly import Assembly
from ops.rehearsal.clients import Clients
from ops.rehearsal.failures import refusals
from tests.ops.rehearsal.apps import small

pytestmark = pytest.mark.emulator


def test_the_sound_app_deploys(deploy: Callable[[Assembly], list[str]], sound: Assembly) -> None:
    assert deploy(sound) == ["CREATE_COMPLETE"] * 3


@pytest.mark.parametrize("fault", small.FAULTS)
def test_a_planted_fault_is_refused_at_its_construct(
    deploy: Callable[[Assembly], list[str]], clients: Clients, tmp_path: Path, app_name: str, fault: str
) -> None:
    construct_path = small.build(str(tmp_path / "assembly"), name=app_name, fault=fault)
    assembly = Assembly(tmp_path / "assembly")

    statuses = deploy(assembly)
    failures = refusals(clients, assembly)

    assert statuses[-1] == "ROLLBACK_COMPLETE"
    assert [failure.construct_path for failure in failures] == [construct_path]
    assert failures[0].reason
    assert failures[0].look_at
