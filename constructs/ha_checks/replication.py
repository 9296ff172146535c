"""Rules about what a region reads and must have a copy of: secrets, images, keys."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ha_checks.assembly import Assembly, StackTemplate
from ha_checks.intrinsics import UNKNOWN_PART, Attribute, resolve, text_of
from ha_checks.manifests import manifests
from ha_checks.resource import Resource, arn_region, as_list
from ha_checks.rule import Finding, Settings, rule

THEME = "Copies where they are read"
_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type's name
_SECRET_ARN = re.compile(r"arn:[\w-]+:secretsmanager:(?P<region>[a-z0-9-]+):[^:]*:secret:(?P<name>[^:\s\"'}]+)")
_DYNAMIC = re.compile(r"\{\{resolve:secretsmanager:(?P<name>[^:}]+)")
_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[a-z0-9._/-]+)")
_READING = {"secretsmanager:getsecretvalue", "secretsmanager:get*", "secretsmanager:*", "*"}


class _Read(NamedTuple):
    resource: Resource
    region: str
    name: str
    location: str


@rule(
    theme=THEME,
    why="A secret is read from the region it is in. Where a region has no copy, its workloads stop with the other "
    "region: in the failover the copy was meant for.",
    mend="Replicate the secret to the region (`ReplicaRegions`), and let the region read its own copy's ARN.",
    url="https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html",
)
def secret_not_replicated(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A secret that is read in a region without a copy."""
    homes = _secret_regions(assembly)
    for read in _secret_reads(assembly):
        own = read.resource.region
        if read.region != own:
            yield Finding(read.resource, f"{own} reads secret {read.name} in {read.region}", read.location)
            continue
        regions = homes.get(read.name) or homes.get(re.sub(r"(-\?{6}|-\w{6}|-?\*)$", "", read.name))
        if regions and own not in regions:
            message = f"secret {read.name} is read in {own}, but is only in {', '.join(sorted(regions))}"
            yield Finding(read.resource, message, read.location)


@rule(
    theme=THEME,
    why="New pods of a region can't start while the region that their image lies in is away: a failover needs new "
    "pods.",
    mend="Replicate the repository to the region (`AWS::ECR::ReplicationConfiguration`), and pull from the region's "
    "own registry.",
    url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html",
)
def image_not_replicated(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """An image that is pulled from another region, or from a registry that it is not replicated to."""
    homes, copied = _repository_regions(assembly), _image_copies(assembly)
    for read in _image_reads(assembly):
        own = read.resource.region
        if read.region != own:
            yield Finding(read.resource, f"{own} pulls {read.name} from {read.region}", read.location)
        elif homes.get(read.name) and own not in homes[read.name] | copied.get(read.name, set()):
            message = f"{read.name} is pulled in {own}, but is only in {', '.join(sorted(homes[read.name]))}"
            yield Finding(read.resource, message, read.location)
    for repository in assembly.of_type("AWS::ECR::Repository"):
        name, region = repository.literal("RepositoryName"), repository.region
        # Replicated to some region but not to this one, which has the repository: pushes stop arriving here.
        if (
            name
            and region
            and copied.get(name)
            and len(homes[name]) > 1
            and region not in copied[name] | _sources(assembly)
        ):
            yield Finding(repository, f"{name} is replicated, but not to {region}")


@rule(
    theme=THEME,
    why="AWS services encrypt with keys of their own region only: a key of another region is refused, or ties both "
    "regions' fate.",
    mend="Make a key in the region, or a replica (`AWS::KMS::ReplicaKey`) of a multi-region key.",
    url="https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html",
)
def key_of_another_region(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """Something encrypted with a key of another region."""
    for stack in assembly.stacks:
        for resource in stack.resources.values():
            if stack.region and not resource.type.startswith(("AWS::KMS::", "AWS::IAM::", "Custom::")):
                yield from _foreign_keys(resource, resource.properties, "Properties")


# What else lies below these is of another region on purpose.
_ELSEWHERE = {"ReplicaRegions", "Replicas", "ReplicationConfiguration", "ReplicationConfigurations", "Destinations"}
_KEY_PROPERTY = re.compile(r"kms\w*key|^key_?arn$|^encryptionkey(arn)?$|kmskeyid|masterkeyid", re.IGNORECASE)


def _foreign_keys(resource: Resource, properties: Any, location: str) -> Iterator[Finding]:
    if isinstance(properties, list):
        for item in properties:
            yield from _foreign_keys(resource, item, location)
    if not isinstance(properties, dict):
        return
    for name, value in properties.items():
        if name in _ELSEWHERE or name.startswith("Fn::"):
            continue
        if _KEY_PROPERTY.search(name) and not _is_structure(value):
            region = _key_region(value, resource.stack)
            if region and region != resource.region:
                yield Finding(resource, f"{name} is a key of {region}, not of {resource.region}", f"{location}.{name}")
        else:
            yield from _foreign_keys(resource, value, f"{location}.{name}")


def _is_structure(value: Any) -> bool:
    return isinstance(value, list) or (
        isinstance(value, dict) and not (len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")))
    )


def _key_region(value: Any, stack: StackTemplate) -> str | None:
    found = resolve(value, stack)
    if isinstance(found, Attribute):
        return found.resource.region if found.resource.type.startswith("AWS::KMS::") else None
    arn = text_of(value, stack)
    return arn_region(arn) if ":kms:" in arn else None


def _secret_regions(assembly: Assembly) -> dict[str, set[str]]:
    """The regions that hold each secret, by its name."""
    homes: dict[str, set[str]] = {}
    for secret in assembly.of_type(_SECRET):
        name = secret.literal("Name")
        if name and secret.region:
            regions = {secret.region}
            replicas = secret.get("ReplicaRegions", [])
            if not isinstance(replicas, list):
                homes.pop(name, None)
                continue
            regions |= {replica["Region"] for replica in replicas if isinstance(replica.get("Region"), str)}
            homes.setdefault(name, set()).update(regions)
    for stack in assembly.stacks:
        for resource in stack.resources.values():
            # A custom resource that replicates: CloudFormation can't, from the region that wants the copy.
            if resource.type.startswith("Custom::"):
                name, region = resource.literal("SecretId"), resource.literal("ReplicaRegion")
                if name and region:
                    homes.setdefault(name, set()).add(region)
    return homes


def _secret_reads(assembly: Assembly) -> Iterator[_Read]:
    for resource, statement, location in _statements(assembly):
        if {str(action).lower() for action in as_list(statement.get("Action"))} & _READING:
            yield from _secrets_in(resource, as_list(statement.get("Resource")), location)
    for task in assembly.of_type("AWS::ECS::TaskDefinition"):
        for container in as_list(task.properties.get("ContainerDefinitions")):
            sources = [item.get("ValueFrom") for item in as_list(container.get("Secrets"))]
            yield from _secrets_in(task, sources, "Properties.ContainerDefinitions")
    for proxy in assembly.of_type("AWS::RDS::DBProxy"):
        sources = [item.get("SecretArn") for item in as_list(proxy.properties.get("Auth")) if isinstance(item, dict)]
        yield from _secrets_in(proxy, sources, "Properties.Auth")
    for stack in assembly.stacks:
        for resource in stack.resources.values():
            for text in _texts(resource.properties):
                for match in _DYNAMIC.finditer(text) if "{{resolve:s" in text else ():
                    if stack.region and "arn" not in match["name"]:
                        yield _Read(resource, stack.region, match["name"], "Properties")


def _secrets_in(resource: Resource, values: list[Any], location: str) -> Iterator[_Read]:
    if not resource.region:
        return
    for value in values:
        found = resolve(value, resource.stack)
        if isinstance(found, Attribute):
            secret = found.resource
            if secret.type == _SECRET and secret.region:
                yield _Read(resource, secret.region, str(secret.get("Name", secret.logical_id)), location)
            continue
        match = _SECRET_ARN.search(text_of(value, resource.stack))
        if match and UNKNOWN_PART not in match["name"] and "*" not in match["region"]:
            yield _Read(resource, match["region"], match["name"], location)


def _statements(assembly: Assembly) -> Iterator[tuple[Resource, dict[str, Any], str]]:
    for policy in assembly.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for statement in _of_document(policy.properties.get("PolicyDocument")):
            yield policy, statement, "Properties.PolicyDocument"
    for role in assembly.of_type("AWS::IAM::Role"):
        for inline in as_list(role.properties.get("Policies")):
            for statement in _of_document(inline.get("PolicyDocument") if isinstance(inline, dict) else None):
                yield role, statement, "Properties.Policies"


def _of_document(document: Any) -> list[dict[str, Any]]:
    statements = as_list(document.get("Statement")) if isinstance(document, dict) else []
    return [item for item in statements if isinstance(item, dict) and item.get("Effect") == "Allow"]


def _image_reads(assembly: Assembly) -> Iterator[_Read]:
    texts: list[tuple[Resource, str, str]] = []
    for task in assembly.of_type("AWS::ECS::TaskDefinition"):
        for container in as_list(task.properties.get("ContainerDefinitions")):
            texts.append((task, text_of(container.get("Image"), task.stack), "Properties.ContainerDefinitions"))
    for function in assembly.of_type("AWS::Lambda::Function"):
        texts.append((function, function.text("Code.ImageUri"), "Properties.Code"))
    applied = {id(manifest.resource): manifest.resource for manifest in manifests(assembly)}
    texts += [(resource, resource.text("Manifest"), "Properties.Manifest") for resource in applied.values()]
    for resource, text, location in texts:
        for match in _IMAGE.finditer(text) if resource.region else ():
            yield _Read(resource, match["region"], match["name"], location)


def _repository_regions(assembly: Assembly) -> dict[str, set[str]]:
    homes: dict[str, set[str]] = {}
    for repository in assembly.of_type("AWS::ECR::Repository"):
        name = repository.literal("RepositoryName")
        if name and repository.region:
            homes.setdefault(name, set()).add(repository.region)
    return homes


def _replications(assembly: Assembly) -> Iterator[tuple[str | None, str, list[str]]]:
    """Source region, destination region and prefixes of each replication of images."""
    for configuration in assembly.of_type("AWS::ECR::ReplicationConfiguration"):
        for entry in as_list(configuration.get("ReplicationConfiguration.Rules")):
            if isinstance(entry, dict):
                prefixes = [item.get("Filter", "") for item in entry.get("RepositoryFilters", [])] or [""]
                for destination in entry.get("Destinations", []):
                    yield configuration.region, str(destination.get("Region")), prefixes
    for stack in assembly.stacks:
        for resource in stack.resources.values():
            if resource.type.startswith("Custom::") and "DestinationRegion" in resource.properties:
                prefix = resource.literal("RepositoryPrefix") or ""
                yield resource.literal("PrimaryRegion"), str(resource.get("DestinationRegion")), [prefix]


def _image_copies(assembly: Assembly) -> dict[str, set[str]]:
    copies: dict[str, set[str]] = {}
    for _, destination, prefixes in _replications(assembly):
        for name in _repository_regions(assembly):
            if any(name.startswith(prefix) for prefix in prefixes):
                copies.setdefault(name, set()).add(destination)
    return copies


def _sources(assembly: Assembly) -> set[str]:
    return {source for source, _, _ in _replications(assembly) if source}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
