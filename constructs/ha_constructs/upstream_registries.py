"""Public registries that ECR can cache."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ha_constructs.closest_name import unknown_name

_MAXIMUM_CACHE_PREFIX_LENGTH = 30
_SECRET_NAMESPACE = "ecr-pullthroughcache/"  # noqa: S105 (not a secret: how ECR demands that its name starts)


@dataclass(frozen=True)
class UpstreamRegistry:
    """A registry that ECR can pull through.

    Attributes:
        url: host name of the registry.
        short_name: ending of the prefix of its cache; short, because ECR allows 30 characters for environment and
            ending together.
        needs_credentials: whether ECR demands a secret with credentials.
    """

    url: str
    short_name: str
    needs_credentials: bool = False

    def cache_prefix(self, prefix: str) -> str:
        """Return the namespace of the cached repositories in an environment's registry."""
        return f"{prefix}-{self.short_name}"


# By the names that ECR itself gives to upstream registries: "Sync an upstream registry with an Amazon ECR private
# registry", https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
UPSTREAMS = {
    "ecr-public": UpstreamRegistry("public.ecr.aws", "public"),
    "k8s": UpstreamRegistry("registry.k8s.io", "k8s"),
    "quay": UpstreamRegistry("quay.io", "quay"),
    "docker-hub": UpstreamRegistry("registry-1.docker.io", "docker", needs_credentials=True),
    "github-container-registry": UpstreamRegistry("ghcr.io", "ghcr", needs_credentials=True),
    "gitlab-container-registry": UpstreamRegistry("registry.gitlab.com", "gitlab", needs_credentials=True),
}

PUBLIC_UPSTREAMS = tuple(name for name, upstream in UPSTREAMS.items() if not upstream.needs_credentials)


def check_upstreams(prefix: str, pull_through: Sequence[str], credentials: Mapping[str, str]) -> None:
    """Refuse what ECR would refuse.

    Raises:
        ValueError: an unknown upstream, missing, superfluous or wrongly named credentials, or a prefix too long.
    """
    for name in (*pull_through, *credentials):
        if name not in UPSTREAMS:
            raise unknown_name("upstream registry", name, UPSTREAMS)
    for name in pull_through:
        if UPSTREAMS[name].needs_credentials and name not in credentials:
            raise ValueError(
                f"Upstream registry {name!r} needs credentials: "
                f"give pull_through_credentials={{{name!r}: '{_SECRET_NAMESPACE}...'}}."
            )
        cache_prefix = UPSTREAMS[name].cache_prefix(prefix)
        if len(cache_prefix) > _MAXIMUM_CACHE_PREFIX_LENGTH:
            raise ValueError(
                f"Cache prefix {cache_prefix!r} has {len(cache_prefix)} characters, ECR allows "
                f"{_MAXIMUM_CACHE_PREFIX_LENGTH}: shorten the prefix {prefix!r}."
            )
    for name, secret in credentials.items():
        _check_credentials(name, secret, pull_through)


def _check_credentials(name: str, secret: str, pull_through: Sequence[str]) -> None:
    if name not in pull_through:
        raise ValueError(f"Credentials for {name!r} are not used: add {name!r} to pull_through.")
    if not UPSTREAMS[name].needs_credentials:
        raise ValueError(f"Upstream registry {name!r} takes no credentials: remove them.")
    secret_name = secret.partition(":secret:")[2] if secret.startswith("arn:") else secret
    if not secret_name.startswith(_SECRET_NAMESPACE):
        raise ValueError(f"Secret {secret!r} is not usable: ECR demands a name that starts with {_SECRET_NAMESPACE!r}.")
