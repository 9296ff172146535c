"""Finders for security groups, their rules, and web access control lists."""

from collections.abc import Mapping
from typing import Any

from ops.rehearsal.verify.asking import Ask, Settings, finds

_PEERS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
}


def _group(ask: Ask, group_id: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = ask.answer(
        ask.client("ec2").describe_security_groups, "SecurityGroups", 0, GroupIds=[group_id]
    )
    return found


@finds("AWS::EC2::SecurityGroup", must=("GroupDescription", "VpcId"))
def security_group(ask: Ask) -> Settings | None:
    """Ask for the group; inline rules are found where each is among the group's rules."""
    found = _group(ask, ask.physical_id)
    if found is None:
        return None
    settings = {**ask.alike(found, but=("SecurityGroupIngress", "SecurityGroupEgress"))}
    settings["GroupDescription"] = found.get("Description")
    for name, permissions in (
        ("SecurityGroupIngress", "IpPermissions"),
        ("SecurityGroupEgress", "IpPermissionsEgress"),
    ):
        declared = ask.declared.get(name)
        if declared:
            present = [rule for rule in declared if _has_rule(found.get(permissions, []), rule)]
            settings[name] = present if len(present) == len(declared) else found.get(permissions, [])
    return settings


@finds("AWS::EC2::SecurityGroupIngress", must=("IpProtocol",))
def ingress_rule(ask: Ask) -> Settings | None:
    """Look the rule up in its group."""
    return _rule(ask, "IpPermissions")


@finds("AWS::EC2::SecurityGroupEgress", must=("IpProtocol",))
def egress_rule(ask: Ask) -> Settings | None:
    """Look the rule up in its group."""
    return _rule(ask, "IpPermissionsEgress")


def _rule(ask: Ask, permissions: str) -> Settings | None:
    found = _group(ask, ask.declared.get("GroupId", "")) or {}
    rules = [rule for rule in found.get(permissions, []) if _is_rule(rule, ask.declared)]
    if not rules:
        return None
    told = ("GroupId", "IpProtocol", "FromPort", "ToPort", *_PEERS)
    descriptions = [peer.get("Description") for rule in rules for peer in _peers(rule, ask.declared)]
    wanted = ask.declared.get("Description")
    description = wanted if wanted in descriptions else next(iter(descriptions), None)
    return {**{name: ask.declared[name] for name in told if name in ask.declared}, "Description": description}


def _has_rule(permissions: list[dict[str, Any]], rule: Mapping[str, Any]) -> bool:
    """Whether one of the group's rules has the declared protocol, ports, peer and description."""
    wanted = rule.get("Description")
    return any(
        wanted in (None, *(peer.get("Description") for peer in _peers(permission, rule)))
        for permission in permissions
        if _is_rule(permission, rule)
    )


def _is_rule(permission: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    if str(permission.get("IpProtocol")) != str(rule.get("IpProtocol")):
        return False
    if str(rule.get("IpProtocol")) != "-1" and any(
        name in rule and str(permission.get(name)) != str(rule[name]) for name in ("FromPort", "ToPort")
    ):
        return False
    return bool(_peers(permission, rule)) or not any(name in rule for name in _PEERS)


def _peers(permission: Mapping[str, Any], rule: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the peers of the permission that the rule names."""
    return [
        peer
        for name, (collection, key) in _PEERS.items()
        if name in rule
        for peer in permission.get(collection, [])
        if peer.get(key) == rule[name]
    ]


@finds("AWS::WAFv2::WebACL", must=("Scope",))
def web_acl(ask: Ask) -> Settings | None:
    """Ask for the web ACL; its physical id is name, id and scope."""
    scope = str(ask.declared.get("Scope", "REGIONAL"))
    client = ask.client("wafv2")
    parts = ask.physical_id.split("|")
    for summary in ask.answer(client.list_web_acls, "WebACLs", Scope=scope) or []:
        if not {summary.get("Id"), summary.get("Name"), summary.get("ARN")} & {*parts, ask.physical_id}:
            continue
        found = ask.answer(client.get_web_acl, "WebACL", Name=summary["Name"], Scope=scope, Id=summary["Id"])
        if found is not None:
            return {**ask.alike(found, but=("Rules",)), "Scope": scope, "Rules": _rules(ask, found)}
    return None


@finds("AWS::WAFv2::WebACLAssociation", must=("WebACLArn",))
def web_acl_association(ask: Ask) -> Settings | None:
    """Ask which web ACL stands before the load balancer."""
    resource = ask.declared.get("ResourceArn", "")
    found = ask.answer(ask.client("wafv2").get_web_acl_for_resource, "WebACL", "ARN", ResourceArn=resource)
    return None if found is None else {"ResourceArn": resource, "WebACLArn": found}


def _rules(ask: Ask, found: Mapping[str, Any]) -> list[Any] | None:
    """Return the declared rules where the ACL has each by name, priority and action; a statement's spelling differs."""
    declared, actual = ask.declared.get("Rules"), found.get("Rules")
    if declared is None or actual is None:
        return None
    keys = {(rule.get("Name"), str(rule.get("Priority"))) for rule in actual}
    return (
        list(declared) if {(rule.get("Name"), str(rule.get("Priority"))) for rule in declared} == keys else list(actual)
    )
