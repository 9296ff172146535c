"""Finders for databases and caches."""

from typing import Any

from ops.rehearsal.verify.asking import Ask, Settings, finds


@finds(
    "AWS::RDS::DBInstance",
    must=("DBInstanceClass", "Engine", "MultiAZ", "StorageEncrypted", "KmsKeyId", "DeletionProtection"),
)
def database_instance(ask: Ask) -> Settings | None:
    """Ask for the instance; a replica tells what only its source declares."""
    found = ask.answer(ask.client("rds").describe_db_instances, "DBInstances", 0, DBInstanceIdentifier=ask.physical_id)
    if found is None:
        return None
    settings = ask.alike(found)
    settings["VPCSecurityGroups"] = [item["VpcSecurityGroupId"] for item in found.get("VpcSecurityGroups", [])] or None
    settings["DBParameterGroupName"] = next(
        (item.get("DBParameterGroupName") for item in found.get("DBParameterGroups", [])), None
    )
    settings["DBSubnetGroupName"] = found.get("DBSubnetGroup", {}).get("DBSubnetGroupName")
    settings["EnableIAMDatabaseAuthentication"] = found.get("IAMDatabaseAuthenticationEnabled")
    settings["EnablePerformanceInsights"] = found.get("PerformanceInsightsEnabled")
    settings["SourceDBInstanceIdentifier"] = found.get("ReadReplicaSourceDBInstanceIdentifier")
    settings["EnableCloudwatchLogsExports"] = found.get("EnabledCloudwatchLogsExports")
    settings["Port"] = found.get("Endpoint", {}).get("Port")
    # The password itself is never told, and the declared one is a reference into the secret.
    return {name: value for name, value in settings.items() if name not in ("MasterUserPassword", "MasterUsername")}


@finds("AWS::RDS::DBSubnetGroup", must=("SubnetIds",))
def database_subnet_group(ask: Ask) -> Settings | None:
    """Ask for the subnet group."""
    found = ask.answer(
        ask.client("rds").describe_db_subnet_groups, "DBSubnetGroups", 0, DBSubnetGroupName=ask.physical_id
    )
    if found is None:
        return None
    return {**ask.alike(found), "SubnetIds": [item["SubnetIdentifier"] for item in found.get("Subnets", [])]}


@finds("AWS::RDS::DBParameterGroup", must=("Family",))
def database_parameter_group(ask: Ask) -> Settings | None:
    """Ask for the group and for the parameters that the user set."""
    client = ask.client("rds")
    found = ask.answer(
        client.describe_db_parameter_groups, "DBParameterGroups", 0, DBParameterGroupName=ask.physical_id
    )
    if found is None:
        return None
    parameters = ask.answer(client.describe_db_parameters, "Parameters", DBParameterGroupName=ask.physical_id) or []
    values = {item["ParameterName"]: item["ParameterValue"] for item in parameters if "ParameterValue" in item}
    return {**ask.alike(found), "Family": found.get("DBParameterGroupFamily"), "Parameters": values or None}


@finds("AWS::RDS::DBProxy", must=("EngineFamily",))
def database_proxy(ask: Ask) -> Settings | None:
    """Ask for the proxy."""
    found = ask.answer(ask.client("rds").describe_db_proxies, "DBProxies", 0, DBProxyName=ask.physical_id)
    return None if found is None else ask.alike(found)


@finds("AWS::RDS::DBProxyTargetGroup")
def database_proxy_target_group(ask: Ask) -> Settings | None:
    """Ask for the proxy's targets."""
    found = ask.answer(
        ask.client("rds").describe_db_proxy_target_groups,
        "TargetGroups",
        0,
        DBProxyName=ask.declared.get("DBProxyName", ""),
    )
    return None if found is None else ask.alike(found)


@finds(
    "AWS::ElastiCache::ReplicationGroup",
    must=(
        "CacheNodeType",
        "AutomaticFailoverEnabled",
        "MultiAZEnabled",
        "AtRestEncryptionEnabled",
        "TransitEncryptionEnabled",
    ),
)
def replication_group(ask: Ask) -> Settings | None:
    """Ask for the replication group and, for what only nodes tell, for one of its nodes."""
    client = ask.client("elasticache")
    found = ask.answer(client.describe_replication_groups, "ReplicationGroups", 0, ReplicationGroupId=ask.physical_id)
    if found is None:
        return None
    members = found.get("MemberClusters") or []
    node: dict[str, Any] = {}
    if members:
        node = ask.answer(client.describe_cache_clusters, "CacheClusters", 0, CacheClusterId=members[0]) or {}
    settings = {**ask.alike(node), **ask.alike(found)}
    settings["ReplicationGroupDescription"] = found.get("Description")
    for declared, told in (("AutomaticFailoverEnabled", "AutomaticFailover"), ("MultiAZEnabled", "MultiAZ")):
        state = found.get(told)
        settings[declared] = None if state is None else state in ("enabled", "enabling", True)
    groups = found.get("NodeGroups") or []
    settings["NumNodeGroups"] = len(groups) or None
    if len(groups) == 1:
        settings["NumCacheClusters"] = len(members) or None
        settings["ReplicasPerNodeGroup"] = len(members) - 1 if members else None
    return {name: value for name, value in settings.items() if name != "AuthToken"}


@finds("AWS::ElastiCache::SubnetGroup", must=("SubnetIds",))
def cache_subnet_group(ask: Ask) -> Settings | None:
    """Ask for the subnet group."""
    found = ask.answer(
        ask.client("elasticache").describe_cache_subnet_groups,
        "CacheSubnetGroups",
        0,
        CacheSubnetGroupName=ask.physical_id,
    )
    if found is None:
        return None
    settings = {**ask.alike(found), "SubnetIds": [item["SubnetIdentifier"] for item in found.get("Subnets", [])]}
    settings["Description"] = found.get("CacheSubnetGroupDescription")
    return settings


@finds("AWS::ElastiCache::ParameterGroup")
def cache_parameter_group(ask: Ask) -> Settings | None:
    """Ask for the parameter group."""
    found = ask.answer(
        ask.client("elasticache").describe_cache_parameter_groups,
        "CacheParameterGroups",
        0,
        CacheParameterGroupName=ask.physical_id,
    )
    return None if found is None else ask.alike(found)


@finds("AWS::ElastiCache::User", must=("UserName", "Engine"))
def cache_user(ask: Ask) -> Settings | None:
    """Ask for the user; passwords are never told."""
    found = ask.answer(ask.client("elasticache").describe_users, "Users", 0, UserId=ask.physical_id)
    return None if found is None else ask.alike(found, but=("Passwords", "AuthenticationMode"))


@finds("AWS::ElastiCache::UserGroup", must=("Engine", "UserIds"))
def cache_user_group(ask: Ask) -> Settings | None:
    """Ask for the user group."""
    found = ask.answer(ask.client("elasticache").describe_user_groups, "UserGroups", 0, UserGroupId=ask.physical_id)
    return None if found is None else ask.alike(found)
