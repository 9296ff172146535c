"""What a rule is: an id, a reason, a remedy, a page to read, and a function over the assembly."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ha_checks.assembly import Assembly, StackTemplate
from ha_checks.resource import Resource

PACK = "HaChecks"
"""Name of the pack: the first half of each rule's id."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What differs from app to app.

    Arguments:
        zones: availability zones that everything spans.
        recovery_objective_seconds: how long a failed target may stay in service; health checks must see it by then.
        pod_grace_seconds: ``terminationGracePeriodSeconds`` of pods whose manifest the assembly does not hold.
        quota_share: share of a quota that may be used, of 1.

    Raises ``ValueError`` for figures that make no sense.
    """

    zones: int = 3
    recovery_objective_seconds: int = 60
    pod_grace_seconds: int = 30
    quota_share: float = 0.8

    def __post_init__(self) -> None:
        if self.zones < 2:
            raise ValueError(f"zones is {self.zones}: high availability begins at 2")
        if self.recovery_objective_seconds <= 0 or self.pod_grace_seconds < 0:
            raise ValueError(
                "recovery_objective_seconds and pod_grace_seconds are lengths of time: give positive seconds"
            )
        if not 0 < self.quota_share <= 1:
            raise ValueError(f"quota_share is {self.quota_share}: give a share between 0 and 1, such as 0.8")


@dataclass(frozen=True)
class Finding:
    """Something that a rule found.

    Arguments:
        at: the resource, or the stack where no single resource is wrong.
        message: what is wrong, in figures.
        location: property that is wrong, dotted, empty where it is the whole.
    """

    at: Resource | StackTemplate
    message: str
    location: str = ""

    @property
    def stack(self) -> StackTemplate:
        """The stack it lies in."""
        return self.at if isinstance(self.at, StackTemplate) else self.at.stack

    @property
    def construct_path(self) -> str:
        """Path of the construct that is wrong."""
        return self.at.construct_path if isinstance(self.at, StackTemplate) else self.at.path


Check = Callable[[Assembly, Settings], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule of the pack.

    Arguments:
        name: its name; with the pack's in front, the id by which findings are acknowledged.
        why: what happens otherwise.
        mend: what to change.
        url: the documentation it follows.
        theme: heading under which it is listed.
        check: finds violations.
    """

    name: str
    why: str
    mend: str
    url: str
    theme: str
    check: Check

    @property
    def id(self) -> str:
        """The id for ``Validations.of(construct).acknowledge(...)``."""
        return f"{PACK}::{self.name}"

    def findings(self, assembly: Assembly, settings: Settings) -> Iterator[Finding]:
        """What the rule finds, each thing once."""
        seen: set[tuple[int, str, str]] = set()
        for finding in self.check(assembly, settings):
            key = (id(finding.at), finding.message, finding.location)
            if key not in seen:
                seen.add(key)
                yield finding


def rule(*, theme: str, why: str, mend: str, url: str) -> Callable[[Check], Rule]:
    """Make a rule of a function; the rule's name is the function's, in words joined as a class name is."""

    def make(check: Check) -> Rule:
        name = "".join(word.capitalize() for word in check.__name__.split("_"))
        return Rule(name=name, why=why, mend=mend, url=url, theme=theme, check=check)

    return make
