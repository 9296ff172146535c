"""S3 buckets: settings that the emulator's CloudFormation leaves out.

Modelled: a bucket's tags (the CDK's handler that empties a bucket asks for one) and its lifecycle rules. Refused: a key
that does not exist in the bucket's region.
"""

from typing import Any

from ops.emulator.handlers.base import (
    Attributes,
    Extension,
    Outcome,
    Properties,
    Request,
    as_bool,
    extends,
    tags_of,
)
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
        """Put the tags and the lifecycle rules."""
        rules = request.properties.get("LifecycleConfiguration", {}).get("Rules", [])
        bucket, s3 = outcome.physical_id, request.client("s3")
        if rules:
            configuration = {"Rules": [lifecycle_rule(rule) for rule in rules]}
            s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=configuration)
        elif request.previous.get("LifecycleConfiguration"):
            s3.delete_bucket_lifecycle(Bucket=bucket)
        tags = tags_of(request.properties)
        if tags:
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
        elif tags_of(request.previous):
            s3.delete_bucket_tagging(Bucket=bucket)
        return {}


def lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """A template's lifecycle rule in the form of the S3 API."""
    answer: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    answer |= {"ID": rule["Id"]} if rule.get("Id") else {}
    if rule.get("ExpirationInDays"):
        answer["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif as_bool(rule.get("ExpiredObjectDeleteMarker")):
        answer["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    if rule.get("Transitions"):
        answer["Transitions"] = [
            {"Days": int(step["TransitionInDays"]), "StorageClass": step["StorageClass"]}
            for step in rule["Transitions"]
        ]
    if rule.get("NoncurrentVersionTransitions"):
        answer["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays": int(step["TransitionInDays"]), "StorageClass": step["StorageClass"]}
            for step in rule["NoncurrentVersionTransitions"]
        ]
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if rule.get(name):
            answer[name] = {key: int(value) for key, value in rule[name].items()}
    return answer
