"""How a region registers itself with its peers: the one place for what CloudFormation has no type for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from ha_constructs.location import location_of

FUNCTION_TIMEOUT_MINUTES = 10
SERVICE_TIMEOUT_MINUTES = 12  # the function answers before its own timeout, so this is for an invocation that was lost

_HANDLERS = Path(__file__).parent / "handlers"


@dataclass(frozen=True)
class SecretReplica:
    """A secret's replica in this region.

    ``secret_arn`` is the replica's ARN; whatever reads the replica by name instead must depend on ``resource``.
    """

    resource: cdk.CustomResource
    secret_arn: str


class CrossRegionRegistrar(Construct):
    """One small Lambda function a region, through which the region enters itself where its peers must know it.

    CloudFormation works in one region, and for these three tasks no resource type serves:

    - ``Custom::PeeringRegistration``: routes in *another* region's route tables (``AWS::EC2::Route`` makes routes in
      the stack's region only; putting them into the peer's stack would make every region's template list the others),
      and DNS resolution over a peering connection, an option that ``AWS::EC2::VPCPeeringConnection`` lacks and EC2
      wants set from each side's own region.
    - ``Custom::SecretReplica``: a secret's replica. ``AWS::SecretsManager::Secret`` lists its ``ReplicaRegions`` in the
      primary region's stack, which must not know the others.
    - ``Custom::RegistryReplication``: ``AWS::ECR::ReplicationConfiguration`` is one for the whole registry, in the
      primary region, and lists every destination; a second stack that declares it overwrites the first.

    Every resource is idempotent, tolerates at deletion what has gone, and undoes only what it made. Each use attaches
    its own policy, on which its resource depends: a use that leaves the template keeps its permissions until
    CloudFormation has deleted it.

    Arguments:
        logs_key: encrypts the function's log group; its policy must admit CloudWatch Logs (``EncryptionKeys.logs``
            does).

    Exposes:
        ``function``, ``role``, ``log_group``.

    Follows: "Custom resources" (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html).
    """

    def __init__(self, scope: Construct, construct_id: str, *, logs_key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._location = location_of(self)
        # Findings name pseudo parameters where the stack knows neither its region nor its account.
        names = {self._location.partition: "<AWS::Partition>", self._location.account: "<AWS::AccountId>"}
        self._pseudo_parameters = {value: name for value, name in names.items() if cdk.Token.is_unresolved(value)}
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=logs_key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Registers this region with its peers",
        )
        self.log_group.grant_write(self.role)
        self.function = self._build_function()
        self._function_arn = self.function.function_arn
        self._service_timeout = cdk.Duration.minutes(SERVICE_TIMEOUT_MINUTES)

    def add_peering_routes(
        self,
        construct_id: str,
        *,
        connection_id: str,
        own_cidr: str,
        peer_region: str,
        peer_vpc_id: str,
        peer_route_table_ids: Sequence[str] | str,
    ) -> cdk.CustomResource:
        """Route this network's block over a peering connection in the peer's tables, and set DNS resolution.

        Arguments:
            connection_id: the peering connection, requested by this region.
            own_cidr: this network's IPv4 block.
            peer_region: the accepter's region.
            peer_vpc_id: the accepter's VPC; only its route tables may be written.
            peer_route_table_ids: the accepter's route tables, as a list or joined by commas.

        Routes that lead elsewhere for the same block are replaced. Deletion takes away the routes that still lead over
        this connection.
        """
        tables = peer_route_table_ids if isinstance(peer_route_table_ids, str) else ",".join(peer_route_table_ids)
        own_region = self._location.region
        connections = [
            self._location.arn("ec2", f"vpc-peering-connection/{connection_id}", region=region)
            for region in (own_region, peer_region)
        ]
        peer_vpc = self._location.arn("ec2", f"vpc/{peer_vpc_id}", region=peer_region)
        peer_tables = self._location.arn("ec2", "route-table/*", region=peer_region)
        return self._add(
            construct_id,
            resource_type="Custom::PeeringRegistration",
            properties={
                "ConnectionId": connection_id,
                "OwnCidr": own_cidr,
                "OwnRegion": own_region,
                "PeerRegion": peer_region,
                "PeerRouteTableIds": tables,
            },
            statements=[
                iam.PolicyStatement(
                    # The tables' number is not known when their ids come from another stack: the VPC is the fence.
                    actions=["ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute"],
                    resources=[peer_tables],
                    conditions={"ArnEquals": {"ec2:Vpc": peer_vpc}},
                ),
                iam.PolicyStatement(actions=["ec2:AcceptVpcPeeringConnection"], resources=[connections[1], peer_vpc]),
                iam.PolicyStatement(actions=["ec2:ModifyVpcPeeringConnectionOptions"], resources=connections),
                # EC2's describe actions know no resource.
                iam.PolicyStatement(
                    actions=["ec2:DescribeRouteTables", "ec2:DescribeVpcPeeringConnections"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:RequestedRegion": [own_region, peer_region]}},
                ),
            ],
            wildcards={
                peer_tables: "Limited to the peer VPC's route tables by the condition on ec2:Vpc.",
                "*": "ec2:Describe* actions know no resource; limited to the two regions.",
            },
        )

    def add_secret_replica(
        self,
        construct_id: str,
        *,
        primary_region: str,
        kms_key_arn: str,
        secret_name: str | None = None,
        secret_arn: str | None = None,
        primary_kms_key_arn: str | None = None,
    ) -> SecretReplica:
        """Replicate a secret of the primary region to this region.

        Arguments:
            primary_region: where the secret lives.
            kms_key_arn: this region's key, which encrypts the replica.
            secret_name, secret_arn: the secret; exactly one of them. Another one replaces the replica.
            primary_kms_key_arn: the key of the secret itself; default ``kms_key_arn``'s multi-region sibling.

        Deletion removes the replica and never the secret. A replica that was promoted meanwhile is left alone.

        Raises:
            ValueError: unless exactly one of ``secret_name`` and ``secret_arn`` is given, or in the primary region.
        """
        if (secret_name is None) == (secret_arn is None):
            raise ValueError("give either secret_name or secret_arn")
        own_region = self._other_region("primary_region", primary_region)
        # Secrets Manager adds a hyphen and six random characters to the name in the ARN.
        secret_resource = secret_arn or self._location.arn(
            "secretsmanager", f"secret:{secret_name}-??????", region=primary_region
        )
        sibling = f"key/{cdk.Fn.select(1, cdk.Fn.split('/', kms_key_arn))}"
        primary_key = primary_kms_key_arn or self._location.arn("kms", sibling, region=primary_region)
        through_service = {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}
        resource = self._add(
            construct_id,
            resource_type="Custom::SecretReplica",
            properties={
                "SecretId": secret_arn or secret_name,
                "PrimaryRegion": primary_region,
                "ReplicaRegion": own_region,
                "KmsKeyId": kms_key_arn,
            },
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "secretsmanager:DescribeSecret",
                        "secretsmanager:RemoveRegionsFromReplication",
                        "secretsmanager:ReplicateSecretToRegions",
                    ],
                    resources=[secret_resource],
                ),
                iam.PolicyStatement(actions=["kms:Decrypt"], resources=[primary_key], conditions=through_service),
                iam.PolicyStatement(
                    actions=["kms:Encrypt", "kms:GenerateDataKey"], resources=[kms_key_arn], conditions=through_service
                ),
            ],
            wildcards={},
        )
        return SecretReplica(resource=resource, secret_arn=resource.get_att_string("ReplicaArn"))

    def add_registry_replication(
        self, construct_id: str, *, primary_region: str, repository_prefix: str
    ) -> cdk.CustomResource:
        """Make this region a destination of the primary registry's replication, for repositories under a prefix.

        Arguments:
            primary_region: the region whose images are replicated.
            repository_prefix: the beginning of the repositories' names, such as ``production/``.

        One replication rule a prefix; other rules stay as they are. ECR allows 10 rules and 25 destinations in a
        registry, and the resource says so where they are used up. The configuration is written as a whole: regions
        that deploy one after the other (the stacks' dependencies, or the CLI's default of one at a time) never meet;
        where two do, each reads again after its write and repeats what was lost. ECR replicates images pushed from
        then on, not those already there.

        Raises:
            ValueError: for an empty prefix, or in the primary region.
        """
        if not repository_prefix:
            raise ValueError("repository_prefix must not be empty: it would replicate every repository of the account")
        own_region = self._other_region("primary_region", primary_region)
        service_role = (
            f"arn:{self._location.partition}:iam::{self._location.account}:role/aws-service-role/"
            "replication.ecr.amazonaws.com/AWSServiceRoleForECRReplication"
        )
        return self._add(
            construct_id,
            resource_type="Custom::RegistryReplication",
            properties={
                "PrimaryRegion": primary_region,
                "DestinationRegion": own_region,
                "RepositoryPrefix": repository_prefix,
            },
            statements=[
                # ECR's registry-wide actions know no resource.
                iam.PolicyStatement(
                    actions=["ecr:DescribeRegistry", "ecr:PutReplicationConfiguration"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:RequestedRegion": primary_region}},
                ),
                # With an account's first replication ECR creates its service-linked role on the caller's behalf.
                iam.PolicyStatement(
                    actions=["iam:CreateServiceLinkedRole"],
                    resources=[service_role],
                    conditions={"StringEquals": {"iam:AWSServiceName": "replication.ecr.amazonaws.com"}},
                ),
            ],
            wildcards={"*": "The registry's actions know no resource; limited to the primary region."},
        )

    def _build_function(self) -> lambda_.Function:
        return lambda_.Function(
            self,
            "Function",
            description="Registers this region with its peers: routes, secret replicas, image replication",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="registrar.index.handler",
            # Only this handler's package, without bytecode: the asset's hash changes with the code alone.
            code=lambda_.Code.from_asset(
                str(_HANDLERS),
                exclude=["*", "!registrar", "!registrar/*.py"],
                ignore_mode=cdk.IgnoreMode.GIT,
            ),
            memory_size=256,
            timeout=cdk.Duration.minutes(FUNCTION_TIMEOUT_MINUTES),
            log_group=self.log_group,
            role=self.role,
        )

    def _add(
        self,
        construct_id: str,
        *,
        resource_type: str,
        properties: dict[str, object],
        statements: Sequence[iam.PolicyStatement],
        wildcards: dict[str, str],
    ) -> cdk.CustomResource:
        use = Construct(self, construct_id)
        policy = iam.Policy(use, "Policy", roles=[self.role], statements=list(statements))
        if wildcards:
            cdk.Validations.of(policy).acknowledge(
                *(
                    cdk.Acknowledgment(
                        id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{self._as_reported(resource)}]", reason=reason
                    )
                    for resource, reason in wildcards.items()
                )
            )
        custom_resource = cdk.CustomResource(
            use,
            "Resource",
            service_token=self._function_arn,
            resource_type=resource_type,
            service_timeout=self._service_timeout,
            properties=properties,
        )
        custom_resource.node.add_dependency(policy)
        return custom_resource

    def _as_reported(self, resource: str) -> str:
        for value, name in self._pseudo_parameters.items():
            resource = resource.replace(value, name)
        return resource

    def _other_region(self, argument: str, region: str) -> str:
        own_region = self._location.region
        if region == own_region:
            raise ValueError(f"{argument} must be another region than the stack's own, {own_region}")
        return own_region
