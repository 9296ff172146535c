from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.control_plane import BinariesMissingError, ControlPlane
from ops.control_plane.disruption import DisruptionError, Trial, run_trial, simulated_control_plane
from ops.control_plane.phases import Phase, table
from ops.control_plane.simulation import Pace, SimulatedNodes, start_rollouts_controller

pytestmark = pytest.mark.cluster

ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")


def workload(
    name: str, *, replicas: int = 6, max_unavailable: int | str = "34%", taints: str = "Honor"
) -> list[dict[str, Any]]:
    labels = {"app": name}
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels},
        "matchLabelKeys": ["pod-template-hash"],
        "nodeTaintsPolicy": taints,
    }
    container = {
        "name": "main",
        "image": "registry.example/application:1",
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "topologySpreadConstraints": [spread]},
            },
        },
    }
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"maxUnavailable": max_unavailable, "selector": {"matchLabels": labels}},
    }
    return [deployment, budget]


@pytest.fixture(scope="module")
def pace() -> Pace:
    return Pace(speed=20)


@pytest.fixture
def control_plane(pace: Pace) -> Iterator[ControlPlane]:
    try:
        server = simulated_control_plane(pace=pace)
    except BinariesMissingError as missing:
        pytest.skip(str(missing))
    with server:
        yield server


def test_spread_workloads_stay_within_their_budgets(control_plane: ControlPlane, pace: Pace) -> None:
    manifests = [*workload("storefront"), *workload("checkout", replicas=9)]

    phases = run_trial(manifests, control_plane, node_count=9, zones=ZONES, drained_nodes=4, pace=pace)

    print(table(phases))
    by_name: dict[str, Phase] = {phase.name: phase for phase in phases}
    assert [phase.below_budget for phase in phases] == [[]] * 6
    lost = by_name["zone eu-west-1c lost"].outcomes
    assert [outcome.minimum_ready for outcome in lost] == [4, 6]
    assert all(outcome.zones["eu-west-1c"] == 0 for outcome in lost)
    assert all(outcome.skew == 0 for outcome in phases[-1].outcomes)


def test_a_budget_that_blocks_a_drain_is_told(control_plane: ControlPlane, pace: Pace) -> None:
    nodes = SimulatedNodes(control_plane, count=3, zones=ZONES, pace=pace)
    trial = Trial(control_plane, nodes, pace=pace)
    trial.load(workload("rigid", max_unavailable=0))

    trial.timeout_seconds = 5
    with pytest.raises(DisruptionError, match=r"node-eu-west-1a-1 is not empty after 5 s: 429(.|\n)*budget rigid"):
        trial.drain(nodes.zones["eu-west-1a"])


def test_a_spread_that_keeps_replacements_from_starting_is_told(control_plane: ControlPlane, pace: Pace) -> None:
    nodes = SimulatedNodes(control_plane, count=3, zones=ZONES, pace=pace)
    trial = Trial(control_plane, nodes, pace=pace)
    trial.load(workload("stuck", taints="Ignore"))

    trial.timeout_seconds = 40
    with pytest.raises(DisruptionError, match=r"default/stuck has 4 of 6(.|\n)*topology spread constraints"):
        trial.lose_zone("eu-west-1c")


def test_a_canary_goes_through_while_a_zone_is_away(
    control_plane: ControlPlane, pace: Pace, crd_directory: Path
) -> None:
    control_plane.install_crds(crd_directory, groups=["argoproj.io"])
    start_rollouts_controller(control_plane)
    nodes = SimulatedNodes(control_plane, count=6, zones=ZONES, pace=pace)
    trial = Trial(control_plane, nodes, pace=pace)
    rollout, budget = workload("storefront")
    # Rollouts mark their pods with a label of their own.
    rollout["spec"]["template"]["spec"]["topologySpreadConstraints"][0]["matchLabelKeys"] = [
        "rollouts-pod-template-hash"
    ]
    rollout |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
    steps = [{"setWeight": 20}, {"pause": {"duration": "2s"}}, {"setWeight": 50}, {"pause": {"duration": "2s"}}]
    rollout["spec"]["strategy"] = {"canary": {"maxSurge": "25%", "maxUnavailable": 0, "steps": steps}}
    trial.load([rollout, budget])

    trial.lose_zone("eu-west-1c")
    canary = trial.update()

    print(table(trial.phases))
    assert canary.below_budget == []
    assert canary.duration_seconds > 4
    assert control_plane.get("rollout", "storefront", namespace="default")["status"]["phase"] == "Healthy"
    revisions = control_plane.get("replicasets", namespace="default")["items"]
    assert sorted(revision["spec"]["replicas"] for revision in revisions) in ([0, 6], [6, 6])
