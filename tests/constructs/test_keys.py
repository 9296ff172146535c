from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Match, Template

from ha_constructs.keys import DATA_ACTIONS, EncryptionKeys

ACCOUNT = "111111111111"
PRIMARY_ARN = "arn:aws:kms:eu-west-1:111111111111:key/mrk-1234"
PURPOSES = ["cluster", "database", "cache", "messaging", "registry", "logs", "backup", "alerts", "secrets"]


def make_keys(region: str = "eu-west-1", **arguments: Any) -> EncryptionKeys:
    stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(account=ACCOUNT, region=region))
    return EncryptionKeys(stack, "Keys", **({"environment_name": "production"} | arguments))


def template_of(keys: EncryptionKeys) -> dict[str, Any]:
    return Template.from_stack(cdk.Stack.of(keys)).to_json()["Resources"]  # type: ignore[no-any-return]


def statements(resources: dict[str, Any], purpose: str) -> dict[str, dict[str, Any]]:
    alias = next(
        resource
        for resource in resources.values()
        if resource["Type"] == "AWS::KMS::Alias"
        and resource["Properties"]["AliasName"] == f"alias/production/{purpose}"
    )
    target = alias["Properties"]["TargetKeyId"]["Fn::GetAtt"][0]
    return {statement["Sid"]: statement for statement in resources[target]["Properties"]["KeyPolicy"]["Statement"]}


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return template_of(make_keys())


@pytest.fixture(scope="module")
def replica_resources() -> dict[str, Any]:
    return template_of(make_keys("us-east-1", secrets_primary_key_arn=PRIMARY_ARN))


def test_every_purpose_has_its_own_key(resources: dict[str, Any]) -> None:
    keys = [resource for resource in resources.values() if resource["Type"] == "AWS::KMS::Key"]
    aliases = {
        resource["Properties"]["AliasName"]: resource["Properties"]["TargetKeyId"]["Fn::GetAtt"][0]
        for resource in resources.values()
        if resource["Type"] == "AWS::KMS::Alias"
    }
    assert set(aliases) == {f"alias/production/{purpose}" for purpose in PURPOSES}
    assert len(keys) == len(set(aliases.values())) == len(PURPOSES)


def test_every_key_is_rotated_kept_and_slow_to_delete(resources: dict[str, Any]) -> None:
    for key in (resource for resource in resources.values() if resource["Type"] == "AWS::KMS::Key"):
        assert key["Properties"]["EnableKeyRotation"] is True
        assert key["Properties"]["PendingWindowInDays"] == 30
        assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("purpose", PURPOSES)
def test_administration_does_not_read_or_write(resources: dict[str, Any], purpose: str) -> None:
    administration = statements(resources, purpose)["AdministrationByAccount"]
    assert "kms:PutKeyPolicy" in administration["Action"]
    assert "Condition" not in administration
    assert not set(administration["Action"]) & {*DATA_ACTIONS, "kms:CreateGrant"}


@pytest.mark.parametrize(
    ("purpose", "services"),
    [
        ("database", ["rds"]),
        ("cache", ["elasticache", "dax"]),
        ("messaging", ["sns", "sqs"]),
        ("registry", ["ecr"]),
        ("logs", ["logs"]),
        ("backup", ["backup", "rds"]),
        ("alerts", ["sns"]),
        ("secrets", ["secretsmanager"]),
    ],
)
def test_key_is_used_through_its_services_only(resources: dict[str, Any], purpose: str, services: list[str]) -> None:
    policy = statements(resources, purpose)
    use = policy["UseByAccountThroughServices"]
    assert use["Condition"] == {"StringLike": {"kms:ViaService": [f"{name}.*.amazonaws.com" for name in services]}}
    for statement in policy.values():
        if set(statement["Action"]) & set(DATA_ACTIONS):
            assert statement["Condition"]


def test_cluster_key_is_used_as_iam_allows(resources: dict[str, Any]) -> None:
    assert "Condition" not in statements(resources, "cluster")["UseByAccount"]


def test_no_action_has_a_wildcard_and_no_principal_is_everyone(resources: dict[str, Any]) -> None:
    for purpose in PURPOSES:
        for statement in statements(resources, purpose).values():
            assert not [action for action in statement["Action"] if "*" in action]
            assert "*" not in str(statement["Principal"])


def test_log_groups_of_this_account_and_region_are_encrypted(resources: dict[str, Any]) -> None:
    statement = statements(resources, "logs")["EncryptionOfLogGroups"]
    assert statement["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}
    (arn,) = statement["Condition"]["ArnLike"].values()
    assert ":logs:eu-west-1:111111111111:log-group:*" in str(arn)


@pytest.mark.parametrize(
    ("purpose", "service", "source"),
    [
        ("messaging", "sns.amazonaws.com", ":sns:eu-west-1:111111111111:*"),
        ("alerts", "cloudwatch.amazonaws.com", ":cloudwatch:eu-west-1:111111111111:alarm:*"),
    ],
)
def test_service_acts_for_this_account_alone(
    resources: dict[str, Any], purpose: str, service: str, source: str
) -> None:
    (statement,) = [
        entry for entry in statements(resources, purpose).values() if entry["Principal"] == {"Service": service}
    ]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert source in str(statement["Condition"]["ArnLike"]["aws:SourceArn"])


def test_primary_secrets_key_is_multi_region(resources: dict[str, Any]) -> None:
    multi_region = [
        resource["Properties"]["Description"]
        for resource in resources.values()
        if resource["Properties"].get("MultiRegion") is True
    ]
    assert multi_region == ["production: Secrets, in every region"]


def test_other_regions_replicate_the_secrets_key(replica_resources: dict[str, Any]) -> None:
    (replica,) = [resource for resource in replica_resources.values() if resource["Type"] == "AWS::KMS::ReplicaKey"]
    assert replica["Properties"]["PrimaryKeyArn"] == PRIMARY_ARN
    assert replica["Properties"]["PendingWindowInDays"] == 30
    assert replica["DeletionPolicy"] == "Retain"
    assert not [entry for entry in replica_resources.values() if entry["Properties"].get("MultiRegion") is True]


def test_replica_has_the_same_policy_and_an_alias(resources: dict[str, Any], replica_resources: dict[str, Any]) -> None:
    assert statements(replica_resources, "secrets") == statements(resources, "secrets")


def test_keys_go_with_the_stack_without_deletion_protection() -> None:
    resources = template_of(make_keys("us-east-1", secrets_primary_key_arn=PRIMARY_ARN, deletion_protection=False))
    keys = [
        resource for resource in resources.values() if resource["Type"] in {"AWS::KMS::Key", "AWS::KMS::ReplicaKey"}
    ]
    assert {key["DeletionPolicy"] for key in keys} == {"Delete"}


def test_using_the_keys_changes_no_policy_and_makes_no_cycle(resources: dict[str, Any]) -> None:
    keys = make_keys()
    stack = cdk.Stack.of(keys)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("pods.eks.amazonaws.com"))
    topic = sns.Topic(stack, "Topic", master_key=keys.messaging)
    queue = sqs.Queue(stack, "Queue", encryption_master_key=keys.messaging)
    topic.add_subscription(subscriptions.SqsSubscription(queue))
    queue.grant_consume_messages(role)
    secretsmanager.Secret(stack, "Secret", encryption_key=keys.secrets).grant_read(role)

    template = Template.from_stack(stack)  # refuses cyclic templates

    used = {name: key for name, key in template.to_json()["Resources"].items() if key["Type"] == "AWS::KMS::Key"}
    assert used == {name: key for name, key in resources.items() if key["Type"] == "AWS::KMS::Key"}
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {"PolicyDocument": {"Statement": Match.array_with([Match.object_like({"Action": "kms:Decrypt"})])}},
    )


def test_secrets_arn_is_that_of_the_secrets_key() -> None:
    keys = make_keys()
    assert cdk.Stack.of(keys).resolve(keys.secrets_arn)["Fn::GetAtt"][1] == "Arn"
    assert keys.secrets.key_arn == keys.secrets_arn


@pytest.mark.parametrize("name", ["", "aws", "with/slash", "with space"])
def test_refuses_a_name_that_no_alias_may_have(name: str) -> None:
    with pytest.raises(ValueError, match="environment_name"):
        make_keys(environment_name=name)
