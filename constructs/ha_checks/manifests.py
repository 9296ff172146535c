"""The Kubernetes objects that templates apply to clusters."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from ha_checks.assembly import Assembly
from ha_checks.intrinsics import UNKNOWN_PART
from ha_checks.resource import Resource

_KUBECTL = "Custom::AWSCDK-EKS-KubernetesResource"
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")


class Manifest(NamedTuple):
    """An object, and the resource that applies it."""

    resource: Resource
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.body.get("kind", ""))

    @property
    def name(self) -> str:
        """Its name, with the namespace where it has one."""
        metadata = self.body.get("metadata", {})
        return "/".join(filter(None, (metadata.get("namespace"), metadata.get("name"))))

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.body.get("metadata", {}).get("namespace") or "default")

    def at(self, path: str) -> Any:
        """What lies at a dotted path, ``None`` where nothing does."""
        value: Any = self.body
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    @property
    def cluster(self) -> str:
        """What tells its cluster apart from others."""
        target = self.resource.target("ClusterName")
        return repr(target) if target else self.resource.text("ClusterName")


def manifests(assembly: Assembly, *kinds: str) -> Iterator[Manifest]:
    """The objects of these kinds, or of all, that the assembly's templates apply.

    A part that is not known, such as a role's name, reads `UNKNOWN_PART`.
    """
    for resource in assembly.of_type(_KUBECTL):
        for body in _objects(resource):
            if isinstance(body, dict) and (not kinds or body.get("kind") in kinds):
                yield Manifest(resource, body)


def workloads(assembly: Assembly) -> list[Manifest]:
    """What makes pods and stays."""
    return list(manifests(assembly, *_WORKLOADS))


def _objects(resource: Resource) -> list[Any]:
    known: list[Any] | None = resource.__dict__.get("_manifest")
    if known is None:
        try:
            document = json.loads(resource.text("Manifest").replace(UNKNOWN_PART, "\\u0000"))
        except ValueError:
            document = []
        known = document if isinstance(document, list) else [document]
        resource.__dict__["_manifest"] = known
    return known
