"""Makes the change of one resource: created, deleted, renamed, or different."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ops.impact.access import Access
from ops.impact.changes import REPLACING, Change, Consequence, Detail, Effect, Finding
from ops.impact.classify import PropertyChange
from ops.impact.consequences import consequence_of, deletion_policy, holding_of
from ops.impact.manifests import HELM_TYPE, MANIFEST_TYPE, compare_objects, helm_notes, removed_objects, to_detail
from ops.impact.propagation import Pair, Propagation
from ops.impact.protections import weaker_protection
from ops.impact.schemas import schema_of
from ops.impact.templates import Template
from ops.impact.values import plain

_ATTRIBUTES = ("DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy", "CreationPolicy", "Condition")


_IN_ONE_NETWORK = {
    "AWS::EKS::Cluster": "https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSubnets.html"
    ),
    "AWS::RDS::DBSubnetGroup": "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSubnetGroup.html",
    "AWS::ElastiCache::SubnetGroup": (
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyCacheSubnetGroup.html"
    ),
}
"""Types that take other subnets in an update, but none of another VPC."""


def place_of(template: Template, logical_id: str) -> Change:
    """Return a change that says where a resource is and what it holds, and nothing else yet."""
    resource_type = str(template.resources[logical_id]["Type"])
    return Change(
        stack=template.name,
        region=template.region,
        path=template.path_of(logical_id),
        logical_id=logical_id,
        type=resource_type,
        effect=Effect.UPDATE,
        holds=holding_of(resource_type),
    )


def created(template: Template, logical_id: str, access: Access) -> Change:
    """Return the change of a resource that is new in its stack."""
    return replace(place_of(template, logical_id), effect=Effect.CREATION, findings=access.broader(logical_id))


def deleted(template: Template, logical_id: str, access: Access) -> Change:
    """Return the change of a resource that leaves its stack."""
    body = template.resources[logical_id]
    policy = deletion_policy(body)
    notes = [f"deletion policy: {policy}"] if holding_of(str(body["Type"])) or policy != "Delete" else []
    if body["Type"] == MANIFEST_TYPE:
        notes += [f"`kubectl delete` takes {name} with it" for name in removed_objects(_plain_body(body)["Properties"])]
    return replace(
        place_of(template, logical_id),
        effect=Effect.DELETION,
        findings=access.no_longer_held_back(logical_id),
        consequence=consequence_of(Effect.DELETION, body),
        notes=[*_protected(body, policy), *notes],
    )


def renamed(pair: Pair, new_id: str, old_id: str, access: Access) -> Change:
    """Return the change of a resource that only got another logical id."""
    body = pair.before.resources[old_id]
    policy = deletion_policy(body)
    notes = [f"logical id {old_id} -> {new_id}", f"deletion policy of the old one: {policy}"]
    name = _fixed_name(pair.after.region, body, pair.after.resources[new_id])
    if name:
        notes.insert(0, f"refused: {name} is taken by the old one while the new one is created; the deployment fails")
    return replace(
        place_of(pair.after, new_id),
        effect=Effect.RENAME,
        findings=[
            *weaker_protection(_plain_body(body), _plain_body(pair.after.resources[new_id])),
            *access.broader(new_id),
        ],
        consequence=consequence_of(Effect.RENAME, body),
        notes=[*_protected(body, policy), *notes],
        previous=pair.before.path_of(old_id),
    )


def retyped(pair: Pair, logical_id: str) -> Change:
    """Return the change of a logical id that stands for another type."""
    before, after = pair.before.resources[logical_id], pair.after.resources[logical_id]
    place = place_of(pair.after, logical_id)
    return replace(
        place,
        holds=place.holds or holding_of(str(before["Type"])),
        effect=Effect.REPLACEMENT,
        consequence=consequence_of(Effect.REPLACEMENT, before, after),
        notes=[f"refused: CloudFormation does not change the type of a resource ({before['Type']} -> {after['Type']})"],
    )


def updated(pair: Pair, logical_id: str, propagation: Propagation, access: Access) -> list[Change]:
    """Return the changes of a resource that stays; a manifest's are those of its objects."""
    before, after = pair.common[logical_id]
    found = propagation.changes_of(pair, logical_id)
    attributes = [
        Detail(path=name, before=before.get(name), after=after.get(name))
        for name in _ATTRIBUTES
        if before.get(name) != after.get(name)
    ]
    if not found and not attributes:
        return []
    place = place_of(pair.after, logical_id)
    objects: Sequence[Change] = ()
    if after["Type"] == MANIFEST_TYPE:
        marks = propagation.marks(pair)
        compared = compare_objects(
            place,
            plain(before.get("Properties") or {}),
            plain(after.get("Properties") or {}, marks),
        )
        if compared is not None:
            objects = compared
            found = [change for change in found if change.difference.path[0] not in ("Manifest", "PruneLabel")]
            if not found and not attributes:
                return list(objects)
    refused = _refusal_of_another_network(pair, place.type, found, propagation)
    return [*objects, _changed(pair, place, before, after, found, attributes, access, refused)]


def _changed(
    pair: Pair,
    place: Change,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    found: Sequence[PropertyChange],
    attributes: Sequence[Detail],
    access: Access,
    refused: Sequence[str],
) -> Change:
    effect = min((change.effect for change in found), key=lambda each: each.rank, default=Effect.UPDATE)
    details = [to_detail(change.difference, effect=change.effect, cause=change.cause) for change in found]
    notes = [*refused, *(change.behaviour.refused for change in found if change.behaviour and change.behaviour.refused)]
    consequence = _interruption(found, after)
    if effect in REPLACING:
        consequence = consequence_of(effect, before, after)
        notes += _refusal_of_replacement(pair.after.region, before, after)
        policy = str(after.get("UpdateReplacePolicy", "Delete"))
        notes += [*_protected(before, policy), f"update-replace policy: {policy}"] if place.holds else []
    if after["Type"] == HELM_TYPE:
        effect, notes = min(effect, Effect.ROLLOUT, key=lambda each: each.rank), [*notes, *helm_notes(details)]
    unseen = [
        detail.path
        for detail, change in zip(details, found, strict=True)
        if not change.cause and schema_of(place.type, pair.after.region).is_write_only(change.difference.path)
    ]
    if unseen:
        notes.append(f"no API tells {', '.join(sorted(set(unseen)))}: drift of it goes unseen")
    return replace(
        place,
        effect=effect,
        findings=_unique(
            [*weaker_protection(_plain_body(before), _plain_body(after)), *access.broader(place.logical_id)]
        ),
        details=[*details, *attributes],
        consequence=consequence,
        notes=list(dict.fromkeys(notes)),
    )


def _interruption(found: Sequence[PropertyChange], after: Mapping[str, Any]) -> Consequence | None:
    """Return what stops meanwhile; several interruptions are told as one."""
    rows = list(dict.fromkeys(change.behaviour for change in found if change.behaviour and change.behaviour.stops))
    told = [each for row in sorted(rows, key=lambda row: row.effect.rank) if (each := row.consequence(after))]
    if not told:
        return None
    return Consequence(
        stops="; ".join(dict.fromkeys(each.stops for each in told)),
        duration="; ".join(dict.fromkeys(each.duration for each in told)),
        source=" ".join(dict.fromkeys(each.source for each in told)),
        window=told[0].window,
    )


def _refusal_of_replacement(region: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """CloudFormation does not replace what keeps a fixed name.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
    """
    name = _fixed_name(region, before, after)
    if not name:
        return []
    return [f"refused: CloudFormation does not replace what keeps its fixed name ({name}); the deployment fails"]


def _refusal_of_another_network(
    pair: Pair, resource_type: str, found: Sequence[PropertyChange], propagation: Propagation
) -> list[str]:
    replaced = propagation.marks(pair).resources
    moves = any(body["Type"] == "AWS::EC2::VPC" and key in replaced for key, body in pair.after.resources.items())
    subnets = any("Subnet" in change.difference.path[-1] or "Subnet" in change.cause for change in found)
    if not (moves and subnets and resource_type in _IN_ONE_NETWORK):
        return []
    return [f"refused: it takes no subnets of another VPC ({_IN_ONE_NETWORK[resource_type]}); the deployment fails"]


def _fixed_name(region: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return ``property value`` of the physical name that both bodies fix, empty where they fix none or differ."""
    name = schema_of(str(after["Type"]), region).name_property
    old, new = ((body.get("Properties") or {}).get(name) for body in (before, after))
    return f"{name} {new}" if isinstance(new, str) and old == new else ""


def _protected(body: Mapping[str, Any], policy: str) -> list[str]:
    properties = body.get("Properties") or {}
    attributes = {each.get("Key"): each.get("Value") for each in properties.get("LoadBalancerAttributes", [])}
    on = str(properties.get("DeletionProtection", attributes.get("deletion_protection.enabled", ""))).lower() == "true"
    if on and not policy.startswith("Retain"):
        return ["refused: deletion protection is on, so deleting the old one fails until it is switched off"]
    return []


def _plain_body(body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "Properties": plain(body.get("Properties") or {})}


def _unique(findings: Sequence[Finding]) -> list[Finding]:
    return list(dict.fromkeys(findings))
