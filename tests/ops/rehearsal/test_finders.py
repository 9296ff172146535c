"""Finders tell what a service answers, and not what was declared."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from ops.rehearsal.clients import Clients
from ops.rehearsal.verify.asking import Ask, finders
from ops.rehearsal.verify.settings import compare

HERE, THERE = "eu-west-1", "us-east-1"
Answers = Mapping[tuple[str, str], Any]


class FixedClients:
    """Services that answer each call with the same, by region and call."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def client(self, service: str, region: str) -> Any:
        answers = {call: answer for (where, call), answer in self._answers.items() if where == region}
        calls = {call: lambda _answer=answer, **arguments: _answer for call, answer in answers.items()}
        return type(service, (), {name: staticmethod(call) for name, call in calls.items()})


def _outcomes(kind: str, declared: dict[str, Any], answers: Answers, region: str = HERE) -> dict[str, str]:
    ask = Ask(clients=cast(Clients, FixedClients(answers)), region=region, physical_id="thing", declared=declared)
    found = finders()[kind].find(ask)
    assert found is not None
    return {check.setting: check.outcome for check in compare(declared, found)}


@pytest.mark.parametrize(
    ("listed", "outcome"),
    [([f"arn:aws:rds:{THERE}:1:db:thing"], "same"), (["thing"], "same"), (["other"], "differs"), ([], "differs")],
)
def test_a_replica_has_its_source_if_the_source_lists_it(listed: list[str], outcome: str) -> None:
    source = f"arn:aws:rds:{HERE}:1:db:writer"
    replica = {
        "DBInstanceIdentifier": "thing",
        "DBInstanceArn": f"arn:aws:rds:{THERE}:1:db:thing",
        "ReadReplicaSourceDBInstanceIdentifier": source,
    }
    answers = {
        (THERE, "describe_db_instances"): {"DBInstances": [replica]},
        (HERE, "describe_db_instances"): {"DBInstances": [{"ReadReplicaDBInstanceIdentifiers": listed}]},
    }
    outcomes = _outcomes("AWS::RDS::DBInstance", {"SourceDBInstanceIdentifier": source}, answers, THERE)
    assert outcomes == {"SourceDBInstanceIdentifier": outcome}


@pytest.mark.parametrize(("role", "outcome"), [("PRIMARY", "same"), ("SECONDARY", "differs")])
def test_the_members_of_a_datastore_are_told_with_their_roles(role: str, outcome: str) -> None:
    own = {"ReplicationGroupId": "cache", "ReplicationGroupRegion": HERE, "Role": "PRIMARY"}
    joined = {"ReplicationGroupId": "cache", "ReplicationGroupRegion": THERE, "Role": "SECONDARY"}
    datastore = {"Members": [{**own, "Role": role}, joined]}
    answers = {(HERE, "describe_global_replication_groups"): {"GlobalReplicationGroups": [datastore]}}
    outcomes = _outcomes("AWS::ElastiCache::GlobalReplicationGroup", {"Members": [own]}, answers)
    assert outcomes == {"Members": outcome}


@pytest.mark.parametrize(("told", "outcome"), [("from the web", "same"), ("something else", "differs")])
def test_the_description_of_a_rule_is_that_of_its_peer(told: str, outcome: str) -> None:
    rule = {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
    ranges = [{"CidrIp": "10.1.0.0/16", "Description": "from the web"}, {"CidrIp": "10.0.0.0/8", "Description": told}]
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": ranges}
    answers = {(HERE, "describe_security_groups"): {"SecurityGroups": [{"IpPermissions": [permission]}]}}
    declared = {**rule, "Description": "from the web"}
    assert _outcomes("AWS::EC2::SecurityGroupIngress", declared, answers)["Description"] == outcome


@pytest.mark.parametrize(("host", "outcome"), [("writer.rds", "same"), ("gone.rds", "untold")])
def test_a_secret_is_attached_to_the_instance_whose_address_it_holds(host: str, outcome: str) -> None:
    instances = [{"DBInstanceIdentifier": "writer", "Endpoint": {"Address": "writer.rds"}}]
    answers = {
        (HERE, "describe_secret"): {"ARN": "arn", "Name": "secret"},
        (HERE, "get_secret_value"): {"SecretString": f'{{"host": "{host}"}}'},
        (HERE, "describe_db_instances"): {"DBInstances": instances},
        (HERE, "describe_db_clusters"): {"DBClusters": []},
    }
    declared = {"SecretId": "arn", "TargetId": "writer", "TargetType": "AWS::RDS::DBInstance"}
    outcomes = _outcomes("AWS::SecretsManager::SecretTargetAttachment", declared, answers)
    assert outcomes == {"SecretId": "same", "TargetId": outcome, "TargetType": outcome}


@pytest.mark.parametrize(("days", "outcome"), [(90, "same"), (30, "differs")])
def test_a_lifecycle_rule_is_spelled_as_in_a_template(days: int, outcome: str) -> None:
    told = {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": days}}
    calls = (
        "head_bucket", "get_bucket_encryption", "get_bucket_ownership_controls", "get_public_access_block",
        "get_bucket_versioning",
    )  # fmt: skip
    nothing: dict[str, Any] = {}
    answers = {(HERE, call): nothing for call in calls} | {
        (HERE, "get_bucket_lifecycle_configuration"): {"Rules": [told]}
    }
    declared = {"LifecycleConfiguration": {"Rules": [{"Id": "expire", "Status": "Enabled", "ExpirationInDays": 90}]}}
    outcomes = _outcomes("AWS::S3::Bucket", declared, answers)
    assert outcomes == {"LifecycleConfiguration.Rules": outcome}


@pytest.mark.parametrize(("locked", "outcome"), [(True, "same"), (False, "untold")])
def test_a_vault_that_is_not_locked_has_no_lock(locked: bool, outcome: str) -> None:
    answers = {(HERE, "describe_backup_vault"): {"Locked": locked, "MinRetentionDays": 7}}
    outcomes = _outcomes("AWS::Backup::BackupVault", {"LockConfiguration": {"MinRetentionDays": 7}}, answers)
    assert set(outcomes.values()) == {outcome}
