"""Planted changes get the class that a person gives them from AWS's documentation."""

from collections.abc import Callable
from typing import Any

import pytest

from environments import Environment, load
from ops.impact.changes import Effect
from ops.impact.compare import compare
from ops.impact.templates import Template
from tests.ops.impact.conftest import PRIMARY, Impacts, at_path
from tests.ops.impact.planted import PLANTED, Plant

planted = pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())


@planted
def test_class_is_the_one_from_the_documentation(plant: Plant, impact_of: Impacts) -> None:
    assert set(at_path(impact_of(plant.edit, plant.ground), plant.path).classes) == plant.classes


@planted
def test_what_changes_along_is_told(plant: Plant, impact_of: Impacts) -> None:
    impact = impact_of(plant.edit, plant.ground)
    assert {path: set(at_path(impact, path).classes) for path in plant.along} == plant.along
    if plant.alone:
        assert [change.path for change in impact.changes] == [plant.path]


@planted
def test_approval_is_wanted_for_what_holds_data_or_identity(plant: Plant, impact_of: Impacts) -> None:
    assert bool(at_path(impact_of(plant.edit, plant.ground), plant.path).needs_approval) == plant.gated


def test_there_are_at_least_twenty() -> None:
    assert len(PLANTED) >= 20


def _changed(**sections: Any) -> Environment:
    document = load("reference").model_dump()
    for name, section in sections.items():
        document[name] = {**document[name], **section} if isinstance(section, dict) else section
    return Environment.model_validate(document)


@pytest.mark.parametrize(
    ("sections", "path", "classes"),
    [
        ({"database": {"instance_class": "r7g.xlarge"}}, f"{PRIMARY}/Database/Instance", {Effect.INTERRUPTION}),
        ({"cluster": {"kubernetes_version": "1.35"}}, f"{PRIMARY}/Cluster/Cluster", {Effect.ROLLOUT}),
        ({"network": {"supernet": "10.128.0.0/10"}}, f"{PRIMARY}/Network/Vpc", {Effect.REPLACEMENT}),
        (
            {"cluster": {"namespaces": ("shop",)}},
            f"{PRIMARY}/Cluster/Foundation/Namespace/workloads",
            {Effect.ORPHANED},
        ),
        (
            {"deletion_protection": False},
            f"{PRIMARY}/Cluster/Cluster",
            {Effect.UPDATE, Effect.WEAKENING},
        ),
    ],
    ids=["instance class", "cluster version", "addresses", "namespace", "deletion protection"],
)
def test_changed_environment_files_are_classified(
    sections: dict[str, Any],
    path: str,
    classes: set[Effect],
    synthesized: Callable[[Environment], list[Template]],
    reference: list[Template],
) -> None:
    impact = compare(reference, synthesized(_changed(**sections)), base_name="before", head_name="after")
    assert set(at_path(impact, path).classes) == classes


def test_unprotected_environment_weakens_its_stacks(
    synthesized: Callable[[Environment], list[Template]],
    reference: list[Template],
) -> None:
    impact = compare(reference, synthesized(_changed(deletion_protection=False)), base_name="before", head_name="after")
    change = at_path(impact, PRIMARY)
    assert [finding.message for finding in change.findings] == ["termination protection is switched off"]
    assert change.needs_approval == (Effect.WEAKENING,)
