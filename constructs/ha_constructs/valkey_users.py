"""Users of a Valkey cache."""

import aws_cdk as cdk
from aws_cdk import Validations
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct


class ValkeyUsers(Construct):
    """User group with one application user, authenticated by IAM, and a disabled default user.

    *IAM, no password.* The application user logs in with a token that its IAM role signs, valid for 15 minutes:
    nothing to store, replicate or rotate. ElastiCache asks for a user name that equals the user's id, and ends a
    connection after 12 hours unless the client authenticates again.

    *The default user.* CloudFormation documents that a group must include a user *named* ``default``. The one that
    ElastiCache brings may do everything without a password, so this group has another under that name: switched off,
    without any permission. Valkey groups refuse users without authentication, and IAM users can't be named
    ``default``, so it has a generated password that nobody needs.

    Users and groups belong to one region; they are not replicated by a Global Datastore.

    Exposes:
        group: user group. application: name (and id) of the application user. application_arn: its ARN.

    Documentation followed:
        Role-Based Access Control (RBAC)
        https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
        Authenticating with IAM
        https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        secrets_key: kms.IKey,
        access_string: str = "on ~* &* +@all -@dangerous +info +role",
        deletion_protection: bool = True,
    ) -> None:
        """Create the users and their group.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            name: id of the group; users are ``<name>-app`` and ``<name>-off``. At most 36 characters.
            secrets_key: key of the default user's secret.
            access_string: what the application user may do. Default: all keys and channels and every command but the
                dangerous ones (FLUSHALL, KEYS and so on); INFO and ROLE are allowed, because clients need them.
            deletion_protection: retain users and group with the cache that uses them. Default: true.

        Raises:
            ValueError: the name is too long.
        """
        super().__init__(scope, construct_id)
        if len(name) > 36:
            raise ValueError(
                f"name must be at most 36 characters, so that the users' ids have at most 40, got {name!r}."
            )
        self.application = f"{name}-app"
        policy = cdk.RemovalPolicy.RETAIN if deletion_protection else cdk.RemovalPolicy.DESTROY
        application = elasticache.CfnUser(
            self,
            "Application",
            engine="valkey",
            user_id=self.application,
            user_name=self.application,
            access_string=access_string,
            authentication_mode={"Type": "iam"},
        )
        disabled = self._build_disabled_default(name, secrets_key, policy)
        self.group = elasticache.CfnUserGroup(
            self, "Group", engine="valkey", user_group_id=name, user_ids=[disabled.ref, application.ref]
        )
        for resource in (application, disabled, self.group):
            resource.apply_removal_policy(policy)

    @property
    def application_arn(self) -> str:
        """ARN of the application user."""
        return cdk.Stack.of(self).format_arn(
            service="elasticache",
            resource="user",
            resource_name=self.application,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    def _build_disabled_default(
        self, name: str, secrets_key: kms.IKey, policy: cdk.RemovalPolicy
    ) -> elasticache.CfnUser:
        secret = secretsmanager.Secret(
            self,
            "DefaultUserSecret",
            description=f"Password of the disabled default user of the cache {name}; nobody needs it",
            encryption_key=secrets_key,
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            removal_policy=policy,
        )
        Validations.of(secret).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-SMG4",
                reason="The user is switched off and may do nothing, whatever its password.",
            )
        )
        return elasticache.CfnUser(
            self,
            "DisabledDefault",
            engine="valkey",
            user_id=f"{name}-off",
            user_name="default",
            access_string="off -@all",
            authentication_mode={
                "Type": "password",
                # A dynamic reference: the password is in no template.
                "Passwords": [secret.secret_value.unsafe_unwrap()],
            },
        )
