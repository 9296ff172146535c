"""The vocabulary of an impact report: a change of a resource or Kubernetes object, its classes, its consequence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """What a change does, the most severe first. The values are the words of approvals and of the JSON report."""

    DELETION = "deletion"
    RENAME = "rename"
    REPLACEMENT = "replacement"
    CONDITIONAL_REPLACEMENT = "conditional-replacement"
    WEAKENING = "weakening"
    BROADENING = "broadening"
    INTERRUPTION = "some-interruption"
    ROLLOUT = "rollout"
    ORPHANED = "orphaned"
    CREATION = "creation"
    UPDATE = "update"

    @property
    def rank(self) -> int:
        """Place in the order of severity, 0 the most severe."""
        return list(Effect).index(self)

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Effect.DELETION: "goes away",
    Effect.RENAME: "another logical id: a new one is created, the old one leaves the stack",
    Effect.REPLACEMENT: "a new one is created, the old one leaves the stack",
    Effect.CONDITIONAL_REPLACEMENT: "may be replaced, depending on values that the template does not tell",
    Effect.WEAKENING: "less protected than before",
    Effect.BROADENING: "somebody may do more than before",
    Effect.INTERRUPTION: "stays, and does not answer for a while",
    Effect.ROLLOUT: "pods or nodes are replaced step by step",
    Effect.ORPHANED: "stays in the cluster, and nothing manages it any more",
    Effect.CREATION: "is new",
    Effect.UPDATE: "changes without interruption",
}
REPLACING = (Effect.DELETION, Effect.RENAME, Effect.REPLACEMENT, Effect.CONDITIONAL_REPLACEMENT)
"""The effects after which the resource of before is not the one in use."""


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One property that differs. ``before`` or ``after`` is None where the property is absent on that side."""

    path: str
    before: Any = None
    after: Any = None
    effect: Effect = Effect.UPDATE
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A weakening or a broadening; ``world`` where anybody on the internet or in any AWS account gains access."""

    effect: Effect
    message: str
    world: bool = False


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """What a replacement, deletion or interruption means; an empty field says that there is nothing to say."""

    stops: str
    duration: str
    source: str
    data: str = ""
    window: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one resource, or to one Kubernetes object of a manifest.

    Arguments:
        stack: name of its stack.
        region: region of its stack.
        path: its construct path without the generated last part; a Kubernetes object's kind, namespace and name follow
            the path of its manifest. Names the change in the approvals file.
        logical_id: its logical id in the template of after, or of before where it is gone.
        type: resource type, or API version and kind.
        effect: what happens to it.
        findings: how protection or access changes with it.
        details: the properties that differ, by path.
        consequence: what stops and what is at stake.
        holds: what it holds that a replacement loses ("database"), empty where nothing.
        notes: what else to know; first of all why the deployment would be refused.
        previous: path before a rename.
    """

    stack: str
    region: str
    path: str
    logical_id: str
    type: str
    effect: Effect
    findings: Sequence[Finding] = ()
    details: Sequence[Detail] = ()
    consequence: Consequence | None = None
    holds: str = ""
    notes: Sequence[str] = ()
    previous: str = ""

    @property
    def classes(self) -> tuple[Effect, ...]:
        """Its effect and those of its findings, the most severe first."""
        found = {self.effect, *(finding.effect for finding in self.findings)}
        return tuple(sorted(found, key=lambda effect: effect.rank))

    @property
    def opens_to_the_world(self) -> bool:
        """Whether anybody gains access."""
        return any(finding.world for finding in self.findings)

    @property
    def needs_approval(self) -> tuple[Effect, ...]:
        """The classes that nobody deploys by accident, the most severe first."""
        return tuple(
            effect
            for effect in self.classes
            if effect is Effect.WEAKENING or (effect in REPLACING and bool(self.holds))
        )


@dataclass(frozen=True, kw_only=True)
class Impact:
    """Everything that differs between two cloud assemblies.

    Arguments:
        base: what was compared from, for people.
        head: what was compared to, for people.
        stacks: names of the compared stacks in the order of deployment, each with its region.
        changes: ordered: what needs approval first, then by severity, stack and path.
        code_changed: paths of the functions and layers whose code alone differs.
    """

    base: str
    head: str
    stacks: Mapping[str, str]
    changes: Sequence[Change] = ()
    code_changed: Sequence[str] = field(default=())

    def counts(self) -> dict[Effect, int]:
        """How many changes are of each class; a change with findings counts in each of its classes."""
        return {
            effect: count for effect in Effect if (count := sum(effect in change.classes for change in self.changes))
        }
