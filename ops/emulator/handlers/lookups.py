"""Networks, subnets and groups that a resource refers to: found in its region, or refused."""

from typing import Any

from ops.emulator.handlers.base import Refused, Request, exists


def find(
    request: Request, call: str, ids: str, key: str, value: str, region: str | None = None
) -> dict[str, Any] | None:
    """The one item a describe call answers for an id, or ``None``."""
    answer = exists(getattr(request.client("ec2", region), call), **{ids: [value]})
    items = answer.get(key, []) if answer else []
    return items[0] if items else None


def vpc_of(request: Request, vpc_id: str, region: str | None = None) -> dict[str, Any]:
    """The VPC, refused where the region has none of that id."""
    found = find(request, "describe_vpcs", "VpcIds", "Vpcs", vpc_id, region)
    if found is None:
        raise Refused(f"VPC {vpc_id!r} does not exist in {region or request.region}")
    return found


def subnets_of(request: Request, subnet_ids: list[str]) -> list[dict[str, Any]]:
    """The subnets, refused where one does not exist in the region."""
    found = []
    for subnet_id in subnet_ids:
        subnet = find(request, "describe_subnets", "SubnetIds", "Subnets", subnet_id)
        if subnet is None:
            raise Refused(f"subnet {subnet_id!r} does not exist in {request.region}")
        found.append(subnet)
    return found


def groups_of(request: Request, group_ids: list[str]) -> list[dict[str, Any]]:
    """The security groups, refused where one does not exist in the region."""
    found = []
    for group_id in group_ids:
        group = find(request, "describe_security_groups", "GroupIds", "SecurityGroups", group_id)
        if group is None:
            raise Refused(f"security group {group_id!r} does not exist in {request.region}")
        found.append(group)
    return found
