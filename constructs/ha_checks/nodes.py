"""Rules about what pods run on: pools of one instance or in one zone, unknown add-ons, images for another processor."""

import re
from collections.abc import Iterator
from typing import Any

from ha_checks.assembly import Assembly
from ha_checks.manifests import Manifest, manifests
from ha_checks.resource import Resource, as_number
from ha_checks.rule import Finding, Settings, rule
from ha_checks.zones import zones_of

THEME = "Nodes"
_ZONE_LABEL = "topology.kubernetes.io/zone"

ADDONS = frozenset(
    {
        "adot", "amazon-cloudwatch-observability", "amazon-sagemaker-hyperpod-inference",
        "amazon-sagemaker-hyperpod-observability", "amazon-sagemaker-hyperpod-taskgovernance",
        "amazon-sagemaker-hyperpod-training-operator", "amazon-sagemaker-spaces", "aws-ebs-csi-driver",
        "aws-efs-csi-driver", "aws-fsx-csi-driver", "aws-guardduty-agent", "aws-mountpoint-s3-csi-driver",
        "aws-network-flow-monitoring-agent",
        "aws-privateca-connector-for-kubernetes", "aws-secrets-store-csi-driver-provider", "cert-manager", "coredns",
        "eks-node-monitoring-agent", "eks-pod-identity-agent", "external-dns", "fluent-bit", "kube-proxy",
        "kube-state-metrics", "metrics-server", "prometheus-node-exporter", "snapshot-controller", "vpc-cni",
    }
)  # fmt: skip
"""Add-ons of AWS and of the community; those of the marketplace are named ``vendor_product``."""


@rule(
    theme=THEME,
    why="With one instance, every restart, drain and upgrade is an outage, and so is the loss of its zone.",
    mend="Run two instances or more; three, one a zone, is what the rest of the platform has.",
    url="https://docs.aws.amazon.com/eks/latest/best-practices/data-plane.html",
)
def one_instance_pool(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A pool that starts with, or can't grow beyond, one instance."""
    sizes = {
        "AWS::EKS::Nodegroup": ("ScalingConfig.MaxSize", "ScalingConfig.DesiredSize", "ScalingConfig.MinSize"),
        "AWS::AutoScaling::AutoScalingGroup": ("MaxSize", "DesiredCapacity", "MinSize"),
        "AWS::ECS::Service": ("DesiredCount",),
    }
    for kind, paths in sizes.items():
        for pool in assembly.of_type(kind):
            for path in paths:
                # A pool may rest at nothing and grow by the workload; at one it serves, alone.
                if pool.number(path) == 1:
                    yield Finding(pool, f"{path.rpartition('.')[2]} is 1", f"Properties.{path}")
                    break
    for manifest in manifests(assembly, "NodePool"):
        for path in ("spec.replicas", "spec.limits.nodes"):
            if as_number(manifest.at(path)) == 1:
                yield _in_manifest(manifest, f"{path} is 1")


@rule(
    theme=THEME,
    why="Pods that only fit a pool of one zone can't be replaced while that zone is away, and a volume ties them to "
    "it.",
    mend="Give the pool subnets (or the NodePool's zone requirement values) of every zone, or add a like pool in each "
    "other zone.",
    url="https://docs.aws.amazon.com/eks/latest/best-practices/data-plane.html",
)
def one_zone_pool(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A node pool in fewer zones than wanted, unless the cluster's pools span them together."""
    pools: dict[str, list[tuple[Finding, set[str]]]] = {}
    for group in assembly.of_type("AWS::EKS::Nodegroup"):
        zones = zones_of(group.get("Subnets"))
        if zones:
            finding = Finding(group, _zones_message("node group", zones, settings), "Properties.Subnets")
            pools.setdefault(f"node groups of {_cluster(group)}", []).append((finding, zones))
    for pool in manifests(assembly, "NodePool"):
        zones = _required_zones(pool)
        if zones:
            finding = _in_manifest(pool, _zones_message("its zone requirement", zones, settings))
            pools.setdefault(f"node pools of {pool.cluster}", []).append((finding, zones))
    for members in pools.values():
        if len(set().union(*(zones for _, zones in members if len(zones) == 1))) >= settings.zones:
            continue
        yield from (finding for finding, zones in members if len(zones) < settings.zones)


def _zones_message(what: str, zones: set[str], settings: Settings) -> str:
    return f"{what} spans {len(zones)} of {settings.zones} zones ({', '.join(sorted(zones))})"


def _cluster(group: Resource) -> str:
    return repr(group.target("ClusterName") or group.text("ClusterName"))


def _required_zones(pool: Manifest) -> set[str] | None:
    for requirement in pool.at("spec.template.spec.requirements") or []:
        if requirement.get("key") == _ZONE_LABEL and requirement.get("operator") == "In":
            return set(requirement.get("values", []))
    return None


def _in_manifest(manifest: Manifest, message: str) -> Finding:
    return Finding(manifest.resource, f"{manifest.kind} {manifest.name}: {message}", "Properties.Manifest")


@rule(
    theme=THEME,
    why="CloudFormation learns only from EKS that an add-on of that name does not exist: after the cluster was built.",
    mend="Use a name that `aws eks describe-addon-versions` lists. Those of the marketplace are named "
    "`vendor_product`; one that AWS added after this pack's list was written is acknowledged at the add-on.",
    url="https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html",
)
def unknown_addon(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """An EKS add-on of neither AWS nor the community nor, by its form, the marketplace."""
    for addon in assembly.of_type("AWS::EKS::Addon"):
        name = addon.literal("AddonName")
        if name and "_" not in name and name not in ADDONS:
            yield Finding(addon, f"EKS has no add-on named {name}", "Properties.AddonName")


_ARM_TYPE = re.compile(r"^(a1|[a-z]+\d+g[a-z]*)\.", re.IGNORECASE)
_ARM, _X86 = "arm64", "x86_64"


@rule(
    theme=THEME,
    why="An image for another processor does not boot: instances never become healthy and the stack times out; a "
    "function fails with `exec format error` at its first call.",
    mend="Take image and instance type, or function and layer, of the same architecture.",
    url="https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-type-specifications.html",
)
def architecture_mismatch(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """An ARM instance type with an x86 image, or the other way round; a function with another architecture's layer."""
    for instance in assembly.of_type("AWS::EC2::Instance"):
        yield from _mismatch(instance, [instance.get("InstanceType")], _image(instance, "ImageId"), "ImageId")
    for template in assembly.of_type("AWS::EC2::LaunchTemplate"):
        path = "LaunchTemplateData."
        types = [template.get(path + "InstanceType")]
        yield from _mismatch(template, types, _image(template, path + "ImageId"), path + "ImageId")
    for group in assembly.of_type("AWS::EKS::Nodegroup"):
        yield from _mismatch(group, group.items("InstanceTypes"), _architecture_of(group.text("AmiType")), "AmiType")
    for function in assembly.of_type("AWS::Lambda::Function"):
        (architecture,) = function.get("Architectures", [_X86]) or [_X86]
        for layer in function.items("Layers"):
            compatible = layer.resource.items("CompatibleArchitectures") if hasattr(layer, "resource") else []
            if compatible and isinstance(architecture, str) and architecture not in compatible:
                message = f"the function is for {architecture}, its layer for {' and '.join(map(str, compatible))}"
                yield Finding(function, message, "Properties.Layers")


def _mismatch(resource: Resource, types: list[Any], image: str | None, location: str) -> Iterator[Finding]:
    for instance_type in types:
        if image and isinstance(instance_type, str):
            wanted = _ARM if _ARM_TYPE.match(instance_type) else _X86
            if wanted != image:
                message = f"{instance_type} is {wanted}, its image is for {image}"
                yield Finding(resource, message, f"Properties.{location}")


def _image(resource: Resource, path: str) -> str | None:
    """The architecture that an image's name tells: an SSM path, itself or as a parameter's default."""
    value: Any = resource.properties
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(value.get("Ref"), str):
        value = resource.stack.parameters.get(value["Ref"], {}).get("Default")
    return _architecture_of(value) if isinstance(value, str) else None


def _architecture_of(name: str) -> str | None:
    lowered = name.lower()
    if "arm64" in lowered or "arm_64" in lowered or "aarch64" in lowered:
        return _ARM
    return _X86 if "x86_64" in lowered or "amd64" in lowered else None
