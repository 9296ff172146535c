"""Finders for zones, records and load balancers."""

from collections.abc import Iterable, Mapping
from typing import Any

from ops.rehearsal.verify.asking import Ask, Settings, finds


def _dotted(name: str) -> str:
    return name.rstrip(".").replace("\\052", "*") + "."


@finds("AWS::Route53::HostedZone", must=("Name",))
def hosted_zone(ask: Ask) -> Settings | None:
    """Ask for the zone."""
    found = ask.answer(ask.client("route53").get_hosted_zone, Id=ask.physical_id)
    if found is None:
        return None
    zone = found["HostedZone"]
    vpcs = [{"VPCId": item.get("VPCId"), "VPCRegion": item.get("VPCRegion")} for item in found.get("VPCs", [])]
    return {
        "Name": _dotted(zone["Name"]) if ask.declared.get("Name", "").endswith(".") else zone["Name"].rstrip("."),
        "HostedZoneFeatures": _features(zone),
        "HostedZoneConfig": {"Comment": zone.get("Config", {}).get("Comment")},
        "VPCs": vpcs or None,
    }


def _features(zone: Mapping[str, Any]) -> dict[str, bool]:
    """Return whether accelerated recovery is on, or being turned on."""
    state = zone.get("Features", {}).get("AcceleratedRecoveryStatus", "DISABLED")
    return {"EnableAcceleratedRecovery": state in ("ENABLING", "ENABLED")}


@finds("AWS::Route53::RecordSet", must=("Name", "Type"))
def record_set(ask: Ask) -> Settings | None:
    """Look the record up in its zone by name, type and set identifier."""
    zone = ask.declared.get("HostedZoneId", "")
    found = ask.answer(ask.client("route53").list_resource_record_sets, "ResourceRecordSets", HostedZoneId=zone)
    for record in found or []:
        if _dotted(record["Name"]) != _dotted(ask.declared["Name"]) or record["Type"] != ask.declared["Type"]:
            continue
        if record.get("SetIdentifier") != ask.declared.get("SetIdentifier"):
            continue
        values = [item["Value"] for item in record.get("ResourceRecords", [])]
        settings = {**ask.alike(record), "Name": ask.declared["Name"], "HostedZoneId": zone}
        settings["ResourceRecords"] = values or None
        if "AliasTarget" in record and "AliasTarget" in ask.declared:
            settings["AliasTarget"] = _alias(record["AliasTarget"], ask.declared["AliasTarget"])
        return settings
    return None


def _alias(found: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Take a name with and without its final dot, and in either case, for the same."""
    same = _dotted(found.get("DNSName", "")).lower() == _dotted(str(declared.get("DNSName", ""))).lower()
    return {**found, "DNSName": declared.get("DNSName") if same else found.get("DNSName")}


@finds("AWS::Route53::HealthCheck")
def health_check(ask: Ask) -> Settings | None:
    """Ask for the health check."""
    found = ask.answer(ask.client("route53").get_health_check, "HealthCheck", HealthCheckId=ask.physical_id)
    return None if found is None else {"HealthCheckConfig": found.get("HealthCheckConfig", {})}


def _attributes(declared: Iterable[Mapping[str, Any]], found: Iterable[Mapping[str, Any]] | None) -> list[Any] | None:
    """Return the declared attributes with the values found; one that the API doesn't tell is left out."""
    if found is None:
        return None
    values = {item["Key"]: item.get("Value") for item in found}
    return [{"Key": item["Key"], "Value": values[item["Key"]]} for item in declared if item["Key"] in values]


@finds("AWS::ElasticLoadBalancingV2::LoadBalancer", must=("Scheme", "Type", "Subnets", "LoadBalancerAttributes"))
def load_balancer(ask: Ask) -> Settings | None:
    """Ask for the load balancer and its attributes."""
    client = ask.client("elbv2")
    arn = ask.physical_id
    found = ask.answer(client.describe_load_balancers, "LoadBalancers", 0, LoadBalancerArns=[arn])
    if found is None:
        return None
    attributes = ask.answer(client.describe_load_balancer_attributes, "Attributes", LoadBalancerArn=arn)
    return {
        **ask.alike(found),
        "Name": found.get("LoadBalancerName"),
        "Subnets": [zone["SubnetId"] for zone in found.get("AvailabilityZones", []) if zone.get("SubnetId")] or None,
        "LoadBalancerAttributes": _attributes(ask.declared.get("LoadBalancerAttributes", []), attributes),
    }


@finds("AWS::ElasticLoadBalancingV2::TargetGroup", must=("TargetType", "VpcId"))
def target_group(ask: Ask) -> Settings | None:
    """Ask for the target group and its attributes."""
    client = ask.client("elbv2")
    found = ask.answer(client.describe_target_groups, "TargetGroups", 0, TargetGroupArns=[ask.physical_id])
    if found is None:
        return None
    attributes = ask.answer(client.describe_target_group_attributes, "Attributes", TargetGroupArn=ask.physical_id)
    return {
        **ask.alike(found, but=("Targets",)),
        "Name": found.get("TargetGroupName"),
        "TargetGroupAttributes": _attributes(ask.declared.get("TargetGroupAttributes", []), attributes),
        "Tags": ask.answer(client.describe_tags, "TagDescriptions", 0, "Tags", ResourceArns=[ask.physical_id]),
    }


@finds("AWS::ElasticLoadBalancingV2::Listener", must=("Port", "Protocol", "LoadBalancerArn"))
def listener(ask: Ask) -> Settings | None:
    """Ask for the listener."""
    found = ask.answer(ask.client("elbv2").describe_listeners, "Listeners", 0, ListenerArns=[ask.physical_id])
    if found is None:
        return None
    settings = ask.alike(found)
    if "ListenerAttributes" in ask.declared:
        attributes = ask.answer(
            ask.client("elbv2").describe_listener_attributes, "Attributes", ListenerArn=ask.physical_id
        )
        settings["ListenerAttributes"] = _attributes(ask.declared["ListenerAttributes"], attributes)
    return settings


@finds("AWS::ElasticLoadBalancingV2::ListenerRule", must=("Priority",))
def listener_rule(ask: Ask) -> Settings | None:
    """Ask for the rule; it tells every form of a condition, declared or not."""
    found = ask.answer(ask.client("elbv2").describe_rules, "Rules", 0, RuleArns=[ask.physical_id])
    return None if found is None else ask.alike(found, but=("Conditions", "Actions"))
