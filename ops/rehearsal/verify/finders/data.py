"""Finders for databases and caches."""

from typing import Any

from ops.rehearsal.verify.asking import Ask, Settings, finds


@finds(
    "AWS::RDS::DBInstance",
    must=(
        "DBInstanceClass",
        "Engine",
        "MultiAZ",
        "StorageEncrypted",
        "KmsKeyId",
        "DeletionProtection",
        "MasterUsername",
        "SourceDBInstanceIdentifier",
        "EnableCloudwatchLogsExports",
        "DatabaseInsightsMode",
    ),
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
    settings["SourceDBInstanceIdentifier"] = _source(ask, found)
    settings["EnableCloudwatchLogsExports"] = found.get("EnabledCloudwatchLogsExports")
    settings["Port"] = found.get("Endpoint", {}).get("Port")
    return settings


def _source(ask: Ask, replica: dict[str, Any]) -> str | None:
    """Return the replica's source, if the source, asked in its own region, lists the replica."""
    source = replica.get("ReadReplicaSourceDBInstanceIdentifier")
    if not source:
        return None
    region = source.split(":")[3] if source.startswith("arn:") else ask.region
    listed = ask.answer(
        ask.clients.client("rds", region).describe_db_instances,
        "DBInstances",
        0,
        "ReadReplicaDBInstanceIdentifiers",
        DBInstanceIdentifier=source.rsplit(":", 1)[-1],
    )
    names = {replica["DBInstanceIdentifier"], replica["DBInstanceArn"]}
    return str(source) if names & set(listed or []) else f"{source}, which does not list it as its replica"


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


@finds("AWS::RDS::DBProxyTargetGroup", must=("DBInstanceIdentifiers", "ConnectionPoolConfigurationInfo"))
def database_proxy_target_group(ask: Ask) -> Settings | None:
    """Ask for the proxy's target group and its targets."""
    client, proxy = ask.client("rds"), ask.declared.get("DBProxyName", "")
    found = ask.answer(client.describe_db_proxy_target_groups, "TargetGroups", 0, DBProxyName=proxy)
    if found is None:
        return None
    targets = ask.answer(client.describe_db_proxy_targets, "Targets", DBProxyName=proxy) or []
    instances = [item["RdsResourceId"] for item in targets if item.get("Type") == "RDS_INSTANCE"]
    return {
        **ask.alike(found),
        "DBInstanceIdentifiers": instances or None,
        "ConnectionPoolConfigurationInfo": found.get("ConnectionPoolConfig"),
    }


@finds(
    "AWS::ElastiCache::ReplicationGroup",
    must=(
        "CacheNodeType",
        "AutomaticFailoverEnabled",
        "MultiAZEnabled",
        "AtRestEncryptionEnabled",
        "TransitEncryptionEnabled",
        "KmsKeyId",
        "SecurityGroupIds",
        "GlobalReplicationGroupId",
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
    datastore = found.get("GlobalReplicationGroupInfo", {})
    settings["GlobalReplicationGroupId"] = datastore.get("GlobalReplicationGroupId")
    settings["CacheParameterGroupName"] = node.get("CacheParameterGroup", {}).get("CacheParameterGroupName")
    settings["SecurityGroupIds"] = [item["SecurityGroupId"] for item in node.get("SecurityGroups", [])] or None
    groups = found.get("NodeGroups") or []
    settings["Port"] = groups[0].get("PrimaryEndpoint", {}).get("Port") if groups else None
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
    """Ask for the parameter group and for the parameters that the user set."""
    client = ask.client("elasticache")
    name = {"CacheParameterGroupName": ask.physical_id}
    found = ask.answer(client.describe_cache_parameter_groups, "CacheParameterGroups", 0, **name)
    if found is None:
        return None
    parameters = ask.answer(client.describe_cache_parameters, "Parameters", Source="user", **name) or []
    values = {item["ParameterName"]: item.get("ParameterValue") for item in parameters if item.get("Source") == "user"}
    return {**ask.alike(found), "Properties": values}


@finds("AWS::ElastiCache::GlobalReplicationGroup", must=("Members",))
def global_datastore(ask: Ask) -> Settings | None:
    """Ask for the Global Datastore: the declared members with their roles, and those that joined with other stacks."""
    found = ask.answer(
        ask.client("elasticache").describe_global_replication_groups,
        "GlobalReplicationGroups",
        0,
        GlobalReplicationGroupId=ask.physical_id,
        ShowMemberInfo=True,
    )
    if found is None:
        return None
    # The other regions' caches become members when their own stacks deploy.
    own = {(item["ReplicationGroupId"], item["ReplicationGroupRegion"]) for item in ask.declared.get("Members", [])}
    members = [
        item
        for item in found.get("Members", [])
        if (item.get("ReplicationGroupId"), item.get("ReplicationGroupRegion")) in own
    ]
    suffix = ask.physical_id.split("-", 1)[-1]
    return {**ask.alike(found), "GlobalReplicationGroupIdSuffix": suffix, "Members": members}


@finds("AWS::ElastiCache::User", must=("UserName", "Engine", "AuthenticationMode"))
def cache_user(ask: Ask) -> Settings | None:
    """Ask for the user; passwords are never told."""
    found = ask.answer(ask.client("elasticache").describe_users, "Users", 0, UserId=ask.physical_id)
    if found is None:
        return None
    kind = found.get("Authentication", {}).get("Type")
    mode = {"Type": "no-password-required" if kind == "no-password" else kind}
    return {**ask.alike(found, but=("Passwords",)), "AuthenticationMode": mode}


@finds("AWS::ElastiCache::UserGroup", must=("Engine", "UserIds"))
def cache_user_group(ask: Ask) -> Settings | None:
    """Ask for the user group."""
    found = ask.answer(ask.client("elasticache").describe_user_groups, "UserGroups", 0, UserGroupId=ask.physical_id)
    return None if found is None else ask.alike(found)
