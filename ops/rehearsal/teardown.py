"""The end: destroy every stack, and look for what was left behind."""

from collections.abc import Sequence

from ops.rehearsal.assembly import Assembly
from ops.rehearsal.display import StepFailed
from ops.rehearsal.leftovers import Inventory, inventory, left_behind, of_bootstrap, unlisted
from ops.rehearsal.rehearsal import Rehearsal
from ops.rehearsal.verify import verify


def tear_down(rehearsal: Rehearsal, assembly: Assembly, bootstrapped: Inventory, *, regions: Sequence[str]) -> None:
    """Destroy all stacks; only what is declared to stay, and what the bootstrap made, may still be there.

    Arguments:
        rehearsal: the environment, deployed, without deletion protection.
        assembly: what is deployed.
        bootstrapped: what existed before the first deployment.
        regions: every region that was ever used.
    """
    before = verify(rehearsal.emulator, rehearsal.clients, assembly)
    with rehearsal.log.step("destroy", "cdk destroy --all"):
        rehearsal.follower.expect(assembly, whole=True)
        result = rehearsal.cli.on_assembly("destroy", assembly.directory, "--all", "--force")
        remaining = [stack.name for stack in assembly.stacks if rehearsal.status(stack) != "no such stack"]
        if not result.succeeded or remaining:
            raise StepFailed(f"not destroyed: {', '.join(remaining)}\n{result.tail()}\n(all of it: {result.log})")
    with rehearsal.log.step("left-behind", "look for what was left behind") as step:
        declared = left_behind(rehearsal.emulator, rehearsal.clients, assembly, before)
        now = inventory(rehearsal.clients, regions)
        known = [*rehearsal.outcome.left_behind, *declared]
        by_services = unlisted(now, bootstrapped, known)
        by_bootstrap = of_bootstrap(now & bootstrapped)
        rehearsal.outcome.left_behind += [*declared, *by_services, *by_bootstrap]
        step.notes += [
            f"{len(declared)} resources of stacks, {len(by_services)} made by services, "
            f"{len(by_bootstrap)} of the bootstrap"
        ]
        unexpected = [item for item in declared if not item.expected]
        if unexpected:
            raise StepFailed(
                "left behind against their policy: " + ", ".join(item.construct_path for item in unexpected)
            )
