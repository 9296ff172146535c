"""EC2: what ministack lacks of network interfaces, routes, peerings, endpoint services, endpoints, gateways, flow logs.

Network interfaces are found by filter; a route that exists is refused and can be replaced by a peering; a peering has
options; endpoints tell their groups and private names, NAT gateways their addresses, flow logs how they deliver.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region
from ministack.services import ec2

from ops.emulator.apis.answers import Answer, Parameters, element, elements
from ops.emulator.handlers.ec2 import PEERING_OPTIONS
from ops.emulator.state import GLOBAL, STATE

_ENDPOINT_SERVICE = "AWS::EC2::VPCEndpointService"
_DNS_OPTION = "AllowDnsResolutionFromRemoteVpc"
_FLOW_LOG_ID = re.compile(r"fl-[0-9a-fA-F]{17}")
_GATEWAY_WITHOUT_ADDRESSES = re.compile(
    r"<natGatewayId>(nat-\w+)</natGatewayId>(.*?)<natGatewayAddressSet/>", re.DOTALL
)


def install() -> None:
    """Add the actions, and complete the answers."""
    ec2._ACTION_MAP |= {
        "DescribeNetworkInterfaces": describe_network_interfaces,
        "CreateRoute": create_route,
        "ReplaceRoute": replace_route,
        "ModifyVpcPeeringConnectionOptions": modify_peering_options,
        "DescribeVpcEndpointServiceConfigurations": describe_endpoint_services,
        "DescribeVpcEndpointServicePermissions": describe_endpoint_service_permissions,
        "DescribeNatGateways": describe_nat_gateways,
        "CreateFlowLogs": create_flow_logs,
        "DescribeFlowLogs": describe_flow_logs,
    }
    ec2._vpce_fields_xml = _endpoint_with_details(ec2._vpce_fields_xml)
    ec2._strip_descriptions = _without_descriptions(ec2._strip_descriptions)


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


def describe_endpoint_service_permissions(parameters: Parameters) -> Answer:
    """Who may connect to an endpoint service."""
    service = ec2._p(parameters, "ServiceId")
    if STATE.get(_ENDPOINT_SERVICE, get_region(), service) is None:
        return _error("InvalidVpcEndpointServiceId.NotFound", f"The VpcEndpointService Id '{service}' does not exist")
    record = STATE.get(f"{_ENDPOINT_SERVICE}Permissions", get_region(), service) or {}
    items = "".join(
        f"<item>{element('principal', principal)}{element('serviceId', service)}</item>"
        for principal in record.get("AllowedPrincipals", [])
    )
    return _xml("DescribeVpcEndpointServicePermissionsResponse", f"<allowedPrincipals>{items}</allowedPrincipals>")


def _xml(name: str, inner: str) -> Answer:
    answer: Answer = ec2._xml(200, name, inner)
    return answer


def _error(code: str, message: str) -> Answer:
    answer: Answer = ec2._error(code, message, 400)
    return answer


# Security groups


def _without_descriptions(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """EC2 tells rules apart by all but descriptions; ministack counts those of groups and prefix lists as well."""

    def plain(rule: dict[str, Any]) -> dict[str, Any]:
        answer = original(rule)
        for key in ("UserIdGroupPairs", "PrefixListIds"):
            answer[key] = [_without_description(peer) for peer in rule.get(key, [])]
        return answer

    return plain


def _without_description(peer: Any) -> Any:
    return {key: value for key, value in peer.items() if key != "Description"} if isinstance(peer, dict) else peer


# Endpoints, NAT gateways, flow logs


def _endpoint_with_details(original: Callable[..., str]) -> Callable[..., str]:
    """Ministack keeps an endpoint's groups, private names and policy, and does not tell them."""

    def fields(record: dict[str, Any], tag: str = "item") -> str:
        groups = "".join(f"<item>{element('groupId', group)}</item>" for group in record.get("SecurityGroupIds", []))
        private = str(record.get("PrivateDnsEnabled", False)).lower() == "true"
        more = f"<groupSet>{groups}</groupSet>{element('privateDnsEnabled', private)}"
        policy = record.get("PolicyDocument")
        if policy:
            more += element("policyDocument", policy if isinstance(policy, str) else json.dumps(policy))
        return original(record, tag).rstrip().removesuffix(f"</{tag}>") + f"{more}</{tag}>"

    return fields


def describe_nat_gateways(parameters: Parameters) -> Answer:
    """The gateways with their elastic addresses, which ministack keeps and does not tell."""
    status, headers, body = ec2._describe_nat_gateways(parameters)
    return status, headers, _GATEWAY_WITHOUT_ADDRESSES.sub(_with_addresses, body.decode()).encode()


def _with_addresses(match: re.Match[str]) -> str:
    allocation = ec2._nat_gateways[match[1]].get("AllocationId")
    address = ec2._addresses.get(allocation) or {}
    known = element("allocationId", allocation) + elements({"publicIp": address.get("PublicIp")}, ["publicIp"])
    item = f"<item>{known}</item>" if allocation else ""
    return f"<natGatewayId>{match[1]}</natGatewayId>{match[2]}<natGatewayAddressSet>{item}</natGatewayAddressSet>"


def create_flow_logs(parameters: Parameters) -> Answer:
    """Create, and keep what ministack drops: role, log group, interval and tags."""
    answer: Answer = ec2._create_flow_logs(parameters)
    for flow_log_id in _FLOW_LOG_ID.findall(answer[2].decode()):
        ec2._flow_logs[flow_log_id] |= {name: ec2._p(parameters, name) for name in _FLOW_LOG_DETAILS}
        ec2._parse_tag_specs(parameters, "vpc-flow-log", flow_log_id)
    return answer


_FLOW_LOG_DETAILS = {
    "DeliverLogsPermissionArn": "deliverLogsPermissionArn",
    "LogGroupName": "logGroupName",
    "LogFormat": "logFormat",
    "MaxAggregationInterval": "maxAggregationInterval",
}


def describe_flow_logs(parameters: Parameters) -> Answer:
    """The flow logs with what ``create_flow_logs`` kept of them."""
    status, headers, body = ec2._describe_flow_logs(parameters)
    text = body.decode()
    for flow_log_id in dict.fromkeys(_FLOW_LOG_ID.findall(text)):
        record = ec2._flow_logs[flow_log_id]
        details = {name: record.get(key) for key, name in _FLOW_LOG_DETAILS.items()}
        own = element("flowLogId", flow_log_id)
        text = text.replace(own, own + elements(details, details))
    return status, headers, text.encode()
