"""What our handlers of EKS do, and refuse as AWS would."""

import json
from typing import Any

import pytest

from ops.emulator import Emulator

from .conftest import ACCOUNT, Deploy, Network, one


def test_an_unknown_addon(deploy: Deploy, cluster: str) -> None:
    stack = deploy(one("AWS::EKS::Addon", ClusterName=cluster, AddonName="metric-server"))
    assert "'metric-server' is no EKS add-on" in stack.reason


def test_an_addon_of_no_cluster(deploy: Deploy) -> None:
    stack = deploy(one("AWS::EKS::Addon", ClusterName="none", AddonName="metrics-server"))
    assert "EKS cluster 'none' does not exist" in stack.reason


def test_an_addon(deploy: Deploy, cluster: str, emulator: Emulator) -> None:
    deploy(one("AWS::EKS::Addon", ClusterName=cluster, AddonName="metrics-server"))
    assert emulator.client("eks").list_addons(clusterName=cluster)["addons"] == ["metrics-server"]


def test_an_access_entry_with_its_policy(deploy: Deploy, cluster: str, emulator: Emulator) -> None:
    principal = f"arn:aws:iam::{ACCOUNT}:role/administrator"
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    access = [{"PolicyArn": policy, "AccessScope": {"Type": "cluster"}}]
    deploy(one("AWS::EKS::AccessEntry", ClusterName=cluster, PrincipalArn=principal, AccessPolicies=access))
    answer = emulator.client("eks").list_associated_access_policies(clusterName=cluster, principalArn=principal)
    assert [item["policyArn"] for item in answer["associatedAccessPolicies"]] == [policy]


def test_a_pod_identity_without_role(deploy: Deploy, cluster: str) -> None:
    stack = deploy(
        one("AWS::EKS::PodIdentityAssociation", ClusterName=cluster, Namespace="apps", ServiceAccount="web",
             RoleArn=f"arn:aws:iam::{ACCOUNT}:role/none")
    )  # fmt: skip
    assert "role/none' does not exist" in stack.reason


def test_the_control_plane_has_interfaces_in_the_subnets(cluster: str, emulator: Emulator, here: Network) -> None:
    filters = [
        {"Name": "description", "Values": [f"Amazon EKS {cluster}"]},
        {"Name": "status", "Values": ["in-use"]},
    ]
    found = emulator.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert {interface["SubnetId"] for interface in found} == set(here.subnets)
    assert {interface["PrivateIpAddress"] for interface in found} == {"10.0.0.250", "10.0.1.250"}


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("no json", "the manifest is no JSON"),
        ([{"kind": "Namespace", "metadata": {"name": "a"}}], "an object needs apiVersion"),
        (
            [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}, "spce": {}}],
            "Namespace a: : Additional properties are not allowed ('spce' was unexpected)",
        ),
    ],
)
def test_a_manifest_that_no_api_server_takes(deploy: Deploy, cluster: str, manifest: Any, message: str) -> None:
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    stack = deploy(one("Custom::AWSCDK-EKS-KubernetesResource", ClusterName=cluster, Manifest=text))
    assert message in stack.reason


def test_an_object_that_another_manifest_applies(deploy: Deploy, cluster: str) -> None:
    text = json.dumps([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "twice"}}])
    resources = one("Custom::AWSCDK-EKS-KubernetesResource", ClusterName=cluster, Manifest=text)
    assert deploy(resources).status == "CREATE_COMPLETE"
    assert "is applied by another manifest of the cluster already" in deploy(resources).reason


def _cluster(here: Network, name: str, **more: Any) -> dict[str, Any]:
    role = f"arn:aws:iam::{ACCOUNT}:role/cluster"
    return one(
        "AWS::EKS::Cluster",
        **{"Name": name, "RoleArn": role, "ResourcesVpcConfig": {"SubnetIds": here.subnets}, "Version": "1.36", **more},
    )


def _told(emulator: Emulator, name: str) -> dict[str, Any]:
    cluster: dict[str, Any] = emulator.client("eks").describe_cluster(name=name)["cluster"]
    return cluster


def test_a_cluster_tells_what_it_was_made_with(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    network = {"ServiceIpv4Cidr": "172.20.0.0/16", "ElasticLoadBalancing": {"Enabled": "true"}}
    encryption = [{"Provider": {"KeyArn": here.key}, "Resources": ["secrets"]}]
    node_role = f"arn:aws:iam::{ACCOUNT}:role/nodes"
    compute = {"Enabled": True, "NodePools": ["system"], "NodeRoleArn": node_role}
    stack = deploy(
        _cluster(
            here, "complete", KubernetesNetworkConfig=network, EncryptionConfig=encryption, ComputeConfig=compute,
            StorageConfig={"BlockStorage": {"Enabled": True}},
        )
    )  # fmt: skip
    assert stack.status == "CREATE_COMPLETE", stack.reason
    found = _told(emulator, "complete")
    assert found["encryptionConfig"] == [{"provider": {"keyArn": here.key}, "resources": ["secrets"]}]
    assert found["computeConfig"] == {"enabled": True, "nodePools": ["system"], "nodeRoleArn": node_role}
    assert found["storageConfig"] == {"blockStorage": {"enabled": True}}
    assert found["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == "172.20.0.0/16"
    assert found["kubernetesNetworkConfig"]["elasticLoadBalancing"] == {"enabled": True}


def test_a_cluster_that_declares_little_has_the_defaults_of_eks(cluster: str, emulator: Emulator) -> None:
    found = _told(emulator, cluster)
    assert (found["upgradePolicy"], found["zonalShiftConfig"]) == ({"supportType": "EXTENDED"}, {"enabled": False})
    assert (found["encryptionConfig"], found["computeConfig"]) == ([], {"enabled": False})


def test_an_update_of_a_cluster_and_its_rollback_are_told(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    def settings(kind: str) -> dict[str, Any]:
        return _cluster(here, "changing", UpgradePolicy={"SupportType": kind}, ZonalShiftConfig={"Enabled": True})

    stack = deploy(settings("STANDARD"))
    assert _told(emulator, "changing")["upgradePolicy"] == {"supportType": "STANDARD"}
    refused = {
        "Type": "AWS::EKS::Addon", "DependsOn": "Thing",
        "Properties": {"ClusterName": "changing", "AddonName": "no-such-addon"},
    }  # fmt: skip
    assert stack.update({**settings("EXTENDED"), "Refused": refused}).status == "UPDATE_ROLLBACK_COMPLETE"
    assert _told(emulator, "changing")["upgradePolicy"] == {"supportType": "STANDARD"}
    assert stack.update(settings("EXTENDED")).status == "UPDATE_COMPLETE"
    assert _told(emulator, "changing")["upgradePolicy"] == {"supportType": "EXTENDED"}
    stack.update(_cluster(here, "changing"))
    assert _told(emulator, "changing")["zonalShiftConfig"] == {"enabled": False}
