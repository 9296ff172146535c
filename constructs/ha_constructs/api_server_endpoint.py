"""A cluster's private API server behind the Network Load Balancer, offered to other networks by PrivateLink."""

import re
from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from ha_constructs.cluster import KubernetesCluster
from ha_constructs.nlb import InternalNetworkLoadBalancer

API_SERVER_PORT = 443
PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
FUNCTION_TIMEOUT_SECONDS = 120
_HANDLER = Path(__file__).parent / "handlers" / "api_server_targets"
_PRINCIPAL_ARN = re.compile(r"^arn:aws[a-z-]*:iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)$")


class ApiServerEndpoint(Construct):
    """TCP 443 of a Network Load Balancer, sent to the control plane's interfaces; and an endpoint service on it.

    For runners and operators in networks that are neither the cluster's VPC nor peered with it (those use the
    cluster's own private endpoint, whose name resolves to the same interfaces).

    *Why a function.* CloudFormation has no type, and EKS no attribute, for the control plane's interfaces: EKS makes
    two to four of them in the cluster's subnets, and replaces them at each change of Kubernetes version and whenever
    it sees fit. The function finds them by the description that EKS gives them
    ("Amazon EKS <cluster>"), the VPC and the cluster's security group, and makes the target group equal to them: with
    the deployment (``Custom::ApiServerTargets``; also at each change of version) and every minute. If it finds none,
    what is registered stays. A replaced interface is found within a minute; the load balancer stops using the old one
    after two failed checks, 20 seconds.

    *TLS ends at the API server.* Its certificate is signed by the cluster's own authority and is valid for the
    cluster's endpoint name, not for those of the load balancer or an interface endpoint. So a client must use the
    cluster's CA data and either resolve the cluster's endpoint name to the interface endpoint (a private hosted zone of
    that name in its network, with an alias at the apex) or set ``tls-server-name`` to the cluster's endpoint name in
    its kubeconfig and connect to the interface endpoint's own name. Switching verification off is never needed.

    *Who may connect.* An interface endpoint can be asked for by ``allowed_principals`` only and works when the request
    was accepted; then its clients' own private addresses must be in ``client_cidrs``. Other listeners of the same load
    balancer are reachable through the endpoint service too, as far as their networks allow. Behind all of it the API
    server authenticates every request by IAM and access entries.

    The load balancer's port 443 belongs to this construct: a load balancer that already listens on it is refused.

    On update: principals and acceptance change in place. A different load balancer or port, or another VPC, replaces
    what is immutable. On delete: AWS refuses to delete an endpoint service that still has connections; reject them
    first. Targets vanish with their group.

    Arguments:
        cluster: the cluster.
        vpc: its VPC.
        load_balancer: the region's load balancer.
        allowed_principals: ARNs of accounts (``…:root``), roles or users that may ask for an interface endpoint. May
            be empty: the service exists and nobody can ask.
        logs_key: encrypts the function's log; its policy must allow CloudWatch Logs.
        acceptance_required: each connection waits for a person to accept it. Default true.
        client_cidrs: networks of clients. Default: private addresses (RFC 1918), the ones that PrivateLink shows.
        log_retention: how long the function's log is kept. Default one month.

    Exposes ``target_group`` (alarm on ``UnHealthyHostCount``), ``listener``, ``endpoint_service``,
    ``endpoint_service_name``, ``reconcile_function`` (alarm on ``Errors``: it fails when it finds no interface). Raises
    ValueError for a taken port, a malformed principal, and when no network may connect.

    Follows: "View Amazon EKS networking requirements for VPC and subnets"
    (https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html), "Cluster API server endpoint"
    (https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html), "Create a service powered by AWS
    PrivateLink" (https://docs.aws.amazon.com/vpc/latest/privatelink/create-endpoint-service.html), "Custom resources"
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: KubernetesCluster,
        vpc: ec2.IVpc,
        load_balancer: InternalNetworkLoadBalancer,
        allowed_principals: Sequence[str],
        logs_key: kms.IKey,
        acceptance_required: bool = True,
        client_cidrs: Sequence[str] = PRIVATE_NETWORKS,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        _validate(load_balancer, allowed_principals)
        self.target_group = self._build_target_group(vpc)
        self.listener = load_balancer.add_tcp_listener(
            API_SERVER_PORT, target_group=self.target_group, client_cidrs=client_cidrs
        )
        cluster.security_group.add_ingress_rule(
            load_balancer.security_group, ec2.Port.tcp(API_SERVER_PORT), "API server from the load balancer"
        )
        self.reconcile_function = self._build_function(cluster, vpc, logs_key, log_retention)
        self._build_triggers(cluster)
        self.endpoint_service = ec2.VpcEndpointService(
            self,
            "EndpointService",
            vpc_endpoint_service_load_balancers=[load_balancer.load_balancer],
            acceptance_required=acceptance_required,
            allowed_principals=[iam.ArnPrincipal(arn) for arn in allowed_principals],
        )
        self.endpoint_service_name = self.endpoint_service.vpc_endpoint_service_name

    def _build_target_group(self, vpc: ec2.IVpc) -> elbv2.NetworkTargetGroup:
        return elbv2.NetworkTargetGroup(
            self,
            "TargetGroup",
            vpc=vpc,
            port=API_SERVER_PORT,
            protocol=elbv2.Protocol.TCP,
            target_type=elbv2.TargetType.IP,
            health_check=elbv2.HealthCheck(
                protocol=elbv2.Protocol.TCP,
                interval=cdk.Duration.seconds(10),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
            deregistration_delay=cdk.Duration.seconds(30),
            # Watches stay open for ever: clients must be told that their API server goes.
            connection_termination=True,
            # The interfaces belong to another account's instances; answers must come back through the load balancer.
            preserve_client_ip=False,
        )

    def _build_function(
        self, cluster: KubernetesCluster, vpc: ec2.IVpc, logs_key: kms.IKey, log_retention: logs.RetentionDays
    ) -> lambda_.Function:
        log_group = logs.LogGroup(
            self,
            "ReconcileLogs",
            encryption_key=logs_key,
            retention=log_retention,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            self,
            "ReconcileRole",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Keeps the load balancer's targets equal to the API server of {cluster.name}",
            inline_policies={"reconcile": iam.PolicyDocument(statements=self._permissions(log_group))},
        )
        self._acknowledge_describing(role)
        return lambda_.Function(
            self,
            "Reconcile",
            description=f"Keeps the load balancer's targets equal to the API server of {cluster.name}",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="index.handler",
            code=lambda_.Code.from_asset(str(_HANDLER), exclude=["__pycache__"]),
            role=role,
            log_group=log_group,
            timeout=cdk.Duration.seconds(FUNCTION_TIMEOUT_SECONDS),
            memory_size=256,
            # The schedule comes again in a minute; a late repetition would only compete with it.
            retry_attempts=0,
            max_event_age=cdk.Duration.minutes(1),
            environment={
                "CLUSTER_NAME": cluster.name,
                "CLUSTER_SECURITY_GROUP_ID": cluster.security_group.security_group_id,
                "TARGET_GROUP_ARN": self.target_group.target_group_arn,
                "VPC_ID": vpc.vpc_id,
            },
        )

    def _permissions(self, log_group: logs.LogGroup) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(
                # Neither service supports a narrower resource for these two.
                actions=["ec2:DescribeNetworkInterfaces", "elasticloadbalancing:DescribeTargetHealth"],
                resources=["*"],
            ),
            iam.PolicyStatement(
                actions=["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
                resources=[self.target_group.target_group_arn],
            ),
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
            ),
        ]

    def _build_triggers(self, cluster: KubernetesCluster) -> None:
        resource = cdk.CustomResource(
            self,
            "Targets",
            resource_type="Custom::ApiServerTargets",
            service_token=self.reconcile_function.function_arn,
            service_timeout=cdk.Duration.minutes(5),
            # Whatever replaces interfaces or targets makes the function run again with the deployment.
            properties={
                "ClusterName": cluster.cluster.cluster_name,
                "KubernetesVersion": cluster.version,
                "SubnetIds": cluster.subnet_ids,
                "TargetGroupArn": self.target_group.target_group_arn,
            },
        )
        resource.node.add_dependency(self.listener)
        events.Rule(
            self,
            "Schedule",
            description=f"Looks after the API server's targets of {cluster.name}",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[targets.LambdaFunction(self.reconcile_function, retry_attempts=0)],
        )

    def _acknowledge_describing(self, role: IConstruct) -> None:
        cdk.Validations.of(role).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                reason="Describing network interfaces and target health can't be limited to a resource; it only reads.",
            )
        )


def _validate(load_balancer: InternalNetworkLoadBalancer, allowed_principals: Sequence[str]) -> None:
    if API_SERVER_PORT in load_balancer.listeners:
        raise ValueError(
            f"the load balancer already listens on {API_SERVER_PORT}, which carries the API server: give its pods "
            "another port"
        )
    for arn in allowed_principals:
        if not _PRINCIPAL_ARN.match(arn):
            raise ValueError(
                f"allowed_principals has {arn!r}: it must be the ARN of an account, role or user, as in "
                "arn:aws:iam::111122223333:root"
            )
