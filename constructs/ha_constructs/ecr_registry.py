"""A region's container images: own repositories, and a cache of public registries."""

import re
from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from ha_constructs.closest_name import unknown_name
from ha_constructs.ecr_templates import CreationTemplates, acknowledge_wildcards, cache_lifecycle, own_lifecycle
from ha_constructs.location import location_of
from ha_constructs.upstream_registries import PUBLIC_UPSTREAMS, UPSTREAMS, check_upstreams

_NAME_PATTERN = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


class EcrRegistry(Construct):
    """ECR repositories of an environment in one region, with a pull-through cache of public registries.

    Repositories ``<prefix>/<name>`` have immutable tags, encryption with the given key, a basic scan on every push,
    and a lifecycle: untagged images expire by age, tagged ones only by count, never by age. ECR doesn't know which
    images run, and a passive region hardly pulls, so neither age nor last pull says that an image is not needed; the
    count is therefore far above the pushes between two deployments.

    *Every region creates its repositories itself*, and the primary region's images are replicated into them. Left
    to replication, ECR would create a repository at its first image: without scan on push, out of reach of later
    changes (a creation template is read once), missing when a failover makes the region the one that is pushed to,
    and left behind by a deletion. The creation template for ``<prefix>/`` covers what is not declared here yet: an
    image pushed after the primary region declared a new repository and before this region did. CloudFormation then
    finds the repository existing; ``cdk deploy --import-existing-resources`` takes it over, as it does with
    repositories that a deleted stack retained. ``create_repositories=False`` leaves them to replication.

    Caches have the prefix ``<prefix>-<short name>``, such as ``production-k8s``: environments of one account stay
    apart (unless one is called like another's cache), and the replication filter ``<prefix>/`` leaves caches out, as
    each region fills its own. Their tags are mutable, because a tag such as ``latest`` moves upstream and ECR checks
    for that at most once in 24 hours; pin digests or full versions. Their images expire by count only: an image pulled
    by digest has no tag. The first pull of an image needs a way to the internet besides the interface endpoints (the
    NAT gateways); later ones do not, and cached images are still served while their upstream is down.

    Enhanced scanning, a registry policy and the replication configuration exist once an account and region, so a
    construct that may be there twice (two environments) can't own them. None is needed for the above: pulling
    through the cache is allowed by IAM (``grant_pull``), replication inside an account needs no policy. Repositories
    made from a template are scanned only if the account's own scan settings say so.

    On update: the name and the key of a repository are immutable, and a fixed name makes CloudFormation refuse a
    replacement. A changed upstream or credential replaces the rule only; cached images stay. Templates affect
    repositories created later.

    On delete: with protection repositories and images stay; without, they go with the stack. Repositories that ECR
    created (caches, undeclared replicas) belong to nobody's stack and always stay: they are copies.

    Exposes:
        repositories: ``ecr.IRepository`` by declared name.
        replication_prefix: filter for replication, ``<prefix>/``.

    Documentation followed:
        Templates to control repositories created during a pull through cache or replication action
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html
        IAM permissions required to sync an upstream registry with an Amazon ECR private registry
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html
        Private image replication in Amazon ECR
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        repositories: Sequence[str],
        key: kms.IKey,
        pull_through: Sequence[str] = PUBLIC_UPSTREAMS,
        pull_through_credentials: Mapping[str, str] | None = None,
        create_repositories: bool = True,
        kept_tagged_images: int = 500,
        kept_cached_images: int = 100,
        untagged_expiration_days: int = 14,
        tags: Mapping[str, str] | None = None,
        deletion_protection: bool = True,
    ) -> None:
        """Create repositories, templates and cache rules.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            prefix: namespace of the repositories, the environment's name.
            repositories: names below the prefix.
            key: encrypts all images; of this region.
            pull_through: upstream registries to cache: ecr-public, k8s, quay, docker-hub, github-container-registry,
                gitlab-container-registry. Default: the three that need no credentials.
            pull_through_credentials: by upstream, the name (or full ARN) of a Secrets Manager secret of this region
                with ``username`` and ``accessToken``. ECR demands that the name starts with
                "ecr-pullthroughcache/", and that the secret has the default key ``aws/secretsmanager``.
            create_repositories: false leaves it to replication to create the repositories. Default: true.
            kept_tagged_images: tagged images kept in a repository, the newest ones. Default: 500.
            kept_cached_images: images kept in a repository of a cache, the newest ones. Default: 100.
            untagged_expiration_days: days after which an untagged image expires. Default: 14.
            tags: tags of repositories that ECR creates (tags of the stack don't reach them). Default: none.
            deletion_protection: keep repositories and images when the stack is deleted. Default: true.

        Raises:
            ValueError: a name that ECR refuses or that is declared twice, an unknown upstream, missing, superfluous
                or wrongly named credentials, a prefix too long for a cache, a count or age below 1.
        """
        super().__init__(scope, construct_id)
        credentials = dict(pull_through_credentials or {})
        _check_names(prefix, repositories)
        check_upstreams(prefix, pull_through, credentials)
        _check_positive(
            kept_tagged_images=kept_tagged_images,
            kept_cached_images=kept_cached_images,
            untagged_expiration_days=untagged_expiration_days,
        )
        self.replication_prefix = f"{prefix}/"
        self._prefix = prefix
        self._key = key
        self._cache_prefixes = {name: UPSTREAMS[name].cache_prefix(prefix) for name in pull_through}
        # The environment's own first, then the caches.
        location = location_of(self)
        self._namespaces = [
            location.arn("ecr", f"repository/{namespace}/*") for namespace in (prefix, *self._cache_prefixes.values())
        ]
        self._pull_policy: iam.Policy | None = None
        own_rules = own_lifecycle(kept_tagged_images, untagged_expiration_days)
        self._templates = CreationTemplates(self, "Templates", namespaces=self._namespaces, key=key, tags=tags or {})
        self._templates.add("Replication", prefix=prefix, applied_for="REPLICATION", mutable=False, lifecycle=own_rules)
        for upstream, cache_prefix in self._cache_prefixes.items():
            self._build_cache(upstream, cache_prefix, credentials.get(upstream), kept_cached_images)
        self.repositories: dict[str, ecr.IRepository] = {
            name: self._build_repository(name, own_rules, deletion_protection)
            if create_repositories
            else ecr.Repository.from_repository_name(self, f"Repository-{name}", f"{prefix}/{name}")
            for name in repositories
        }

    def repository_uri(self, name: str) -> str:
        """Return the URI of a declared repository in this region; ValueError with the closest name if there is none."""
        if name not in self.repositories:
            raise unknown_name("repository", name, self.repositories)
        return self.repositories[name].repository_uri

    def pull_through_uri(self, upstream: str) -> str:
        """Return what takes the place of an upstream's host name in an image's name.

        ``registry.k8s.io/pause:3.10`` becomes ``<pull_through_uri("k8s")>/pause:3.10``. Official images of Docker Hub
        need their full name there: ``library/nginx``.

        Raises:
            ValueError: the upstream is not cached.
        """
        if upstream not in self._cache_prefixes:
            raise unknown_name("upstream registry", upstream, self._cache_prefixes)
        stack = cdk.Stack.of(self)
        return f"{stack.account}.dkr.ecr.{stack.region}.{stack.url_suffix}/{self._cache_prefixes[upstream]}"

    def grant_pull(self, grantee: iam.IGrantable) -> None:
        """Allow an identity to pull the environment's images, and public ones through the caches.

        All roles share one policy. Nobody needs the key: ECR decrypts by grants that it makes when it creates a
        repository.
        """
        principal = grantee.grant_principal
        if hasattr(principal, "role_name"):
            if self._pull_policy is None:
                self._pull_policy = self._build_pull_policy()
            self._pull_policy.attach_to_role(cast(iam.IRole, principal))
            return
        for statement in self._pull_statements():
            principal.add_to_principal_policy(statement)

    def _build_repository(self, name: str, lifecycle: str, deletion_protection: bool) -> ecr.Repository:
        repository = ecr.Repository(
            self,
            f"Repository-{name}",
            repository_name=f"{self._prefix}/{name}",
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=self._key,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            empty_on_delete=not deletion_protection,
            removal_policy=(
                cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if deletion_protection else cdk.RemovalPolicy.DESTROY
            ),
        )
        # The same text as in the templates, so that both kinds of repositories can't drift apart.
        resource = cast(ecr.CfnRepository, repository.node.default_child)
        resource.lifecycle_policy = ecr.CfnRepository.LifecyclePolicyProperty(lifecycle_policy_text=lifecycle)
        return repository

    def _build_cache(self, upstream: str, cache_prefix: str, secret: str | None, kept_images: int) -> None:
        template = self._templates.add(
            f"Cache-{upstream}",
            prefix=cache_prefix,
            applied_for="PULL_THROUGH_CACHE",
            mutable=True,
            lifecycle=cache_lifecycle(kept_images),
        )
        rule = ecr.CfnPullThroughCacheRule(
            self,
            f"CacheRule-{upstream}",
            ecr_repository_prefix=cache_prefix,
            upstream_registry=upstream,
            upstream_registry_url=UPSTREAMS[upstream].url,
            credential_arn=None if secret is None else self._secret_arn(secret),
        )
        # The first pull creates a repository, and a template reaches only repositories created after it.
        rule.node.add_dependency(template)

    def _secret_arn(self, secret: str) -> str:
        if secret.startswith("arn:"):
            return secret
        return location_of(self).arn("secretsmanager", f"secret:{secret}")

    def _build_pull_policy(self) -> iam.Policy:
        policy = iam.Policy(self, "PullPolicy", statements=self._pull_statements())
        acknowledge_wildcards(
            policy,
            ["*", *self._namespaces],
            "Signing in to ECR has no resource; the others are the namespaces of this environment, whose caches hold "
            "repositories that only the first pull names.",
        )
        return policy

    def _pull_statements(self) -> list[iam.PolicyStatement]:
        caches = self._namespaces[1:]
        statements = [
            # Signing in is for the whole registry; the action has no narrower resource.
            iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
            iam.PolicyStatement(
                actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                resources=self._namespaces,
            ),
        ]
        if caches:
            statements.append(
                iam.PolicyStatement(actions=["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"], resources=caches)
            )
        return statements


def _check_names(prefix: str, repositories: Sequence[str]) -> None:
    for name in (prefix, *(f"{prefix}/{repository}" for repository in repositories)):
        if not _NAME_PATTERN.fullmatch(name) or not 2 <= len(name) <= 256:
            raise ValueError(
                f"Repository name {name!r} is not usable: ECR takes 2 to 256 lower-case letters and digits, "
                "joined by '-', '_', '.' or '/', beginning and ending with a letter or digit."
            )
    for name in repositories:
        if list(repositories).count(name) > 1:
            raise ValueError(f"Duplicate repository {name!r}: every name may be declared once.")


def _check_positive(**values: int) -> None:
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name} must be 1 or more, got {value}.")
