"""Settings of ECR repositories: their lifecycle, and the templates for those that ECR creates itself."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import Validations
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class CreationTemplates(Construct):
    """Repository creation templates with own key and tags, and the role that ECR creates the repositories with.

    A template is read when ECR creates a repository, and never again: changing one, or deleting it, leaves the
    repositories as they are. Its prefix is immutable; everything else changes in place.

    Exposes:
        role: the ``iam.Role`` that ECR assumes, as own keys and tags are beyond its service-linked role.

    Documentation followed:
        Create a custom policy for repository creation templates
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates-custom.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        namespaces: Sequence[str],
        key: kms.IKey,
        tags: Mapping[str, str],
    ) -> None:
        """Create the role.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            namespaces: ARNs, ending in "/*", of the repositories that ECR may create.
            key: encrypts the images.
            tags: tags of the created repositories.
        """
        super().__init__(scope, construct_id)
        self._key_arn = key.key_arn
        self._tags = [cdk.CfnTag(key=name, value=value) for name, value in sorted(tags.items())]
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ecr.amazonaws.com"),
            description="ECR creates repositories for replication and pull-through caches with it",
        )
        self._role_arn = self.role.role_arn
        self._policy = iam.Policy(
            self,
            "Policy",
            roles=[self.role],
            statements=[
                iam.PolicyStatement(
                    actions=["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"], resources=[*namespaces]
                ),
                iam.PolicyStatement(
                    actions=["kms:CreateGrant", "kms:RetireGrant", "kms:DescribeKey"], resources=[self._key_arn]
                ),
            ],
        )
        acknowledge_wildcards(
            self._policy,
            namespaces,
            "ECR names the repositories that it creates after their source, in these namespaces.",
        )

    def add(
        self, construct_id: str, *, prefix: str, applied_for: str, mutable: bool, lifecycle: str
    ) -> ecr.CfnRepositoryCreationTemplate:
        """Create a template.

        Args:
            construct_id: id of the template.
            prefix: namespace of the repositories, without the slash that ECR assumes at its end.
            applied_for: what creates the repositories: "REPLICATION" or "PULL_THROUGH_CACHE".
            mutable: whether tags may move to another image.
            lifecycle: text of the lifecycle policy.
        """
        template = ecr.CfnRepositoryCreationTemplate(
            self,
            construct_id,
            prefix=prefix,
            applied_for=[applied_for],
            description=f"Settings of repositories that ECR creates below {prefix}/",
            custom_role_arn=self._role_arn,
            image_tag_mutability="MUTABLE" if mutable else "IMMUTABLE",
            encryption_configuration=ecr.CfnRepositoryCreationTemplate.EncryptionConfigurationProperty(
                encryption_type="KMS", kms_key=self._key_arn
            ),
            lifecycle_policy=lifecycle,
            resource_tags=self._tags or None,
        )
        # ECR uses the role as soon as the template is there, so its permissions come first.
        template.node.add_dependency(self._policy)
        return template


def own_lifecycle(kept_tagged_images: int, untagged_expiration_days: int) -> str:
    """Return a lifecycle policy: untagged images expire by age, tagged ones beyond a count."""
    untagged = {
        "rulePriority": 1,
        "description": f"Expire untagged images after {untagged_expiration_days} days",
        "selection": {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": untagged_expiration_days,
        },
        "action": {"type": "expire"},
    }
    return json.dumps(
        {"rules": [untagged, _keep(2, {"tagStatus": "tagged", "tagPatternList": ["*"]}, kept_tagged_images)]}
    )


def cache_lifecycle(kept_images: int) -> str:
    """Return a lifecycle policy: images expire beyond a count, tagged or not."""
    return json.dumps({"rules": [_keep(1, {"tagStatus": "any"}, kept_images)]})


def acknowledge_wildcards(policy: iam.Policy, resources: Sequence[str], reason: str) -> None:
    """Record why a policy has these resources with wildcards, and no others."""
    Validations.of(policy).acknowledge(
        *(
            cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{_as_reported(resource)}]", reason=reason)
            for resource in cdk.Stack.of(policy).resolve(list(resources))
        )
    )


def _as_reported(resolved: Any) -> str:
    """Write a resolved ARN as cdk-nag does, with ``<AWS::Partition>`` for what is known only at deployment."""
    if isinstance(resolved, str):
        return resolved
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in resolved["Fn::Join"][1])


def _keep(priority: int, selected: dict[str, Any], count: int) -> dict[str, Any]:
    return {
        "rulePriority": priority,
        "description": f"Keep the newest {count} images",
        "selection": {**selected, "countType": "imageCountMoreThan", "countNumber": count},
        "action": {"type": "expire"},
    }
