"""Security groups: their rules as resources of their own, over the emulator's EC2 API.

Refused: a VPC or group that the region lacks, and a rule that the group has already.
"""

from typing import Any

from ministack.services import ec2 as store

from ops.emulator.handlers.base import (
    Attributes,
    Extension,
    Handler,
    Outcome,
    Properties,
    Refused,
    Request,
    extends,
    handles,
    quietly,
)
from ops.emulator.handlers.lookups import groups_of, vpc_of

_RULE_PORTS = ("FromPort", "ToPort")
_PEER_KEYS = {
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "CidrIp": ("IpRanges", "CidrIp"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
}


@handles("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
class SecurityGroupRule(Handler):
    """A rule of a security group, as a resource of its own."""

    how = "native"
    reason = "through the emulator's EC2 API"

    def check(self, request: Request) -> None:
        """The groups exist, and the group has no such rule yet."""
        named = ("GroupId", "SourceSecurityGroupId", "DestinationSecurityGroupId")
        groups = groups_of(request, [request.properties[name] for name in named if request.properties.get(name)])
        if not groups:
            raise Refused("a security group rule needs a GroupId")
        wanted = _rule(request.properties)
        if request.is_update and _same_rule(wanted, _rule(request.previous)):
            return
        side = "IpPermissions" if request.type.endswith("Ingress") else "IpPermissionsEgress"
        if any(_same_rule(wanted, rule) for rule in groups[0].get(side, [])):
            raise Refused(f"security group {request.properties['GroupId']} has this rule already: {wanted}")

    def create(self, request: Request) -> Outcome:
        """Add the rule."""
        side = "ingress" if request.type.endswith("Ingress") else "egress"
        call = getattr(request.client("ec2"), f"authorize_security_group_{side}")
        answer = call(GroupId=request.properties["GroupId"], IpPermissions=[_rule(request.properties)])
        rules = answer.get("SecurityGroupRules") or [{}]
        rule_id = rules[0].get("SecurityGroupRuleId") or f"sgr-{request.digest(17)}"
        return Outcome(rule_id, {"Id": rule_id})

    def update(self, request: Request) -> Outcome:
        """Only a description changes in place: it is put on the rule that the group has."""
        side = "IpPermissions" if request.type.endswith("Ingress") else "IpPermissionsEgress"
        group = store._security_groups.get(request.properties["GroupId"])
        wanted = _rule(request.properties)
        for rule in group[side] if group else []:
            if _same_rule(wanted, rule):
                _describe(rule, wanted)
        return Outcome(request.physical_id, {"Id": request.physical_id})

    def delete(self, request: Request) -> None:
        """Take the rule away."""
        side = "ingress" if request.type.endswith("Ingress") else "egress"
        call = getattr(request.client("ec2"), f"revoke_security_group_{side}")
        quietly(call, GroupId=request.properties["GroupId"], IpPermissions=[_rule(request.properties)])


def _rule(properties: Properties) -> dict[str, Any]:
    rule: dict[str, Any] = {"IpProtocol": str(properties.get("IpProtocol", "-1"))}
    rule |= {name: int(properties[name]) for name in _RULE_PORTS if properties.get(name) is not None}
    description = {"Description": properties["Description"]} if properties.get("Description") else {}
    for name, (collection, key) in _PEER_KEYS.items():
        if properties.get(name):
            rule.setdefault(collection, []).append({key: properties[name], **description})
    return rule


def _describe(rule: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Give the peers of a rule of the group the description of the wanted rule's peers."""
    for collection, key in set(_PEER_KEYS.values()):
        for peer in wanted.get(collection, []):
            for given in rule.get(collection, []):
                if given.get(key) == peer[key]:
                    given.pop("Description", None)
                    given |= peer


def _same_rule(wanted: dict[str, Any], given: dict[str, Any]) -> bool:
    if (str(given.get("IpProtocol")), given.get("FromPort"), given.get("ToPort")) != (
        wanted["IpProtocol"],
        wanted.get("FromPort"),
        wanted.get("ToPort"),
    ):
        return False
    for collection, key in set(_PEER_KEYS.values()):
        peers = {item.get(key) for item in given.get(collection, [])}
        if any(item[key] in peers for item in wanted.get(collection, [])):
            return True
    return False


@extends("AWS::EC2::SecurityGroup")
class SecurityGroup(Extension):
    """A group needs its VPC."""

    def check(self, request: Request) -> None:
        """The VPC exists."""
        if request.properties.get("VpcId"):
            vpc_of(request, request.properties["VpcId"])

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Both spellings of the id."""
        return {"Id": outcome.physical_id, "VpcId": request.properties.get("VpcId", "")}
