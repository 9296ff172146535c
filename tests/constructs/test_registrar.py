import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.registrar import CrossRegionRegistrar, SecretReplica

ACCOUNT = "111111111111"
OWN_REGION = "us-east-1"
PRIMARY_REGION = "eu-west-1"
REPLICA_KEY = f"arn:aws:kms:{OWN_REGION}:{ACCOUNT}:key/mrk-1234"
PRIMARY_KEY = f"arn:aws:kms:{PRIMARY_REGION}:{ACCOUNT}:key/mrk-1234"


def make_registrar() -> CrossRegionRegistrar:
    # With partitions as literals, as the library's recommended flags have it, ARNs are plain text.
    app = cdk.App(context={"@aws-cdk/core:enablePartitionLiterals": True})
    stack = cdk.Stack(app, "Stack", env=cdk.Environment(account=ACCOUNT, region=OWN_REGION))
    return CrossRegionRegistrar(stack, "Registrar", logs_key=kms.Key(stack, "Key"))


def add_peering(registrar: CrossRegionRegistrar, tables: list[str] | str) -> cdk.CustomResource:
    return registrar.add_peering_routes(
        "Peering",
        connection_id="pcx-1",
        own_cidr="10.1.0.0/16",
        peer_region=PRIMARY_REGION,
        peer_vpc_id="vpc-1",
        peer_route_table_ids=tables,
    )


def template_of(registrar: CrossRegionRegistrar) -> Template:
    return Template.from_stack(cdk.Stack.of(registrar))


def policy_of_use(template: Template, name: str) -> dict[str, dict[str, Any]]:
    """Statements of the policy of one use, by each action."""
    policies = template.find_resources("AWS::IAM::Policy")
    (policy,) = [policy for logical_id, policy in policies.items() if f"Registrar{name}Policy" in logical_id]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    as_lists = [
        entry | {"Action": [entry["Action"]] if isinstance(entry["Action"], str) else entry["Action"]}
        for entry in statements
    ]
    return {action: entry for entry in as_lists for action in entry["Action"]}


@pytest.fixture(scope="module")
def registrar() -> CrossRegionRegistrar:
    return make_registrar()


@pytest.fixture(scope="module")
def replica(registrar: CrossRegionRegistrar) -> SecretReplica:
    return registrar.add_secret_replica(
        "Secret", primary_region=PRIMARY_REGION, secret_name="production/database", kms_key_arn=REPLICA_KEY
    )


@pytest.fixture(scope="module")
def template(registrar: CrossRegionRegistrar, replica: SecretReplica) -> Template:
    add_peering(registrar, ["rtb-1", "rtb-2"])
    registrar.add_registry_replication("Images", primary_region=PRIMARY_REGION, repository_prefix="production/")
    return template_of(registrar)


def test_serves_every_use_with_one_function(template: Template) -> None:
    template.resource_count_is("AWS::Lambda::Function", 1)
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {"Architectures": ["arm64"], "Runtime": "python3.14", "Handler": "registrar.index.handler", "Timeout": 600},
    )


def test_ships_its_own_handler_and_nothing_else(registrar: CrossRegionRegistrar, template: Template) -> None:
    stage = cdk.Stage.of(registrar)
    assert stage is not None
    directory = Path(stage.synth().directory)
    manifest = json.loads((directory / "Stack.assets.json").read_text())
    sources = [entry["source"]["path"] for entry in manifest["files"].values() if entry["source"]["packaging"] == "zip"]
    (asset,) = sources
    files = {str(path.relative_to(directory / asset)) for path in (directory / asset).rglob("*") if path.is_file()}
    assert "registrar/index.py" in files
    assert all(name.startswith("registrar/") and name.endswith(".py") for name in files)


def test_without_a_use_it_may_only_write_logs() -> None:
    policies = template_of(make_registrar()).find_resources("AWS::IAM::Policy")
    (policy,) = policies.values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]


def test_logs_are_encrypted_and_expire(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Logs::LogGroup",
        {"KmsKeyId": {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]}, "RetentionInDays": 90},
    )


@pytest.mark.parametrize(
    "resource_type", ["Custom::PeeringRegistration", "Custom::SecretReplica", "Custom::RegistryReplication"]
)
def test_permissions_outlive_the_resource(template: Template, resource_type: str) -> None:
    (resource,) = template.find_resources(resource_type).values()
    policies = template.find_resources("AWS::IAM::Policy")
    assert resource["DependsOn"]
    assert set(resource["DependsOn"]) <= set(policies)


@pytest.mark.parametrize(
    "resource_type", ["Custom::PeeringRegistration", "Custom::SecretReplica", "Custom::RegistryReplication"]
)
def test_stack_waits_longer_than_the_function_runs(template: Template, resource_type: str) -> None:
    template.has_resource_properties(resource_type, {"ServiceTimeout": "720"})


def test_peering_names_everything_the_handler_needs(template: Template) -> None:
    template.has_resource_properties(
        "Custom::PeeringRegistration",
        {
            "ConnectionId": "pcx-1",
            "OwnCidr": "10.1.0.0/16",
            "OwnRegion": OWN_REGION,
            "PeerRegion": PRIMARY_REGION,
            "PeerRouteTableIds": "rtb-1,rtb-2",
        },
    )


def test_peering_takes_tables_of_another_stack_as_one_string() -> None:
    registrar = make_registrar()
    add_peering(registrar, cdk.Fn.get_stack_output("production-eu-west-1", "RouteTableIds", PRIMARY_REGION))
    template_of(registrar).has_resource_properties(
        "Custom::PeeringRegistration", {"PeerRouteTableIds": {"Fn::GetStackOutput": Match.any_value()}}
    )


@pytest.mark.parametrize("action", ["ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:DeleteRoute"])
def test_peering_may_change_routes_of_the_peer_vpc_only(template: Template, action: str) -> None:
    statement = policy_of_use(template, "Peering")[action]
    assert statement["Resource"] == f"arn:aws:ec2:{PRIMARY_REGION}:{ACCOUNT}:route-table/*"
    vpc = f"arn:aws:ec2:{PRIMARY_REGION}:{ACCOUNT}:vpc/vpc-1"
    assert statement["Condition"] == {"ArnEquals": {"ec2:Vpc": vpc}}


def test_peering_may_set_options_of_its_connection_only(template: Template) -> None:
    statement = policy_of_use(template, "Peering")["ec2:ModifyVpcPeeringConnectionOptions"]
    assert set(statement["Resource"]) == {
        f"arn:aws:ec2:{region}:{ACCOUNT}:vpc-peering-connection/pcx-1" for region in (OWN_REGION, PRIMARY_REGION)
    }


def test_secret_replica_names_the_secret_and_both_regions(template: Template) -> None:
    template.has_resource_properties(
        "Custom::SecretReplica",
        {
            "SecretId": "production/database",
            "PrimaryRegion": PRIMARY_REGION,
            "ReplicaRegion": OWN_REGION,
            "KmsKeyId": REPLICA_KEY,
        },
    )


def test_secret_replica_touches_its_secret_only(template: Template) -> None:
    statement = policy_of_use(template, "Secret")["secretsmanager:ReplicateSecretToRegions"]
    assert (
        statement["Resource"] == f"arn:aws:secretsmanager:{PRIMARY_REGION}:{ACCOUNT}:secret:production/database-??????"
    )
    assert "secretsmanager:GetSecretValue" not in policy_of_use(template, "Secret")
    assert "secretsmanager:DeleteSecret" not in policy_of_use(template, "Secret")


@pytest.mark.parametrize(
    ("action", "key"),
    [("kms:Decrypt", PRIMARY_KEY), ("kms:Encrypt", REPLICA_KEY), ("kms:GenerateDataKey", REPLICA_KEY)],
)
def test_secret_replica_uses_keys_through_secrets_manager(template: Template, action: str, key: str) -> None:
    statement = policy_of_use(template, "Secret")[action]
    assert statement["Resource"] == key
    assert statement["Condition"] == {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}


def test_secret_replica_tells_its_arn(registrar: CrossRegionRegistrar, replica: SecretReplica) -> None:
    assert cdk.Stack.of(registrar).resolve(replica.secret_arn)["Fn::GetAtt"][1] == "ReplicaArn"


def test_secret_by_arn_is_named_exactly() -> None:
    registrar = make_registrar()
    arn = f"arn:aws:secretsmanager:{PRIMARY_REGION}:{ACCOUNT}:secret:other-a1b2c3"
    registrar.add_secret_replica("Secret", primary_region=PRIMARY_REGION, secret_arn=arn, kms_key_arn=REPLICA_KEY)
    template = template_of(registrar)
    assert policy_of_use(template, "Secret")["secretsmanager:DescribeSecret"]["Resource"] == arn
    template.has_resource_properties("Custom::SecretReplica", {"SecretId": arn})


def test_registry_replication_names_prefix_and_regions(template: Template) -> None:
    template.has_resource_properties(
        "Custom::RegistryReplication",
        {"PrimaryRegion": PRIMARY_REGION, "DestinationRegion": OWN_REGION, "RepositoryPrefix": "production/"},
    )


def test_registry_replication_is_limited_to_the_primary_region(template: Template) -> None:
    statement = policy_of_use(template, "Images")["ecr:PutReplicationConfiguration"]
    assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": PRIMARY_REGION}}


def test_no_action_has_a_wildcard(template: Template) -> None:
    for name in ("Peering", "Secret", "Images"):
        assert not [action for action in policy_of_use(template, name) if "*" in action]


@pytest.mark.parametrize("secret", [{}, {"secret_name": "a", "secret_arn": "arn:b"}])
def test_refuses_other_than_one_name_of_a_secret(secret: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="either secret_name or secret_arn"):
        make_registrar().add_secret_replica("S", primary_region=PRIMARY_REGION, kms_key_arn=REPLICA_KEY, **secret)


def test_refuses_a_secret_replica_in_the_primary_region() -> None:
    with pytest.raises(ValueError, match="another region"):
        make_registrar().add_secret_replica("S", primary_region=OWN_REGION, secret_name="a", kms_key_arn=REPLICA_KEY)


def test_refuses_registry_replication_in_the_primary_region() -> None:
    with pytest.raises(ValueError, match="another region"):
        make_registrar().add_registry_replication("R", primary_region=OWN_REGION, repository_prefix="production/")


def test_refuses_to_replicate_every_repository() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        make_registrar().add_registry_replication("R", primary_region=PRIMARY_REGION, repository_prefix="")
