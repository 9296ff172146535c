"""Custom resources whose handler cannot run here: what a cluster's kubectl and Helm handlers would apply.

Modelled: the objects of each manifest, in our own state, with the cluster they are for.
Refused: a manifest that is no JSON list of objects, an object without kind, version or name, a built-in object that
does not fit the strict schema of the cluster's Kubernetes version, an object that another manifest of the same cluster
applies, a cluster that does not exist. All other custom resources run their own code.
"""

import json
from typing import Any

import kubernetes_validate

from ops.emulator.handlers.base import Handler, Outcome, Refused, Request, handles
from ops.emulator.handlers.eks import cluster_of
from ops.emulator.state import STATE

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
_OBJECTS_TO_NAME = 3


class _InCluster(Handler):
    how = "recorded"
    reason = "no API server in the emulator"

    def create(self, request: Request) -> Outcome:
        """Note it."""
        return self._kept(request, f"{request.stack}-{request.logical_id}-{request.digest()}")

    def update(self, request: Request) -> Outcome:
        """Note the new content."""
        return self._kept(request, request.physical_id)

    def delete(self, request: Request) -> None:
        """Forget it."""
        self.forget(request)

    def _kept(self, request: Request, physical_id: str) -> Outcome:
        self.keep(request, physical_id, dict(request.properties))
        return Outcome(physical_id, {})


@handles(MANIFEST)
class Manifest(_InCluster):
    """Objects that the cluster's kubectl handler would apply."""

    reason = "no API server in the emulator; each built-in object was held against its strict schema"

    def check(self, request: Request) -> None:
        """Each object is one that the API server would know."""
        cluster = cluster_of(request)
        objects = manifest_objects(request.properties.get("Manifest"))
        version = ".".join(str(cluster.get("version") or kubernetes_validate.latest_version()).split(".")[:2])
        for item in objects:
            _check_object(item, version)
        self._check_owner(request, objects)

    @staticmethod
    def _check_owner(request: Request, objects: list[dict[str, Any]]) -> None:
        own = {object_name(item) for item in objects}
        for physical_id, record in STATE.find(MANIFEST, request.region).items():
            if physical_id == request.physical_id or record["ClusterName"] != request.properties["ClusterName"]:
                continue
            twice = own & {tuple(name) for name in record["Objects"]}
            if twice:
                raise Refused(
                    f"{' '.join(min(twice))} is applied by another manifest of the cluster already: {physical_id}"
                )

    def _kept(self, request: Request, physical_id: str) -> Outcome:
        objects = manifest_objects(request.properties.get("Manifest"))
        names = [object_name(item) for item in objects]
        self.keep(request, physical_id, {"ClusterName": request.properties["ClusterName"], "Objects": names})
        return Outcome(physical_id, {})


@handles(
    "Custom::AWSCDK-EKS-HelmChart", "Custom::AWSCDK-EKS-KubernetesPatch", "Custom::AWSCDK-EKS-KubernetesObjectValue"
)
class ClusterOperation(_InCluster):
    """A Helm release, a patch, or a value read from the cluster."""

    def check(self, request: Request) -> None:
        """The cluster exists."""
        cluster_of(request)

    def _kept(self, request: Request, physical_id: str) -> Outcome:
        super()._kept(request, physical_id)
        return Outcome(physical_id, {"Value": "unknown-without-api-server"})


def manifest_objects(manifest: object) -> list[dict[str, Any]]:
    """The objects of a manifest as CDK hands them over: a JSON list."""
    try:
        objects = json.loads(str(manifest))
    except ValueError as error:
        raise Refused(f"the manifest is no JSON: {error}") from None
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        raise Refused("the manifest is no list of objects")
    return objects


def object_name(item: dict[str, Any]) -> tuple[str, str, str]:
    """Kind, namespace and name."""
    metadata = item.get("metadata", {})
    return str(item.get("kind", "")), str(metadata.get("namespace", "")), str(metadata.get("name", ""))


def _check_object(item: dict[str, Any], version: str) -> None:
    kind, _, name = object_name(item)
    if not (kind and name and item.get("apiVersion")):
        raise Refused(f"an object needs apiVersion, kind and metadata.name, got {json.dumps(item)[:120]}")
    try:
        kubernetes_validate.validate(item, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return
    except kubernetes_validate.ValidationError as error:
        place = ".".join(str(part) for part in error.path)
        raise Refused(f"{kind} {name}: {place}: {error.message}") from None
