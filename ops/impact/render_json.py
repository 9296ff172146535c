"""The report as JSON, for programs. ``schema`` grows by one when a field changes its meaning or goes."""

import json
from typing import Any

from ops.impact.changes import Change, Effect, Impact
from ops.impact.gate import Verdict, approval_text

SCHEMA = 1


def to_json(impact: Impact, verdict: Verdict | None = None) -> str:
    """Return the report as JSON text; the same comparison gives the same text."""
    return json.dumps(to_dict(impact, verdict), indent=1, ensure_ascii=False) + "\n"


def to_dict(impact: Impact, verdict: Verdict | None = None) -> dict[str, Any]:
    """Return the report as JSON holds it."""
    return {
        "schema": SCHEMA,
        "base": impact.base,
        "head": impact.head,
        "stacks": [{"name": name, "region": region} for name, region in impact.stacks.items()],
        "summary": {str(effect): impact.counts().get(effect, 0) for effect in Effect},
        "changes": [_change(change) for change in impact.changes],
        "code_changed": list(impact.code_changed),
        "gate": _verdict(verdict) if verdict else None,
    }


def _change(change: Change) -> dict[str, Any]:
    consequence = change.consequence
    return {
        "stack": change.stack,
        "region": change.region,
        "path": change.path,
        "logical_id": change.logical_id,
        "type": change.type,
        "effect": str(change.effect),
        "classes": [str(effect) for effect in change.classes],
        "holds": change.holds or None,
        "needs_approval": [approval_text(change, effect) for effect in change.needs_approval],
        "open_to_the_world": change.opens_to_the_world,
        "previous_path": change.previous or None,
        "consequence": {
            "stops": consequence.stops,
            "duration": consequence.duration,
            "data_at_stake": consequence.data or None,
            "maintenance_window": consequence.window or None,
            "source": consequence.source,
        }
        if consequence
        else None,
        "findings": [
            {"class": str(finding.effect), "message": finding.message, "open_to_the_world": finding.world}
            for finding in change.findings
        ],
        "details": [
            {
                "path": detail.path,
                "before": detail.before,
                "after": detail.after,
                "effect": str(detail.effect),
                "cause": detail.cause or None,
            }
            for detail in change.details
        ],
        "notes": list(change.notes),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "passes": verdict.passes,
        "unapproved": [approval_text(*each) for each in verdict.unapproved],
        "approved": [
            {"change": approval.change, "reason": approval.reason, "expires": str(approval.expires or "") or None}
            for _, _, approval in verdict.approved
        ],
        "unused": [approval.change for approval in verdict.unused],
        "expired": [approval.change for approval in verdict.expired],
    }
