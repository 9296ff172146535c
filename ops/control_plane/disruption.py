"""What an outage does to workloads: nodes without machines, under a real scheduler and real controllers.

A trial loads manifests on simulated nodes, then takes a zone away, drains nodes through the eviction API and updates
every workload, while it counts the replicas that serve. It shows what manifests alone do not: a spread constraint that
keeps replacements from starting while a zone is away, a budget that blocks a drain for ever, an update that
leaves all replicas in two zones.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ops.control_plane.api_client import ApiError
from ops.control_plane.phases import Outcome, Phase
from ops.control_plane.server import ControlPlane
from ops.control_plane.simulation import Pace, SimulatedNodes
from ops.control_plane.workloads import (
    WORKLOAD_KINDS,
    Object,
    Serving,
    Workload,
    desired_healthy,
    is_settled,
    paced,
    serving_replicas,
)

_SAMPLE_SECONDS = 0.25
_TOO_MANY_REQUESTS = 429
_NOT_FOUND = 404


class DisruptionError(RuntimeError):
    """The trial cannot go on: replicas do not become ready or a node does not empty; the message says why."""


@dataclass(frozen=True)
class _Sample:
    seconds: float
    serving: Serving


class Trial:
    """Workloads under disruption; each method is a phase, ends when every replica serves again, and is kept.

    Arguments:
        control_plane: a running one with controllers and scheduler, started with the pace's arguments.
        nodes: its simulated nodes.
        pace: shortens the tolerations of the manifests' pods too.
        timeout_seconds: how long a phase may take to recover, and a node to empty.
        progress: told the name of each phase as it begins.

    Exposes ``phases`` and ``timeout_seconds``. The methods raise ``DisruptionError`` for what does not recover in time.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        nodes: SimulatedNodes,
        *,
        pace: Pace | None = None,
        timeout_seconds: float = 180,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self._control_plane = control_plane
        self._nodes = nodes
        self._pace = pace or Pace()
        self.timeout_seconds = timeout_seconds
        self._progress = progress or (lambda _: None)
        self._workloads: list[Workload] = []
        self._lost: set[str] = set()
        self._zone_of = {name: zone for zone, names in nodes.zones.items() for name in names}
        self.phases: list[Phase] = []

    def load(self, manifests: Iterable[Object]) -> Phase:
        """Apply the manifests and wait until all replicas serve; ValueError where they hold no workload.

        Deployments, Rollouts (their controller must run) and StatefulSets without volume claims are counted.
        """
        objects = [paced(manifest, self._pace) for manifest in manifests]
        self._workloads = [Workload.of(manifest) for manifest in objects if manifest["kind"] in WORKLOAD_KINDS]
        if not self._workloads:
            raise ValueError(f"the manifests have no workload: at least one of {', '.join(WORKLOAD_KINDS)}")
        return self._observe("start", lambda: self._control_plane.apply(objects))

    def lose_zone(self, zone: str) -> Phase:
        """Take a zone away without a word, and wait until its replicas serve elsewhere."""

        def lose() -> None:
            self._lost.add(zone)
            self._nodes.stop_zone(zone)

        return self._observe(f"zone {zone} lost", lose)

    def return_zone(self, zone: str) -> Phase:
        """Bring a zone back; pods that were given up there end, others stay where they are."""

        def give_back() -> None:
            self._nodes.start_zone(zone)
            names = [f"node/{name}" for name in self._nodes.zones[zone]]
            self._control_plane.kubectl("wait", "--for=condition=Ready", "--timeout=60s", *names)
            self._lost.discard(zone)

        return self._observe(f"zone {zone} back", give_back)

    def drain(self, names: Sequence[str]) -> Phase:
        """Empty nodes one after the other as `kubectl drain` does; each takes pods again once it was empty."""

        def drain_all() -> None:
            for name in names:
                self._drain(name)

        return self._observe(f"{len(names)} nodes drained, one at a time", drain_all)

    def update(self) -> Phase:
        """Change the pods of every workload, all at the same time, each by its own strategy."""
        annotation = {"trial.ha-platform/update": str(len(self.phases))}

        def change() -> None:
            body = {"spec": {"template": {"metadata": {"annotations": annotation}}}}
            for workload in self._workloads:
                self._control_plane.call(workload.path, method="PATCH", body=body)

        during = f", zone {', '.join(sorted(self._lost))} still lost" if self._lost else ""
        return self._observe(f"all workloads updated{during}", change)

    def _observe(self, name: str, action: Callable[[], object]) -> Phase:
        self._progress(name)
        sampler = _Sampler(self._serving)
        sampler.start()
        try:
            action()
            self._wait_until_settled(name)
        finally:
            samples = sampler.stop()
        # There is no budget to keep before the first replicas are there.
        budgets = desired_healthy(self._control_plane, self._workloads) if self.phases else {}
        outcomes = tuple(self._outcome(workload, budgets, samples) for workload in self._workloads)
        recovered = max(outcome.seconds_to_recover for outcome in outcomes)
        phase = Phase(name, recovered, round(samples[-1].seconds, 1), outcomes)
        self.phases.append(phase)
        return phase

    def _outcome(self, workload: Workload, budgets: Mapping[str, int], samples: Sequence[_Sample]) -> Outcome:
        counts = [(sample.seconds, sample.serving[workload.title].total()) for sample in samples]
        short = [seconds for seconds, count in counts if count < workload.replicas]
        return Outcome(
            workload=workload.title,
            replicas=workload.replicas,
            budget=budgets.get(workload.title, 0),
            minimum_ready=min(count for _, count in counts),
            seconds_to_recover=round(max(short, default=0.0), 1),
            zones={zone: samples[-1].serving[workload.title][zone] for zone in self._nodes.zones},
        )

    def _serving(self) -> Serving:
        return serving_replicas(self._control_plane, self._workloads, self._zone_of, self._lost)

    def _wait_until_settled(self, name: str) -> None:
        deadline = time.monotonic() + self.timeout_seconds
        while unsettled := self._unsettled():
            if time.monotonic() > deadline:
                late = f"not all replicas serve after {self.timeout_seconds:.0f} s"
                raise DisruptionError("\n".join([f"{name}: {late}: {', '.join(unsettled)}", *self._why_pending()]))
            time.sleep(_SAMPLE_SECONDS)

    def _unsettled(self) -> list[str]:
        serving = self._serving()
        return [
            f"{workload.title} has {serving[workload.title].total()} of {workload.replicas}"
            for workload in self._workloads
            if serving[workload.title].total() < workload.replicas
            or not is_settled(self._control_plane.call(workload.path))
        ]

    def _why_pending(self) -> list[str]:
        """The scheduler's reasons, each once."""
        pending = self._control_plane.call("/api/v1/pods?fieldSelector=status.phase%3DPending")["items"]
        conditions = [condition for pod in pending for condition in pod["status"].get("conditions", ())]
        return sorted({condition["message"] for condition in conditions if condition.get("reason") == "Unschedulable"})

    def _drain(self, name: str) -> None:
        node = f"/api/v1/nodes/{name}"
        self._control_plane.call(node, method="PATCH", body={"spec": {"unschedulable": True}})
        deadline = time.monotonic() + self.timeout_seconds
        while pods := self._pods_on(name):
            refused = [refusal for pod in pods if (refusal := self._evict(pod))]
            if time.monotonic() > deadline:
                why = refused[0] if refused else "pods do not end"
                raise DisruptionError(f"{name} is not empty after {self.timeout_seconds:.0f} s: {why}")
            time.sleep(_SAMPLE_SECONDS)
        self._control_plane.call(node, method="PATCH", body={"spec": {"unschedulable": None}})

    def _pods_on(self, node: str) -> list[Object]:
        pods = self._control_plane.call(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}")["items"]
        return [
            pod for pod in pods if not any(o["kind"] == "DaemonSet" for o in pod["metadata"].get("ownerReferences", ()))
        ]

    def _evict(self, pod: Object) -> str | None:
        """Ask for a pod's eviction; returns the refusal where its budget does not allow it now."""
        metadata = pod["metadata"]
        if "deletionTimestamp" in metadata:
            return None
        identity = {"name": metadata["name"], "namespace": metadata["namespace"]}
        path = "/api/v1/namespaces/{namespace}/pods/{name}/eviction".format(**identity)
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": identity}
        try:
            self._control_plane.call(path, method="POST", body=body)
        except ApiError as error:
            if error.status == _TOO_MANY_REQUESTS:
                return str(error)
            if error.status != _NOT_FOUND:
                raise
        return None


class _Sampler:
    """Takes a sample a few times a second until it is stopped; what lasts for less than that may be missed."""

    def __init__(self, take: Callable[[], Serving]) -> None:
        self._take = take
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._samples: list[_Sample] = []
        self._failure: Exception | None = None
        self._started = time.monotonic()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> list[_Sample]:
        """End, with a last sample, and return them all."""
        self._stopped.set()
        self._thread.join()
        if self._failure:
            raise DisruptionError(f"no sample could be taken: {self._failure}") from self._failure
        self._sample()
        return self._samples

    def _work(self) -> None:
        while not self._stopped.wait(_SAMPLE_SECONDS):
            try:
                self._sample()
            except (ApiError, OSError) as error:
                self._failure = error
                return

    def _sample(self) -> None:
        self._samples.append(_Sample(time.monotonic() - self._started, self._take()))


def run_trial(
    manifests: Iterable[Object],
    control_plane: ControlPlane,
    *,
    node_count: int = 60,
    zones: Sequence[str] = ("eu-west-1a", "eu-west-1b", "eu-west-1c"),
    drained_nodes: int | None = None,
    pace: Pace | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Phase]:
    """The whole trial: start, lose a zone, update meanwhile, zone back, drain nodes one at a time, update.

    Arguments:
        manifests: namespaces, workloads, budgets and what else they need.
        control_plane: see :func:`simulated_control_plane`; the custom resource definitions are installed.
        node_count: simulated nodes altogether.
        zones: names of the zones; the last is lost.
        drained_nodes: how many nodes are drained, zone after zone. Default: all.
        pace: as the control plane's.
        progress: told what is about to happen; a trial of 500 pods takes minutes.
    """
    pace = pace or Pace()
    nodes = SimulatedNodes(control_plane, count=node_count, zones=zones, pace=pace)
    trial = Trial(control_plane, nodes, pace=pace, progress=progress)
    trial.load(manifests)
    trial.lose_zone(zones[-1])
    trial.update()
    trial.return_zone(zones[-1])
    trial.drain([name for names in nodes.zones.values() for name in names][:drained_nodes])
    trial.update()
    return trial.phases


def simulated_control_plane(*, kubernetes_version: str = "1.36", pace: Pace | None = None) -> ControlPlane:
    """A control plane with controllers and scheduler at a pace, to be entered with ``with``."""
    pace = pace or Pace()
    return ControlPlane(
        kubernetes_version=kubernetes_version,
        controllers=True,
        scheduler=True,
        api_server_arguments=pace.api_server_arguments,
        controller_manager_arguments=pace.controller_manager_arguments,
    )
