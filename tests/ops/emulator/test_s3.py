"""What our extension of S3 buckets keeps."""

from typing import Any

import pytest

from ops.emulator import Emulator

from .conftest import Deploy, one


def test_lifecycle_rules_are_told_until_they_are_gone(deploy: Deploy, emulator: Emulator) -> None:
    s3 = emulator.client("s3")

    def bucket(*rules: dict[str, Any]) -> dict[str, Any]:
        lifecycle = {"LifecycleConfiguration": {"Rules": list(rules)}} if rules else {}
        return one("AWS::S3::Bucket", BucketName="emulated-lifecycle", **lifecycle)

    rule = {
        "Id": "expire", "Status": "Enabled", "ExpirationInDays": 90, "Prefix": "logs/",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 14, "NewerNoncurrentVersions": 2},
    }  # fmt: skip
    stack = deploy(bucket(rule))
    assert stack.status == "CREATE_COMPLETE", stack.reason
    (told,) = s3.get_bucket_lifecycle_configuration(Bucket="emulated-lifecycle")["Rules"]
    assert (told["ID"], told["Status"], told["Filter"]) == ("expire", "Enabled", {"Prefix": "logs/"})
    assert told["Expiration"] == {"Days": 90}
    assert told["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert told["Transitions"] == [{"Days": 30, "StorageClass": "GLACIER"}]
    assert told["NoncurrentVersionExpiration"] == {"NoncurrentDays": 14, "NewerNoncurrentVersions": 2}
    stack.update(bucket())
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket="emulated-lifecycle")
