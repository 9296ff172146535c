"""Changed copies of an environment file are environment files again, and the life they make is told apart."""

from pathlib import Path
from typing import Any

import pytest

from environments import load
from ops.rehearsal.assembly import Assembly
from ops.rehearsal.display import StepFailed
from ops.rehearsal.editing import edited_copy
from ops.rehearsal.life import changed_settings
from ops.rehearsal.regions import expect_one_stack_more
from ops.rehearsal.variations import Variations
from tests.ops.rehearsal.apps import small


@pytest.fixture(params=["reference", "production", "single-region"])
def variations(request: pytest.FixtureRequest, tmp_path: Path) -> Variations:
    return Variations(request.param, tmp_path / "environments")


def test_a_changed_environment_is_valid_and_differs(variations: Variations) -> None:
    path, changes = variations.changed()
    changed = load(path)

    assert changed.network.flow_log_retention_days == 180
    assert len(changes) >= 4
    assert all("->" in change for change in changes)


def test_a_region_is_added_at_the_end(variations: Variations) -> None:
    region = variations.region_to_add
    assert region is not None
    changed = load(variations.with_region(region))

    assert changed.regions[-1].name == region
    assert changed.deletion_protection


def test_protection_is_turned_off_with_and_without_the_added_region(variations: Variations) -> None:
    region = variations.region_to_add

    assert not load(variations.unprotected()).deletion_protection
    with_region = load(variations.unprotected(region=region))
    assert (with_region.deletion_protection, with_region.regions[-1].name) == (False, region)


def test_five_regions_leave_none_to_add(tmp_path: Path) -> None:
    regions = "[eu-west-1, us-east-1, eu-central-1, us-west-2, ap-southeast-1]"
    (tmp_path / "five.yaml").write_text(f"name: five\nregions: {regions}\n")

    assert Variations(str(tmp_path / "five.yaml"), tmp_path).region_to_add is None


def test_changed_settings_are_found_by_stack_resource_and_property(sound: Assembly, tmp_path: Path) -> None:
    stack = sound.stacks[-1]

    def edit(template: dict[str, Any]) -> None:
        template["Resources"]["SubnetA"]["Properties"]["CidrBlock"] = "10.2.9.0/24"

    changed = edited_copy(sound, tmp_path / "changed", {stack.name: edit})

    assert changed_settings(sound, changed) == {(stack.name, "SubnetA", "CidrBlock")}


def test_a_region_that_changes_another_stack_is_refused(tmp_path: Path) -> None:
    small.build(str(tmp_path / "one"), name="grown", one_region=True)
    small.build(str(tmp_path / "two"), name="grown")
    one, two = Assembly(tmp_path / "one"), Assembly(tmp_path / "two")
    assert "2 templates stay the same" in expect_one_stack_more(one, two, small.SECONDARY)

    meddling = edited_copy(
        two, tmp_path / "meddling", {one.stacks[-1].name: lambda template: template.update(Description="changed")}
    )
    with pytest.raises(StepFailed, match="a region must register itself"):
        expect_one_stack_more(one, meddling, small.SECONDARY)
