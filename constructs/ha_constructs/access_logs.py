"""Bucket that receives the access logs of a region's load balancers."""

import aws_cdk as cdk
from aws_cdk import Validations
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ha_constructs.location import location_of


class AccessLogsBucket(Construct):
    """S3 bucket for the access logs of Application and Network Load Balancers of the same region and account.

    The bucket is encrypted with S3-managed keys: it is the only encryption that Application Load Balancers
    can write to. It refuses public access and plain HTTP, and lets only the log delivery services write, each
    below ``<prefix>/AWSLogs/<account>/``. The service principal of Application Load Balancers is the one that
    AWS documents for every region; the older policy with an account id a region is not used. It comes without
    a source condition, because AWS documents none for it.

    Objects are not versioned: every log file has a name of its own and is never written twice. The bucket's
    name is generated, so a retained bucket never blocks a later deployment.

    On delete: with protection the bucket stays (its content still expires). Without, a function of the CDK
    first denies further writes and then empties the bucket, because load balancers deliver their last logs
    minutes after they are gone and S3 deletes only empty buckets. That function exists only in this case.

    Exposes:
        bucket: the ``s3.Bucket``.

    Documentation followed:
        Enable access logs for your Application Load Balancer
        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
        Enable access logs for your Network Load Balancer
        https://docs.aws.amazon.com/elasticloadbalancing/latest/network/enable-access-logs.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        expiration_days: int = 90,
        deletion_protection: bool = True,
    ) -> None:
        """Create the bucket.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            expiration_days: days after which a log file is deleted. Default: 90.
            deletion_protection: keep the bucket when the stack is deleted. Default: true.

        Raises:
            ValueError: ``expiration_days`` is less than 1.
        """
        super().__init__(scope, construct_id)
        if expiration_days < 1:
            raise ValueError(f"expiration_days must be 1 or more, got {expiration_days}.")
        self.bucket = self._build_bucket(expiration_days, deletion_protection)
        self._allow_log_delivery()

    def enable_for(self, load_balancer: elbv2.BaseLoadBalancer, *, prefix: str) -> None:
        """Make a load balancer write its access logs below ``prefix``.

        Elastic Load Balancing writes a test object when logging is switched on, so the load balancer waits
        for the bucket's policy.

        Args:
            load_balancer: an Application or Network Load Balancer of the same region.
            prefix: first part of the object keys, without slashes at its ends.

        Raises:
            ValueError: the prefix is empty, begins or ends with a slash, or contains "AWSLogs".
        """
        if not prefix or prefix.strip("/") != prefix or "AWSLogs" in prefix:
            raise ValueError(
                f"Access log prefix {prefix!r} is not usable: give one such as 'alb', "
                "without a slash at either end and without 'AWSLogs'."
            )
        load_balancer.set_attribute("access_logs.s3.enabled", "true")
        load_balancer.set_attribute("access_logs.s3.bucket", self.bucket.bucket_name)
        load_balancer.set_attribute("access_logs.s3.prefix", prefix)
        if self.bucket.policy is not None:
            load_balancer.node.add_dependency(self.bucket.policy)

    def _build_bucket(self, expiration_days: int, deletion_protection: bool) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="expire",
                    expiration=cdk.Duration.days(expiration_days),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=(
                cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if deletion_protection else cdk.RemovalPolicy.DESTROY
            ),
            auto_delete_objects=not deletion_protection,
        )
        Validations.of(bucket).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-S1",
                reason="This bucket is where access logs go: logging its own access into itself would never end.",
            )
        )
        return bucket

    def _allow_log_delivery(self) -> None:
        location = location_of(self)
        # The prefix is each load balancer's own.
        objects = self.bucket.arn_for_objects(f"*/AWSLogs/{location.account}/*")
        network_delivery = iam.ServicePrincipal("delivery.logs.amazonaws.com")
        from_this_account = {
            "StringEquals": {"aws:SourceAccount": location.account},
            "ArnLike": {"aws:SourceArn": location.arn("logs", "*")},
        }
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ApplicationLoadBalancerLogs",
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[objects],
            )
        )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NetworkLoadBalancerLogs",
                principals=[network_delivery],
                actions=["s3:PutObject"],
                resources=[objects],
                conditions={
                    **from_this_account,
                    "StringEquals": {
                        "aws:SourceAccount": location.account,
                        "s3:x-amz-acl": "bucket-owner-full-control",
                    },
                },
            )
        )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NetworkLoadBalancerAclCheck",
                principals=[network_delivery],
                actions=["s3:GetBucketAcl"],
                resources=[self.bucket.bucket_arn],
                conditions=from_this_account,
            )
        )
