"""Compares two cloud assemblies, stack by stack, into one ordered list of classified changes."""

from collections.abc import Iterator, Sequence

from ops.impact.access import Access
from ops.impact.changes import Change, Consequence, Effect, Finding, Impact
from ops.impact.classify import code_differs
from ops.impact.consequences import deletion_policy, holding_of
from ops.impact.propagation import Pair, Propagation
from ops.impact.renames import is_hashed
from ops.impact.resources import created, deleted, renamed, retyped, updated
from ops.impact.templates import Template
from ops.impact.values import asset_hashes

_STACK = "AWS::CloudFormation::Stack"
_PROTECTING = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html"


def compare(base: Sequence[Template], head: Sequence[Template], *, base_name: str, head_name: str) -> Impact:
    """Return everything that deploying ``head`` would do to what ``base`` deployed.

    Arguments:
        base: every stack of before.
        head: every stack of after, in the order of deployment.
        base_name: what the report calls the one.
        head_name: what it calls the other.
    """
    old, new = {each.name: each for each in base}, {each.name: each for each in head}
    pairs = [Pair(before=old[name], after=template) for name, template in new.items() if name in old]
    propagation = Propagation(pairs)
    changes: list[Change] = []
    for pair in pairs:
        changes += _stack_changes(pair)
        changes += _resource_changes(pair, propagation)
    changes += [_new_stack(template) for name, template in new.items() if name not in old]
    changes += [_gone_stack(template) for name, template in old.items() if name not in new]
    order = {name: index for index, name in enumerate([*new, *old])}
    return Impact(
        base=base_name,
        head=head_name,
        stacks={name: template.region for name, template in {**old, **new}.items()},
        changes=sorted(changes, key=lambda change: _severity(change, order)),
        code_changed=sorted(path for pair in pairs for path in _code_changes(pair)),
    )


def _severity(change: Change, order: dict[str, int]) -> tuple[bool, bool, int, int, str, str]:
    return (
        not change.needs_approval,
        not change.opens_to_the_world,
        change.classes[0].rank,
        order[change.stack],
        change.path,
        change.logical_id,
    )


def _resource_changes(pair: Pair, propagation: Propagation) -> Iterator[Change]:
    access = Access(pair)
    gone = set(pair.renamed.values())
    for key, body in pair.after.resources.items():
        if key in pair.common:
            yield from updated(pair, key, propagation, access)
        elif key in pair.retyped:
            yield retyped(pair, key)
        elif key in pair.renamed:
            yield renamed(pair, key, pair.renamed[key], access)
        elif not is_hashed(body):
            yield created(pair.after, key, access)
    for key, body in pair.before.resources.items():
        if key not in pair.after.resources and key not in gone and not is_hashed(body):
            yield deleted(pair.before, key, access)


def _code_changes(pair: Pair) -> Iterator[str]:
    for key, (before, after) in pair.common.items():
        if asset_hashes(before.get("Properties")) != asset_hashes(after.get("Properties")) or code_differs(
            before, after
        ):
            yield pair.after.path_of(key)


def _stack_changes(pair: Pair) -> Iterator[Change]:
    before, after = pair.before.termination_protection, pair.after.termination_protection
    if before == after:
        return
    findings = [Finding(effect=Effect.WEAKENING, message="termination protection is switched off")] if before else []
    notes = [] if before else ["termination protection is switched on"]
    yield _stack_change(pair.after, Effect.UPDATE, findings=findings, notes=notes)


def _new_stack(template: Template) -> Change:
    return _stack_change(template, Effect.CREATION, notes=[f"{len(template.resources)} resources in {template.region}"])


def _gone_stack(template: Template) -> Change:
    kept: list[str] = []
    lost: list[str] = []
    for key, body in template.resources.items():
        if what := holding_of(str(body["Type"])):
            (lost if deletion_policy(body) == "Delete" else kept).append(f"{what} {template.path_of(key)}")
    notes = ["`cdk deploy` leaves the stack as it is; it goes with `cdk destroy`"]
    if template.termination_protection:
        notes.append("refused: termination protection is on, so `cdk destroy` fails until it is switched off")
    notes += [f"goes with it: {name}" for name in sorted(lost)]
    notes += [f"outlives it, retained or as a snapshot: {name}" for name in sorted(kept)]
    consequence = Consequence(
        stops=f"everything in {template.region} that the stack runs",
        duration="until it is deployed again",
        source=_PROTECTING,
        data=f"LOST: {len(lost)} of the {len(lost) + len(kept)} resources that hold data or identity" if lost else "",
        window="none: it happens when the stack is destroyed",
    )
    return _stack_change(template, Effect.DELETION, holds="stack", notes=notes, consequence=consequence)


def _stack_change(
    template: Template,
    effect: Effect,
    *,
    findings: Sequence[Finding] = (),
    notes: Sequence[str] = (),
    holds: str = "",
    consequence: Consequence | None = None,
) -> Change:
    return Change(
        stack=template.name,
        region=template.region,
        path=template.name,
        logical_id="",
        type=_STACK,
        effect=effect,
        findings=findings,
        notes=notes,
        holds=holds,
        consequence=consequence,
    )
