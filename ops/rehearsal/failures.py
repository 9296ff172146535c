"""Makes a refusal legible: which resource, of which construct, what CloudFormation said, and what to look at."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.rehearsal.assembly import Assembly, AssemblyStack
from ops.rehearsal.clients import Clients

_SECONDARY = re.compile(r"cancelled|cancellation", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a rehearsal fails: where, what was said, and what to look at. ``kind`` groups failures in the report."""

    kind: str
    stack: str
    region: str
    construct_path: str
    type: str
    logical_id: str
    reason: str
    look_at: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the failure as the report holds it."""
        return asdict(self)


def refusals(clients: Clients, assembly: Assembly, *, since: dict[str, int] | None = None) -> list[Failure]:
    """Return what CloudFormation refused in the last operation on each stack of ``assembly``.

    Arguments:
        clients: of the emulated account.
        assembly: the stacks to ask for.
        since: how many events each stack had before the operation; those are left out.
    """
    found: list[Failure] = []
    for stack in assembly.stacks:
        events = stack_events(clients, stack)
        fresh = events[(since or {}).get(stack.name, 0) :]
        found += _failures_of(stack, fresh) or _refused_change_sets(clients, stack)
    return found


def stack_events(clients: Clients, stack: AssemblyStack) -> list[dict[str, Any]]:
    """Return the events of a stack, oldest first; none where the stack does not exist."""
    client = clients.client("cloudformation", stack.region)
    try:
        pages = client.get_paginator("describe_stack_events").paginate(StackName=stack.name)
        events = [event for page in pages for event in page["StackEvents"]]
    except ClientError:
        return []
    return list(reversed(events))


def _failures_of(stack: AssemblyStack, events: Sequence[dict[str, Any]]) -> list[Failure]:
    by_id = {resource.logical_id: resource for resource in stack.resources}
    found: dict[str, Failure] = {}
    stack_failure: Failure | None = None
    for event in events:
        status, reason = str(event.get("ResourceStatus", "")), str(event.get("ResourceStatusReason", ""))
        logical_id = str(event["LogicalResourceId"])
        failed = status.endswith("FAILED") or ("ROLLBACK_IN_PROGRESS" in status and bool(reason))
        if not failed or _SECONDARY.search(reason):
            continue
        resource = by_id.get(logical_id)
        if resource is None:
            stack_failure = stack_failure or _stack_failure(stack, reason or status)
            continue
        found.setdefault(
            logical_id,
            Failure(
                kind="not rolled back" if status == "DELETE_FAILED" and found else "refused",
                stack=stack.name,
                region=stack.region,
                construct_path=resource.construct_path,
                type=resource.type,
                logical_id=logical_id,
                reason=reason or status,
                look_at=_look_at(resource.type, reason),
            ),
        )
    return list(found.values()) or ([stack_failure] if stack_failure else [])


def _stack_failure(stack: AssemblyStack, reason: str) -> Failure:
    """Describe a refusal of the whole stack, at the construct that the reason names, if it names one."""
    named = next((item for item in stack.resources if item.construct_path in reason), None) or next(
        (item for item in stack.resources if re.search(rf"\b{re.escape(item.logical_id)}\b", reason)), None
    )
    return Failure(
        kind="refused",
        stack=stack.name,
        region=stack.region,
        construct_path=named.construct_path if named else stack.name,
        type=named.type if named else "AWS::CloudFormation::Stack",
        logical_id=named.logical_id if named else stack.name,
        reason=reason,
        look_at=_look_at(named.type if named else "", reason),
    )


def _refused_change_sets(clients: Clients, stack: AssemblyStack) -> list[Failure]:
    client = clients.client("cloudformation", stack.region)
    try:
        summaries = client.list_change_sets(StackName=stack.name)["Summaries"]
    except ClientError:
        return []
    reasons = [str(item.get("StatusReason", "")) for item in summaries if item.get("Status") == "FAILED"]
    refused = [
        reason for reason in reasons if reason and "didn't contain changes" not in reason and "No updates" not in reason
    ]
    return [_stack_failure(stack, reason) for reason in refused]


def _look_at(resource_type: str, reason: str) -> str:
    lowered = reason.lower()
    if "output" in lowered and ("not found" in lowered or "no output" in lowered or "does not exist" in lowered):
        return "the stack that should publish this output: its name, its region, and whether it deploys first"
    if "already exists" in lowered or "already taken" in lowered or "duplicate" in lowered or "in use" in lowered:
        return "the physical name: two constructs, or two stacks of one region, give the same; let one differ"
    if "overlap" in lowered or ("conflict" in lowered and "cidr" in lowered):
        return "the address plan: network.supernet, the region's cidr, the subnets' sizes"
    if "circular" in lowered:
        return "the references between the named resources: one of them must go, or become a resource of its own"
    if resource_type.startswith("Custom::"):
        return "the handler's own message in the emulator's log"
    if resource_type.startswith("AWS::"):
        return f"this construct's arguments, held against {documentation(resource_type)}"
    return "the emulator's log"


def documentation(resource_type: str) -> str:
    """Return the address of the type's page in the CloudFormation template reference."""
    _, service, name = resource_type.lower().split("::")[:3]
    return f"https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-{service}-{name}.html"
