"""The encryption keys of one region of an environment: one for each purpose, each open only to what needs it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from ha_constructs.location import location_of

PENDING_WINDOW_DAYS = 30

Statement = dict[str, Any]

# Everything that manages a key, nothing that reads or writes with it. PutKeyPolicy is here, so an account never locks
# itself out.
ADMINISTRATION_ACTIONS: tuple[str, ...] = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:ReplicateKey",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
    "kms:UpdatePrimaryRegion",
)
DATA_ACTIONS: tuple[str, ...] = (
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
GRANT_ACTIONS: tuple[str, ...] = ("kms:CreateGrant", "kms:ListGrants", "kms:RetireGrant", "kms:RevokeGrant")
PUBLISH_ACTIONS: tuple[str, ...] = ("kms:Decrypt", "kms:GenerateDataKey")


@dataclass(frozen=True)
class KeyPurpose:
    """What a key is for, and through which services callers of the account may use it.

    ``services`` are the names before ``.<region>.amazonaws.com`` in ``kms:ViaService``; none leaves it to IAM.
    """

    description: str
    services: Sequence[str] = ()


CLUSTER = KeyPurpose("Kubernetes secrets and volumes of nodes and pods")
DATABASE = KeyPurpose("Database storage, snapshots and insights", services=("rds",))
# ElastiCache asks for both names: "At-Rest Encryption in ElastiCache"
# (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/at-rest-encryption.html).
CACHE = KeyPurpose("Cache storage and backups", services=("elasticache", "dax"))
MESSAGING = KeyPurpose("Topics and queues", services=("sns", "sqs"))
REGISTRY = KeyPurpose("Container images", services=("ecr",))
LOGS = KeyPurpose("Log groups", services=("logs",))
# A recovery point of RDS is a snapshot that RDS copies on behalf of AWS Backup.
BACKUP = KeyPurpose("Backup vaults", services=("backup", "rds"))
ALERTS = KeyPurpose("Alert topics", services=("sns",))
SECRETS = KeyPurpose("Secrets, in every region", services=("secretsmanager",))


class EncryptionKeys(Construct):
    """Customer managed keys of one region, rotated every year, with an alias ``alias/<environment>/<purpose>`` each.

    A key's policy is complete at birth and closed. The account administers the key through IAM; principals of the
    account to whom IAM gives it use the key, and only through the services of its purpose (``kms:ViaService``); AWS
    services that act on their own account are named with the account and the resources they act for. The keys are
    handed out as references, so no construct that uses one adds to its policy: grants go to the principal's own policy.
    That keeps keys free of references to their users (no dependency cycle between a queue, its topic and their key).

    The cluster's key is the exception to the service condition: EKS documents plain IAM permissions for the creator
    and the cluster's role. Whoever makes volumes with it (the cluster role of EKS Auto Mode, if a node class or storage
    class names the key) needs data and grant permissions in IAM.

    Secrets cross regions, so their key is a multi-region key: created in the primary region, replicated elsewhere.
    A replica has the primary's key material and rotation, and its own policy and alias.

    Arguments:
        environment_name: the middle part of the aliases: letters, digits, ``-`` and ``_``; not ``aws``.
        secrets_primary_key_arn: ARN of the primary region's ``secrets`` key; left out (default) in the primary
            region itself. KMS can't change it: another value replaces the replica.
        deletion_protection: true (default) keeps the keys when the stack is deleted or a key leaves the template;
            false schedules deletion, 30 days later. A primary is deleted only after all its replicas.

    Exposes:
        ``cluster``, ``database``, ``cache``, ``messaging``, ``registry``, ``logs``, ``backup``, ``alerts``, ``secrets``
        (each ``kms.IKey``) and ``secrets_arn``, what other regions take as ``secrets_primary_key_arn``.

    Raises:
        ValueError: for an environment name that is not fit for an alias.

    Follows: "Key policies in AWS KMS" (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html),
    "kms:ViaService" (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service),
    "Encrypt log data in CloudWatch Logs using AWS KMS"
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html), "Managing Amazon SNS
    encryption keys and costs" (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html), "Control access to
    multi-Region keys" (https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-auth.html).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment_name: str,
        secrets_primary_key_arn: str | None = None,
        deletion_protection: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        if not re.fullmatch(r"[A-Za-z0-9_-]+", environment_name) or environment_name == "aws":
            raise ValueError(
                "environment_name must be letters, digits, '-' and '_' and not 'aws' (KMS keeps alias/aws/ for "
                f"itself), got {environment_name!r}"
            )
        self._environment_name = environment_name
        self._location = location_of(self)
        self._pending_window = cdk.Duration.days(PENDING_WINDOW_DAYS)
        self._removal_policy = cdk.RemovalPolicy.RETAIN if deletion_protection else cdk.RemovalPolicy.DESTROY

        self.cluster = self._build_key("Cluster", CLUSTER)
        self.database = self._build_key("Database", DATABASE)
        self.cache = self._build_key("Cache", CACHE)
        self.messaging = self._build_key("Messaging", MESSAGING, self._topic_delivery())
        self.registry = self._build_key("Registry", REGISTRY)
        self.logs = self._build_key("Logs", LOGS, self._log_encryption())
        self.backup = self._build_key("Backup", BACKUP)
        self.alerts = self._build_key("Alerts", ALERTS, self._alarm_publication())
        if secrets_primary_key_arn is None:
            self.secrets = self._build_key("Secrets", SECRETS, multi_region=True)
        else:
            self.secrets = self._build_replica("Secrets", SECRETS, secrets_primary_key_arn)
        self.secrets_arn: str = self.secrets.key_arn

    def _build_key(
        self, name: str, purpose: KeyPurpose, *statements: Statement, multi_region: bool = False
    ) -> kms.IKey:
        key = kms.Key(
            self,
            name,
            description=f"{self._environment_name}: {purpose.description}",
            alias=self._alias(name),
            enable_key_rotation=True,
            multi_region=multi_region,
            pending_window=self._pending_window,
            policy=self._policy(purpose, *statements),
            removal_policy=self._removal_policy,
        )
        return kms.Key.from_key_arn(self, f"{name}Reference", key.key_arn)

    def _build_replica(self, name: str, purpose: KeyPurpose, primary_key_arn: str) -> kms.IKey:
        replica = kms.CfnReplicaKey(
            self,
            f"{name}Replica",
            description=f"{self._environment_name}: {purpose.description}",
            key_policy=self._policy(purpose),
            pending_window_in_days=PENDING_WINDOW_DAYS,
            primary_key_arn=primary_key_arn,
        )
        replica.apply_removal_policy(self._removal_policy)
        kms.CfnAlias(self, f"{name}ReplicaAlias", alias_name=self._alias(name), target_key_id=replica.attr_key_id)
        return kms.Key.from_key_arn(self, f"{name}Reference", replica.attr_arn)

    def _alias(self, name: str) -> str:
        return f"alias/{self._environment_name}/{name.lower()}"

    def _policy(self, purpose: KeyPurpose, *statements: Statement) -> iam.PolicyDocument:
        account = {"AWS": f"arn:{self._location.partition}:iam::{self._location.account}:root"}
        administration = _statement("AdministrationByAccount", account, ADMINISTRATION_ACTIONS)
        use = _statement("UseByAccount", account, [*DATA_ACTIONS, *GRANT_ACTIONS])
        if purpose.services:
            # Of any region: RDS, AWS Backup and Secrets Manager call from the region where a copy is asked for.
            services = [f"{service}.*.amazonaws.com" for service in purpose.services]
            use["Sid"] = "UseByAccountThroughServices"
            use["Condition"] = {"StringLike": {"kms:ViaService": services}}
        # Written as JSON, which crosses to the CDK's Node.js process in one piece.
        return iam.PolicyDocument.from_json({"Statement": [administration, use, *statements]})

    def _topic_delivery(self) -> Statement:
        # SNS writes to an encrypted queue as itself, for a topic of this account and region.
        return _statement(
            "DeliveryFromTopicsToQueues",
            {"Service": "sns.amazonaws.com"},
            PUBLISH_ACTIONS,
            self._on_behalf_of(self._location.arn("sns", "*")),
        )

    def _alarm_publication(self) -> Statement:
        return _statement(
            "PublicationByAlarms",
            {"Service": "cloudwatch.amazonaws.com"},
            PUBLISH_ACTIONS,
            self._on_behalf_of(self._location.arn("cloudwatch", "alarm:*")),
        )

    def _on_behalf_of(self, source_arn: str) -> dict[str, dict[str, str]]:
        return {
            "StringEquals": {"aws:SourceAccount": self._location.account},
            "ArnLike": {"aws:SourceArn": source_arn},
        }

    def _log_encryption(self) -> Statement:
        return _statement(
            "EncryptionOfLogGroups",
            {"Service": f"logs.{self._location.region}.amazonaws.com"},
            [*DATA_ACTIONS, "kms:DescribeKey"],
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": self._location.arn("logs", "log-group:*")}},
        )


def _statement(
    sid: str,
    principal: dict[str, str],
    actions: Sequence[str],
    condition: Mapping[str, Mapping[str, str]] | None = None,
) -> Statement:
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": list(actions),
        # In a key policy "*" means this key.
        "Resource": "*",
    }
    return statement | {"Condition": condition} if condition else statement
