"""Nodes without machines: KWOK plays their kubelets, the scheduler and the controllers are real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.control_plane.binaries import find_binaries
from ops.control_plane.processes import GuardedProcess, free_ports
from ops.control_plane.server import ControlPlane

ZONE_LABEL = "topology.kubernetes.io/zone"
_STAGES = Path(__file__).with_name("simulation.yaml")


@dataclass(frozen=True)
class Pace:
    """How long Kubernetes waits before it believes that a node is lost, divided by ``speed``.

    The defaults are those of Kubernetes, which EKS does not let anyone change: a node's lease lasts 40 s; a node is
    unreachable after 50 s; 0.1 nodes a second are marked for eviction in a zone that is down as a whole; pods that say
    nothing themselves stay for 300 s. ``speed`` 10 makes a test of it that lasts a minute instead of ten.
    """

    speed: float = 10

    @property
    def lease_seconds(self) -> int:
        """How long a node's lease lasts."""
        return max(2, round(40 / self.speed))

    @property
    def toleration_seconds(self) -> int:
        """How long pods stay on an unreachable node where they say nothing themselves."""
        return self.shortened(300)

    def shortened(self, seconds: float) -> int:
        """Seconds of the real cluster in seconds here, at least one."""
        return max(1, round(seconds / self.speed))

    @property
    def api_server_arguments(self) -> list[str]:
        """Flags of kube-apiserver at this pace."""
        keys = ("unreachable", "not-ready")
        return [f"--default-{key}-toleration-seconds={self.toleration_seconds}" for key in keys]

    @property
    def controller_manager_arguments(self) -> list[str]:
        """Flags of kube-controller-manager at this pace."""
        rate = 0.1 * self.speed
        # Kubernetes stops evictions while a zone is partly down, by a limiter that calls itself one of rate 1; changing
        # to a rate of exactly 1 then looks like no change, and evictions never start again.
        rate = 1.01 if round(rate, 2) == 1 else rate
        return [
            f"--node-monitor-grace-period={max(50 / self.speed, self.lease_seconds + 1):.0f}s",
            f"--node-monitor-period={max(0.5, 5 / self.speed):.1f}s",
            f"--node-eviction-rate={rate:.2f}",
            f"--secondary-node-eviction-rate={0.01 * self.speed:.3f}",
        ]


class SimulatedNodes:
    """Nodes in zones; one KWOK process a zone, so that stopping it takes the zone's kubelets away, all at once.

    Arguments:
        control_plane: a running one, with controllers and scheduler.
        count: nodes altogether, in equal shares a zone as far as it goes.
        zones: names of the zones.
        pace: how fast Kubernetes gives a node up; the control plane must have been started with its arguments.
        cpu, memory, pods: what a node offers to pods.

    Exposes ``zones`` (zone to node names), ``stop_zone()`` and ``start_zone()``. Raises ``ValueError`` for fewer nodes
    than zones and ``BinariesMissingError`` where KWOK is neither found nor buildable.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        *,
        count: int,
        zones: Sequence[str],
        pace: Pace | None = None,
        cpu: str = "8",
        memory: str = "32Gi",
        pods: int = 58,
    ) -> None:
        if count < len(zones):
            raise ValueError(f"count is {count}: it must be {len(zones)} or more, one node a zone")
        self._control_plane = control_plane
        self._pace = pace or Pace()
        self._kwok = find_binaries(["kwok"], kubernetes_version=control_plane.kubernetes_version)["kwok"]
        self._processes: dict[str, GuardedProcess] = {}
        self.zones: dict[str, list[str]] = {zone: [] for zone in zones}
        resources = {"cpu": cpu, "memory": memory, "pods": str(pods), "ephemeral-storage": "80Gi"}
        for index in range(count):
            zone = zones[index % len(zones)]
            name = f"node-{zone}-{index // len(zones) + 1}"
            self.zones[zone].append(name)
            control_plane.call("/api/v1/nodes", method="POST", body=_node(name, zone, resources))
        for zone in zones:
            self.start_zone(zone)
        self._wait_until_ready()

    def start_zone(self, zone: str) -> None:
        """Let the zone's kubelets work; where they were away, their nodes come back as they were."""
        running = self._processes.get(zone)
        if running and running.running:
            return
        network = list(self.zones).index(zone)
        self._processes[zone] = self._control_plane.start(
            self._kwok,
            f"--kubeconfig={self._control_plane.kubeconfig}",
            f"--config={_STAGES}",
            "--manage-all-nodes=false",
            f"--manage-nodes-with-label-selector={ZONE_LABEL}={zone}",
            f"--node-lease-duration-seconds={self._pace.lease_seconds}",
            f"--cidr=10.{network}.0.1/16",
            f"--server-address=127.0.0.1:{free_ports(1)[0]}",
            log_name=f"kwok-{zone}",
        )

    def stop_zone(self, zone: str) -> None:
        """Take the zone's kubelets away at once, as a power failure does: nothing is said to the API server."""
        self._processes[zone].stop()

    def _wait_until_ready(self) -> None:
        nodes = [f"node/{name}" for names in self.zones.values() for name in names]
        self._control_plane.kubectl("wait", "--for=condition=Ready", "--timeout=60s", *nodes)


def start_rollouts_controller(control_plane: ControlPlane) -> GuardedProcess:
    """Start the controller of Argo Rollouts, whose custom resource definitions must be installed.

    Its ports for metrics and health listen on all interfaces: the program has no setting for that.
    """
    names = ["rollouts-controller"]
    program = find_binaries(names, kubernetes_version=control_plane.kubernetes_version)[names[0]]
    metrics_port, health_port = free_ports(2)
    ports = (f"--metricsPort={metrics_port}", f"--healthzPort={health_port}")
    return control_plane.start(program, f"--kubeconfig={control_plane.kubeconfig}", "--leader-elect=false", *ports)


def _node(name: str, zone: str, resources: Mapping[str, str]) -> dict[str, Any]:
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": zone.rstrip("abcdef"),
        ZONE_LABEL: zone,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"capacity": dict(resources), "allocatable": dict(resources)},
    }
