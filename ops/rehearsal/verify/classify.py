"""Accounts for every resource of every stack: how it exists, whether it was found, with which settings.

Three sources must agree: the assembly's templates (what was asked for), CloudFormation (what it says exists) and the
emulator's ledger (what stands behind it). Then each service's own API is asked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from ops.emulator import LedgerEntry, current_resources
from ops.rehearsal.assembly import Assembly, AssemblyStack, TemplateResource, template_resources
from ops.rehearsal.clients import Clients, EmulatedAccount
from ops.rehearsal.failures import Failure, documentation
from ops.rehearsal.verify.asking import Ask, finders
from ops.rehearsal.verify.settings import Check, compare, resolved
from ops.rehearsal.verify.withheld import set_apart

How = Literal["native", "handled", "lambda", "recorded", "unaccounted"]
_NO_FINDER = "no finder: nothing looks a resource of this type up, so that it exists is only the emulator's word"
_NO_TYPE = {"AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle", "AWS::CloudFormation::WaitCondition"}
# Their physical ids name an association, not a thing: two resources may rightly share one.
_SHARED_IDS = ("Policy", "Permission", "Attachment", "Association", "RecordSet", "Custom::", "AWS::CloudFormation::")
_WORKERS = 4


@dataclass(frozen=True, kw_only=True)
class Accounted:
    """One resource of the report."""

    stack: str
    region: str
    construct_path: str
    type: str
    logical_id: str
    physical_id: str
    how: How
    reason: str = ""
    checks: tuple[Check, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the resource as the report holds it."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**plain, "checks": [check.as_dict() for check in self.checks]}


@dataclass
class Verification:
    """What a verification saw: every resource, and why it fails, if it does."""

    resources: list[Accounted] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many resources there are of each ``how``."""
        counter = Counter(resource.how for resource in self.resources)
        return {how: counter.get(how, 0) for how in ("native", "handled", "lambda", "recorded", "unaccounted")}

    def recorded_percent(self) -> float:
        """The share of recorded resources."""
        return round(100 * self.counts()["recorded"] / max(len(self.resources), 1), 1)

    def physical_ids(self) -> dict[tuple[str, str], str]:
        """The physical id of each stack's logical id."""
        return {(item.stack, item.logical_id): item.physical_id for item in self.resources}


def verify(emulator: EmulatedAccount, clients: Clients, assembly: Assembly) -> Verification:
    """Account for every resource of the assembly's stacks.

    Arguments:
        emulator: tells its ledger and its handlers' state.
        clients: ask the services.
        assembly: what was deployed.
    """
    ledger = {(item.stack, item.region, item.logical_id): item for item in current_resources(emulator.ledger())}
    state = emulator.state()
    declared = [item for stack in assembly.stacks for item in _declared(clients, stack)]
    with ThreadPoolExecutor(_WORKERS) as pool:
        verifier = _Verifier(clients, ledger, state)
        outcomes = list(pool.map(lambda item: verifier.account(*item), declared))
    result = Verification([item for item, _ in outcomes], [failure for _, failures in outcomes for failure in failures])
    result.failures += _shared_names(result.resources)
    return result


def _declared(clients: Clients, stack: AssemblyStack) -> Iterator[tuple[TemplateResource, Mapping[str, Any] | None]]:
    """Pair each declared resource with what CloudFormation says of it, in nested stacks too."""
    known = _described(clients, stack.region, stack.name)
    for resource in stack.resources:
        described = known.get(resource.logical_id)
        yield resource, described
        if resource.type == "AWS::CloudFormation::Stack" and described:
            template = stack.nested_template(resource)
            name = str(described["PhysicalResourceId"]).rsplit(":stack/", 1)[-1].split("/")[0]
            inner = _described(clients, stack.region, str(described["PhysicalResourceId"]))
            for nested in template_resources(template or {}, stack=name, region=stack.region):
                yield nested, inner.get(nested.logical_id)


def _described(clients: Clients, region: str, name: str) -> dict[str, Mapping[str, Any]]:
    client = clients.client("cloudformation", region)
    try:
        answer = client.describe_stack_resources(StackName=name)["StackResources"]
    except ClientError:
        return {}
    return {item["LogicalResourceId"]: item for item in answer}


class _Verifier:
    """Accounts for one resource at a time."""

    def __init__(
        self,
        clients: Clients,
        ledger: Mapping[tuple[str, str, str], LedgerEntry],
        state: Mapping[str, Mapping[str, Mapping[str, Any]]],
    ) -> None:
        self._clients = clients
        self._ledger = ledger
        self._state = state

    def account(
        self, resource: TemplateResource, described: Mapping[str, Any] | None
    ) -> tuple[Accounted, list[Failure]]:
        """Say how the resource exists, and what is wrong with it."""
        entry = self._ledger.get((resource.stack, resource.region, resource.logical_id))
        if described is None and resource.condition:
            return _accounted(
                resource, "", "recorded", f"its condition {resource.condition} is false here: not created"
            ), []
        if described is None or not str(described.get("ResourceStatus", "")).endswith("_COMPLETE"):
            status = described.get("ResourceStatus", "no status") if described else "no such resource"
            return _unaccounted(resource, "", f"CloudFormation says: {status}")
        physical_id = str(described.get("PhysicalResourceId", ""))
        if resource.type in _NO_TYPE or resource.type == "AWS::CloudFormation::Stack":
            reason = "CloudFormation's own: it stands for no resource of a service"
            return _accounted(resource, physical_id, "native" if "::Stack" in resource.type else "recorded", reason), []
        if entry is None:
            return _unaccounted(resource, physical_id, "the emulator's ledger does not know it")
        if entry.physical_id != physical_id:
            return _unaccounted(
                resource, physical_id, f"CloudFormation calls it {physical_id}, the ledger {entry.physical_id}"
            )
        return self._look_up(resource, entry)

    def _look_up(self, resource: TemplateResource, entry: LedgerEntry) -> tuple[Accounted, list[Failure]]:
        if entry.how in ("lambda", "recorded"):
            reason = entry.reason or ("its handler's own code ran" if entry.how == "lambda" else "no model")
            return _accounted(resource, entry.physical_id, entry.how, reason), []
        registered = finders().get(resource.type)
        if registered is None:
            if entry.how == "native":
                return _accounted(resource, entry.physical_id, "recorded", _NO_FINDER), []
            return self._in_state(resource, entry)
        declared = resolved(resource.properties, entry.properties)
        ask = Ask(clients=self._clients, region=resource.region, physical_id=entry.physical_id, declared=declared)
        try:
            found = registered.find(ask)
        except (BotoCoreError, ClientError, KeyError, ValueError, TypeError) as error:
            return self._missing(resource, entry, f"asking for it failed: {type(error).__name__}: {error}")
        if found is None:
            if entry.how == "handled" and self._record(resource, entry) is not None:
                return self._in_state(resource, entry)
            return self._missing(resource, entry, "its service's API has no such resource in this region")
        checks = _compared(resource, declared, found)
        item = _accounted(resource, entry.physical_id, entry.how, entry.reason, checks)
        return item, list(_wrong_settings(resource, checks, registered.must))

    def _in_state(self, resource: TemplateResource, entry: LedgerEntry) -> tuple[Accounted, list[Failure]]:
        """Look a handled resource up in what the emulator's handlers keep."""
        record = self._record(resource, entry)
        if record is None:
            return self._missing(resource, entry, "its handler keeps no state of it")
        declared = resolved(resource.properties, entry.properties)
        kept = record.get("Properties", record)
        checks = _compared(resource, declared, kept if isinstance(kept, Mapping) else {})
        item = _accounted(resource, entry.physical_id, entry.how, entry.reason, checks)
        return item, list(_wrong_settings(resource, checks, ()))

    def _record(self, resource: TemplateResource, entry: LedgerEntry) -> Mapping[str, Any] | None:
        by_region = self._state.get(resource.type, {})
        for region in (resource.region, "global"):
            if entry.physical_id in by_region.get(region, {}):
                record: Mapping[str, Any] = by_region[region][entry.physical_id]
                return record
        return None

    def _missing(self, resource: TemplateResource, entry: LedgerEntry, reason: str) -> tuple[Accounted, list[Failure]]:
        item = _accounted(resource, entry.physical_id, "unaccounted", f"declared {entry.how}, but {reason}")
        return item, [_failure(resource, "not found", item.reason, "the finder of this type, and the emulator's log")]


def _compared(resource: TemplateResource, declared: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[Check, ...]:
    tellable, withheld = set_apart(resource.type, resource.region, declared, found)
    return (*compare(tellable, found), *withheld)


def _accounted(
    resource: TemplateResource, physical_id: str, how: How, reason: str, checks: tuple[Check, ...] = ()
) -> Accounted:
    return Accounted(
        stack=resource.stack,
        region=resource.region,
        construct_path=resource.construct_path,
        type=resource.type,
        logical_id=resource.logical_id,
        physical_id=physical_id,
        how=how,
        reason=reason,
        checks=checks,
    )


def _unaccounted(resource: TemplateResource, physical_id: str, reason: str) -> tuple[Accounted, list[Failure]]:
    item = _accounted(resource, physical_id, "unaccounted", reason)
    return item, [_failure(resource, "unaccounted", reason, "the emulator's log and the stack's events")]


def _wrong_settings(resource: TemplateResource, checks: Iterable[Check], must: tuple[str, ...]) -> Iterator[Failure]:
    for check in checks:
        name = check.setting.split(".")[0]
        if check.outcome == "differs":
            reason = f"{check.setting} is declared {_short(check.declared)}, found {_short(check.found)}"
            yield _failure(resource, "setting differs", reason, documentation(resource.type))
        elif check.outcome == "untold" and check.setting == name and name in must:
            reason = f"{name} is declared {_short(check.declared)}, and the service's API does not tell it"
            yield _failure(resource, "setting not kept", reason, "the emulator's model of this type")


def _failure(resource: TemplateResource, kind: str, reason: str, look_at: str) -> Failure:
    return Failure(
        kind=kind,
        stack=resource.stack,
        region=resource.region,
        construct_path=resource.construct_path,
        type=resource.type,
        logical_id=resource.logical_id,
        reason=reason,
        look_at=look_at,
    )


def _shared_names(resources: Iterable[Accounted]) -> Iterator[Failure]:
    """Two resources that turn out to be one and the same thing: a physical name given twice."""
    seen: dict[tuple[str, str, str], Accounted] = {}
    for item in resources:
        if not item.physical_id or any(part in item.type for part in _SHARED_IDS) or item.how == "unaccounted":
            continue
        first = seen.setdefault((item.region, item.type, item.physical_id), item)
        if first is not item:
            yield Failure(
                kind="duplicate physical name",
                stack=item.stack,
                region=item.region,
                construct_path=item.construct_path,
                type=item.type,
                logical_id=item.logical_id,
                reason=f"{item.physical_id} is {first.construct_path} of stack {first.stack} already",
                look_at="the two constructs' physical names: let one differ",
            )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 160 else text[:157] + "..."
