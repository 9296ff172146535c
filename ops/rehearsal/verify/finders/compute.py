"""Finders for clusters, image repositories and functions."""

import json
from typing import Any

from ops.rehearsal.verify.asking import Ask, Settings, finds


def _spelled(value: Any) -> Any:
    """Spell an answer's keys as CloudFormation does: these APIs begin them with a small letter."""
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: _spelled(item) for name, item in value.items()}
    return [_spelled(item) for item in value] if isinstance(value, list) else value


def _settings(answer: dict[str, Any]) -> dict[str, Any]:
    return {name[0].upper() + name[1:]: _spelled(value) for name, value in answer.items()}


@finds(
    "AWS::EKS::Cluster",
    must=(
        "Version",
        "ResourcesVpcConfig",
        "Logging",
        "EncryptionConfig",
        "ComputeConfig",
        "StorageConfig",
        "UpgradePolicy",
        "ZonalShiftConfig",
        "DeletionProtection",
    ),
)
def cluster(ask: Ask) -> Settings | None:
    """Ask for the cluster; the kinds of log that are on are named as the template does."""
    found = ask.answer(ask.client("eks").describe_cluster, "cluster", name=ask.physical_id)
    if found is None:
        return None
    settings = _settings(found)
    types = [
        {"Type": kind}
        for setup in found.get("logging", {}).get("clusterLogging", [])
        if setup.get("enabled")
        for kind in setup.get("types", [])
    ]
    settings["Logging"] = {"ClusterLogging": {"EnabledTypes": types}}
    return settings


@finds("AWS::EKS::Addon", must=("AddonName",))
def addon(ask: Ask) -> Settings | None:
    """Ask the cluster for its add-on."""
    name, of_cluster = ask.declared.get("AddonName"), ask.declared.get("ClusterName")
    found = ask.answer(ask.client("eks").describe_addon, "addon", clusterName=of_cluster, addonName=name)
    return None if found is None else _settings(found)


@finds("AWS::EKS::AccessEntry", must=("PrincipalArn", "AccessPolicies"))
def access_entry(ask: Ask) -> Settings | None:
    """Ask the cluster for the entry of the principal, and for its policies."""
    where = {"clusterName": ask.declared.get("ClusterName"), "principalArn": ask.declared.get("PrincipalArn")}
    client = ask.client("eks")
    found = ask.answer(client.describe_access_entry, "accessEntry", **where)
    if found is None:
        return None
    policies = ask.answer(client.list_associated_access_policies, "associatedAccessPolicies", **where)
    return {**_settings(found), "AccessPolicies": _spelled(policies) or None}


@finds("AWS::ECR::Repository", must=("RepositoryName", "ImageTagMutability"))
def repository(ask: Ask) -> Settings | None:
    """Ask for the repository and its lifecycle policy."""
    client = ask.client("ecr")
    found = ask.answer(client.describe_repositories, "repositories", 0, repositoryNames=[ask.physical_id])
    if found is None:
        return None
    settings = _settings(found)
    settings["EncryptionConfiguration"] = _spelled(found.get("encryptionConfiguration"))
    policy = ask.answer(client.get_lifecycle_policy, "lifecyclePolicyText", repositoryName=ask.physical_id)
    settings["LifecyclePolicy"] = {"LifecyclePolicyText": policy} if policy else None
    return settings


@finds("AWS::Lambda::Function", must=("Runtime", "Handler", "Role"))
def function(ask: Ask) -> Settings | None:
    """Ask for the function's configuration."""
    found = ask.answer(
        ask.client("lambda").get_function, "Configuration", FunctionName=ask.physical_id.rsplit(":function:", 1)[-1]
    )
    if found is None:
        return None
    settings = ask.alike(found, but=("Code",))
    layers = found.get("Layers")
    settings["Layers"] = [item["Arn"] for item in layers] if layers else None
    settings["LoggingConfig"] = found.get("LoggingConfig")
    return settings


@finds("AWS::Lambda::Permission", must=("Action",))
def permission(ask: Ask) -> Settings | None:
    """Look the statement up in the function's policy."""
    name = str(ask.declared.get("FunctionName", "")).rsplit(":function:", 1)[-1]
    policy = ask.answer(ask.client("lambda").get_policy, "Policy", FunctionName=name)
    for statement in json.loads(policy)["Statement"] if policy else []:
        service = statement.get("Principal", {})
        principal = service.get("Service") or service.get("AWS") if isinstance(service, dict) else service
        same = principal == ask.declared.get("Principal") and statement.get("Action") == ask.declared.get("Action")
        if same and statement.get("Sid") in (*ask.physical_id.split("|"), None, ask.physical_id):
            return {
                "Action": statement["Action"],
                "Principal": principal,
                "FunctionName": ask.declared["FunctionName"],
                "SourceArn": statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn"),
            }
    return None


@finds("AWS::Lambda::LayerVersion")
def layer_version(ask: Ask) -> Settings | None:
    """Ask for the layer's version."""
    found = ask.answer(ask.client("lambda").get_layer_version_by_arn, Arn=ask.physical_id)
    return None if found is None else ask.alike(found, but=("Content",))


@finds("AWS::Lambda::Version")
def version(ask: Ask) -> Settings | None:
    """Ask for the published version."""
    name, _, qualifier = ask.physical_id.rpartition(":")
    found = ask.answer(
        ask.client("lambda").get_function, "Configuration", FunctionName=name or ask.physical_id, Qualifier=qualifier
    )
    return None if found is None else {}


@finds("AWS::Lambda::EventInvokeConfig", must=("MaximumRetryAttempts", "MaximumEventAgeInSeconds"))
def event_invoke_config(ask: Ask) -> Settings | None:
    """Ask the function for how it treats events that fail."""
    name, qualifier = str(ask.declared.get("FunctionName", "")), ask.declared.get("Qualifier", "$LATEST")
    found = ask.answer(ask.client("lambda").get_function_event_invoke_config, FunctionName=name, Qualifier=qualifier)
    return None if found is None else {**ask.alike(found), "FunctionName": name, "Qualifier": qualifier}


@finds("AWS::Lambda::EventSourceMapping", must=("EventSourceArn",))
def event_source_mapping(ask: Ask) -> Settings | None:
    """Ask for the mapping."""
    found = ask.answer(ask.client("lambda").get_event_source_mapping, UUID=ask.physical_id)
    return None if found is None else {**ask.alike(found), "FunctionName": found.get("FunctionArn")}
