"""What a trial found out, phase by phase."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What a phase did to one workload: replicas are those that serve (ready, not ending, on a node that lives)."""

    workload: str
    replicas: int
    budget: int
    minimum_ready: int
    seconds_to_recover: float
    zones: Mapping[str, int]

    @property
    def within_budget(self) -> bool:
        """Whether never fewer served than the workload's disruption budget wants."""
        return self.minimum_ready >= self.budget

    @property
    def skew(self) -> int:
        """Replicas in the fullest zone less those in the emptiest, at the phase's end."""
        return max(self.zones.values()) - min(self.zones.values())


@dataclass(frozen=True)
class Phase:
    """One thing that happened and what it did to each workload.

    ``seconds_to_recover`` is the time until every replica served again, ``duration_seconds`` that until all was done:
    nodes empty, updates finished.
    """

    name: str
    seconds_to_recover: float
    duration_seconds: float
    outcomes: tuple[Outcome, ...]

    @property
    def below_budget(self) -> list[str]:
        """Workloads of which fewer served than their budget wants."""
        return [outcome.workload for outcome in self.outcomes if not outcome.within_budget]


def table(phases: Iterable[Phase]) -> str:
    """Phases as lines of text: minimum ready replicas against the budget, seconds to recover, spread over zones."""
    lines = []
    for phase in phases:
        lines.append(
            f"{phase.name}: all replicas served again after {phase.seconds_to_recover:.0f} s, "
            f"done after {phase.duration_seconds:.0f} s"
        )
        for outcome in phase.outcomes:
            verdict = "" if outcome.within_budget else "  BELOW BUDGET"
            spread = "/".join(str(count) for count in outcome.zones.values())
            lines.append(
                f"  {outcome.workload:40} ready at least {outcome.minimum_ready:3} of {outcome.replicas:3} "
                f"(budget {outcome.budget:3})  recovered {outcome.seconds_to_recover:5.1f} s  zones {spread}{verdict}"
            )
    return "\n".join(lines)
