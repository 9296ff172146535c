"""Compares what CloudFormation applies to clusters, object by object: manifests and Helm releases.

The CDK hands a manifest to its kubectl handler as one JSON string. The handler runs `kubectl apply`, with `--prune`
where the resource has a prune label, and `kubectl delete` when the resource leaves the stack. Rollouts:
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#updating-a-deployment
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.impact.changes import Change, Consequence, Detail, Effect, Finding
from ops.impact.values import MISSING, Difference, differences

MANIFEST_TYPE = "Custom::AWSCDK-EKS-KubernetesResource"
HELM_TYPE = "Custom::AWSCDK-EKS-HelmChart"
_PRUNE_LABEL = "aws.cdk.eks/prune-"
_ROLLING = ("Deployment", "StatefulSet", "DaemonSet")
_NODES = ("NodePool", "NodeClass", "EC2NodeClass")
_HOLDERS = {
    "Namespace": "everything in it",
    "PersistentVolumeClaim": "the volume, where its class deletes it",
    "PersistentVolume": "the volume, where its class deletes it",
    "CustomResourceDefinition": "every object of its kind",
    "StatefulSet": "its pods; their volumes follow the claims' retention policy",
}
_IMMUTABLE = {
    "Deployment": (("spec", "selector"),),
    "DaemonSet": (("spec", "selector"),),
    "StatefulSet": (("spec", "selector"), ("spec", "serviceName"), ("spec", "volumeClaimTemplates")),
    "Job": (("spec", "template"), ("spec", "selector"), ("spec", "completions")),
    "StorageClass": (("parameters",), ("provisioner",), ("reclaimPolicy",), ("volumeBindingMode",)),
    "PersistentVolumeClaim": (("spec", "storageClassName"), ("spec", "accessModes"), ("spec", "volumeName")),
    "RoleBinding": (("roleRef",),),
    "ClusterRoleBinding": (("roleRef",),),
}
_KUBERNETES = "https://kubernetes.io/docs"
_ROLLOUT = f"{_KUBERNETES}/concepts/workloads/controllers/deployment/#updating-a-deployment"
_PRUNING = f"{_KUBERNETES}/tasks/manage-kubernetes-objects/declarative-config/"
_DRIFT = "https://karpenter.sh/docs/concepts/disruption/#drift"

Objects = dict[str, dict[str, Any]]


def objects_of(properties: Mapping[str, Any]) -> Objects | None:
    """Return a manifest's objects by ``kind/namespace/name``; None where the manifest can't be read as objects.

    Arguments:
        properties: the plain properties of the resource.
    """
    manifest = properties.get("Manifest")
    items = manifest if isinstance(manifest, list) else [manifest]
    found: Objects = {}
    for item in items:
        if not isinstance(item, dict) or "kind" not in item:
            return None
        metadata = item.get("metadata", {})
        key = "/".join(
            str(part)
            for part in (item["kind"], metadata.get("namespace"), metadata.get("name", ""))
            if part is not None
        )
        found[key] = _without_prune_label(item)
    return found


def compare_objects(place: Change, before: Mapping[str, Any], after: Mapping[str, Any]) -> Sequence[Change] | None:
    """Return a change for every object that a manifest adds, removes or changes.

    Arguments:
        place: the manifest's own resource: stack, region, path and logical id are taken from it.
        before: its plain properties of before.
        after: the same of after.

    Returns None where either can't be read as objects.
    """
    old, new = objects_of(before), objects_of(after)
    if old is None or new is None:
        return None
    prunes = "PruneLabel" in after
    changes = []
    for key in sorted({*old, *new}):
        if key not in new:
            changes.append(_removed(place, key, old[key], prunes=prunes))
        elif key not in old:
            changes.append(_of(place, key, new[key], effect=Effect.CREATION))
        elif found := list(differences(old[key], new[key])):
            changes.append(_changed(place, key, new[key], found))
    return changes


def helm_notes(details: Sequence[Detail]) -> list[str]:
    """Return what a changed Helm release means; offline nobody renders the chart."""
    if any(detail.path.split(".")[0] in ("Version", "Chart", "ChartAssetURL", "Values") for detail in details):
        return ["workloads whose rendered pod template differs roll: `helm template` with both versions shows which"]
    return []


def _of(place: Change, key: str, body: Mapping[str, Any], *, effect: Effect, **more: Any) -> Change:
    return Change(
        stack=place.stack,
        region=place.region,
        path=f"{place.path}/{key}",
        logical_id=place.logical_id,
        type=f"{body.get('apiVersion', '')} {body['kind']}".strip(),
        effect=effect,
        **more,
    )


def _removed(place: Change, key: str, body: Mapping[str, Any], *, prunes: bool) -> Change:
    if not prunes:
        note = "its manifest is applied without pruning: `kubectl delete` it by hand, or keep it on purpose"
        return _of(place, key, body, effect=Effect.ORPHANED, notes=[note])
    kind = str(body["kind"])
    findings = []
    if kind == "NetworkPolicy":
        findings = [Finding(effect=Effect.BROADENING, message="traffic that it stopped may flow")]
    return _of(
        place,
        key,
        body,
        effect=Effect.DELETION,
        findings=findings,
        holds="cluster content" if kind in _HOLDERS else "",
        consequence=Consequence(
            stops="what it did in the cluster, at once: `kubectl apply --prune` deletes it",
            duration="until it is applied again",
            source=_PRUNING,
            data=f"LOST: {_HOLDERS[kind]}" if kind in _HOLDERS else "",
            window="none: it happens during the deployment",
        ),
    )


def _changed(place: Change, key: str, body: Mapping[str, Any], found: Sequence[Difference]) -> Change:
    kind = str(body["kind"])
    effect, consequence = _effect_of(kind, body, found)
    refused = sorted({".".join(path) for path in _IMMUTABLE.get(kind, ()) if _touches(found, path)})
    notes = [f"refused: the API server does not change {path} of a {kind}; the deployment fails" for path in refused]
    if kind in ("ConfigMap", "Secret"):
        notes.append("pods that read it as variables see it only when they restart")
    return _of(
        place,
        key,
        body,
        effect=effect,
        consequence=consequence,
        notes=notes,
        details=[to_detail(difference, effect=effect) for difference in found],
    )


def _effect_of(kind: str, body: Mapping[str, Any], found: Sequence[Difference]) -> tuple[Effect, Consequence | None]:
    spec = body.get("spec") or {}
    if kind in _ROLLING and _touches(found, ("spec", "template")):
        strategy = (spec.get("strategy") or spec.get("updateStrategy") or {}).get("type", "RollingUpdate")
        if strategy == "Recreate":
            return Effect.INTERRUPTION, _kubernetes("the workload: all its pods stop before new ones start", _ROLLOUT)
        if strategy == "OnDelete":
            return Effect.UPDATE, None
        return Effect.ROLLOUT, _kubernetes("nothing while enough pods are ready: they are replaced in turn", _ROLLOUT)
    if (kind == "NodePool" and _touches(found, ("spec", "template"))) or (kind in _NODES and kind != "NodePool"):
        stops = "nothing while the disruption budgets hold: nodes that differ are drained and replaced in turn"
        return Effect.ROLLOUT, _kubernetes(stops, _DRIFT)
    return Effect.UPDATE, None


def _kubernetes(stops: str, source: str) -> Consequence:
    duration = "as long as the new pods take to become ready; nobody publishes a figure"
    return Consequence(stops=stops, duration=duration, source=source, window="none: it follows the deployment")


def _touches(found: Sequence[Difference], path: tuple[str, ...]) -> bool:
    return any(
        difference.path[: len(path)] == path or path[: len(difference.path)] == difference.path for difference in found
    )


def to_detail(difference: Difference, *, effect: Effect = Effect.UPDATE, cause: str = "") -> Detail:
    """Return a difference as the report shows it."""
    return Detail(
        path=path_text(difference.path),
        before=None if difference.before is MISSING else difference.before,
        after=None if difference.after is MISSING else difference.after,
        effect=effect,
        cause=cause,
    )


def path_text(path: Sequence[str]) -> str:
    """Return a path as people write it: dots between names, none before a list's brackets."""
    text = ""
    for part in path:
        text += part if part.startswith("[") or not text else f".{part}"
    return text


def removed_objects(properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a manifest's deletion deletes from the cluster."""
    yield from sorted(objects_of(properties) or ())


def _without_prune_label(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = dict(item.get("metadata", {}))
    labels = {
        key: value for key, value in (metadata.pop("labels", None) or {}).items() if not key.startswith(_PRUNE_LABEL)
    }
    return {**item, "metadata": {**metadata, **({"labels": labels} if labels else {})}}
