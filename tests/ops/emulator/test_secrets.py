"""What our handlers of Secrets Manager do, and refuse as AWS would."""

import pytest

from ops.emulator import Emulator

from .conftest import THERE


def test_replicas_come_and_go(emulator: Emulator) -> None:
    secrets = emulator.client("secretsmanager")
    secrets.create_secret(Name="shared", SecretString="one")
    secrets.replicate_secret_to_regions(SecretId="shared", AddReplicaRegions=[{"Region": THERE}])
    replica = emulator.client("secretsmanager", THERE)
    assert replica.get_secret_value(SecretId="shared")["SecretString"] == "one"
    secrets.remove_regions_from_replication(SecretId="shared", RemoveReplicaRegions=[THERE])
    with pytest.raises(replica.exceptions.ResourceNotFoundException):
        replica.get_secret_value(SecretId="shared")
    assert secrets.describe_secret(SecretId="shared").get("ReplicationStatus", []) == []
