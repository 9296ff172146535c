"""A region comes and goes: one entry more in the environment file, then one less."""

from ops.rehearsal.assembly import Assembly
from ops.rehearsal.display import StepFailed
from ops.rehearsal.leftovers import Inventory, inventory, left_behind
from ops.rehearsal.rehearsal import Rehearsal
from ops.rehearsal.variations import Variations
from ops.rehearsal.verify import verify

_TITLE = "a region more, then one less"


class RegionVisit:
    """Adds a region, turns deletion protection off everywhere, and removes the region again.

    Arguments:
        rehearsal: the environment, deployed.
        assembly: what is deployed.
        variations: of the environment file; without one (a foreign app) no region can be added.

    Exposes ``regions`` (the added one, if any) and ``bootstrapped`` (what bootstrapping it made).
    """

    def __init__(self, rehearsal: Rehearsal, assembly: Assembly, variations: Variations | None) -> None:
        """Choose the region."""
        self._rehearsal = rehearsal
        self._assembly = assembly
        self._variations = variations
        self._region = variations.region_to_add if variations else None
        self.bootstrapped: Inventory = frozenset()

    @property
    def regions(self) -> list[str]:
        """The added region, or none."""
        return [self._region] if self._region else []

    def arrive(self) -> None:
        """Add the region: one stack more, and no other stack changes."""
        rehearsal, region = self._rehearsal, self._region
        if self._variations is None or region is None:
            reason = "five regions are the most" if self._variations else "needs an environment file"
            rehearsal.log.skip("region", _TITLE, reason)
            return
        larger = rehearsal.synthesize(self._variations.with_region(region), name=f"with-{region}")
        with rehearsal.log.step("region", f"{region} adds one stack and changes no other") as step:
            step.notes.append(expect_one_stack_more(self._assembly, larger, region))
        before = inventory(rehearsal.clients, [region])
        rehearsal.bootstrap([region])
        self.bootstrapped = inventory(rehearsal.clients, [region]) - before
        rehearsal.deploy(larger, title=f"cdk deploy --all with {region}", whole=False)
        rehearsal.verify(larger, keep=False)

    def leave(self) -> Assembly:
        """Turn deletion protection off, remove the region, and return what is then deployed."""
        rehearsal, variations, region = self._rehearsal, self._variations, self._region
        if variations is None:
            rehearsal.log.skip("unprotect", "an update turns deletion protection off", "needs an environment file")
            return self._assembly
        unprotected = rehearsal.synthesize(variations.unprotected(region=region), name="unprotected-with-region")
        rehearsal.deploy(unprotected, title="cdk deploy --all without deletion protection", whole=False)
        rehearsal.verify(unprotected, keep=False)
        if region is None:
            return unprotected
        smaller = rehearsal.synthesize(variations.unprotected(), name="unprotected")
        self._remove(unprotected, smaller, region)
        return smaller

    def _remove(self, larger: Assembly, smaller: Assembly, region: str) -> None:
        rehearsal = self._rehearsal
        known = {stack.name for stack in smaller.stacks}
        leaving = next(stack for stack in larger.stacks if stack.name not in known)
        with rehearsal.log.step("region-removed", f"cdk destroy {leaving.name}") as step:
            before = verify(rehearsal.emulator, rehearsal.clients, larger)
            before.resources = [item for item in before.resources if item.stack == leaving.name]
            rehearsal.follower.expect(larger, whole=False)
            result = rehearsal.cli.on_assembly(
                "destroy", larger.directory, leaving.artifact_id, "--exclusively", "--force"
            )
            if not result.succeeded or rehearsal.status(leaving) != "no such stack":
                raise StepFailed(f"{leaving.name} was not removed:\n{result.tail()}\n(all of it: {result.log})")
            rest = left_behind(rehearsal.emulator, rehearsal.clients, larger, before)
            rehearsal.outcome.left_behind += rest
            unexpected = [item for item in rest if not item.expected]
            step.notes.append(f"{len(before.resources) - len(rest)} resources gone, {len(rest)} still there")
            if unexpected:
                raise StepFailed("left behind: " + ", ".join(item.construct_path for item in unexpected))
        rehearsal.deploy(smaller, title=f"cdk deploy --all without {region}", whole=False)
        rehearsal.verify(smaller, keep=False)


def expect_one_stack_more(smaller: Assembly, larger: Assembly, region: str) -> str:
    """Compare two assemblies that differ by one region; returns what to tell."""
    known = {stack.name: stack for stack in smaller.stacks}
    added = [stack for stack in larger.stacks if stack.name not in known]
    changed = [
        stack.name for stack in larger.stacks if stack.name in known and stack.template != known[stack.name].template
    ]
    if [stack.region for stack in added] != [region]:
        raise StepFailed(f"expected one stack in {region}, got {[stack.name for stack in added]}")
    if changed:
        raise StepFailed(
            f"adding {region} changes the templates of {', '.join(changed)}: a region must register itself"
        )
    return f"{added[0].name}: {len(added[0].resources)} resources; {len(known)} templates stay the same"
