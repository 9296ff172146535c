"""Follows replacements: what refers to something that is replaced gets another value, and may be replaced for it.

Within a stack through ``Ref`` and ``Fn::GetAtt``, between stacks through ``Fn::GetStackOutput`` and exports. A value
that crosses stacks is read when the consumer is deployed, so its consequences come with the consumer's deployment.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ops.impact.changes import Effect
from ops.impact.classify import PERHAPS_MARK, REPLACED_MARK, PropertyChange, property_changes
from ops.impact.renames import renames
from ops.impact.templates import Template
from ops.impact.values import Marks, canonical, plain, references


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A stack that is in both assemblies."""

    before: Template
    after: Template

    @cached_property
    def renamed(self) -> dict[str, str]:
        """Old logical ids by the new ones."""
        return renames(self.before, self.after)

    @cached_property
    def common(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """The bodies of before and after of every logical id that stays, with its type."""
        old, new = self.before.resources, self.after.resources
        return {key: (old[key], new[key]) for key in new if key in old and old[key]["Type"] == new[key]["Type"]}

    @cached_property
    def references(self) -> dict[str, frozenset[str]]:
        """What each resource of after refers to."""
        return {key: frozenset(references(body.get("Properties"))) for key, body in self.after.resources.items()}

    @cached_property
    def retyped(self) -> list[str]:
        """Logical ids that stay with another type."""
        old, new = self.before.resources, self.after.resources
        return [key for key in new if key in old and old[key]["Type"] != new[key]["Type"]]


@dataclass
class Propagation:
    """What is replaced, and what refers to it with it.

    Arguments:
        pairs: the stacks that are in both assemblies, producers before consumers.
    """

    pairs: Sequence[Pair]
    _replaced: dict[str, dict[str, str]] = field(default_factory=dict)
    _perhaps: dict[str, dict[str, str]] = field(default_factory=dict)
    _outputs: dict[tuple[str, str], str] = field(default_factory=dict)
    _perhaps_outputs: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Follow until nothing more is replaced: first what is certain, then what depends on it."""
        for pair in self.pairs:
            known = self._replaced.setdefault(pair.after.name, dict.fromkeys(pair.retyped, REPLACED_MARK))
            known.update(dict.fromkeys(_changed_parameters(pair), " with its new default"))
            self._perhaps.setdefault(pair.after.name, {})
        while self._follow_certain():
            pass
        while self._follow_possible():
            pass

    def changes_of(self, pair: Pair, logical_id: str) -> list[PropertyChange]:
        """Return what differs in a resource that stays, the effects of other replacements included."""
        before, after = pair.common[logical_id]
        marks, possible = self.marks(pair), self._possible_marks(pair)
        if before.get("Properties") == after.get("Properties") and not self._concerned(pair, logical_id, possible):
            return []
        return property_changes(
            before,
            after,
            region=pair.after.region,
            marks=marks,
            possible=possible if self._perhaps[pair.after.name] or self._perhaps_outputs else Marks(),
            name_of=lambda key: pair.after.path_of(key) if key in pair.after.resources else key,
        )

    def marks(self, pair: Pair) -> Marks:
        """Return what is replaced for certain, as one stack sees it."""
        return Marks(resources=self._replaced[pair.after.name], outputs=self._outputs)

    def _possible_marks(self, pair: Pair) -> Marks:
        stack = pair.after.name
        return Marks(
            resources={**self._perhaps[stack], **self._replaced[stack]},
            outputs={**self._perhaps_outputs, **self._outputs},
        )

    def _concerned(self, pair: Pair, logical_id: str, marks: Marks) -> bool:
        crossing = {f"{stack}.{output}" for stack, output in marks.outputs}
        return bool(pair.references[logical_id] & (set(marks.resources) | crossing))

    def _follow_certain(self) -> bool:
        grown = False
        for pair in self.pairs:
            known = self._replaced[pair.after.name]
            for key in pair.common:
                if key not in known and Effect.REPLACEMENT in self._effects(pair, key):
                    known[key] = REPLACED_MARK
                    grown = True
            grown |= _mark_outputs(pair, self.marks(pair), self._outputs, REPLACED_MARK)
        return grown

    def _follow_possible(self) -> bool:
        grown = False
        for pair in self.pairs:
            known, certain = self._perhaps[pair.after.name], self._replaced[pair.after.name]
            for key in pair.common:
                if key in known or key in certain:
                    continue
                if Effect.CONDITIONAL_REPLACEMENT in self._effects(pair, key):
                    known[key] = PERHAPS_MARK
                    grown = True
            grown |= _mark_outputs(pair, self._possible_marks(pair), self._perhaps_outputs, PERHAPS_MARK)
        return grown

    def _effects(self, pair: Pair, logical_id: str) -> set[Effect]:
        return {change.effect for change in self.changes_of(pair, logical_id)}


def _mark_outputs(pair: Pair, marks: Marks, known: dict[tuple[str, str], str], mark: str) -> bool:
    grown = False
    for keys, old, new in _outputs_of(pair):
        if canonical(plain(old)) != canonical(plain(new, marks)):
            for key in keys:
                if key not in known and key not in marks.outputs:
                    known[key] = mark
                    grown = True
    return grown


def _outputs_of(pair: Pair) -> Iterator[tuple[list[tuple[str, str]], Any, Any]]:
    old, new = pair.before.body.get("Outputs", {}), pair.after.body.get("Outputs", {})
    for name in new:
        if name in old:
            keys = [(pair.after.name, name)]
            export = new[name].get("Export", {}).get("Name")
            keys += [("", export)] if isinstance(export, str) else []
            yield keys, old[name].get("Value"), new[name].get("Value")


def _changed_parameters(pair: Pair) -> list[str]:
    def defaults(body: Mapping[str, Any]) -> dict[str, Any]:
        return {name: parameter.get("Default") for name, parameter in body.get("Parameters", {}).items()}

    old, new = defaults(pair.before.body), defaults(pair.after.body)
    return [name for name in new if name in old and old[name] != new[name]]
