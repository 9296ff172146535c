"""The replica in one region of a secret of another."""

from typing import Any

from botocore.exceptions import ClientError

from .calls import Patience, Properties, connect, error_code


class SecretReplica:
    """A replica in this region of a secret that lives in the primary region."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def identity(self, properties: Properties) -> str:
        """One replica a secret and region."""
        return f"{properties['SecretId']}@{properties['ReplicaRegion']}"

    def apply(self, properties: Properties, old: Properties) -> dict[str, str]:
        """Replicate, or replicate anew where the replica failed or uses another key, and wait until it is in sync."""
        secret, region, key = properties["SecretId"], properties["ReplicaRegion"], properties["KmsKeyId"]
        client = connect("secretsmanager", properties["PrimaryRegion"])
        arn, replica = self._patience.permitted(_find_replica, client, secret, region)
        if replica is not None and (replica.get("Status") == "Failed" or not _same_key(replica, key)):
            self.remove(properties)
            replica = None
        if replica is None:
            self._patience.permitted(
                client.replicate_secret_to_regions,
                SecretId=secret,
                AddReplicaRegions=[{"Region": region, "KmsKeyId": key}],
            )
        self._wait_until_in_sync(client, secret, region)
        return {"ReplicaArn": arn.replace(f":{properties['PrimaryRegion']}:", f":{region}:", 1)}

    def remove(self, properties: Properties) -> None:
        """Delete the replica, never the secret itself."""
        secret, region = properties["SecretId"], properties["ReplicaRegion"]
        client = connect("secretsmanager", properties["PrimaryRegion"])
        try:
            while _find_replica(client, secret, region)[1] is not None:
                client.remove_regions_from_replication(SecretId=secret, RemoveReplicaRegions=[region])
                self._patience.pause(2, f"the replica of {secret} to leave {region}")
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise

    def _wait_until_in_sync(self, client: Any, secret: str, region: str) -> None:
        while True:
            _, replica = _find_replica(client, secret, region)
            status = "missing" if replica is None else replica.get("Status", "InSync")
            if status == "InSync":
                return
            if status == "Failed":
                message = replica.get("StatusMessage", "") if replica else ""
                raise RuntimeError(
                    f"Secrets Manager could not replicate {secret} to {region}: {message} "
                    "(a secret of that name there must be deleted first, and the key must be usable)"
                )
            self._patience.pause(5, f"the replica of {secret} in {region}, which is {status}, to be in sync")


def _find_replica(client: Any, secret: str, region: str) -> tuple[str, dict[str, Any] | None]:
    found = client.describe_secret(SecretId=secret)
    replicas = [replica for replica in found.get("ReplicationStatus", []) if replica["Region"] == region]
    return str(found["ARN"]), replicas[0] if replicas else None


def _same_key(replica: dict[str, Any], key: str) -> bool:
    # The service may name the key by ARN or by id.
    used = str(replica.get("KmsKeyId") or key)
    return used.rsplit("/", 1)[-1] == key.rsplit("/", 1)[-1]
