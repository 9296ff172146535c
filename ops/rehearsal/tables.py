"""Tells a report on the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.rehearsal.report import CANNOT_SHOW, Report

_HOWS = ("native", "handled", "lambda", "recorded", "unaccounted")
_MANY = 30


def print_report(console: Console, report: Report) -> None:
    """Print the tables: counts by stack, recorded types, failures, what is left behind, what this can't show."""
    if report.outcome.verification.resources:
        console.print(_by_stack(report))
        _print_recorded(console, report)
    if report.outcome.left_behind:
        console.print(_left_behind(report))
    if report.outcome.failures:
        _print_failures(console, report)
    if report.result == "passed":
        console.print(Text("\nWhat a rehearsal can't show", style="bold"))
        for what, why in CANNOT_SHOW:
            console.print(Text.assemble(f"  {what}: ", (why, "dim")), soft_wrap=True)


def _by_stack(report: Report) -> Table:
    table = Table(title="Resources by how they exist", title_justify="left", show_footer=True)
    verification = report.outcome.verification
    counts = verification.counts()
    table.add_column("stack", footer="all", no_wrap=True)
    table.add_column("region", no_wrap=True)
    table.add_column("all", justify="right", footer=str(len(verification.resources)))
    for how in _HOWS:
        style = "red" if how == "unaccounted" and counts[how] else ""
        table.add_column(how, justify="right", footer=str(counts[how]), style=style)
    for row in report.by_stack():
        table.add_row(row["stack"], row["region"], str(row["resources"]), *(str(row[how]) for how in _HOWS))
    return table


def _print_recorded(console: Console, report: Report) -> None:
    checks = report.checks()
    console.print(
        f"{checks['same']} settings found as declared, {checks['differs']} differ, "
        f"{checks['untold']} not told by the emulator's APIs, {checks['withheld']} not told by AWS itself; "
        f"recorded: {report.outcome.verification.recorded_percent()} %",
        highlight=False,
        soft_wrap=True,
    )
    types = report.recorded_types()
    if not types:
        return
    table = Table(title="Recorded only", title_justify="left")
    table.add_column("type")
    table.add_column("count", justify="right")
    table.add_column("why")
    for row in types:
        table.add_row(row["type"], str(row["count"]), row["reason"])
    console.print(table)


def _left_behind(report: Report) -> Table:
    table = Table(title="Left behind after cdk destroy", title_justify="left")
    for column in ("region", "what", "id", "why"):
        table.add_column(column, overflow="fold")
    items = report.outcome.left_behind
    for item in items[:_MANY]:
        style = "" if item.expected else "bold red"
        table.add_row(item.region, item.construct_path or item.type, item.physical_id, item.reason, style=style)
    if len(items) > _MANY:
        table.caption = f"and {len(items) - _MANY} more in the report"
    return table


def _print_failures(console: Console, report: Report) -> None:
    failures = report.outcome.failures
    console.print(Text(f"\n{len(failures)} failure{'s' if len(failures) != 1 else ''}", style="bold red"))
    for failure in failures[:_MANY]:
        console.print(
            Text.assemble(
                (f"\n  {failure.construct_path}", "bold"),
                f"  ({failure.type}, {failure.kind})\n    stack    {failure.stack} in {failure.region}",
                f"\n    reason   {failure.reason}",
                f"\n    look at  {failure.look_at}",
            ),
            soft_wrap=True,
        )
    if len(failures) > _MANY:
        console.print(f"\n  ... and {len(failures) - _MANY} more in the report")
    console.print(Text(f"\n  The emulator's log: {report.outcome.emulator_log}"), soft_wrap=True)
