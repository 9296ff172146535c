"""The EKS cluster."""

import json
from typing import Any

import aws_cdk as cdk
import cdk8s
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.cluster import MAXIMUM_MANIFEST_BYTES, KubernetesCluster

ADMINISTRATOR = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Platform_0123"


def make_stack() -> tuple[cdk.Stack, dict[str, Any]]:
    stack = cdk.Stack(cdk.App(), "test", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    vpc = ec2.Vpc(stack, "Vpc", availability_zones=["eu-west-1a", "eu-west-1b", "eu-west-1c"])
    key = kms.Key(stack, "Key")
    return stack, {
        "cluster_name": "test-eu-west-1",
        "vpc": vpc,
        "encryption_key": key,
        "administrator_role_arns": [ADMINISTRATOR],
    }


def chart_of(name: str, data: dict[str, str] | None = None) -> cdk8s.Chart:
    chart = cdk8s.Chart(cdk8s.App(), name)
    settings = cdk8s.ApiObject(
        chart, "Settings", api_version="v1", kind="ConfigMap", metadata=cdk8s.ApiObjectMetadata(name="settings")
    )
    settings.add_json_patch(cdk8s.JsonPatch.add("/data", data or {}))
    return chart


@pytest.fixture(scope="module")
def template() -> Template:
    stack, arguments = make_stack()
    cluster = KubernetesCluster(stack, "Cluster", **arguments, logs_key=kms.Key(stack, "LogsKey"))
    cluster.add_chart("Chart", chart_of("chart"))
    principal = cluster.pod_identity_principal(namespace="shop", service_account="web")
    role = iam.Role(stack, "PodRole", assumed_by=principal)
    cluster.add_pod_identity("PodIdentity", namespace="shop", service_account="web", role=role)
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def unprotected() -> Template:
    stack, arguments = make_stack()
    cluster = KubernetesCluster(
        stack, "Cluster", **arguments, deletion_protection=False, public_access_cidrs=["198.51.100.0/24"]
    )
    cluster.add_chart("Chart", chart_of("chart"))
    return Template.from_stack(stack)


def properties_of(template: Template, resource_type: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in template.find_resources(resource_type).values()]


def test_endpoint_is_private_by_default(template: Template) -> None:
    access = properties_of(template, "AWS::EKS::Cluster")[0]["ResourcesVpcConfig"]
    assert (access["EndpointPrivateAccess"], access["EndpointPublicAccess"]) == (True, False)
    assert "PublicAccessCidrs" not in access


def test_control_plane_uses_the_three_private_subnets(template: Template) -> None:
    subnets = properties_of(template, "AWS::EKS::Cluster")[0]["ResourcesVpcConfig"]["SubnetIds"]
    assert len(subnets) == 3
    assert all("PrivateSubnet" in subnet["Ref"] for subnet in subnets)


def test_public_access_is_limited_to_the_given_networks(unprotected: Template) -> None:
    access = properties_of(unprotected, "AWS::EKS::Cluster")[0]["ResourcesVpcConfig"]
    assert access["EndpointPublicAccess"] and access["EndpointPrivateAccess"]
    assert access["PublicAccessCidrs"] == ["198.51.100.0/24"]


def test_secrets_are_encrypted_with_the_given_key(template: Template) -> None:
    template.has_resource_properties(
        "AWS::EKS::Cluster",
        {
            "EncryptionConfig": [
                {"Resources": ["secrets"], "Provider": {"KeyArn": {"Fn::GetAtt": ["Key961B73FD", "Arn"]}}}
            ]
        },
    )


def test_every_control_plane_log_goes_to_a_kept_and_encrypted_group(template: Template) -> None:
    enabled = properties_of(template, "AWS::EKS::Cluster")[0]["Logging"]["ClusterLogging"]["EnabledTypes"]
    assert {log["Type"] for log in enabled} == {"api", "audit", "authenticator", "controllerManager", "scheduler"}
    template.has_resource(
        "AWS::Logs::LogGroup",
        {
            "DeletionPolicy": "Retain",
            "Properties": {
                "LogGroupName": "/aws/eks/test-eu-west-1/cluster",
                "RetentionInDays": 90,
                "KmsKeyId": Match.any_value(),
            },
        },
    )


def test_log_group_exists_before_the_cluster_writes_to_it(template: Template) -> None:
    cluster = next(iter(template.find_resources("AWS::EKS::Cluster").values()))
    assert any(name.startswith("ClusterControlPlaneLogs") for name in cluster["DependsOn"])


def test_auto_mode_brings_compute_storage_and_load_balancing(template: Template) -> None:
    cluster = properties_of(template, "AWS::EKS::Cluster")[0]
    assert cluster["ComputeConfig"]["Enabled"]
    assert cluster["ComputeConfig"]["NodePools"] == ["system"]
    assert cluster["ComputeConfig"]["NodeRoleArn"]["Fn::GetAtt"][0].startswith("ClusterNodeRole")
    assert cluster["StorageConfig"]["BlockStorage"]["Enabled"]
    assert cluster["KubernetesNetworkConfig"]["ElasticLoadBalancing"]["Enabled"]
    assert cluster["BootstrapSelfManagedAddons"] is False


def test_service_addresses_lie_outside_the_vpcs(template: Template) -> None:
    assert (
        properties_of(template, "AWS::EKS::Cluster")[0]["KubernetesNetworkConfig"]["ServiceIpv4Cidr"] == "172.20.0.0/16"
    )


def test_protection_zonal_shift_and_standard_upgrades_are_on(template: Template) -> None:
    template.has_resource_properties(
        "AWS::EKS::Cluster",
        {
            "DeletionProtection": True,
            "ZonalShiftConfig": {"Enabled": True},
            "UpgradePolicy": {"SupportType": "STANDARD"},
        },
    )


def test_whoever_deploys_gets_no_standing_access(template: Template) -> None:
    template.has_resource_properties(
        "AWS::EKS::Cluster",
        {"AccessConfig": {"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": False}},
    )


def test_administrators_and_the_kubectl_function_have_access_entries_and_nobody_else(template: Template) -> None:
    entries = properties_of(template, "AWS::EKS::AccessEntry")
    principals = {json.dumps(entry["PrincipalArn"]) for entry in entries}
    assert len(entries) == 2
    assert json.dumps(ADMINISTRATOR) in principals
    assert any("ClusterKubectlRole" in principal for principal in principals)
    assert all("AmazonEKSClusterAdminPolicy" in json.dumps(entry["AccessPolicies"]) for entry in entries)


def test_reordered_administrators_change_no_access_entry() -> None:
    roles = [f"arn:aws:iam::111122223333:role/{name}" for name in ("first", "second")]

    def entries(order: list[str]) -> dict[str, Any]:
        stack, arguments = make_stack()
        KubernetesCluster(stack, "Cluster", **{**arguments, "administrator_role_arns": order})
        return dict(Template.from_stack(stack).find_resources("AWS::EKS::AccessEntry"))

    assert entries(roles) == entries(roles[::-1])


def test_kubectl_role_may_only_describe_its_own_cluster(template: Template) -> None:
    role = next(
        resource["Properties"]
        for name, resource in template.find_resources("AWS::IAM::Role").items()
        if name.startswith("ClusterKubectlRole")
    )
    statements = [entry["PolicyDocument"]["Statement"] for entry in role["Policies"]]
    assert [[statement["Action"] for statement in group] for group in statements] == [["eks:DescribeCluster"]]
    assert "cluster/test-eu-west-1" in json.dumps(statements)
    assert len(role["ManagedPolicyArns"]) == 1


def test_cluster_role_may_use_the_key_for_volumes_and_grant_it_to_aws_only(template: Template) -> None:
    statements = [
        statement
        for policy in properties_of(template, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    grants = [statement for statement in statements if "kms:CreateGrant" in statement["Action"]]
    assert [grant["Condition"] for grant in grants] == [{"Bool": {"kms:GrantIsForAWSResource": "true"}}]
    assert any("kms:GenerateDataKeyWithoutPlaintext" in statement["Action"] for statement in statements)


def test_kubectl_function_runs_in_the_private_subnets_with_the_clusters_security_group(template: Template) -> None:
    functions = [
        properties for properties in properties_of(template, "AWS::Lambda::Function") if "VpcConfig" in properties
    ]
    assert functions
    for function in functions:
        assert all("PrivateSubnet" in subnet["Ref"] for subnet in function["VpcConfig"]["SubnetIds"])
        assert "ClusterSecurityGroupId" in json.dumps(function["VpcConfig"]["SecurityGroupIds"])


@pytest.mark.parametrize(("version", "release"), [("1.35", "kubectl 1.35"), ("1.36", "kubectl 1.36")])
def test_kubectl_fits_the_clusters_version(version: str, release: str) -> None:
    stack, arguments = make_stack()
    KubernetesCluster(stack, "Cluster", **arguments, version=version)
    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::EKS::Cluster", {"Version": version})
    descriptions = [layer.get("Description", "") for layer in properties_of(template, "AWS::Lambda::LayerVersion")]
    assert any(release in description for description in descriptions)


def test_metrics_server_fits_on_the_system_nodes(template: Template) -> None:
    addon = properties_of(template, "AWS::EKS::Addon")[0]
    assert addon["AddonName"] == "metrics-server"
    assert json.loads(addon["ConfigurationValues"])["tolerations"][0]["key"] == "CriticalAddonsOnly"
    assert "AddonVersion" not in addon


def test_pod_identity_trusts_one_service_account_of_one_cluster(template: Template) -> None:
    template.has_resource_properties(
        "AWS::EKS::PodIdentityAssociation", {"Namespace": "shop", "ServiceAccount": "web", "RoleArn": Match.any_value()}
    )
    template.has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Action": ["sts:AssumeRole", "sts:TagSession"],
                                "Principal": {"Service": "pods.eks.amazonaws.com"},
                                "Condition": {
                                    "StringEquals": {
                                        "aws:RequestTag/eks-cluster-name": "test-eu-west-1",
                                        "aws:RequestTag/kubernetes-namespace": "shop",
                                        "aws:RequestTag/kubernetes-service-account": "web",
                                    }
                                },
                            }
                        )
                    ]
                )
            }
        },
    )


def test_chart_is_one_resource_that_adopts_and_never_prunes(template: Template) -> None:
    manifest = properties_of(template, "Custom::AWSCDK-EKS-KubernetesResource")
    assert len(manifest) == 1
    assert manifest[0]["Overwrite"] is True
    assert "PruneLabel" not in manifest[0]
    assert json.loads(manifest[0]["Manifest"])[0]["kind"] == "ConfigMap"


def test_protected_cluster_is_not_emptied_by_the_stacks_deletion(template: Template, unprotected: Template) -> None:
    kind = "Custom::AWSCDK-EKS-KubernetesResource"
    template.has_resource(kind, {"DeletionPolicy": "Retain"})
    unprotected.has_resource(kind, {"DeletionPolicy": "Delete"})


def test_unprotected_cluster_leaves_nothing_behind(unprotected: Template) -> None:
    unprotected.has_resource_properties("AWS::EKS::Cluster", {"DeletionProtection": False})
    unprotected.has_resource(
        "AWS::Logs::LogGroup",
        {"DeletionPolicy": "Delete", "Properties": {"LogGroupName": "/aws/eks/test-eu-west-1/cluster"}},
    )


def test_no_condition_is_left_over(template: Template) -> None:
    assert "Conditions" not in template.to_json()


def test_oversized_chart_is_refused() -> None:
    stack, arguments = make_stack()
    cluster = KubernetesCluster(stack, "Cluster", **arguments)
    with pytest.raises(ValueError, match="split it into several charts"):
        cluster.add_chart("Chart", chart_of("large", {"key": "x" * MAXIMUM_MANIFEST_BYTES}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "1.34"}, r"use one of 1\.35, 1\.36"),
        ({"cluster_name": "-bad"}, "1 to 100 letters"),
        ({"administrator_role_arns": ["arn:aws:sts::111122223333:assumed-role/a/b"]}, "must be the ARN of an IAM role"),
        ({"administrator_role_arns": [ADMINISTRATOR, ADMINISTRATOR]}, "names a role twice"),
        ({"public_access_cidrs": ["0.0.0.0/0"]}, "the whole internet"),
    ],
)
def test_wrong_argument_is_refused(change: dict[str, Any], message: str) -> None:
    stack, arguments = make_stack()
    with pytest.raises(ValueError, match=message):
        KubernetesCluster(stack, "Cluster", **{**arguments, **change})
