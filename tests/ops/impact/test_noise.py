"""What means nothing is no change."""

from typing import Any

import pytest

from ops.impact.compare import compare
from ops.impact.templates import Template
from tests.ops.impact.conftest import PRIMARY, Edit, Impacts, Planted, at_path


def _new_code(planted: Planted) -> None:
    planted.properties(f"{PRIMARY}/ApiServerEndpoint/Reconcile")["Code"]["S3Key"] = f"{'0' * 64}.zip"


def _new_layer(planted: Planted) -> None:
    planted.properties(f"{PRIMARY}/Cluster/KubectlLayer")["Content"]["S3Key"] = f"{'1' * 64}.zip"


def _metadata(planted: Planted) -> None:
    for template in planted.templates:
        for body in template.resources.values():
            body.setdefault("Metadata", {})["aws:asset:path"] = "asset.x"
        template.body["Resources"]["CDKMetadata"] = {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2"}}
        template.body["Description"] = "something else"


def _order_of_sets(planted: Planted) -> None:
    planted.properties(f"{PRIMARY}/Network/Vpc")["Tags"].reverse()
    planted.properties(f"{PRIMARY}/Web/LoadBalancer")["Subnets"].reverse()
    planted.properties(f"{PRIMARY}/Web/LoadBalancer")["LoadBalancerAttributes"].reverse()
    policy = planted.properties(f"{PRIMARY}/Keys/Cluster")["KeyPolicy"]
    policy["Statement"].reverse()
    policy["Statement"][0]["Action"].reverse()


def _form_of_scalars(planted: Planted) -> None:
    planted.properties(f"{PRIMARY}/Database/Instance").update(MaxAllocatedStorage="1000", MultiAZ="true")


def _spelling_of_references(planted: Planted) -> None:
    key = planted.logical_id(f"{PRIMARY}/Keys/Database")
    planted.properties(f"{PRIMARY}/Database/Instance")["KmsKeyId"] = {"Fn::Join": ["", [{"Fn::GetAtt": [key, "Arn"]}]]}


def _whitespace_of_json(planted: Planted) -> None:
    planted.manifest(lambda objects: objects.reverse())
    addon = planted.properties(f"{PRIMARY}/Cluster/MetricsServer")
    addon["ConfigurationValues"] = addon["ConfigurationValues"].replace(" ", "")


@pytest.mark.parametrize(
    "edit",
    [_metadata, _order_of_sets, _form_of_scalars, _spelling_of_references, _whitespace_of_json],
    ids=lambda edit: edit.__name__.strip("_"),
)
def test_noise_is_no_change(impact_of: Impacts, edit: Edit) -> None:
    impact = impact_of(edit)
    assert list(impact.changes) == []
    assert list(impact.code_changed) == []


def test_same_assembly_has_no_impact(reference: list[Template]) -> None:
    impact = compare(reference, reference, base_name="before", head_name="after")
    assert (list(impact.changes), list(impact.code_changed), impact.counts()) == ([], [], {})


@pytest.mark.parametrize(
    ("edit", "path"),
    [(_new_code, f"{PRIMARY}/ApiServerEndpoint/Reconcile"), (_new_layer, f"{PRIMARY}/Cluster/KubectlLayer")],
)
def test_new_code_is_told_once_and_is_no_change(impact_of: Impacts, edit: Edit, path: str) -> None:
    impact = impact_of(edit)
    assert list(impact.changes) == []
    assert list(impact.code_changed) == [path]


def test_image_digest_is_no_noise(impact_of: Impacts) -> None:
    def image(digest: str) -> Edit:
        def edit(planted: Planted) -> None:
            planted.manifest(
                lambda objects: objects.append(
                    {
                        "apiVersion": "apps/v1",
                        "kind": "DaemonSet",
                        "metadata": {"name": "agent", "namespace": "workloads"},
                        "spec": {"template": {"spec": {"containers": [{"name": "a", "image": f"a@sha256:{digest}"}]}}},
                    }
                )
            )

        return edit

    def replaced(planted: Planted) -> None:
        def edit(objects: list[dict[str, Any]]) -> None:
            objects[-1]["spec"]["template"]["spec"]["containers"][0]["image"] = f"a@sha256:{'b' * 64}"

        planted.manifest(edit)

    impact = impact_of(replaced, image("a" * 64))
    assert at_path(impact, f"{PRIMARY}/Cluster/Foundation/DaemonSet/workloads/agent").effect == "rollout"


def test_order_that_means_something_is_a_change(impact_of: Impacts) -> None:
    def edit(planted: Planted) -> None:
        planted.properties(f"{PRIMARY}/Cluster/Cluster/KubectlProvider/Handler")["Layers"].reverse()

    impact = impact_of(edit)
    assert [change.path for change in impact.changes] == [f"{PRIMARY}/Cluster/Cluster/KubectlProvider/Handler"]


def test_paths_name_one_resource_each(reference: list[Template]) -> None:
    for template in reference:
        paths = [template.path_of(key) for key in template.resources]
        assert len(paths) == len(set(paths))
