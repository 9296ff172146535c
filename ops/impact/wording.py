"""What the terminal and the Markdown report have in common: short values and sentences."""

import json
from typing import Any

from ops.impact.changes import REPLACING, Change, Effect, Impact

VALUE_LENGTH = 120
NOTHING = "Nothing changes."


def shown(value: Any) -> str:
    """Return a value as one short line."""
    if value is None:
        return "(absent)"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    text = " ".join(text.split())
    return text if len(text) <= VALUE_LENGTH else f"{text[: VALUE_LENGTH - 3]}..."


def title(change: Change) -> str:
    """Return the classes and what a change concerns."""
    classes = ", ".join(str(effect).replace("-", " ") for effect in change.classes)
    world = " OPEN TO THE WORLD" if change.opens_to_the_world else ""
    return f"{classes}{world}"


def summary(impact: Impact) -> str:
    """Return the counts in one line."""
    counts = [f"{count} {str(effect).replace('-', ' ')}" for effect, count in impact.counts().items()]
    return ", ".join(counts) if counts else NOTHING


def facts(change: Change) -> list[tuple[str, str]]:
    """Return what to know of a change, label by label; nothing that is empty."""
    told = [("was", change.previous)] if change.previous else []
    told += [
        ("opens" if finding.effect is Effect.BROADENING else "weakens", finding.message) for finding in change.findings
    ]
    if consequence := change.consequence:
        told.append(("stops", consequence.stops))
        # Of what holds nothing that is all there is to say; a big change would drown in the rest.
        if change.effect in REPLACING and not change.holds:
            consequence = None
    if consequence:
        told += [
            ("for", consequence.duration),
            ("data", consequence.data),
            ("window", consequence.window),
            ("source", consequence.source),
        ]
    told += [("note", note) for note in change.notes]
    return [(label, text) for label, text in told if text]
