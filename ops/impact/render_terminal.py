"""The report in a terminal: a summary, then every change, the ones that need an approval first."""

from rich.console import Console
from rich.text import Text

from ops.impact.changes import Change, Effect, Impact
from ops.impact.gate import Verdict
from ops.impact.wording import facts, shown, summary, title

_STYLES = {
    Effect.DELETION: "bold red",
    Effect.RENAME: "bold red",
    Effect.REPLACEMENT: "bold red",
    Effect.CONDITIONAL_REPLACEMENT: "red",
    Effect.WEAKENING: "bold magenta",
    Effect.BROADENING: "magenta",
    Effect.INTERRUPTION: "yellow",
    Effect.ROLLOUT: "cyan",
    Effect.ORPHANED: "cyan",
    Effect.CREATION: "green",
    Effect.UPDATE: "",
}
_DETAILS = 12


def print_impact(console: Console, impact: Impact, verdict: Verdict | None = None) -> None:
    """Print the report, and the gate's verdict where there is one."""
    _print(console, f"{impact.base} -> {impact.head}", style="bold")
    _print(console, summary(impact))
    for change in impact.changes:
        _print_change(console, change)
    if impact.code_changed:
        _print(console, f"\ncode changed, configuration as before: {', '.join(impact.code_changed)}", style="dim")
    if verdict:
        console.print()
        for line in verdict.lines():
            _print(console, line, style="green" if verdict.passes else "red")


def _print_change(console: Console, change: Change) -> None:
    console.print()
    heading = Text(title(change), style=_STYLES[change.classes[0]])
    heading.append(f"  {change.path}", style="bold")
    heading.append(f"  {change.type}", style="dim")
    console.print(heading, soft_wrap=True, highlight=False)
    for label, text in facts(change):
        _print(console, f"  {label:<8}{text}", style="red" if text.startswith(("refused:", "LOST:")) else "")
    for detail in change.details[:_DETAILS]:
        cause = f"  ({detail.cause})" if detail.cause else ""
        line = f"  {detail.path}: {shown(detail.before)} -> {shown(detail.after)}{cause}"
        _print(console, line, style=_STYLES[detail.effect] or "dim")
    if len(change.details) > _DETAILS:
        _print(console, f"  and {len(change.details) - _DETAILS} more properties: --format json has all", style="dim")


def _print(console: Console, text: str, *, style: str = "") -> None:
    console.print(text, style=style or None, soft_wrap=True, highlight=False, markup=False)
