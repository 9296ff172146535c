"""Replicas of multi-region keys, over the emulator's KMS API.

Modelled: the replica in its own region, with the key id it shares with its primary.
Refused: a primary that does not exist, is no multi-region key, or is in the replica's own region.
"""

import json

from ops.emulator.handlers.base import Handler, Outcome, Refused, Request, exists, handles, region_of, tags_of


@handles("AWS::KMS::ReplicaKey")
class ReplicaKey(Handler):
    """A replica of a multi-region key."""

    how = "native"
    reason = "through the emulator's KMS API"

    def check(self, request: Request) -> None:
        """The primary exists, elsewhere, and is a multi-region key."""
        primary = request.properties["PrimaryKeyArn"]
        region = region_of(primary)
        if region == request.region:
            raise Refused(f"the primary key {primary} is in {region} itself: a replica must be in another region")
        found = exists(request.client("kms", region).describe_key, KeyId=primary) if region else None
        if found is None:
            raise Refused(f"primary key {primary!r} does not exist")
        if not found["KeyMetadata"].get("MultiRegion"):
            raise Refused(f"key {primary} is not a multi-region key: it cannot be replicated")

    def create(self, request: Request) -> Outcome:
        """Replicate."""
        properties = request.properties
        primary = properties["PrimaryKeyArn"]
        answer = request.client("kms", region_of(primary)).replicate_key(
            KeyId=primary,
            ReplicaRegion=request.region,
            Policy=json.dumps(properties["KeyPolicy"]),
            Description=properties.get("Description", ""),
            Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags_of(properties)],
        )
        return _outcome(answer["ReplicaKeyMetadata"])

    def update(self, request: Request) -> Outcome:
        """Change the policy."""
        kms = request.client("kms")
        kms.put_key_policy(
            KeyId=request.physical_id, PolicyName="default", Policy=json.dumps(request.properties["KeyPolicy"])
        )
        return _outcome(kms.describe_key(KeyId=request.physical_id)["KeyMetadata"])

    def delete(self, request: Request) -> None:
        """Schedule the deletion, as CloudFormation does."""
        days = int(request.properties.get("PendingWindowInDays", 30))
        exists(request.client("kms").schedule_key_deletion, KeyId=request.physical_id, PendingWindowInDays=days)


def _outcome(metadata: dict[str, str]) -> Outcome:
    return Outcome(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]})
