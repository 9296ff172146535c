"""Manifests and Helm releases are compared object by object and value by value."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ops.impact.changes import Effect
from tests.ops.impact.conftest import PRIMARY, Edit, Impacts, Planted, at_path

FOUNDATION = f"{PRIMARY}/Cluster/Foundation"


def _with(*objects: dict[str, Any]) -> Edit:
    def ground(planted: Planted) -> None:
        planted.manifest(lambda existing: existing.extend(json.loads(json.dumps(objects))))

    return ground


def _last(edit: Callable[[dict[str, Any]], None]) -> Edit:
    return lambda planted: planted.manifest(lambda objects: edit(objects[-1]))


def _workload(kind: str, **spec: object) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "x"}, "spec": {"template": template, **spec}}


def _new_image(body: dict[str, Any]) -> None:
    body["spec"]["template"]["spec"]["containers"][1]["image"] = "b:2"


@pytest.mark.parametrize(
    ("body", "effect"),
    [
        (_workload("Deployment"), Effect.ROLLOUT),
        (_workload("StatefulSet"), Effect.ROLLOUT),
        (_workload("Deployment", strategy={"type": "Recreate"}), Effect.INTERRUPTION),
        (_workload("DaemonSet", updateStrategy={"type": "OnDelete"}), Effect.UPDATE),
    ],
)
def test_new_pod_template_rolls_as_the_strategy_says(impact_of: Impacts, body: dict[str, Any], effect: Effect) -> None:
    impact = impact_of(_last(_new_image), _with(body))
    change = at_path(impact, f"{FOUNDATION}/{body['kind']}/x")
    assert change.effect is effect
    assert [(detail.path, detail.before, detail.after) for detail in change.details] == [
        ("spec.template.spec.containers[b].image", "b:1", "b:2")
    ]


def test_immutable_field_is_told_to_fail(impact_of: Impacts) -> None:
    body = _workload("StatefulSet", serviceName="x")
    impact = impact_of(_last(lambda each: each["spec"].update(serviceName="y")), _with(body))
    notes = at_path(impact, f"{FOUNDATION}/StatefulSet/x").notes
    assert any(note.startswith("refused:") and "spec.serviceName" in note for note in notes)


def test_added_object_is_a_creation(impact_of: Impacts) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "workloads"}}
    change = at_path(impact_of(_with(config)), f"{FOUNDATION}/ConfigMap/workloads/x")
    assert (change.effect, change.type) == (Effect.CREATION, "v1 ConfigMap")


def test_pruned_policy_opens_traffic(impact_of: Impacts) -> None:
    def prune(planted: Planted) -> None:
        planted.properties(FOUNDATION)["PruneLabel"] = "aws.cdk.eks/prune-c8"
        planted.manifest(
            lambda objects: objects.remove(next(each for each in objects if each["kind"] == "NetworkPolicy"))
        )

    change = at_path(impact_of(prune), f"{FOUNDATION}/NetworkPolicy/workloads/default-deny")
    assert change.classes == (Effect.DELETION, Effect.BROADENING)
    assert not change.needs_approval


def test_prune_label_alone_is_noise(impact_of: Impacts) -> None:
    def label(planted: Planted) -> None:
        planted.manifest(lambda objects: objects[0]["metadata"].update(labels={"aws.cdk.eks/prune-c8": ""}))

    assert list(impact_of(label).changes) == []


def test_reference_within_a_manifest_is_followed(impact_of: Impacts) -> None:
    """The cluster's key is replaced: the storage class that names it can't follow."""

    def retype(planted: Planted) -> None:
        planted.resource(f"{PRIMARY}/Keys/Cluster")["Type"] = "AWS::KMS::ReplicaKey"

    change = at_path(impact_of(retype), f"{FOUNDATION}/StorageClass/gp3")
    assert change.details[0].path == "parameters.kmsKeyId"
    assert any("refused:" in note for note in change.notes)


def test_manifest_that_cannot_be_read_is_compared_as_text(impact_of: Impacts) -> None:
    def broken(planted: Planted) -> None:
        planted.properties(FOUNDATION)["Manifest"] = "not JSON"

    change = at_path(impact_of(broken), FOUNDATION)
    assert change.details[0].path == "Manifest"


def test_removed_manifest_names_what_goes_with_it(impact_of: Impacts) -> None:
    change = at_path(impact_of(lambda planted: planted.remove(FOUNDATION)), FOUNDATION)
    assert change.effect is Effect.DELETION
    assert "`kubectl delete` takes Namespace/workloads with it" in change.notes


def _helm(version: str, values: dict[str, Any]) -> Edit:
    def ground(planted: Planted) -> None:
        key = {"Fn::GetAtt": [planted.logical_id(f"{PRIMARY}/Keys/Cluster"), "Arn"]}
        text = json.dumps({**values, "key": "KEY", "count": 0}).replace('"count": 0', '"count": COUNT').split("KEY")
        head, tail = text[0], text[1].split("COUNT")
        planted.template(PRIMARY).body["Resources"]["Chart"] = {
            "Type": "Custom::AWSCDK-EKS-HelmChart",
            "Properties": {
                "ServiceToken": "arn",
                "Release": "argo",
                "Version": version,
                "Values": {"Fn::Join": ["", [head, key, tail[0], {"Ref": "Count"}, tail[1]]]},
            },
            "Metadata": {"aws:cdk:path": f"{PRIMARY}/Cluster/Chart/Resource"},
        }

    return ground


def test_helm_values_are_compared_as_a_structure(impact_of: Impacts) -> None:
    before, after = {"server": {"replicas": 2, "ha": True}}, {"server": {"replicas": 3, "ha": True}}
    change = at_path(impact_of(_helm("1.0", after), _helm("1.0", before)), f"{PRIMARY}/Cluster/Chart")
    assert [(detail.path, detail.before, detail.after) for detail in change.details] == [
        ("Values.server.replicas", 2, 3)
    ]
    assert change.effect is Effect.ROLLOUT
    assert any("helm template" in note for note in change.notes)


def test_json_in_any_string_is_compared_as_a_structure(impact_of: Impacts) -> None:
    def addon(planted: Planted) -> None:
        properties = planted.properties(f"{PRIMARY}/Cluster/MetricsServer")
        properties["ConfigurationValues"] = json.dumps({"replicas": 3, **json.loads(properties["ConfigurationValues"])})

    change = at_path(impact_of(addon), f"{PRIMARY}/Cluster/MetricsServer")
    assert [detail.path for detail in change.details] == ["ConfigurationValues.replicas"]
