"""ECR's registry: settings of which an account and region has one, and rules by prefix.

Modelled: replication, registry policy, scanning, pull-through cache rules and repository creation templates, in our own
state; the replication settings are the ones that the ECR API of :mod:`ops.emulator.apis` reads and writes.
Refused: replication to the registry's own region or to one twice, more than ten rules, a pull-through rule whose
upstream needs a credential without one, a template that names a key which does not exist.
"""

from ops.emulator.handlers.base import Handler, Outcome, Refused, Request, exists, handles
from ops.emulator.handlers.rds import check_key

REPLICATION = "AWS::ECR::ReplicationConfiguration"
_REASON = "the emulator's ECR has no registry settings: state and checks of our handler"
_NEEDS_CREDENTIAL = ("docker-hub", "github-container-registry", "gitlab-container-registry", "azure-container-registry")


class _Registry(Handler):
    """A setting that replaces the former one."""

    reason = _REASON

    def create(self, request: Request) -> Outcome:
        """Keep it under the registry's id."""
        self.keep(request, request.account, dict(request.properties))
        return Outcome(request.account, {"RegistryId": request.account})

    def update(self, request: Request) -> Outcome:
        """Take the new one."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Forget it."""
        self.forget(request)


@handles(REPLICATION)
class ReplicationConfiguration(_Registry):
    """Where the registry's images go."""

    def check(self, request: Request) -> None:
        """The destinations are other regions, each once a rule."""
        rules = request.properties["ReplicationConfiguration"].get("Rules", [])
        problem = replication_problem(rules, request.account, request.region)
        if problem:
            raise Refused(problem)


def replication_problem(rules: list[dict[str, list[dict[str, str]]]], account: str, region: str) -> str:
    """What ECR would refuse in replication rules, empty where nothing (keys as CloudFormation spells them)."""
    if len(rules) > 10:
        return f"a registry has 10 replication rules at most, got {len(rules)}"
    for rule in rules:
        destinations = [(item["RegistryId"], item["Region"]) for item in rule.get("Destinations", [])]
        if (account, region) in destinations:
            return f"replication from {region} to itself"
        if len(set(destinations)) < len(destinations):
            return f"a replication rule names a destination twice: {sorted(destinations)}"
    return ""


@handles("AWS::ECR::RegistryPolicy", "AWS::ECR::RegistryScanningConfiguration")
class RegistrySetting(_Registry):
    """The registry's policy or scanning."""


@handles("AWS::ECR::PullThroughCacheRule")
class PullThroughCacheRule(Handler):
    """A prefix under which a public registry is cached."""

    reason = _REASON

    def check(self, request: Request) -> None:
        """An upstream that asks for a login has a credential that exists, with the name ECR wants."""
        upstream, credential = request.properties.get("UpstreamRegistry", ""), request.properties.get("CredentialArn")
        if upstream in _NEEDS_CREDENTIAL and not credential:
            raise Refused(f"upstream registry {upstream} needs a CredentialArn")
        if credential:
            if ":secret:ecr-pullthroughcache/" not in credential:
                raise Refused(f"the credential's secret must be named ecr-pullthroughcache/..., got {credential}")
            if exists(request.client("secretsmanager").describe_secret, SecretId=credential) is None:
                raise Refused(f"secret {credential!r} does not exist in {request.region}")

    def create(self, request: Request) -> Outcome:
        """Keep the rule under its prefix."""
        prefix = request.properties.get("EcrRepositoryPrefix", "ROOT")
        self.keep(request, prefix, dict(request.properties))
        return Outcome(prefix, {"EcrRepositoryPrefix": prefix})

    def update(self, request: Request) -> Outcome:
        """Take the new settings."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Forget it."""
        self.forget(request)


@handles("AWS::ECR::RepositoryCreationTemplate")
class RepositoryCreationTemplate(Handler):
    """The settings of repositories that ECR makes by itself."""

    reason = _REASON

    def check(self, request: Request) -> None:
        """The key exists in the region."""
        key = request.properties.get("EncryptionConfiguration", {}).get("KmsKey")
        if key:
            check_key(request, key)

    def create(self, request: Request) -> Outcome:
        """Keep the template under its prefix."""
        prefix = request.properties["Prefix"]
        self.keep(request, prefix, dict(request.properties))
        return Outcome(prefix, {"CreatedAt": "2026-01-01T00:00:00Z", "UpdatedAt": "2026-01-01T00:00:00Z"})

    def update(self, request: Request) -> Outcome:
        """Take the new settings."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Forget it."""
        self.forget(request)
