"""Rules about regions that should be alike and are not: versions, engines, parameters."""

from collections.abc import Iterator
from typing import Any

from ha_checks.assembly import Assembly
from ha_checks.data import writer_of
from ha_checks.resource import Resource
from ha_checks.rule import Finding, Settings, rule

THEME = "Regions alike"

_VERSIONED = {
    "AWS::EKS::Cluster": ("Version",),
    "AWS::EKS::Addon": ("AddonName", "AddonVersion"),
    "AWS::RDS::DBInstance": ("Engine", "EngineVersion"),
    "AWS::RDS::DBCluster": ("Engine", "EngineVersion"),
    "AWS::DocDB::DBCluster": ("EngineVersion",),
    "AWS::ElastiCache::ReplicationGroup": ("Engine", "EngineVersion"),
    "AWS::OpenSearchService::Domain": ("EngineVersion",),
    "AWS::MSK::Cluster": ("KafkaVersion",),
    "AWS::AmazonMQ::Broker": ("EngineType", "EngineVersion"),
}

_PARAMETERS = {
    "AWS::RDS::DBParameterGroup": ("Family", "Parameters"),
    "AWS::RDS::DBClusterParameterGroup": ("Family", "Parameters"),
    "AWS::DocDB::DBClusterParameterGroup": ("Family", "Parameters"),
    "AWS::ElastiCache::ParameterGroup": ("CacheParameterGroupFamily", "Properties"),
}


@rule(
    theme=THEME,
    why="Regions of different versions fail over into the unexpected: a newer writer can't replicate to an older "
    "replica, manifests that one cluster takes another refuses, and the regions' tests tell nothing of each other.",
    mend="One version for all regions, from one place; during an upgrade acknowledge the finding with its ticket.",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html",
)
def version_differs_between_regions(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """An engine, or a version, other than in the region before."""
    for group in assembly.twins(*_VERSIONED):
        yield from _differences(group, _VERSIONED[group[0].type])
    for replica in assembly.of_type("AWS::RDS::DBInstance"):
        writer = writer_of(replica)
        if writer and writer.logical_id != replica.logical_id:
            yield from _differences([writer, replica], _VERSIONED[replica.type])


@rule(
    theme=THEME,
    why="A replica with other parameters than its writer behaves differently from the minute it is promoted: "
    "connections, memory, logging, or it does not start at all.",
    mend="Make the parameter group of every region from one set of parameters.",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithParamGroups.html",
)
def parameters_differ_between_regions(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A parameter group with other parameters than in the region before."""
    for group in assembly.twins(*_PARAMETERS):
        yield from _differences(group, _PARAMETERS[group[0].type])


def _differences(group: list[Resource], paths: tuple[str, ...]) -> Iterator[Finding]:
    model, *others = group
    for other in others:
        for path in paths:
            wanted, found = model.get(path), other.get(path)
            for name, left, right in _pairs(path, wanted, found):
                message = f"{name} is {right} in {other.region}, {left} in {model.region}"
                yield Finding(other, message, f"Properties.{path}")


def _pairs(path: str, wanted: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """What differs among two values that are known."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name in sorted(wanted.keys() | found.keys()):
            left, right = wanted.get(name, "not given"), found.get(name, "not given")
            yield from _pairs(name, left, right)
    elif isinstance(wanted, str | int) and isinstance(found, str | int) and str(wanted) != str(found):
        yield path, wanted, found
