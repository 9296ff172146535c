"""Workloads as the API server has them: who owns which pod, how many serve, what their disruption budgets want."""

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ops.control_plane.server import ControlPlane
from ops.control_plane.simulation import Pace

_UNREACHABLE = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")
_PATHS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments/{}",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets/{}",
    "Rollout": "/apis/argoproj.io/v1alpha1/namespaces/{}/rollouts/{}",
}
WORKLOAD_KINDS = tuple(_PATHS)

Object = Mapping[str, Any]
Serving = Mapping[str, Counter[str]]


@dataclass(frozen=True)
class Workload:
    """What runs replicas of a pod: its identity, how many it wants, and the labels by which it knows its pods."""

    kind: str
    namespace: str
    name: str
    replicas: int
    labels: Mapping[str, str]

    @classmethod
    def of(cls, manifest: Object) -> Self:
        """Read a manifest of one of ``WORKLOAD_KINDS``, with a selector by labels."""
        return cls(
            kind=manifest["kind"],
            namespace=manifest["metadata"].get("namespace", "default"),
            name=manifest["metadata"]["name"],
            replicas=manifest["spec"].get("replicas", 1),
            labels=manifest["spec"]["selector"]["matchLabels"],
        )

    @property
    def title(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"

    @property
    def path(self) -> str:
        """Where the API server has it."""
        return _PATHS[self.kind].format(self.namespace, self.name)

    def owns(self, pod: Object) -> bool:
        """Whether a pod is one of its replicas."""
        namespace: str = pod["metadata"]["namespace"]
        labels: Mapping[str, str] = pod["metadata"].get("labels", {})
        return namespace == self.namespace and self.labels.items() <= labels.items()


def paced(manifest: Object, pace: Pace) -> dict[str, Any]:
    """The manifest with its pods' tolerations of lost nodes shortened like everything else."""
    shortened: dict[str, Any] = copy.deepcopy(dict(manifest))
    if shortened["kind"] in WORKLOAD_KINDS:
        for toleration in shortened["spec"]["template"]["spec"].get("tolerations", ()):
            if toleration.get("key") in _UNREACHABLE and "tolerationSeconds" in toleration:
                toleration["tolerationSeconds"] = pace.shortened(toleration["tolerationSeconds"])
    return shortened


def serving_replicas(
    control_plane: ControlPlane, workloads: Sequence[Workload], zone_of: Mapping[str, str], lost_zones: Iterable[str]
) -> Serving:
    """Replicas that serve, by workload and zone: ready, not ending, on a node of a zone that is not lost.

    For some time the API server takes pods of a lost zone for ready; nobody else does.
    """
    serving = {workload.title: Counter[str]() for workload in workloads}
    for pod in control_plane.call("/api/v1/pods?resourceVersion=0")["items"]:
        zone = zone_of.get(pod["spec"].get("nodeName", ""))
        if zone and zone not in lost_zones and _is_ready(pod):
            for workload in workloads:
                if workload.owns(pod):
                    serving[workload.title][zone] += 1
    return serving


def desired_healthy(control_plane: ControlPlane, workloads: Sequence[Workload]) -> dict[str, int]:
    """How many replicas the disruption budgets want, by workload; of several that match the strictest counts."""
    wanted: dict[str, int] = {}
    for budget in control_plane.call("/apis/policy/v1/poddisruptionbudgets")["items"]:
        selected = (budget["spec"].get("selector") or {}).get("matchLabels", {})
        for workload in workloads:
            if budget["metadata"]["namespace"] == workload.namespace and selected.items() <= workload.labels.items():
                desired = budget.get("status", {}).get("desiredHealthy", 0)
                wanted[workload.title] = max(desired, wanted.get(workload.title, 0))
    return wanted


def is_settled(workload: Object) -> bool:
    """Whether its controller has seen the latest change and finished with it."""
    status, replicas = workload.get("status", {}), workload["spec"].get("replicas", 1)
    # A Rollout's is text.
    if int(status.get("observedGeneration", 0)) < workload["metadata"]["generation"]:
        return False
    if workload["kind"] == "Rollout":
        return bool(status.get("phase") == "Healthy")
    return bool(status.get("updatedReplicas", 0) == status.get("replicas", 0) == replicas)


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", ())
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
