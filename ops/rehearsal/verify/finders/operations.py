"""Finders for alarms, dashboards, logs, buckets, backups and parameters."""

import json
from typing import Any

from ops.rehearsal.verify.asking import Ask, Settings, finds


@finds("AWS::CloudWatch::Alarm", must=("ComparisonOperator", "EvaluationPeriods"))
def alarm(ask: Ask) -> Settings | None:
    """Ask for the alarm."""
    found = ask.answer(ask.client("cloudwatch").describe_alarms, "MetricAlarms", 0, AlarmNames=[ask.physical_id])
    if found is None:
        return None
    settings = ask.alike(found)
    if "Metrics" in settings:
        # The API fills in what a query leaves out: queries are held against each other by id and expression.
        declared = {(item.get("Id"), item.get("Expression")) for item in ask.declared["Metrics"]}
        same = declared == {(item.get("Id"), item.get("Expression")) for item in found["Metrics"]}
        settings["Metrics"] = ask.declared["Metrics"] if same else found["Metrics"]
    return settings


@finds("AWS::CloudWatch::CompositeAlarm", must=("AlarmRule",))
def composite_alarm(ask: Ask) -> Settings | None:
    """Ask for the composite alarm."""
    found = ask.answer(
        ask.client("cloudwatch").describe_alarms,
        "CompositeAlarms",
        0,
        AlarmNames=[ask.physical_id],
        AlarmTypes=["CompositeAlarm"],
    )
    return None if found is None else ask.alike(found)


@finds("AWS::CloudWatch::Dashboard", must=("DashboardBody",))
def dashboard(ask: Ask) -> Settings | None:
    """Ask for the dashboard and its body."""
    body = ask.answer(ask.client("cloudwatch").get_dashboard, "DashboardBody", DashboardName=ask.physical_id)
    return None if body is None else {"DashboardName": ask.physical_id, "DashboardBody": body}


@finds("AWS::Logs::LogGroup", must=("RetentionInDays",))
def log_group(ask: Ask) -> Settings | None:
    """Ask for the log group of exactly that name."""
    found = ask.answer(ask.client("logs").describe_log_groups, "logGroups", logGroupNamePrefix=ask.physical_id) or []
    for group in found:
        if group["logGroupName"] == ask.physical_id:
            return {
                "LogGroupName": group["logGroupName"],
                "RetentionInDays": group.get("retentionInDays"),
                "KmsKeyId": group.get("kmsKeyId"),
                "LogGroupClass": group.get("logGroupClass"),
            }
    return None


@finds("AWS::Logs::MetricFilter", must=("FilterPattern",))
def metric_filter(ask: Ask) -> Settings | None:
    """Ask the log group for its filters."""
    group = ask.declared.get("LogGroupName", "")
    found = ask.answer(ask.client("logs").describe_metric_filters, "metricFilters", logGroupName=group) or []
    for item in found:
        if item["filterName"] == ask.physical_id:
            return {"LogGroupName": group, "FilterPattern": item.get("filterPattern")}
    return None


@finds("AWS::Logs::ResourcePolicy", must=("PolicyDocument",))
def logs_policy(ask: Ask) -> Settings | None:
    """Look the policy up by name."""
    for policy in ask.answer(ask.client("logs").describe_resource_policies, "resourcePolicies") or []:
        if policy["policyName"] == ask.declared.get("PolicyName", ask.physical_id):
            return {"PolicyName": policy["policyName"], "PolicyDocument": policy.get("policyDocument")}
    return None


@finds(
    "AWS::S3::Bucket",
    must=("PublicAccessBlockConfiguration", "BucketEncryption", "VersioningConfiguration", "LifecycleConfiguration"),
)
def bucket(ask: Ask) -> Settings | None:
    """Ask for the bucket and the configurations that templates set."""
    client, name = ask.client("s3"), ask.physical_id
    if ask.answer(client.head_bucket, Bucket=name) is None:
        return None
    rules = ask.answer(client.get_bucket_encryption, "ServerSideEncryptionConfiguration", "Rules", Bucket=name)
    encryption = [
        {**rule, "ServerSideEncryptionByDefault": _key_spelled(rule.get("ApplyServerSideEncryptionByDefault", {}))}
        for rule in rules or []
    ]
    lifecycle = ask.answer(client.get_bucket_lifecycle_configuration, "Rules", Bucket=name)
    ownership = ask.answer(client.get_bucket_ownership_controls, "OwnershipControls", Bucket=name)
    return {
        "BucketName": name,
        "PublicAccessBlockConfiguration": ask.answer(
            client.get_public_access_block, "PublicAccessBlockConfiguration", Bucket=name
        ),
        "VersioningConfiguration": {"Status": ask.answer(client.get_bucket_versioning, "Status", Bucket=name)},
        "BucketEncryption": {"ServerSideEncryptionConfiguration": encryption} if rules else None,
        "OwnershipControls": ownership,
        "LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in lifecycle]} if lifecycle else None,
    }


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Spell a lifecycle rule as a template does."""
    expiration, prefix = rule.get("Expiration", {}), rule.get("Filter", {}).get("Prefix", rule.get("Prefix"))
    told = {
        "Id": rule.get("ID"),
        "Status": rule.get("Status"),
        "Prefix": prefix or None,
        "ExpirationInDays": expiration.get("Days"),
        "ExpiredObjectDeleteMarker": expiration.get("ExpiredObjectDeleteMarker"),
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
    }
    for name, days in (("Transitions", "Days"), ("NoncurrentVersionTransitions", "NoncurrentDays")):
        steps = rule.get(name, [])
        told[name] = [{**step, "TransitionInDays": step.get(days)} for step in steps] or None
    return {name: value for name, value in told.items() if value is not None}


def _key_spelled(default: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in default.items() if value}


@finds("AWS::S3::BucketPolicy", must=("PolicyDocument",))
def bucket_policy(ask: Ask) -> Settings | None:
    """Ask the bucket for its policy."""
    name = ask.declared.get("Bucket", "")
    policy = ask.answer(ask.client("s3").get_bucket_policy, "Policy", Bucket=name)
    return {"Bucket": name, "PolicyDocument": json.loads(policy)} if policy else None


@finds("AWS::Backup::BackupVault", must=("BackupVaultName", "LockConfiguration"))
def backup_vault(ask: Ask) -> Settings | None:
    """Ask for the vault."""
    found = ask.answer(ask.client("backup").describe_backup_vault, BackupVaultName=ask.physical_id)
    if found is None:
        return None
    lock = {name: found[name] for name in ("MinRetentionDays", "MaxRetentionDays") if name in found}
    return {**ask.alike(found), "LockConfiguration": lock if found.get("Locked") else None}


@finds("AWS::Backup::BackupPlan", must=("BackupPlan",))
def backup_plan(ask: Ask) -> Settings | None:
    """Ask for the plan: its name and its rules by name, schedule and vault."""
    found = ask.answer(ask.client("backup").get_backup_plan, "BackupPlan", BackupPlanId=ask.physical_id)
    if found is None:
        return None
    declared = ask.declared.get("BackupPlan", {})
    settings: dict[str, object] = {"BackupPlanName": found.get("BackupPlanName")}
    rules = {item.get("RuleName"): item for item in found.get("Rules", [])}
    told = [rules.get(item.get("RuleName")) for item in declared.get("BackupPlanRule", [])]
    if all(told):
        same = all(
            str(item.get("ScheduleExpression")) == str(rule.get("ScheduleExpression"))
            and item.get("TargetBackupVault") == rule.get("TargetBackupVaultName")
            for item, rule in zip(declared.get("BackupPlanRule", []), told, strict=True)
            if rule
        )
        settings["BackupPlanRule"] = declared.get("BackupPlanRule") if same else told
    return {"BackupPlan": settings}


@finds("AWS::Backup::BackupSelection", must=("BackupPlanId",))
def backup_selection(ask: Ask) -> Settings | None:
    """Ask the plan for its selection; the physical id names both."""
    plan = ask.declared.get("BackupPlanId", "")
    for part in ask.physical_id.replace("_", "|").split("|"):
        found = ask.answer(
            ask.client("backup").get_backup_selection, "BackupSelection", BackupPlanId=plan, SelectionId=part
        )
        if found is not None:
            return {"BackupPlanId": plan, "BackupSelection": found}
    return None


@finds("AWS::SSM::Parameter", must=("Type", "Value"))
def parameter(ask: Ask) -> Settings | None:
    """Ask for the parameter and its value."""
    found = ask.answer(ask.client("ssm").get_parameter, "Parameter", Name=ask.physical_id)
    return None if found is None else ask.alike(found)
