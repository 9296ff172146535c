"""The pack's result over an assembly, with what was acknowledged told apart."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ha_checks.assembly import Assembly, manifest_stacks
from ha_checks.rule import PACK, Finding, Rule, Settings
from ha_checks.rules import RULES


@dataclass(frozen=True)
class Violation:
    """A finding, the rule that found it, and why somebody accepts it.

    Arguments:
        rule: the rule.
        finding: what it found.
        reason: the acknowledgement's reason, ``None`` where nobody acknowledged it.
    """

    rule: Rule
    finding: Finding
    reason: str | None = None

    def __str__(self) -> str:
        return f"{self.finding.construct_path}: {self.rule.id} {self.finding.message}"


def check(assembly: Assembly, settings: Settings | None = None, rules: Iterable[Rule] = RULES) -> Iterator[Violation]:
    """Everything that the rules find, whether acknowledged or not."""
    for rule in rules:
        for finding in rule.findings(assembly, settings or Settings()):
            yield Violation(rule, finding)


def check_directory(directory: Path | str, settings: Settings | None = None) -> list[Violation]:
    """Check a synthesized cloud assembly; acknowledged findings carry their reason."""
    acknowledged = _acknowledgements(Path(directory))
    return [
        Violation(each.rule, each.finding, _reason(acknowledged, each.rule, each.finding.construct_path))
        for each in check(Assembly.from_directory(directory), settings)
    ]


Acknowledgements = dict[str, dict[str, str]]
"""Construct path to rule id to reason."""


def _acknowledgements(directory: Path) -> Acknowledgements:
    found: Acknowledgements = {}
    for stack in manifest_stacks(directory):
        for path, entries in stack["metadata"].items():
            for entry in entries:
                data: Any = entry.get("data")
                if entry.get("type") == "aws:cdk:acknowledged-rules" and isinstance(data, dict):
                    found.setdefault(path.strip("/"), {}).update(data)
    return found


def _reason(acknowledged: Acknowledgements, rule: Rule, path: str) -> str | None:
    """The reason given at the construct, or at one that it lies in."""
    while path:
        reasons = acknowledged.get(path, {})
        if rule.id in reasons:
            return reasons[rule.id]
        path = path.rpartition("/")[0]
    return None


__all__ = ["PACK", "Violation", "check", "check_directory"]
