"""S3 buckets: settings that the emulator's CloudFormation leaves out.

Modelled: a bucket's tags (the CDK's handler that empties a bucket asks for one). Refused: a key that does not exist in
the bucket's region.
"""

from ops.emulator.handlers.base import Attributes, Extension, Outcome, Request, extends, tags_of
from ops.emulator.handlers.rds import check_key


@extends("AWS::S3::Bucket")
class Bucket(Extension):
    """A bucket's tags and key."""

    def check(self, request: Request) -> None:
        """The key exists in the region."""
        rules = request.properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
        for rule in rules:
            key = rule.get("ServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
            if key:
                check_key(request, key)

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Put the tags."""
        tags = tags_of(request.properties)
        if tags:
            request.client("s3").put_bucket_tagging(Bucket=outcome.physical_id, Tagging={"TagSet": tags})
        elif tags_of(request.previous):
            request.client("s3").delete_bucket_tagging(Bucket=outcome.physical_id)
        return {}
