"""Secrets Manager: removal of a secret's replicas."""

from ministack.core.responses import error_response_json, get_account_id
from ministack.services import secretsmanager

from ops.emulator.apis.answers import Answer, Parameters, add_json_actions, json_answer


def install() -> None:
    """Add the actions."""
    add_json_actions("secretsmanager", {"RemoveRegionsFromReplication": remove_regions_from_replication})


def remove_regions_from_replication(parameters: Parameters) -> Answer:
    """Delete a secret's replicas in the regions named."""
    _, secret = secretsmanager._resolve(parameters.get("SecretId"))
    if not secret:
        answer: Answer = error_response_json(
            "ResourceNotFoundException", "Secrets Manager can't find the specified secret.", 400
        )
        return answer
    gone = set(parameters.get("RemoveReplicaRegions", []))
    for region in gone:
        secretsmanager._secrets.pop_scoped(get_account_id(), region, secret["Name"], None)
    kept = [status for status in secret.get("ReplicationStatus", []) if status.get("Region") not in gone]
    secret["ReplicationStatus"] = kept
    return json_answer({"ARN": secret["ARN"], "ReplicationStatus": kept})
