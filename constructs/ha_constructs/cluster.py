"""An EKS cluster in Auto Mode: private endpoint, encrypted secrets, no administrator but the named ones."""

import json
import re
from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
import cdk8s
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from ha_constructs.location import location_of

SUPPORTED_VERSIONS = ("1.35", "1.36")
"""Kubernetes versions for which a kubectl layer is installed with this library."""

SERVICE_CIDR = "172.20.0.0/16"
"""Addresses of Kubernetes services. Given explicitly: EKS would otherwise pick 10.100.0.0/16 or this one by itself, and
10.100.0.0/16 lies inside the 10.64.0.0/10 from which the VPCs take theirs. It cannot be changed later."""

MAXIMUM_MANIFEST_BYTES = 200 * 1024
"""kubectl keeps a copy of what it applied in an annotation of at most 262,144 bytes; this leaves room to grow."""

NODE_POLICIES = ("AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly")
"""What nodes may do: let pod identities assume their roles, and pull images (also through a pull-through cache)."""

AUTO_MODE_POLICIES = (
    "AmazonEKSClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
)
"""What Auto Mode needs of the cluster's role; the L2 attaches them."""

_ROLE_ARN = re.compile(r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$")
_CLUSTER_NAME = re.compile(r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$")


class KubernetesCluster(Construct):
    """An EKS cluster whose nodes, storage, DNS, pod network and load balancer controller AWS runs (Auto Mode).

    Of the built-in node pools only ``system`` is on: it needs no manifest, so add-ons that the cluster itself depends
    on have a place to run before, and independently of, any node pool of ours. Workloads belong on the node pool of
    ``k8s_charts.foundation``. EKS makes the access entry of ``node_role`` by itself because the role is named in the
    cluster; a node class of ours that uses the same role needs none.

    Arguments:
        cluster_name: literal name, 1 to 100 letters, digits, ``-`` or ``_``. Target groups carry it in a tag.
        version: Kubernetes minor version, one of ``SUPPORTED_VERSIONS``. Default ``1.36``.
        vpc: the VPC; control plane interfaces and the kubectl function go to its private subnets with egress.
        encryption_key: encrypts Kubernetes secrets, node disks and persistent volumes. Its policy must let IAM
            policies of the account grant use of it (as the default policy of a ``kms.Key`` does).
        administrator_role_arns: IAM roles that become cluster administrators. With none, only the deployment itself
            can speak to the cluster until an access entry is added.
        public_access_cidrs: addresses from which the API server may also be reached over the internet. Default none:
            the endpoint is private.
        logs_key: encrypts the control plane's log group; its policy must allow CloudWatch Logs. Default: the key that
            CloudWatch Logs owns.
        log_retention: how long control plane logs are kept. Default three months.
        deletion_protection: the cluster refuses to be deleted, and its log group and what its charts made stay when
            the stack goes. Default true.

    Exposes ``cluster`` (the L2), ``name``, ``version``, ``vpc``, ``security_group`` (the one EKS makes, attached to
    control plane interfaces and nodes), ``endpoint``, ``certificate_authority``, ``node_role``, ``subnet_ids``,
    ``encryption_key``, ``log_group``; ``add_chart``, ``add_pod_identity``, ``pod_identity_principal``.

    Raises ValueError for a version without a kubectl layer, a malformed name or role ARN, a public CIDR that opens
    the API server to the whole internet, and a chart above ``MAXIMUM_MANIFEST_BYTES``.

    What changes do later:
        * In place, without interruption: access entries, logging, endpoint access, deletion protection, zonal shift,
          upgrade policy. Subnets may change within the zones of the first deployment.
        * ``version``: in place and one minor at a time; EKS replaces the control plane's network interfaces, and Auto
          Mode then the nodes, within their disruption budgets. EKS can roll a cluster back by one minor within seven
          days. The upgrade policy ``STANDARD`` means that EKS upgrades by itself at the end of standard support
          (14 months) instead of charging for extended support. The add-on below is not upgraded with it.
        * ``cluster_name``, ``encryption_key``, the service addresses and the cluster's role are immutable: changing
          one replaces the cluster. While the literal name stays, the replacement fails and is rolled back, instead of
          silently building an empty cluster; a new name does build one, next to the old. Another VPC is refused by EKS.
        * ``node_role`` cannot be changed once Auto Mode is on.
        * On deletion (protection off) load balancers that in-cluster controllers made are not part of the stack;
          this platform makes none that way.

    metrics-server is installed as an EKS community add-on, without a pinned version: EKS then takes the default that
    fits the cluster's version. Pinned versions differ between Kubernetes versions and regions, and a wrong one fails a
    deployment after the cluster exists. The version stays until ``AddonVersion`` is set or the add-on is updated.

    Follows, in the Amazon EKS User Guide (https://docs.aws.amazon.com/eks/latest/userguide/): "Create a Node Pool for
    EKS Auto Mode" (create-node-pool.html), "Enable or Disable Built-in NodePools" (set-builtin-node-pools.html),
    "Learn about identity and access in EKS Auto Mode" (auto-learn-iam.html), "Enable EBS Volume Encryption with
    Customer Managed KMS Keys for EKS Auto Mode" (auto-kms.html), "Cluster API server endpoint"
    (cluster-endpoint.html), "Grant IAM users access to Kubernetes with EKS access entries" (access-entries.html),
    "Update existing cluster to new Kubernetes version" (update-cluster.html), "Rollback cluster to previous
    Kubernetes version" (rollback-cluster.html), "Learn about zonal shift" (zone-shift.html).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster_name: str,
        version: str = "1.36",
        vpc: ec2.IVpc,
        encryption_key: kms.IKey,
        administrator_role_arns: Sequence[str],
        public_access_cidrs: Sequence[str] = (),
        logs_key: kms.IKey | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        deletion_protection: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        _validate(cluster_name, version, administrator_role_arns, public_access_cidrs)
        self.name = cluster_name
        self.version = version
        self.vpc = vpc
        self.encryption_key = encryption_key
        self._deletion_protection = deletion_protection

        self.log_group = self._build_log_group(logs_key, log_retention)
        self.node_role = self._build_node_role()
        self._kubectl_role = self._build_kubectl_role()
        self.cluster = self._build_cluster(public_access_cidrs)
        self._adjust_what_the_l2_makes()
        self._allow_volume_encryption()
        self._build_administrators(administrator_role_arns)
        self.metrics_server = self._build_metrics_server()
        self._acknowledge_findings(public_access_cidrs)

        self.security_group = self.cluster.cluster_security_group
        self.endpoint = self.cluster.cluster_endpoint
        self.certificate_authority = self.cluster.cluster_certificate_authority_data
        self.subnet_ids = [subnet.subnet_id for subnet in vpc.private_subnets]

    def add_chart(self, construct_id: str, chart: cdk8s.Chart) -> eks.KubernetesManifest:
        """Apply a cdk8s chart with the stack, as one custom resource, in the order of its objects' dependencies.

        Objects are created or adopted, then kept as declared at each change of the chart. An object that leaves the
        chart stays in the cluster: kubectl's pruning would take a namespace with everything in it, and leave network
        policies, which its list does not know. With deletion protection the objects outlive the stack's resource,
        because CloudFormation would otherwise empty the cluster before the cluster refuses to be deleted.
        """
        manifest = chart.to_json()
        size = len(json.dumps(manifest).encode())
        if size > MAXIMUM_MANIFEST_BYTES:
            raise ValueError(
                f"chart {chart.node.id!r} renders {size:,} bytes; a manifest may have at most "
                f"{MAXIMUM_MANIFEST_BYTES:,}: split it into several charts"
            )
        removal_policy = cdk.RemovalPolicy.RETAIN if self._deletion_protection else cdk.RemovalPolicy.DESTROY
        return eks.KubernetesManifest(
            self,
            construct_id,
            # The L2's declared types say that it lacks one optional member of its own interface.
            cluster=cast(eks.ICluster, self.cluster),
            manifest=manifest,
            overwrite=True,
            removal_policy=removal_policy,
        )

    def add_pod_identity(
        self, construct_id: str, *, namespace: str, service_account: str, role: iam.IRole
    ) -> eks.CfnPodIdentityAssociation:
        """Let pods of a service account use an IAM role, whose trust should be ``pod_identity_principal``.

        The agent is part of Auto Mode. Namespace and service account need not exist yet; both are immutable (a change
        replaces the association), the role is not. Running pods get the new role when they restart. See "Learn how
        EKS Pod Identity grants pods access to AWS services"
        (https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html).
        """
        return eks.CfnPodIdentityAssociation(
            self,
            construct_id,
            cluster_name=self.cluster.cluster_name,
            namespace=namespace,
            service_account=service_account,
            role_arn=role.role_arn,
        )

    def pod_identity_principal(self, *, namespace: str, service_account: str) -> iam.IPrincipal:
        """Give the principal for the trust policy of a role that only this service account's pods may assume.

        The conditions are the session tags that EKS sends: "Create IAM role with trust policy required by EKS Pod
        Identity" (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html).
        """
        conditions = {
            "StringEquals": {
                "aws:RequestTag/eks-cluster-name": self.name,
                "aws:RequestTag/kubernetes-namespace": namespace,
                "aws:RequestTag/kubernetes-service-account": service_account,
            }
        }
        return iam.ServicePrincipal("pods.eks.amazonaws.com", conditions=conditions).with_session_tags()

    def _build_log_group(self, key: kms.IKey | None, retention: logs.RetentionDays) -> logs.LogGroup:
        # EKS writes to exactly this name, and would make the group itself, without retention or key, were it missing.
        return logs.LogGroup(
            self,
            "ControlPlaneLogs",
            log_group_name=f"/aws/eks/{self.name}/cluster",
            encryption_key=key,
            retention=retention,
            removal_policy=cdk.RemovalPolicy.RETAIN if self._deletion_protection else cdk.RemovalPolicy.DESTROY,
        )

    def _build_node_role(self) -> iam.Role:
        return iam.Role(
            self,
            "NodeRole",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description=f"Nodes of the EKS cluster {self.name}",
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(name) for name in NODE_POLICIES],
        )

    def _build_kubectl_role(self) -> iam.Role:
        """Make the role of the function that applies manifests; the L2's own could also read every repository of ECR.

        What it may do in the cluster comes from its access entry (cluster administrator), which the L2 makes.
        """
        cluster_arn = location_of(self).arn("eks", f"cluster/{self.name}")
        describe = iam.PolicyStatement(actions=["eks:DescribeCluster"], resources=[cluster_arn])
        return iam.Role(
            self,
            "KubectlRole",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Applies the manifests of the stack to the EKS cluster {self.name}",
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSLambdaVPCAccessExecutionRole")
            ],
            inline_policies={"describe-cluster": iam.PolicyDocument(statements=[describe])},
        )

    def _build_cluster(self, public_access_cidrs: Sequence[str]) -> eks.Cluster:
        endpoint_access = eks.EndpointAccess.PRIVATE
        if public_access_cidrs:
            endpoint_access = eks.EndpointAccess.PUBLIC_AND_PRIVATE.only_from(*public_access_cidrs)
        return eks.Cluster(
            self,
            "Cluster",
            cluster_name=self.name,
            version=eks.KubernetesVersion.of(self.version),
            vpc=self.vpc,
            vpc_subnets=[ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)],
            endpoint_access=endpoint_access,
            secrets_encryption_key=self.encryption_key,
            service_ipv4_cidr=SERVICE_CIDR,
            cluster_logging=list(eks.ClusterLoggingTypes),
            compute=eks.ComputeConfig(node_pools=["system"], node_role=self.node_role),
            # Whoever deploys gets no standing access; the kubectl function has an access entry of its own.
            bootstrap_cluster_creator_admin_permissions=False,
            # Network, DNS and proxy are built into Auto Mode.
            bootstrap_self_managed_addons=False,
            kubectl_provider_options=eks.KubectlProviderOptions(
                kubectl_layer=self._build_kubectl_layer(), role=self._kubectl_role.without_policy_updates()
            ),
            prune=False,
        )

    def _build_kubectl_layer(self) -> lambda_.ILayerVersion:
        # Imported here: each layer's package brings an archive of 37 MB into the synthesis.
        if self.version == "1.35":
            from aws_cdk.lambda_layer_kubectl_v35 import KubectlV35Layer

            return KubectlV35Layer(self, "KubectlLayer")
        from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer

        return KubectlV36Layer(self, "KubectlLayer")

    def _adjust_what_the_l2_makes(self) -> None:
        resource = cast(eks.CfnCluster, self.cluster.node.default_child)
        resource.deletion_protection = self._deletion_protection
        resource.zonal_shift_config = eks.CfnCluster.ZonalShiftConfigProperty(enabled=True)
        resource.upgrade_policy = eks.CfnCluster.UpgradePolicyProperty(support_type="STANDARD")
        # Also the order of deletion: a cluster still being deleted would make its log group anew.
        resource.node.add_dependency(self.log_group)
        # The L2's condition for a policy that a role of ours does not get.
        self.node.try_remove_child("HasEcrPublic")
        self._expire_kubectl_logs()

    def _expire_kubectl_logs(self) -> None:
        """The kubectl functions' log groups, which the L2 keeps for ever, go the way of the cluster's own."""
        for item in self.cluster.node.find_child("KubectlProvider").node.find_all():
            if isinstance(item, logs.CfnLogGroup):
                item.apply_removal_policy(
                    cdk.RemovalPolicy.RETAIN if self._deletion_protection else cdk.RemovalPolicy.DESTROY
                )

    def _allow_volume_encryption(self) -> None:
        """Auto Mode launches nodes and creates volumes as the cluster's role, which must be able to use their key."""
        self.cluster.role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=[
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey",
                    "kms:GenerateDataKeyWithoutPlaintext",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                ],
                resources=[self.encryption_key.key_arn],
            )
        )
        self.cluster.role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
                resources=[self.encryption_key.key_arn],
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            )
        )

    def _build_administrators(self, role_arns: Sequence[str]) -> None:
        policy = eks.AccessPolicy.from_access_policy_name(
            "AmazonEKSClusterAdminPolicy", access_scope_type=eks.AccessScopeType.CLUSTER
        )
        for role_arn in role_arns:
            # Named after the role, so that a reordered list changes no entry (the principal of one is immutable).
            account_and_role = role_arn.split("::", 1)[1].replace(":role/", "-").replace("/", "-")
            self.cluster.grant_access(f"Administrator-{account_and_role}", role_arn, [policy])

    def _build_metrics_server(self) -> eks.CfnAddon:
        return eks.CfnAddon(
            self,
            "MetricsServer",
            addon_name="metrics-server",
            cluster_name=self.cluster.cluster_name,
            # CloudFormation waits until its pods run: they must fit on the system node pool, the only one so far.
            configuration_values=json.dumps({"tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}]}),
            resolve_conflicts="OVERWRITE",
        )

    def _acknowledge_findings(self, public_access_cidrs: Sequence[str]) -> None:
        reason = "AWS maintains these policies for exactly this purpose and widens them with new releases of EKS."
        _acknowledge(self.node_role, reason, *(_managed_policy(name) for name in NODE_POLICIES))
        _acknowledge(self.cluster.role, reason, *(_managed_policy(name) for name in AUTO_MODE_POLICIES))
        reason = "Writing its own log and having network interfaces in the VPC is all that this policy of AWS allows."
        _acknowledge(self._kubectl_role, reason, _managed_policy("service-role/AWSLambdaVPCAccessExecutionRole"))

        provider = self.cluster.node.find_child("KubectlProvider")
        reason = "The CDK chooses runtime and role of its functions; the role may log and call the kubectl function."
        handler = cast(cdk.CfnElement, provider.node.find_child("Handler").node.default_child)
        handler_id = cdk.Stack.of(self).get_logical_id(handler)
        _acknowledge(
            provider,
            reason,
            "L1",
            _managed_policy("service-role/AWSLambdaBasicExecutionRole"),
            _managed_policy("service-role/AWSLambdaVPCAccessExecutionRole"),
            f"IAM5[Resource::<{handler_id}.Arn>:*]",
        )
        if public_access_cidrs:
            reason = f"Public access to the API server was asked for, from {', '.join(public_access_cidrs)} only."
            _acknowledge(self.cluster, reason, "EKS1")


def _managed_policy(name: str) -> str:
    return f"IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{name}]"


def _acknowledge(construct: IConstruct, reason: str, *rules: str) -> None:
    cdk.Validations.of(construct).acknowledge(
        *(cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason) for rule in rules)
    )


def _validate(name: str, version: str, administrator_role_arns: Sequence[str], public_cidrs: Sequence[str]) -> None:
    if not _CLUSTER_NAME.match(name):
        raise ValueError(
            f"cluster_name {name!r} must start with a letter or digit and have 1 to 100 letters, digits, '-' or '_'"
        )
    if version not in SUPPORTED_VERSIONS:
        raise ValueError(f"Kubernetes version {version!r} is not possible: use one of {', '.join(SUPPORTED_VERSIONS)}")
    for role_arn in administrator_role_arns:
        if not _ROLE_ARN.match(role_arn):
            raise ValueError(
                f"administrator {role_arn!r} must be the ARN of an IAM role, as in "
                "arn:aws:iam::111122223333:role/platform-administrators (not a user, nor an assumed-role session)"
            )
    if len(set(administrator_role_arns)) != len(administrator_role_arns):
        raise ValueError("administrator_role_arns names a role twice: an access entry can exist only once a role")
    for cidr in public_cidrs:
        if cidr.endswith("/0"):
            raise ValueError(f"public_access_cidrs has {cidr!r}, the whole internet: name the networks of operators")
