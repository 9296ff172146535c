"""The whole life of an environment, step after step; the first step that fails ends it."""

from ops.rehearsal.assembly import Assembly
from ops.rehearsal.display import StepFailed
from ops.rehearsal.disturbances import detect_drift, force_a_failure
from ops.rehearsal.editing import edited_copy, find_tweak
from ops.rehearsal.leftovers import inventory
from ops.rehearsal.regions import RegionVisit
from ops.rehearsal.rehearsal import Rehearsal
from ops.rehearsal.teardown import tear_down
from ops.rehearsal.variations import Variations
from ops.rehearsal.verify import Verification


def whole_life(rehearsal: Rehearsal) -> None:
    """Deploy, deploy again, compare, update, fail, drift, gain a region, lose protection and the region, end."""
    subject = rehearsal.subject
    variations = Variations(subject.environment, rehearsal.out / "environments") if subject.environment else None
    assembly = rehearsal.synthesize()
    rehearsal.bootstrap(assembly.regions)
    bootstrapped = inventory(rehearsal.clients, assembly.regions)
    rehearsal.deploy(assembly)
    first = rehearsal.verify(assembly)
    deploy_again(rehearsal, assembly)
    compare_without_difference(rehearsal, assembly)
    updated = update(rehearsal, assembly, first, variations)
    force_a_failure(rehearsal, updated)
    detect_drift(rehearsal, updated)
    # The rest of the life starts from the file as it is.
    rehearsal.deploy(assembly, title="cdk deploy --all, back to the file as it is", whole=False)
    visit = RegionVisit(rehearsal, assembly, variations)
    visit.arrive()
    last = visit.leave()
    bootstrapped |= visit.bootstrapped
    tear_down(rehearsal, last, bootstrapped, regions=sorted({*assembly.regions, *visit.regions}))


def deploy_again(rehearsal: Rehearsal, assembly: Assembly) -> None:
    """Deploy the same assembly: the CLI must report no change, and nothing may be touched."""
    result = rehearsal.deploy(assembly, title="cdk deploy --all again: no change", whole=False)
    with rehearsal.log.step("unchanged", "nothing was touched by the second deployment") as step:
        touched = rehearsal.follower.operations()
        unchanged = result.output.count("(no changes)")
        step.notes.append(
            f"{unchanged} of {len(assembly.stacks)} stacks reported without changes, {touched} operations"
        )
        if touched or unchanged != len(assembly.stacks):
            raise StepFailed(f"a deployment without a change touched {touched} resources (the CLI's log: {result.log})")


def compare_without_difference(rehearsal: Rehearsal, assembly: Assembly) -> None:
    """``cdk diff`` must find no difference between what is deployed and the assembly."""
    with rehearsal.log.step("diff", "cdk diff: no difference"):
        result = rehearsal.cli.on_assembly("diff", assembly.directory, "--fail")
        if not result.succeeded:
            raise StepFailed(f"cdk diff finds differences:\n{result.tail(30)}\n(all of it: {result.log})")


def update(rehearsal: Rehearsal, assembly: Assembly, before: Verification, variations: Variations | None) -> Assembly:
    """Deploy a changed environment: the new values must be there, and nothing may have been replaced."""
    if variations is not None:
        path, changes = variations.changed()
        changed = rehearsal.synthesize(path, name="changed")
    else:
        tweaks = [tweak for tweak in map(find_tweak, assembly.stacks) if tweak is not None]
        changes = [f"{tweak.construct_path} {tweak.name}: {tweak.old} -> {tweak.new}" for tweak in tweaks]
        edits = {tweak.stack: tweak.apply for tweak in tweaks}
        changed = edited_copy(assembly, rehearsal.out / "assemblies" / "changed", edits)
    rehearsal.deploy(changed, title="cdk deploy --all of a changed environment", whole=False)
    after = rehearsal.verify(changed, keep=False)
    with rehearsal.log.step("updated", "the new values are there, nothing was replaced") as step:
        step.notes += changes
        settings = changed_settings(assembly, changed)
        told = _told(after, settings)
        step.notes.append(f"{len(settings)} settings changed; {told} new values seen through the services' APIs")
        if not told:
            raise StepFailed("no new value was seen through any service's API")
        replaced = replacements(before, after)
        if replaced:
            raise StepFailed("an update in place replaced: " + ", ".join(replaced))
    return changed


def changed_settings(old: Assembly, new: Assembly) -> set[tuple[str, str, str]]:
    """Return stack, logical id and property of every setting that differs between two assemblies."""
    before = {(item.stack, item.logical_id): item.properties for item in old.resources}
    return {
        (item.stack, item.logical_id, name)
        for item in new.resources
        for name, value in item.properties.items()
        if (item.stack, item.logical_id) in before and before[item.stack, item.logical_id].get(name) != value
    }


def replacements(before: Verification, after: Verification) -> list[str]:
    """Return the construct paths of resources that got another physical id."""
    known = before.physical_ids()
    return [
        item.construct_path
        for item in after.resources
        if known.get((item.stack, item.logical_id), item.physical_id) != item.physical_id
    ]


def _told(verification: Verification, settings: set[tuple[str, str, str]]) -> int:
    return len(
        {
            (item.stack, item.logical_id, name)
            for item in verification.resources
            for check in item.checks
            if check.outcome == "same"
            and (item.stack, item.logical_id, name := check.setting.split(".")[0]) in settings
        }
    )
