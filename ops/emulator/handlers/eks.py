"""EKS: what belongs to a cluster, over the emulator's EKS API, and the cluster's network interfaces.

Modelled: add-ons, access entries with their policies; the control plane's network interfaces
in the cluster's subnets, described as ``Amazon EKS <name>`` as AWS does, and the cluster's security group; the settings
that ``DescribeCluster`` tells and ministack's CloudFormation drops.
Refused: a cluster in fewer than two zones or with subnets, groups, role or key that do not exist; an unknown add-on
name; anything of a cluster that does not exist; deletion of a protected cluster. Nothing runs in the cluster.
"""

import ipaddress
from typing import Any

from ministack.services import ec2 as ec2_store
from ministack.services import eks as store

from ops.emulator.handlers.base import (
    Attributes,
    Extension,
    Handler,
    Outcome,
    Properties,
    Refused,
    Request,
    exists,
    extends,
    handles,
    quietly,
    tags_of,
)
from ops.emulator.handlers.lookups import groups_of, subnets_of
from ops.emulator.handlers.rds import check_key
from ops.emulator.spelling import camel, typed

_REASON = "through the emulator's EKS API"
# AWS: "Available Amazon EKS add-ons", https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html
# and "Community add-ons", https://docs.aws.amazon.com/eks/latest/userguide/community-addons.html
KNOWN_ADDONS = frozenset(
    {
        "adot", "amazon-cloudwatch-observability", "aws-ebs-csi-driver", "aws-efs-csi-driver", "aws-fsx-csi-driver",
        "aws-guardduty-agent", "aws-mountpoint-s3-csi-driver", "aws-network-flow-monitoring-agent",
        "aws-privateca-connector-for-kubernetes", "aws-secrets-store-csi-driver-provider", "cert-manager", "coredns",
        "eks-node-monitoring-agent", "eks-pod-identity-agent", "external-dns", "fluent-bit", "kube-proxy",
        "kube-state-metrics", "metrics-server", "prometheus-node-exporter", "snapshot-controller", "vpc-cni",
        "amazon-sagemaker-hyperpod-taskgovernance", "aws-secrets-manager-csi-driver",
    }
)  # fmt: skip


def cluster_of(request: Request) -> dict[str, Any]:
    """The cluster a request names, refused where the region has none of that name."""
    name = request.properties["ClusterName"]
    found = exists(request.client("eks").describe_cluster, name=name)
    if found is None:
        raise Refused(f"EKS cluster {name!r} does not exist in {request.region}")
    cluster: dict[str, Any] = found["cluster"]
    return cluster


@extends("AWS::EKS::Cluster")
class Cluster(Extension):
    """A cluster and what its control plane puts into the network."""

    def check(self, request: Request) -> None:
        """Subnets in two zones, groups and key exist."""
        network = request.properties["ResourcesVpcConfig"]
        zones = {subnet["AvailabilityZone"] for subnet in subnets_of(request, network["SubnetIds"])}
        if len(zones) < 2:
            raise Refused("an EKS cluster needs subnets in two availability zones at least")
        groups_of(request, network.get("SecurityGroupIds", []))
        for setting in request.properties.get("EncryptionConfig", []):
            check_key(request, setting["Provider"]["KeyArn"])

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Make the security group and the interfaces once."""
        name = outcome.physical_id
        record = store._clusters[name]
        network = record["resourcesVpcConfig"]
        subnets = subnets_of(request, request.properties["ResourcesVpcConfig"]["SubnetIds"])
        group = network.get("clusterSecurityGroupId", "")
        if group not in ec2_store._security_groups:
            group = request.client("ec2").create_security_group(
                GroupName=f"eks-cluster-sg-{name}-{request.digest(9)}",
                Description=f"EKS created security group of the control plane and nodes of {name}",
                VpcId=subnets[0]["VpcId"],
            )["GroupId"]
            network["clusterSecurityGroupId"] = group
            network["vpcId"] = subnets[0]["VpcId"]
        if not interfaces_of(request, name):
            _make_interfaces(request, name, subnets, group)
        keys = [setting["Provider"]["KeyArn"] for setting in request.properties.get("EncryptionConfig", [])]
        _keep_settings(record, request.properties)
        return {
            "Id": record.get("id") or name,
            "ClusterSecurityGroupId": group,
            "EncryptionConfigKeyArn": keys[0] if keys else "",
        }

    def before_delete(self, request: Request) -> None:
        """Refuse where the cluster is protected; take the interfaces and the group away."""
        record = store._clusters.get(request.physical_id)
        if record is None:
            return
        if record.get("deletionProtection"):
            raise Refused(f"EKS cluster {request.physical_id} cannot be deleted: deletion protection is on")
        for interface in interfaces_of(request, request.physical_id):
            quietly(request.client("ec2").delete_network_interface, NetworkInterfaceId=interface["NetworkInterfaceId"])
        group = record["resourcesVpcConfig"].get("clusterSecurityGroupId")
        if group:
            quietly(request.client("ec2").delete_security_group, GroupId=group)


# What a cluster has whose template does not say it; AWS: "Cluster", API reference,
# https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html
_DEFAULTS: dict[str, Any] = {
    "ComputeConfig": {"Enabled": False},
    "StorageConfig": {"BlockStorage": {"Enabled": False}},
    "UpgradePolicy": {"SupportType": "EXTENDED"},
    "ZonalShiftConfig": {"Enabled": False},
    "EncryptionConfig": [],
    "DeletionProtection": False,
}
_WITHOUT_DEFAULT = ("RemoteNetworkConfig", "ControlPlaneScalingConfig")


def _keep_settings(record: dict[str, Any], properties: Properties) -> None:
    """Put what the template declares into the cluster's record, in the form of the EKS API."""
    for name in (*_DEFAULTS, *_WITHOUT_DEFAULT):
        value = properties.get(name, _DEFAULTS.get(name))
        key = camel({name: None}).popitem()[0]
        if value is None:
            record.pop(key, None)
        else:
            record[key] = typed(camel(value))
    network = {"ElasticLoadBalancing": {"Enabled": False}, **properties.get("KubernetesNetworkConfig", {})}
    record["kubernetesNetworkConfig"] |= typed(camel(network))


def interfaces_of(request: Request, cluster: str) -> list[dict[str, Any]]:
    """The control plane's network interfaces."""
    interfaces = request.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    return [interface for interface in interfaces if interface.get("Description") == f"Amazon EKS {cluster}"]


def _make_interfaces(request: Request, cluster: str, subnets: list[dict[str, Any]], group: str) -> None:
    # EKS places two interfaces at least, in subnets of different zones, whatever the number of subnets is.
    by_zone = {subnet["AvailabilityZone"]: subnet for subnet in reversed(subnets)}
    for zone in sorted(by_zone)[:2]:
        subnet = by_zone[zone]
        interface = request.client("ec2").create_network_interface(
            SubnetId=subnet["SubnetId"], Description=f"Amazon EKS {cluster}", Groups=[group]
        )["NetworkInterface"]
        # The emulator gives an address of any network and leaves the interface unattached.
        record = ec2_store._network_interfaces[interface["NetworkInterfaceId"]]
        record["Status"] = "in-use"
        record["PrivateIpAddress"] = str(ipaddress.ip_network(subnet["CidrBlock"])[-6])


class OfCluster(Handler):
    """What belongs to a cluster."""

    how = "native"
    reason = _REASON

    def check(self, request: Request) -> None:
        """The cluster exists."""
        cluster_of(request)


@handles("AWS::EKS::Addon")
class Addon(OfCluster):
    """An add-on of a cluster."""

    def check(self, request: Request) -> None:
        """The cluster exists and the name is one that EKS has."""
        super().check(request)
        if request.properties["AddonName"] not in KNOWN_ADDONS:
            raise Refused(f"{request.properties['AddonName']!r} is no EKS add-on")

    def create(self, request: Request) -> Outcome:
        """Install."""
        properties = request.properties
        names = {
            "AddonVersion": "addonVersion", "ServiceAccountRoleArn": "serviceAccountRoleArn",
            "ResolveConflicts": "resolveConflicts", "ConfigurationValues": "configurationValues",
        }  # fmt: skip
        arguments = {camel: properties[name] for name, camel in names.items() if properties.get(name)}
        addon = request.client("eks").create_addon(
            clusterName=properties["ClusterName"],
            addonName=properties["AddonName"],
            tags={tag["Key"]: tag["Value"] for tag in tags_of(properties)},
            **arguments,
        )["addon"]
        return Outcome(f"{properties['ClusterName']}|{properties['AddonName']}", {"Arn": addon["addonArn"]})

    def update(self, request: Request) -> Outcome:
        """Change version and settings."""
        properties, eks = request.properties, request.client("eks")
        names = {"AddonVersion": "addonVersion", "ConfigurationValues": "configurationValues"}
        arguments = {camel: properties[name] for name, camel in names.items() if properties.get(name)}
        where = {"clusterName": properties["ClusterName"], "addonName": properties["AddonName"]}
        eks.update_addon(**where, **arguments)
        return Outcome(request.physical_id, {"Arn": eks.describe_addon(**where)["addon"]["addonArn"]})

    def delete(self, request: Request) -> None:
        """Remove."""
        cluster, addon = request.physical_id.split("|")
        quietly(request.client("eks").delete_addon, clusterName=cluster, addonName=addon)


@handles("AWS::EKS::AccessEntry")
class AccessEntry(OfCluster):
    """Who may use a cluster's API, and with which policies."""

    def create(self, request: Request) -> Outcome:
        """Create with its policies."""
        properties = request.properties
        where = {"clusterName": properties["ClusterName"], "principalArn": properties["PrincipalArn"]}
        names = {"KubernetesGroups": "kubernetesGroups", "Type": "type", "Username": "username"}
        arguments = {camel: properties[name] for name, camel in names.items() if properties.get(name)}
        entry = request.client("eks").create_access_entry(**where, **arguments)["accessEntry"]
        self._set_policies(request)
        physical_id = f"{properties['PrincipalArn']}|{properties['ClusterName']}"
        return Outcome(physical_id, {"AccessEntryArn": entry["accessEntryArn"]})

    def update(self, request: Request) -> Outcome:
        """Exchange policies and groups."""
        properties = request.properties
        where = {"clusterName": properties["ClusterName"], "principalArn": properties["PrincipalArn"]}
        names = {"KubernetesGroups": "kubernetesGroups", "Username": "username"}
        arguments = {camel: properties[name] for name, camel in names.items() if properties.get(name)}
        if arguments:
            request.client("eks").update_access_entry(**where, **arguments)
        kept = {policy["PolicyArn"] for policy in properties.get("AccessPolicies", [])}
        for policy in request.previous.get("AccessPolicies", []):
            if policy["PolicyArn"] not in kept:
                quietly(request.client("eks").disassociate_access_policy, **where, policyArn=policy["PolicyArn"])
        self._set_policies(request)
        entry = request.client("eks").describe_access_entry(**where)["accessEntry"]
        return Outcome(request.physical_id, {"AccessEntryArn": entry["accessEntryArn"]})

    def delete(self, request: Request) -> None:
        """Delete."""
        principal, cluster = request.physical_id.rsplit("|", 1)
        quietly(request.client("eks").delete_access_entry, clusterName=cluster, principalArn=principal)

    @staticmethod
    def _set_policies(request: Request) -> None:
        for policy in request.properties.get("AccessPolicies", []):
            scope: Properties = {"type": policy["AccessScope"]["Type"]}
            if policy["AccessScope"].get("Namespaces"):
                scope["namespaces"] = policy["AccessScope"]["Namespaces"]
            request.client("eks").associate_access_policy(
                clusterName=request.properties["ClusterName"],
                principalArn=request.properties["PrincipalArn"],
                policyArn=policy["PolicyArn"],
                accessScope=scope,
            )
