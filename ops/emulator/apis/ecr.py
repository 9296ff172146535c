"""ECR: the settings of the registry, its pull-through cache rules and its repository creation templates."""

from ministack.core.responses import error_response_json, get_account_id, get_region

from ops.emulator.apis.answers import Action, Answer, Parameters, add_json_actions, json_answer
from ops.emulator.handlers import ecr
from ops.emulator.spelling import camel, pascal
from ops.emulator.state import STATE


def install() -> None:
    """Add the actions."""
    add_json_actions("ecr", _ACTIONS)


def describe_registry(_: Parameters) -> Answer:
    """The registry's id and replication."""
    record = STATE.get(ecr.REPLICATION, get_region(), get_account_id()) or {}
    rules = record.get("ReplicationConfiguration", {}).get("Rules", [])
    return json_answer({"registryId": get_account_id(), "replicationConfiguration": {"rules": camel(rules)}})


def put_replication_configuration(parameters: Parameters) -> Answer:
    """Replace the registry's replication as a whole."""
    settings = parameters.get("replicationConfiguration", {})
    rules = pascal(settings.get("rules", []))
    problem = ecr.replication_problem(rules, get_account_id(), get_region())
    if problem:
        answer: Answer = error_response_json("InvalidParameterException", problem, 400)
        return answer
    if rules:
        STATE.put(ecr.REPLICATION, get_region(), get_account_id(), {"ReplicationConfiguration": {"Rules": rules}})
    else:
        STATE.remove(ecr.REPLICATION, get_region(), get_account_id())
    return json_answer({"replicationConfiguration": settings})


def _list_of(resource_type: str, answered_as: str, key: str) -> Action:
    def action(parameters: Parameters) -> Answer:
        wanted = parameters.get(key) or []
        found = STATE.find(resource_type, get_region())
        return json_answer({answered_as: [camel(body) for name, body in found.items() if not wanted or name in wanted]})

    return action


_ACTIONS: dict[str, Action] = {
    "DescribeRegistry": describe_registry,
    "PutReplicationConfiguration": put_replication_configuration,
    "DescribePullThroughCacheRules": _list_of(
        "AWS::ECR::PullThroughCacheRule", "pullThroughCacheRules", "ecrRepositoryPrefixes"
    ),
    "DescribeRepositoryCreationTemplates": _list_of(
        "AWS::ECR::RepositoryCreationTemplate", "repositoryCreationTemplates", "prefixes"
    ),
}
