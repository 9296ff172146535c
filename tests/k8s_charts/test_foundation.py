"""The ground of a cluster."""

import json
import os
from pathlib import Path
from typing import Any

import cdk8s
import jsonschema
import kubernetes_validate
import pytest
import yaml

from k8s_charts.foundation import FoundationChart

VERSION = "1.36"
BUILT_IN_GROUPS = ("v1", "networking.k8s.io/v1", "storage.k8s.io/v1")
NODE_CLASS_FIELDS = {
    "role",
    "subnetSelectorTerms",
    "securityGroupSelectorTerms",
    "snatPolicy",
    "networkPolicy",
    "networkPolicyEventLogs",
    "ephemeralStorage",
    "advancedNetworking",
    "certificateBundles",
    "tags",
}
"""Those that "Create a Node Class for Amazon EKS" documents; AWS publishes no schema."""


def render(**changes: Any) -> list[dict[str, Any]]:
    arguments: dict[str, Any] = {
        "namespaces": ["shop", "ledger"],
        "availability_zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
        "kubernetes_version": VERSION,
        "node_role_name": "node-role",
        "subnet_ids": ["subnet-1", "subnet-2", "subnet-3"],
        "security_group_id": "sg-1",
    }
    objects: list[dict[str, Any]] = FoundationChart(cdk8s.App(), "foundation", **{**arguments, **changes}).to_json()
    return objects


def pick(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    found = [manifest for manifest in objects if manifest["kind"] == kind]
    return {
        f"{entry['metadata'].get('namespace', '')}/{entry['metadata']['name']}".lstrip("/"): entry for entry in found
    }


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return render(volume_key_arn="arn:aws:kms:eu-west-1:111122223333:key/1")


@pytest.fixture(scope="module")
def custom_resource_definitions() -> Path:
    folder = os.environ.get("HA_CRDS")
    if not folder:
        pytest.skip("HA_CRDS names no folder of custom resource definitions: custom objects are NOT checked")
    return Path(folder)


def test_built_in_objects_are_strictly_valid(objects: list[dict[str, Any]]) -> None:
    built_in = [manifest for manifest in objects if manifest["apiVersion"] in BUILT_IN_GROUPS]
    assert len(built_in) == len(objects) - 2
    for manifest in built_in:
        kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_node_pool_fits_its_definition(objects: list[dict[str, Any]], custom_resource_definitions: Path) -> None:
    definition = yaml.safe_load((custom_resource_definitions / "nodepools.karpenter.sh.yaml").read_text())
    schema = next(
        version["schema"]["openAPIV3Schema"] for version in definition["spec"]["versions"] if version["name"] == "v1"
    )
    jsonschema.validate(pick(objects, "NodePool")["workloads"], closed(schema))


def closed(schema: Any) -> Any:
    """Refuse fields that the definition does not know, as strict server-side validation does."""
    if isinstance(schema, list):
        return [closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if "properties" in result and "additionalProperties" not in result and result.get("type") == "object":
        # A definition leaves the metadata of its objects open.
        result["additionalProperties"] = False
    return result


def test_node_class_has_documented_fields_only(objects: list[dict[str, Any]]) -> None:
    node_class = pick(objects, "NodeClass")["platform"]
    assert node_class["apiVersion"] == "eks.amazonaws.com/v1"
    assert set(node_class["spec"]) <= NODE_CLASS_FIELDS


def test_every_namespace_comes_before_its_content(objects: list[dict[str, Any]]) -> None:
    seen = {"kube-system"}
    for manifest in objects:
        if manifest["kind"] == "Namespace":
            seen.add(manifest["metadata"]["name"])
        namespace = manifest["metadata"].get("namespace")
        assert namespace is None or namespace in seen


def test_pods_of_every_namespace_are_restricted_at_a_pinned_version(objects: list[dict[str, Any]]) -> None:
    namespaces = pick(objects, "Namespace")
    assert set(namespaces) == {"shop", "ledger"}
    for namespace in namespaces.values():
        labels = namespace["metadata"]["labels"]
        for mode in ("enforce", "warn", "audit"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
            assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.36"


def test_nothing_flows_by_default_but_name_resolution(objects: list[dict[str, Any]]) -> None:
    policies = pick(objects, "NetworkPolicy")
    assert set(policies) == {
        f"{name}/{policy}" for name in ("shop", "ledger") for policy in ("default-deny", "allow-dns")
    }
    assert policies["shop/default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    rule = policies["shop/allow-dns"]["spec"]["egress"]
    assert rule == [
        {
            "to": [{"ipBlock": {"cidr": "172.20.0.10/32"}}],
            "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        }
    ]


def test_name_resolution_follows_the_service_network() -> None:
    policies = pick(render(service_cidr="10.100.0.0/16"), "NetworkPolicy")
    assert policies["shop/allow-dns"]["spec"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "10.100.0.10/32"}}]


def test_network_policies_are_enforced(objects: list[dict[str, Any]]) -> None:
    settings = pick(objects, "ConfigMap")["kube-system/amazon-vpc-cni"]
    assert settings["data"] == {"enable-network-policy-controller": "true"}


@pytest.mark.parametrize(("protected", "default"), [(True, "gp3-retain"), (False, "gp3")])
def test_one_storage_class_is_the_default(protected: bool, default: str) -> None:
    classes = pick(render(deletion_protection=protected), "StorageClass")
    annotation = "storageclass.kubernetes.io/is-default-class"
    assert [name for name, entry in classes.items() if entry["metadata"]["annotations"][annotation] == "true"] == [
        default
    ]


def test_volumes_are_encrypted_with_the_key_and_made_where_the_pod_lands(objects: list[dict[str, Any]]) -> None:
    classes = pick(objects, "StorageClass")
    assert {name: entry["reclaimPolicy"] for name, entry in classes.items()} == {
        "gp3-retain": "Retain",
        "gp3": "Delete",
    }
    for entry in classes.values():
        assert entry["provisioner"] == "ebs.csi.eks.amazonaws.com"
        assert entry["volumeBindingMode"] == "WaitForFirstConsumer"
        assert entry["parameters"] == {
            "type": "gp3",
            "encrypted": "true",
            "kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1",
        }


def test_volumes_are_encrypted_without_a_key_of_ours_too() -> None:
    assert pick(render(), "StorageClass")["gp3"]["parameters"] == {"type": "gp3", "encrypted": "true"}
    assert "kmsKeyID" not in pick(render(), "NodeClass")["platform"]["spec"]["ephemeralStorage"]


def test_nodes_join_with_the_clusters_role_network_and_key(objects: list[dict[str, Any]]) -> None:
    spec = pick(objects, "NodeClass")["platform"]["spec"]
    assert spec["role"] == "node-role"
    assert spec["subnetSelectorTerms"] == [{"id": "subnet-1"}, {"id": "subnet-2"}, {"id": "subnet-3"}]
    assert spec["securityGroupSelectorTerms"] == [{"id": "sg-1"}]
    assert spec["ephemeralStorage"]["kmsKeyID"].startswith("arn:aws:kms")


def test_nodes_span_all_zones_and_are_renewed_within_a_budget(objects: list[dict[str, Any]]) -> None:
    spec = pick(objects, "NodePool")["workloads"]["spec"]
    template = spec["template"]["spec"]
    requirements = {entry["key"]: entry["values"] for entry in template["requirements"]}
    assert requirements["topology.kubernetes.io/zone"] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert requirements["karpenter.sh/capacity-type"] == ["on-demand"]
    assert template["nodeClassRef"] == {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "platform"}
    assert template["expireAfter"] == "336h"
    assert spec["disruption"]["budgets"] == [{"nodes": "10%"}]
    assert spec["limits"] == {"cpu": "256", "memory": "1024Gi"}


def test_many_namespaces_still_fit_into_one_manifest() -> None:
    objects = render(namespaces=[f"team-{number}" for number in range(50)])
    assert len(json.dumps(objects)) < 200 * 1024


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"namespaces": ["kube-system"]}, "belongs to Kubernetes"),
        ({"namespaces": ["Shop"]}, "lower case"),
        ({"namespaces": ["shop", "shop"]}, "twice"),
        ({"availability_zones": ["eu-west-1a"]}, "must span two"),
        ({"kubernetes_version": "v1.36"}, "as in 1.36"),
        ({"cpu_limit": 0}, "no node is ever made"),
        ({"node_disk_gib": 5}, "20 or more"),
        ({"node_lifetime_hours": 505}, "1 to 504"),
        ({"node_lifetime_hours": 500, "node_drain_hours": 5}, "at most 504"),
    ],
)
def test_wrong_argument_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render(**change)
