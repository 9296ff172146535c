"""Finders for keys, secrets, roles, policies and certificates."""

import json
import urllib.parse
from typing import Any

from ops.rehearsal.verify.asking import Ask, Settings, finds


@finds("AWS::KMS::Key", must=("EnableKeyRotation", "KeyPolicy"))
def key(ask: Ask) -> Settings | None:
    """Ask for the key, its rotation and its policy; a key that waits for its deletion is no longer there."""
    client = ask.client("kms")
    found = ask.answer(client.describe_key, "KeyMetadata", KeyId=ask.physical_id)
    if found is None or found.get("KeyState") in ("PendingDeletion", "PendingReplicaDeletion"):
        return None
    rotation = ask.answer(client.get_key_rotation_status, KeyId=ask.physical_id) or {}
    policy = ask.answer(client.get_key_policy, "Policy", KeyId=ask.physical_id, PolicyName="default")
    return {
        **ask.alike(found),
        "EnableKeyRotation": rotation.get("KeyRotationEnabled"),
        "RotationPeriodInDays": rotation.get("RotationPeriodInDays"),
        "KeyPolicy": json.loads(policy) if policy else None,
    }


@finds("AWS::KMS::ReplicaKey", must=("PrimaryKeyArn",))
def replica_key(ask: Ask) -> Settings | None:
    """Ask for the replica in its own region."""
    found = ask.answer(ask.client("kms").describe_key, "KeyMetadata", KeyId=ask.physical_id)
    if found is None or found.get("KeyState") == "PendingDeletion":
        return None
    primary = found.get("MultiRegionConfiguration", {}).get("PrimaryKey", {}).get("Arn")
    policy = ask.answer(ask.client("kms").get_key_policy, "Policy", KeyId=ask.physical_id, PolicyName="default")
    return {**ask.alike(found), "PrimaryKeyArn": primary, "KeyPolicy": json.loads(policy) if policy else None}


@finds("AWS::KMS::Alias", must=("TargetKeyId",))
def alias(ask: Ask) -> Settings | None:
    """Look the alias up in its region."""
    pages = ask.client("kms").get_paginator("list_aliases").paginate()
    for entry in (entry for page in pages for entry in page["Aliases"]):
        if entry["AliasName"] == ask.physical_id:
            return ask.alike(entry)
    return None


@finds("AWS::SecretsManager::Secret", must=("KmsKeyId",))
def secret(ask: Ask) -> Settings | None:
    """Ask for the secret; its value is neither asked for nor told."""
    found = ask.answer(ask.client("secretsmanager").describe_secret, SecretId=ask.physical_id)
    if found is None or found.get("DeletedDate"):
        return None
    replicas = [{"Region": item["Region"], **_key_of(item)} for item in found.get("ReplicationStatus", [])]
    return {**ask.alike(found), "ReplicaRegions": replicas or None}


def _key_of(replica: dict[str, Any]) -> dict[str, str]:
    return {"KmsKeyId": replica["KmsKeyId"]} if replica.get("KmsKeyId") else {}


@finds("AWS::SecretsManager::SecretTargetAttachment", must=("SecretId", "TargetId"))
def secret_attachment(ask: Ask) -> Settings | None:
    """Ask for the secret that got the connection details, and compare those with what it is attached to."""
    client = ask.client("secretsmanager")
    found = ask.answer(client.describe_secret, SecretId=ask.declared.get("SecretId", ""))
    if found is None:
        return None
    value = ask.answer(client.get_secret_value, "SecretString", SecretId=found["ARN"])
    kind, target = _database_at(ask, json.loads(value).get("host")) if value else (None, None)
    return {"SecretId": _secret_id(ask, found), "TargetId": target, "TargetType": kind}


def _database_at(ask: Ask, host: str | None) -> tuple[str, str] | tuple[None, None]:
    """Return type and name of the database whose endpoint the secret holds."""
    client = ask.client("rds")
    for instance in ask.answer(client.describe_db_instances, "DBInstances") or []:
        if host and instance.get("Endpoint", {}).get("Address") == host:
            return "AWS::RDS::DBInstance", str(instance["DBInstanceIdentifier"])
    for cluster in ask.answer(client.describe_db_clusters, "DBClusters") or []:
        if host and cluster.get("Endpoint") == host:
            return "AWS::RDS::DBCluster", str(cluster["DBClusterIdentifier"])
    return None, None


@finds("AWS::SecretsManager::RotationSchedule")
def rotation_schedule(ask: Ask) -> Settings | None:
    """Ask the secret for its rotation."""
    found = ask.answer(ask.client("secretsmanager").describe_secret, SecretId=ask.declared.get("SecretId", ""))
    if found is None or not found.get("RotationEnabled"):
        return None
    return {**ask.alike(found), "SecretId": _secret_id(ask, found)}


def _secret_id(ask: Ask, found: dict[str, Any]) -> str:
    """Return the secret's ARN, or its name where that is how it was declared."""
    return str(found["Name"] if found.get("Name") == ask.declared.get("SecretId") else found.get("ARN"))


@finds("AWS::SecretsManager::ResourcePolicy", must=("ResourcePolicy",))
def secret_policy(ask: Ask) -> Settings | None:
    """Ask the secret for its policy."""
    secret_id = ask.declared.get("SecretId", "")
    policy = ask.answer(ask.client("secretsmanager").get_resource_policy, "ResourcePolicy", SecretId=secret_id)
    return {"SecretId": secret_id, "ResourcePolicy": json.loads(policy)} if policy else None


@finds("AWS::IAM::Role", must=("AssumeRolePolicyDocument",))
def role(ask: Ask) -> Settings | None:
    """Ask for the role, its trust and its policies."""
    client = ask.client("iam")
    found = ask.answer(client.get_role, "Role", RoleName=ask.physical_id)
    if found is None:
        return None
    managed = ask.answer(client.list_attached_role_policies, "AttachedPolicies", RoleName=ask.physical_id) or []
    arns = [item["PolicyArn"] for item in managed]
    # Policies of the template that attach themselves are listed too: only those the role declares are compared.
    declared = ask.declared.get("ManagedPolicyArns")
    inline = [
        {"PolicyName": item["PolicyName"], "PolicyDocument": _policy(_inline(ask, item["PolicyName"]))}
        for item in ask.declared.get("Policies", [])
    ]
    return {
        **ask.alike(found, but=("Policies",)),
        "AssumeRolePolicyDocument": _policy(found.get("AssumeRolePolicyDocument")),
        "ManagedPolicyArns": [arn for arn in arns if arn in declared] if declared is not None else None,
        "Policies": inline or None,
    }


def _inline(ask: Ask, name: str) -> Any:
    return ask.answer(ask.client("iam").get_role_policy, "PolicyDocument", RoleName=ask.physical_id, PolicyName=name)


def _policy(document: Any) -> Any:
    if isinstance(document, str):
        return json.loads(urllib.parse.unquote(document))
    return document


@finds("AWS::IAM::Policy", must=("PolicyDocument",))
def policy(ask: Ask) -> Settings | None:
    """Ask the first role for the inline policy."""
    name, roles = ask.declared.get("PolicyName"), ask.declared.get("Roles") or []
    documents = [
        _policy(ask.answer(ask.client("iam").get_role_policy, "PolicyDocument", RoleName=item, PolicyName=name))
        for item in roles
    ]
    if not documents or not all(documents):
        return None
    return {"PolicyName": name, "Roles": roles, "PolicyDocument": documents[0]}


@finds("AWS::IAM::ManagedPolicy", must=("PolicyDocument",))
def managed_policy(ask: Ask) -> Settings | None:
    """Ask for the policy's default version."""
    client = ask.client("iam")
    found = ask.answer(client.get_policy, "Policy", PolicyArn=ask.physical_id)
    if found is None:
        return None
    version = ask.answer(
        client.get_policy_version,
        "PolicyVersion",
        "Document",
        PolicyArn=ask.physical_id,
        VersionId=found.get("DefaultVersionId", "v1"),
    )
    settings = {**ask.alike(found), "PolicyDocument": _policy(version), "ManagedPolicyName": found.get("PolicyName")}
    roles = ask.declared.get("Roles")
    if roles is not None:
        settings["Roles"] = [role for role in roles if _is_attached(ask, role)]
    return settings


def _is_attached(ask: Ask, role_name: str) -> bool:
    attached = ask.answer(ask.client("iam").list_attached_role_policies, "AttachedPolicies", RoleName=role_name) or []
    return any(item["PolicyArn"] == ask.physical_id for item in attached)


@finds("AWS::IAM::InstanceProfile", must=("Roles",))
def instance_profile(ask: Ask) -> Settings | None:
    """Ask for the profile."""
    found = ask.answer(ask.client("iam").get_instance_profile, "InstanceProfile", InstanceProfileName=ask.physical_id)
    return (
        None if found is None else {**ask.alike(found), "Roles": [item["RoleName"] for item in found.get("Roles", [])]}
    )


@finds("AWS::CertificateManager::Certificate", must=("DomainName",))
def certificate(ask: Ask) -> Settings | None:
    """Ask for the certificate."""
    found = ask.answer(ask.client("acm").describe_certificate, "Certificate", CertificateArn=ask.physical_id)
    if found is None:
        return None
    settings = ask.alike(found)
    names = found.get("SubjectAlternativeNames")
    if names is not None:
        # ACM lists the domain's own name among the alternatives.
        declared = ask.declared.get("SubjectAlternativeNames", [])
        settings["SubjectAlternativeNames"] = [
            name for name in names if name != found["DomainName"] or name in declared
        ]
    validations = found.get("DomainValidationOptions") or [{}]
    settings["ValidationMethod"] = validations[0].get("ValidationMethod")
    options = found.get("Options", {})
    settings["CertificateTransparencyLoggingPreference"] = options.get("CertificateTransparencyLoggingPreference")
    # Every name of the certificate is listed, with the record that proves it: only those the template names count.
    named = {item.get("DomainName") for item in ask.declared.get("DomainValidationOptions", [])}
    proven = [{"DomainName": item["DomainName"]} for item in validations if item.get("DomainName") in named]
    settings["DomainValidationOptions"] = proven or None
    settings["Tags"] = ask.answer(ask.client("acm").list_tags_for_certificate, "Tags", CertificateArn=ask.physical_id)
    return settings
