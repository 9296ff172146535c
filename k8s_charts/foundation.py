"""What every cluster has before anything runs in it: namespaces, network policies, storage classes, nodes."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

import cdk8s
from cdk8s_plus_27 import k8s
from constructs import Construct

NODE_CLASS_NAME = "platform"
NODE_POOL_NAME = "workloads"
RESTRICTED = "restricted"
RESERVED_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")

_NAMESPACE = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")


class FoundationChart(cdk8s.Chart):
    """The ground of a cluster of EKS Auto Mode; applied by the stack that makes the cluster.

    * *Network policies on*: the ConfigMap by which Auto Mode enforces network policies; without it they are accepted
      and ignored.
    * *Nodes*: a node class (private subnets, the cluster's security group, encrypted disks, denied connections logged
      on the node) and a node pool of on-demand instances over all zones. Kubernetes spreads pods over zones, and the
      pool makes nodes where they fit. Nodes are consolidated when underused, replaced after ``node_lifetime_hours``
      and at each new image of AWS (about weekly), a tenth of them at a time (at least one), with pod disruption budgets
      respected for up to ``node_drain_hours``.
    * *Storage*: two classes of encrypted gp3 volumes, made in the zone where the pod lands, growable: ``gp3-retain``
      keeps the volume when its claim is deleted, ``gp3`` deletes it. The default is chosen by ``deletion_protection``;
      two classes exist because Kubernetes refuses to change a class's reclaim policy.
    * *Namespaces*: pod security ``restricted`` enforced, warned and audited, at the cluster's own version, so that the
      rules are those that manifests were checked against; and two network policies: nothing in or out, and name
      resolution. Workloads add what they need.

    Resolution is allowed to one address, the tenth of the service network: on Auto Mode nodes CoreDNS is a system
    service behind the ``kube-dns`` address, not pods, so the usual rule by pod label matches nothing.

    Objects render in an order that applies: settings, classes and pools first, a namespace before its content.

    Arguments:
        namespaces: names of the namespaces to make.
        availability_zones: zones in which nodes may run, at least two.
        kubernetes_version: minor version of the cluster, for the pod security labels, as in ``1.36``.
        node_role_name: IAM role of nodes; the cluster must know it (``KubernetesCluster.node_role``).
        subnet_ids: subnets of nodes and pods, one a zone.
        security_group_id: security group of nodes (``KubernetesCluster.security_group``).
        service_cidr: network of service addresses. Default 172.20.0.0/16.
        volume_key_arn: KMS key for node disks and volumes, which the cluster's role may use. Default: the account's
            key for EBS. Kubernetes refuses to change it in an existing storage class.
        architectures: instruction sets of nodes; images must exist for all. Default amd64.
        instance_categories: EC2 instance categories. Default c, m, r, of the fifth generation or later.
        cpu_limit: vCPUs at which the pool stops growing. Default 256.
        memory_limit_gib: the same in GiB. Default 1024.
        node_disk_gib: size of a node's data disk. Default 80.
        node_lifetime_hours: age at which a node is replaced, at most 504 (Auto Mode's 21 days). Default 336.
        node_drain_hours: longest that a node waits for its pods to leave. Default 24.
        deletion_protection: makes ``gp3-retain`` the default storage class. Default true.

    Exposes ``namespaces`` (name to object) and ``node_pool_name``. Raises ValueError for reserved, repeated or
    malformed namespace names, fewer than two zones, a version without a minor, and limits out of range.

    Follows, in the Amazon EKS User Guide (https://docs.aws.amazon.com/eks/latest/userguide/): "Use Network Policies
    with EKS Auto Mode" (auto-net-pol.html), "Create a Node Class for Amazon EKS" (create-node-class.html), "Create a
    Node Pool for EKS Auto Mode" (create-node-pool.html), "Create a storage class" (create-storage-class.html); and
    "Enforce Pod Security Standards with Namespace Labels" (https://kubernetes.io/docs/tasks/configure-pod-container/).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        namespaces: Sequence[str],
        availability_zones: Sequence[str],
        kubernetes_version: str,
        node_role_name: str,
        subnet_ids: Sequence[str],
        security_group_id: str,
        service_cidr: str = "172.20.0.0/16",
        volume_key_arn: str | None = None,
        architectures: Sequence[str] = ("amd64",),
        instance_categories: Sequence[str] = ("c", "m", "r"),
        cpu_limit: int = 256,
        memory_limit_gib: int = 1024,
        node_disk_gib: int = 80,
        node_lifetime_hours: int = 336,
        node_drain_hours: int = 24,
        deletion_protection: bool = True,
    ) -> None:
        super().__init__(scope, construct_id, disable_resource_name_hashes=True)
        _validate(namespaces, availability_zones, kubernetes_version)
        _validate_limits(cpu_limit, memory_limit_gib, node_disk_gib, node_lifetime_hours, node_drain_hours)
        self._volume_key_arn = volume_key_arn
        self.node_pool_name = NODE_POOL_NAME

        self._enable_network_policies()
        self._build_storage_class("gp3-retain", reclaim_policy="Retain", default=deletion_protection)
        self._build_storage_class("gp3", reclaim_policy="Delete", default=not deletion_protection)
        self._build_node_class(node_role_name, subnet_ids, security_group_id, node_disk_gib)
        self._build_node_pool(
            requirements={
                "topology.kubernetes.io/zone": availability_zones,
                "kubernetes.io/arch": architectures,
                "karpenter.sh/capacity-type": ["on-demand"],
                "eks.amazonaws.com/instance-category": instance_categories,
            },
            limits={"cpu": str(cpu_limit), "memory": f"{memory_limit_gib}Gi"},
            expire_after=f"{node_lifetime_hours}h",
            termination_grace_period=f"{node_drain_hours}h",
        )
        dns_address = str(ipaddress.ip_network(service_cidr)[10])
        self.namespaces = {
            name: self._build_namespace(name, f"v{kubernetes_version}", dns_address) for name in namespaces
        }

    def _enable_network_policies(self) -> None:
        k8s.KubeConfigMap(
            self,
            "network-policy-controller",
            metadata=k8s.ObjectMeta(name="amazon-vpc-cni", namespace="kube-system"),
            data={"enable-network-policy-controller": "true"},
        )

    def _build_storage_class(self, name: str, *, reclaim_policy: str, default: bool) -> None:
        parameters = {"type": "gp3", "encrypted": "true"}
        if self._volume_key_arn:
            parameters["kmsKeyId"] = self._volume_key_arn
        k8s.KubeStorageClass(
            self,
            f"storage-class-{name}",
            metadata=k8s.ObjectMeta(
                name=name, annotations={"storageclass.kubernetes.io/is-default-class": str(default).lower()}
            ),
            provisioner="ebs.csi.eks.amazonaws.com",
            parameters=parameters,
            reclaim_policy=reclaim_policy,
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
        )

    def _build_node_class(
        self, role_name: str, subnet_ids: Sequence[str], security_group_id: str, disk_gib: int
    ) -> None:
        storage: dict[str, Any] = {"size": f"{disk_gib}Gi"}
        if self._volume_key_arn:
            storage["kmsKeyID"] = self._volume_key_arn
        self._build_custom_object(
            "node-class",
            api_version="eks.amazonaws.com/v1",
            kind="NodeClass",
            name=NODE_CLASS_NAME,
            spec={
                "role": role_name,
                "subnetSelectorTerms": [{"id": subnet_id} for subnet_id in subnet_ids],
                "securityGroupSelectorTerms": [{"id": security_group_id}],
                # Pods without any policy stay reachable: those of kube-system and of add-ons bring none of their own.
                "networkPolicy": "DefaultAllow",
                "networkPolicyEventLogs": "Enabled",
                "ephemeralStorage": storage,
            },
        )

    def _build_node_pool(
        self,
        *,
        requirements: Mapping[str, Sequence[str]],
        limits: Mapping[str, str],
        expire_after: str,
        termination_grace_period: str,
    ) -> None:
        listed = [{"key": key, "operator": "In", "values": list(values)} for key, values in requirements.items()]
        generation = {"key": "eks.amazonaws.com/instance-generation", "operator": "Gt", "values": ["4"]}
        self._build_custom_object(
            "node-pool",
            api_version="karpenter.sh/v1",
            kind="NodePool",
            name=NODE_POOL_NAME,
            spec={
                "template": {
                    "spec": {
                        "nodeClassRef": {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": NODE_CLASS_NAME},
                        "requirements": [*listed, generation],
                        "expireAfter": expire_after,
                        "terminationGracePeriod": termination_grace_period,
                    }
                },
                "disruption": {
                    "consolidationPolicy": "WhenEmptyOrUnderutilized",
                    "consolidateAfter": "5m",
                    # Rounded up: a small pool is still renewed, one node at a time.
                    "budgets": [{"nodes": "10%"}],
                },
                "limits": dict(limits),
            },
        )

    def _build_namespace(self, name: str, version: str, dns_address: str) -> k8s.KubeNamespace:
        labels = {}
        for mode in ("enforce", "warn", "audit"):
            labels[f"pod-security.kubernetes.io/{mode}"] = RESTRICTED
            labels[f"pod-security.kubernetes.io/{mode}-version"] = version
        namespace = k8s.KubeNamespace(self, f"namespace-{name}", metadata=k8s.ObjectMeta(name=name, labels=labels))
        everything = k8s.LabelSelector()
        deny = k8s.KubeNetworkPolicy(
            self,
            f"default-deny-{name}",
            metadata=k8s.ObjectMeta(name="default-deny", namespace=name),
            spec=k8s.NetworkPolicySpec(pod_selector=everything, policy_types=["Ingress", "Egress"]),
        )
        resolver = k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr=f"{dns_address}/32"))
        ports = [
            k8s.NetworkPolicyPort(protocol=protocol, port=k8s.IntOrString.from_number(53))
            for protocol in ("UDP", "TCP")
        ]
        dns = k8s.KubeNetworkPolicy(
            self,
            f"allow-dns-{name}",
            metadata=k8s.ObjectMeta(name="allow-dns", namespace=name),
            spec=k8s.NetworkPolicySpec(
                pod_selector=everything,
                policy_types=["Egress"],
                egress=[k8s.NetworkPolicyEgressRule(to=[resolver], ports=ports)],
            ),
        )
        deny.add_dependency(namespace)
        dns.add_dependency(namespace)
        return namespace

    def _build_custom_object(
        self, construct_id: str, *, api_version: str, kind: str, name: str, spec: Mapping[str, Any]
    ) -> None:
        custom_object = cdk8s.ApiObject(
            self, construct_id, api_version=api_version, kind=kind, metadata=cdk8s.ApiObjectMetadata(name=name)
        )
        custom_object.add_json_patch(cdk8s.JsonPatch.add("/spec", spec))


def _validate(namespaces: Sequence[str], availability_zones: Sequence[str], kubernetes_version: str) -> None:
    for name in namespaces:
        if not _NAMESPACE.match(name):
            raise ValueError(f"namespace {name!r} must be 1 to 63 lower case letters, digits or '-', not at the ends")
        if name in RESERVED_NAMESPACES or name.startswith("kube-"):
            raise ValueError(
                f"namespace {name!r} belongs to Kubernetes: choose a name that does not start with 'kube-'"
            )
    if len(set(namespaces)) != len(namespaces):
        raise ValueError(f"namespaces has a name twice: {', '.join(namespaces)}")
    if len(set(availability_zones)) < 2:
        raise ValueError(f"availability_zones has {list(availability_zones)}: nodes must span two or, better, three")
    if not re.fullmatch(r"1\.\d+", kubernetes_version):
        raise ValueError(f"kubernetes_version {kubernetes_version!r} must be a minor version, as in 1.36")


def _validate_limits(
    cpu_limit: int, memory_limit_gib: int, node_disk_gib: int, lifetime_hours: int, drain_hours: int
) -> None:
    for argument, value in (("cpu_limit", cpu_limit), ("memory_limit_gib", memory_limit_gib)):
        if value < 1:
            raise ValueError(f"{argument} is {value}: it must be 1 or more, or no node is ever made")
    if node_disk_gib < 20:
        raise ValueError(f"node_disk_gib is {node_disk_gib}: images and logs need 20 or more")
    if not 1 <= lifetime_hours <= 504:
        raise ValueError(f"node_lifetime_hours is {lifetime_hours}: Auto Mode allows 1 to 504 (21 days)")
    if not 1 <= drain_hours <= 504 - lifetime_hours:
        raise ValueError(
            f"node_drain_hours is {drain_hours}: it must be 1 or more and, together with node_lifetime_hours "
            f"({lifetime_hours}), at most 504 (21 days)"
        )
