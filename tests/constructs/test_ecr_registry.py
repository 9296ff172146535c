"""The registry of a region."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from ha_constructs.ecr_registry import EcrRegistry

REGION = "eu-west-1"


def new_stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Test", env=cdk.Environment(account="111111111111", region=REGION))


@pytest.fixture
def stack() -> cdk.Stack:
    return new_stack()


@pytest.fixture(scope="module")
def registry() -> EcrRegistry:
    stack = new_stack()
    registry = EcrRegistry(
        stack,
        "Registry",
        prefix="reference",
        repositories=["web", "worker"],
        key=kms.Key(stack, "Key"),
        pull_through=("ecr-public", "k8s", "quay", "docker-hub"),
        pull_through_credentials={"docker-hub": "ecr-pullthroughcache/docker-hub"},
        tags={"team": "platform"},
    )
    for name in ("Node", "Runner"):
        registry.grant_pull(iam.Role(stack, name, assumed_by=iam.ServicePrincipal("ec2.amazonaws.com")))
    return registry


@pytest.fixture(scope="module")
def template(registry: EcrRegistry) -> Template:
    return Template.from_stack(cdk.Stack.of(registry))


@pytest.fixture(scope="module")
def unprotected() -> Template:
    stack = new_stack()
    EcrRegistry(
        stack,
        "Registry",
        prefix="reference",
        repositories=["web"],
        key=kms.Key(stack, "Key"),
        pull_through=(),
        deletion_protection=False,
    )
    return Template.from_stack(stack)


def creation_template(template: Template, prefix: str) -> dict[str, Any]:
    (found,) = template.find_resources(
        "AWS::ECR::RepositoryCreationTemplate", {"Properties": {"Prefix": prefix}}
    ).values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def test_repositories_are_immutable_encrypted_and_scanned(template: Template) -> None:
    (key_id,) = template.find_resources("AWS::KMS::Key")
    template.resource_count_is("AWS::ECR::Repository", 2)
    template.all_resources_properties(
        "AWS::ECR::Repository",
        {
            "ImageTagMutability": "IMMUTABLE",
            "ImageScanningConfiguration": {"ScanOnPush": True},
            "EncryptionConfiguration": {"EncryptionType": "KMS", "KmsKey": {"Fn::GetAtt": [key_id, "Arn"]}},
        },
    )


def test_repositories_are_named_below_the_prefix(template: Template) -> None:
    names = {r["Properties"]["RepositoryName"] for r in template.find_resources("AWS::ECR::Repository").values()}
    assert names == {"reference/web", "reference/worker"}


def test_tagged_images_never_expire_by_age(template: Template) -> None:
    for repository in template.find_resources("AWS::ECR::Repository").values():
        rules = json.loads(repository["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
        counted = {rule["selection"]["tagStatus"]: rule["selection"]["countType"] for rule in rules}
        assert counted == {"untagged": "sinceImagePushed", "tagged": "imageCountMoreThan"}


def test_protected_repositories_stay_with_their_images(template: Template) -> None:
    template.all_resources("AWS::ECR::Repository", {"DeletionPolicy": "RetainExceptOnCreate"})
    template.all_resources_properties("AWS::ECR::Repository", {"EmptyOnDelete": False})


def test_unprotected_repositories_go_with_their_images(unprotected: Template) -> None:
    unprotected.all_resources("AWS::ECR::Repository", {"DeletionPolicy": "Delete"})
    unprotected.all_resources_properties("AWS::ECR::Repository", {"EmptyOnDelete": True})


def test_replicated_repositories_get_the_same_settings(template: Template) -> None:
    replicated = creation_template(template, "reference")
    (repository, *_) = template.find_resources("AWS::ECR::Repository").values()
    assert replicated["AppliedFor"] == ["REPLICATION"]
    assert replicated["ImageTagMutability"] == "IMMUTABLE"
    assert replicated["EncryptionConfiguration"] == repository["Properties"]["EncryptionConfiguration"]
    assert replicated["LifecyclePolicy"] == repository["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"]
    assert replicated["ResourceTags"] == [{"Key": "team", "Value": "platform"}]


@pytest.mark.parametrize(
    ("upstream", "prefix", "url"),
    [
        ("ecr-public", "reference-public", "public.ecr.aws"),
        ("k8s", "reference-k8s", "registry.k8s.io"),
        ("quay", "reference-quay", "quay.io"),
        ("docker-hub", "reference-docker", "registry-1.docker.io"),
    ],
)
def test_upstream_is_cached_with_mutable_tags_and_no_expiry_by_age(
    template: Template, upstream: str, prefix: str, url: str
) -> None:
    template.has_resource_properties(
        "AWS::ECR::PullThroughCacheRule",
        {"EcrRepositoryPrefix": prefix, "UpstreamRegistry": upstream, "UpstreamRegistryUrl": url},
    )
    cached = creation_template(template, prefix)
    assert cached["AppliedFor"] == ["PULL_THROUGH_CACHE"]
    assert cached["ImageTagMutability"] == "MUTABLE"
    assert cached["EncryptionConfiguration"]["EncryptionType"] == "KMS"
    (rule,) = json.loads(cached["LifecyclePolicy"])["rules"]
    assert (rule["selection"]["tagStatus"], rule["selection"]["countType"]) == ("any", "imageCountMoreThan")


def test_only_the_upstream_with_credentials_has_a_secret(template: Template) -> None:
    secrets = {
        rule["Properties"]["EcrRepositoryPrefix"]: str(rule["Properties"].get("CredentialArn"))
        for rule in template.find_resources("AWS::ECR::PullThroughCacheRule").values()
    }
    assert secrets.pop("reference-docker").find(":secret:ecr-pullthroughcache/docker-hub") > 0
    assert set(secrets.values()) == {"None"}


def test_cache_rule_waits_for_its_template(template: Template) -> None:
    templates = set(template.find_resources("AWS::ECR::RepositoryCreationTemplate"))
    for rule in template.find_resources("AWS::ECR::PullThroughCacheRule").values():
        assert templates & set(rule["DependsOn"])


def test_templates_wait_for_the_permissions_of_their_role(template: Template) -> None:
    policies = set(template.find_resources("AWS::IAM::Policy"))
    for creation in template.find_resources("AWS::ECR::RepositoryCreationTemplate").values():
        assert policies & set(creation["DependsOn"])


def test_ecr_may_create_repositories_of_the_environment_only(template: Template) -> None:
    (policy,) = template.find_resources(
        "AWS::IAM::Policy", {"Properties": {"PolicyName": Match.string_like_regexp("Templates")}}
    ).values()
    create, encrypt = policy["Properties"]["PolicyDocument"]["Statement"]
    assert set(create["Action"]) == {"ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"}
    assert all(":repository/reference" in str(resource) for resource in create["Resource"])
    assert set(encrypt["Action"]) == {"kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"}


def test_all_pullers_share_a_policy_that_cannot_push(template: Template) -> None:
    (policy,) = template.find_resources(
        "AWS::IAM::Policy", {"Properties": {"PolicyName": Match.string_like_regexp("Pull")}}
    ).values()
    assert len(policy["Properties"]["Roles"]) == 2
    token, pull, through = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (token["Action"], token["Resource"]) == ("ecr:GetAuthorizationToken", "*")
    assert set(pull["Action"]) == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    }
    assert set(through["Action"]) == {"ecr:BatchImportUpstreamImage", "ecr:CreateRepository"}
    assert not any(str(resource).endswith("repository/reference/*") for resource in through["Resource"])


def test_nothing_is_taken_that_exists_once_an_account_and_region(template: Template) -> None:
    for kind in ("RegistryPolicy", "ReplicationConfiguration", "RegistryScanningConfiguration"):
        template.resource_count_is(f"AWS::ECR::{kind}", 0)


def test_uris_are_of_this_region(registry: EcrRegistry) -> None:
    resolve = cdk.Stack.of(registry).resolve
    assert f".dkr.ecr.{REGION}." in str(resolve(registry.pull_through_uri("k8s")))
    assert str(resolve(registry.pull_through_uri("k8s"))).rstrip("'}]").endswith("/reference-k8s")
    assert registry.repository_uri("web")


def test_replication_prefix_leaves_the_caches_out(registry: EcrRegistry) -> None:
    assert registry.replication_prefix == "reference/"
    assert not "reference-k8s/pause".startswith(registry.replication_prefix)


def test_repositories_can_be_left_to_replication(stack: cdk.Stack) -> None:
    registry = EcrRegistry(
        stack,
        "Registry",
        prefix="reference",
        repositories=["web"],
        key=kms.Key(stack, "Key"),
        create_repositories=False,
    )
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::ECR::Repository", 0)
    assert registry.repositories["web"].repository_name == "reference/web"


def test_identity_that_is_no_role_gets_the_statements_itself(stack: cdk.Stack) -> None:
    registry = EcrRegistry(stack, "Registry", prefix="reference", repositories=[], key=kms.Key(stack, "Key"))
    registry.grant_pull(iam.User(stack, "User"))
    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::Policy", {"Users": Match.any_value(), "PolicyDocument": Match.any_value()}
    )


def test_unknown_names_are_refused_with_the_closest_one(registry: EcrRegistry) -> None:
    with pytest.raises(ValueError, match=r"Unknown repository 'wep'\. Did you mean 'web'"):
        registry.repository_uri("wep")
    with pytest.raises(ValueError, match="Unknown upstream registry 'github"):
        registry.pull_through_uri("github-container-registry")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repositories": ["Web"]}, "lower-case letters"),
        ({"repositories": ["web", "web"]}, "Duplicate repository 'web'"),
        ({"prefix": "reference-"}, "beginning and ending with a letter or digit"),
        ({"prefix": "a" * 24}, "has 31 characters, ECR allows 30"),
        ({"pull_through": ["k8"]}, "Did you mean 'k8s'"),
        ({"pull_through": ["docker-hub"]}, "needs credentials"),
        ({"pull_through_credentials": {"docker-hub": "ecr-pullthroughcache/hub"}}, "add 'docker-hub' to pull_through"),
        ({"pull_through_credentials": {"k8s": "ecr-pullthroughcache/k8s"}}, "takes no credentials"),
        (
            {"pull_through": ["docker-hub"], "pull_through_credentials": {"docker-hub": "docker-hub"}},
            "starts with 'ecr-pullthroughcache/'",
        ),
        ({"kept_tagged_images": 0}, "kept_tagged_images must be 1 or more, got 0"),
    ],
)
def test_what_ecr_would_refuse_is_refused(stack: cdk.Stack, changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {
        "prefix": "reference",
        "repositories": ["web"],
        "key": kms.Key(stack, "Key"),
        **changes,
    }
    with pytest.raises(ValueError, match=message):
        EcrRegistry(stack, "Registry", **arguments)
