"""AWS API actions that ministack lacks, or answers wrongly, and that the handlers of this architecture call.

EC2: network interfaces by filter; routes that exist already are refused and can be replaced by a peering; options of a
peering connection; endpoint services. ECR: the registry's settings. Secrets Manager: removal of a secret's replicas.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack import app
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import ec2, elasticache, secretsmanager

from ops.emulator.handlers import ecr
from ops.emulator.handlers.ec2 import PEERING_OPTIONS
from ops.emulator.state import GLOBAL, STATE

Answer = tuple[int, dict[str, str], bytes]
Parameters = dict[str, Any]

_ENDPOINT_SERVICE = "AWS::EC2::VPCEndpointService"
_DNS_OPTION = "AllowDnsResolutionFromRemoteVpc"


def install() -> None:
    """Add the actions to the services."""
    ec2._ACTION_MAP |= {
        "DescribeNetworkInterfaces": describe_network_interfaces,
        "CreateRoute": create_route,
        "ReplaceRoute": replace_route,
        "ModifyVpcPeeringConnectionOptions": modify_peering_options,
        "DescribeVpcEndpointServiceConfigurations": describe_endpoint_services,
    }
    elasticache._user_xml = _escaped_user(elasticache._user_xml)
    _add_json_actions("ecr", _ECR_ACTIONS)
    _add_json_actions("secretsmanager", {"RemoveRegionsFromReplication": remove_regions_from_replication})


def _add_json_actions(service: str, actions: dict[str, Callable[[Parameters], Answer]]) -> None:
    original: Callable[..., Awaitable[Answer]] = app.SERVICE_HANDLERS[service]

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Parameters) -> Answer:
        action = actions.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if action is not None:
            return action(json.loads(body) if body else {})
        return await original(method, path, headers, body, query)

    app.SERVICE_HANDLERS[service] = handle


def _escaped_user(original: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """Ministack writes a cache user's access string as it is; one with ``&*`` breaks the answer's XML."""
    return lambda user: original({**user, "AccessString": escape(str(user.get("AccessString", "")))})


# EC2


def describe_network_interfaces(parameters: Parameters) -> Answer:
    """The interfaces that pass every filter; ministack answers all of them."""
    ids = ec2._parse_member_list(parameters, "NetworkInterfaceId")
    filters = ec2._parse_filters(parameters)
    items = "".join(
        ec2._eni_fields_xml(interface)
        for interface in ec2._network_interfaces.values()
        if (not ids or interface["NetworkInterfaceId"] in ids) and _passes(interface, filters)
    )
    return _xml("DescribeNetworkInterfacesResponse", f"<networkInterfaceSet>{items}</networkInterfaceSet>")


_INTERFACE_FILTERS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "availability-zone": lambda interface: [interface["AvailabilityZone"]],
    "description": lambda interface: [interface["Description"]],
    "group-id": lambda interface: [group["GroupId"] for group in interface["Groups"]],
    "network-interface-id": lambda interface: [interface["NetworkInterfaceId"]],
    "private-ip-address": lambda interface: [interface["PrivateIpAddress"]],
    "status": lambda interface: [interface["Status"]],
    "subnet-id": lambda interface: [interface["SubnetId"]],
    "vpc-id": lambda interface: [interface["VpcId"]],
}


def _filter_values(interface: dict[str, Any], name: str) -> list[str]:
    values = _INTERFACE_FILTERS.get(name)
    return values(interface) if values else []


def _passes(interface: dict[str, Any], filters: dict[str, list[str]]) -> bool:
    # A filter that is not known here lets nothing pass: an empty answer shows, a wrong one would not.
    return all(set(wanted) & set(_filter_values(interface, name)) for name, wanted in filters.items())


def create_route(parameters: Parameters) -> Answer:
    """Add a route, unless the table has one to the destination already."""
    table = ec2._route_tables.get(ec2._p(parameters, "RouteTableId"))
    destination = ec2._p(parameters, "DestinationCidrBlock")
    if table and any(route.get("DestinationCidrBlock") == destination for route in table["Routes"]):
        return _error("RouteAlreadyExists", f"The route identified by {destination} already exists.")
    missing = _missing_peering(parameters)
    answer: Answer = missing or ec2._create_route(parameters)
    return answer


def replace_route(parameters: Parameters) -> Answer:
    """Lead a destination somewhere else; ministack keeps the former peering."""
    table = ec2._route_tables.get(ec2._p(parameters, "RouteTableId"))
    if not table:
        return _error("InvalidRouteTableID.NotFound", "The route table does not exist")
    missing = _missing_peering(parameters)
    if missing:
        return missing
    destination = ec2._p(parameters, "DestinationCidrBlock")
    if not any(route.get("DestinationCidrBlock") == destination for route in table["Routes"]):
        return _error("InvalidRoute.NotFound", f"There is no route to {destination}")
    table["Routes"] = [route for route in table["Routes"] if route.get("DestinationCidrBlock") != destination]
    ec2._create_route(parameters)
    return _xml("ReplaceRouteResponse", "<return>true</return>")


def _missing_peering(parameters: Parameters) -> Answer | None:
    connection = ec2._p(parameters, "VpcPeeringConnectionId")
    record = ec2._vpc_peering.get(connection) if connection else None
    if connection and (record is None or record["Status"]["Code"] == "deleted"):
        message = f"The vpcPeeringConnection ID '{connection}' does not exist"
        return _error("InvalidVpcPeeringConnectionID.NotFound", message)
    return None


def modify_peering_options(parameters: Parameters) -> Answer:
    """Set whether names of the other VPC resolve to private addresses; each side from its own region only."""
    connection = ec2._p(parameters, "VpcPeeringConnectionId")
    record = ec2._vpc_peering.get(connection)
    if record is None:
        return _error("InvalidVpcPeeringConnectionID.NotFound", f"The peering connection '{connection}' does not exist")
    if record["Status"]["Code"] != "active":
        return _error("OperationNotPermitted", f"The peering connection '{connection}' is not active")
    answered = ""
    for side, info in (("Requester", "RequesterVpcInfo"), ("Accepter", "AccepterVpcInfo")):
        value = ec2._p(parameters, f"{side}PeeringConnectionOptions.{_DNS_OPTION}")
        if not value:
            continue
        if record[info]["Region"] != get_region():
            return _error(
                "OperationNotPermitted", f"The {side.lower()}'s options can be set in {record[info]['Region']} only"
            )
        options = STATE.get(PEERING_OPTIONS, GLOBAL, connection) or {}
        STATE.put(PEERING_OPTIONS, GLOBAL, connection, {**options, side: {_DNS_OPTION: value == "true"}})
        name = f"{side.lower()}PeeringConnectionOptions"
        answered += f"<{name}><allowDnsResolutionFromRemoteVpc>{value}</allowDnsResolutionFromRemoteVpc></{name}>"
    return _xml("ModifyVpcPeeringConnectionOptionsResponse", answered)


def describe_endpoint_services(parameters: Parameters) -> Answer:
    """The endpoint services of the region."""
    ids = ec2._parse_member_list(parameters, "ServiceId")
    items = ""
    for service_id, record in STATE.find(_ENDPOINT_SERVICE, get_region()).items():
        if ids and service_id not in ids:
            continue
        arns = "".join(f"<item>{arn}</item>" for arn in record["NetworkLoadBalancerArns"])
        items += (
            f"<item><serviceId>{service_id}</serviceId><serviceName>{record['ServiceName']}</serviceName>"
            f"<serviceState>Available</serviceState><acceptanceRequired>{str(record['AcceptanceRequired']).lower()}"
            f"</acceptanceRequired><networkLoadBalancerArnSet>{arns}</networkLoadBalancerArnSet></item>"
        )
    return _xml(
        "DescribeVpcEndpointServiceConfigurationsResponse",
        f"<serviceConfigurationSet>{items}</serviceConfigurationSet>",
    )


def _xml(name: str, inner: str) -> Answer:
    answer: Answer = ec2._xml(200, name, inner)
    return answer


def _error(code: str, message: str) -> Answer:
    answer: Answer = ec2._error(code, message, 400)
    return answer


# ECR


def describe_registry(_: Parameters) -> Answer:
    """The registry's id and replication."""
    record = STATE.get(ecr.REPLICATION, get_region(), get_account_id()) or {}
    rules = record.get("ReplicationConfiguration", {}).get("Rules", [])
    return _json({"registryId": get_account_id(), "replicationConfiguration": {"rules": _camel(rules)}})


def put_replication_configuration(parameters: Parameters) -> Answer:
    """Replace the registry's replication as a whole."""
    settings = parameters.get("replicationConfiguration", {})
    rules = _pascal(settings.get("rules", []))
    problem = ecr.replication_problem(rules, get_account_id(), get_region())
    if problem:
        answer: Answer = error_response_json("InvalidParameterException", problem, 400)
        return answer
    if rules:
        STATE.put(ecr.REPLICATION, get_region(), get_account_id(), {"ReplicationConfiguration": {"Rules": rules}})
    else:
        STATE.remove(ecr.REPLICATION, get_region(), get_account_id())
    return _json({"replicationConfiguration": settings})


def _list_of(resource_type: str, answered_as: str, key: str) -> Callable[[Parameters], Answer]:
    def action(parameters: Parameters) -> Answer:
        wanted = parameters.get(key) or []
        found = STATE.find(resource_type, get_region())
        return _json({answered_as: [_camel(body) for name, body in found.items() if not wanted or name in wanted]})

    return action


_ECR_ACTIONS: dict[str, Callable[[Parameters], Answer]] = {
    "DescribeRegistry": describe_registry,
    "PutReplicationConfiguration": put_replication_configuration,
    "DescribePullThroughCacheRules": _list_of(
        "AWS::ECR::PullThroughCacheRule", "pullThroughCacheRules", "ecrRepositoryPrefixes"
    ),
    "DescribeRepositoryCreationTemplates": _list_of(
        "AWS::ECR::RepositoryCreationTemplate", "repositoryCreationTemplates", "prefixes"
    ),
}


def _respelled(value: Any, spell: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_respelled(item, spell) for item in value]
    if isinstance(value, dict):
        return {spell(key[:1]) + key[1:]: _respelled(item, spell) for key, item in value.items()}
    return value


def _camel(value: Any) -> Any:
    return _respelled(value, str.lower)


def _pascal(value: Any) -> Any:
    return _respelled(value, str.upper)


def _json(body: dict[str, Any]) -> Answer:
    answer: Answer = json_response(body)
    return answer


# Secrets Manager


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
    return _json({"ARN": secret["ARN"], "ReplicationStatus": kept})
