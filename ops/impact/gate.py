"""Stops what nobody deploys by accident, unless it is approved by name and with a reason.

The approvals file is a YAML list::

    - change: "production-eu-west-1/Database/Instance: replacement"
      reason: "restored from a snapshot into the new instance on Sunday, see the change request"
      expires: 2026-12-31
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ops.impact.changes import Change, Effect, Impact

_KEYS = {"change", "reason", "expires"}


class ApprovalsError(ValueError):
    """The approvals file can't be used; the message has a line for every mistake."""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One approved change: its text as the gate demands it, the reason, and the last day on which it counts."""

    change: str
    reason: str
    expires: datetime.date | None = None

    def has_expired(self, today: datetime.date) -> bool:
        """Whether it does not count any more."""
        return self.expires is not None and today > self.expires


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the gate says: the changes that lack an approval, those that have one, and approvals that match nothing."""

    unapproved: Sequence[tuple[Change, Effect]]
    approved: Sequence[tuple[Change, Effect, Approval]]
    unused: Sequence[Approval]
    expired: Sequence[Approval]

    @property
    def passes(self) -> bool:
        """Whether the changes may be deployed."""
        return not (self.unapproved or self.unused or self.expired)

    def lines(self) -> list[str]:
        """Return what to tell a person: what is missing, and the text that would approve it."""
        if self.passes:
            count = len(self.approved)
            return [f"gate passed: {count} approved" if count else "gate passed: nothing needs an approval"]
        lines = []
        if self.unapproved:
            lines.append("gate refused: these changes need an approval. If they are meant, add to the approvals file:")
            for change, effect in self.unapproved:
                lines += ["", f'- change: "{approval_text(change, effect)}"', '  reason: ""  # say why this is right']
        for approval in self.unused:
            lines += ["", f"gate refused: the approval of {approval.change!r} matches no change: remove or correct it"]
        for approval in self.expired:
            lines += ["", f"gate refused: the approval of {approval.change!r} expired on {approval.expires}"]
        return lines


def approval_text(change: Change, effect: Effect) -> str:
    """Return how the approvals file names a change."""
    return f"{change.path}: {effect}"


def judge(impact: Impact, approvals: Sequence[Approval], *, today: datetime.date | None = None) -> Verdict:
    """Hold the changes that need approval against the approvals.

    Arguments:
        impact: the comparison.
        approvals: what is approved.
        today: the day that expiry counts from; by default today in UTC.
    """
    day = today or datetime.datetime.now(datetime.UTC).date()
    valid = {approval.change: approval for approval in approvals if not approval.has_expired(day)}
    needed = [(change, effect) for change in impact.changes for effect in change.needs_approval]
    texts = {approval_text(*each) for each in needed}
    return Verdict(
        unapproved=[each for each in needed if approval_text(*each) not in valid],
        approved=[(*each, valid[approval_text(*each)]) for each in needed if approval_text(*each) in valid],
        unused=[approval for approval in valid.values() if approval.change not in texts],
        expired=[approval for approval in approvals if approval.has_expired(day)],
    )


def read_approvals(path: Path) -> list[Approval]:
    """Read an approvals file.

    Raises:
        ApprovalsError: it can't be read, or an entry has no change, no reason, a key that does not exist or an expiry
            that is no date, or is there twice.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ApprovalsError(f"{path}: can't be read: {error}") from error
    entries = content if content is not None else []
    if not isinstance(entries, list):
        raise ApprovalsError(f'{path}: must be a list of entries with "change" and "reason"')
    mistakes = [
        f"{path}: entry {index}: {mistake}" for index, entry in enumerate(entries, 1) for mistake in _mistakes(entry)
    ]
    if mistakes:
        raise ApprovalsError("\n".join(mistakes))
    approvals = [
        Approval(change=_normal(entry["change"]), reason=entry["reason"].strip(), expires=entry.get("expires"))
        for entry in entries
    ]
    names = [approval.change for approval in approvals]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ApprovalsError("\n".join(f"{path}: {name!r} is there twice" for name in twice))
    return approvals


def _mistakes(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return ['must be a mapping with "change" and "reason"']
    mistakes = []
    change, reason, expires = entry.get("change"), entry.get("reason"), entry.get("expires")
    if not isinstance(change, str) or not change.strip():
        mistakes.append('has no "change": the text that the gate printed')
    elif change.rpartition(":")[2].strip() not in list(Effect):
        mistakes.append(f"{change!r} must end in a class after a colon: {', '.join(Effect)}")
    if not isinstance(reason, str) or not reason.strip():
        mistakes.append(f'{change!r} has no "reason": say why the change is right')
    if expires is not None and not (isinstance(expires, datetime.date) and not isinstance(expires, datetime.datetime)):
        mistakes.append(f'{change!r}: "expires" must be a date such as 2026-12-31')
    mistakes += [f"{change!r}: unknown key {key!r}" for key in sorted(set(entry) - _KEYS, key=str)]
    return mistakes


def _normal(text: str) -> str:
    path, _, effect = text.rpartition(":")
    return f"{path.strip()}: {effect.strip()}"
