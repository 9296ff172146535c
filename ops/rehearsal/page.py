"""The report as one HTML page without any other file: readable by itself, sortable and filterable where scripts run."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ops.rehearsal.report import CANNOT_SHOW, Report, write_atomically
from ops.rehearsal.verify import Accounted
from ops.rehearsal.verify.settings import CheckOutcome

_HERE = Path(__file__).parent
_HOWS = ("native", "handled", "lambda", "recorded", "unaccounted")
_MEANINGS = {
    "native": "the emulator's own model; found afterwards through the service's API with the declared settings",
    "handled": "a handler of this project, with state that can be asked for and the checks AWS would make",
    "lambda": "the real handler code ran",
    "recorded": "no model: properties held against the published schema, references resolved, then noted",
    "unaccounted": "not found: a failure",
}


def write_page(report: Report, path: Path) -> None:
    """Write ``report.html``."""
    write_atomically(path, render(report))


def render(report: Report) -> str:
    """Return the page."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    title = f"Rehearsal of {report.name}"
    sections = [
        _summary(report),
        _failures(report),
        _stacks(report),
        _steps(report),
        _recorded(report),
        _left_behind(report),
        _resources(report),
        _not_compared(report, "untold", "Settings that the emulator's APIs don't tell"),
        _not_compared(report, "withheld", "Settings that AWS itself doesn't tell"),
        _cannot_show(),
        _versions(report),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{escape(title)} <span class="mark {report.result}">{report.result}</span></h1>\n'
        + "\n".join(section for section in sections if section)
        + f"\n</main>\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def _summary(report: Report) -> str:
    verification = report.outcome.verification
    counts, checks = verification.counts(), report.checks()
    cards = [("resources", str(len(verification.resources)), "declared in every stack")]
    cards += [(how, str(counts[how]), _MEANINGS[how]) for how in _HOWS]
    cards += [
        ("recorded", f"{verification.recorded_percent()} %", "share of all resources"),
        (
            "settings",
            str(checks["same"]),
            f"found as declared; {checks['differs']} differ, {checks['untold']} not told, "
            f"{checks['withheld']} not told by AWS itself",
        ),
        ("seconds", f"{report.seconds:.0f}", f"started {report.started}"),
    ]
    boxes = "".join(
        f'<div class="card {escape(name)}"><b>{escape(value)}</b><span>{escape(name)}</span><p>{escape(text)}</p></div>'
        for name, value, text in cards
    )
    message = f"<p>{escape(report.message)}</p>" if report.message else ""
    return f'{message}<section class="cards">{boxes}</section>'


def _table(identity: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Sequence[int] = ()) -> str:
    head = "".join(
        f'<th scope="col"{_number(index, numbers)}><button type="button">{escape(column)}</button></th>'
        for index, column in enumerate(columns)
    )
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{_number(index, numbers)}>{escape(str(cell))}</td>" for index, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table id="{identity}"><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _number(index: int, numbers: Sequence[int]) -> str:
    return ' class="number"' if index in numbers else ""


def _failures(report: Report) -> str:
    if not report.outcome.failures:
        return ""
    items = "".join(
        f"<li><b>{escape(item.construct_path)}</b> <code>{escape(item.type)}</code> {escape(item.kind)}, "
        f"{escape(item.stack)} in {escape(item.region)}<p>{escape(item.reason)}</p>"
        f"<p class='quiet'>Look at {escape(item.look_at)}</p></li>"
        for item in report.outcome.failures
    )
    log = escape(str(report.outcome.emulator_log))
    return f'<h2>Failures</h2><ul class="failures">{items}</ul><p>The emulator\'s log: <code>{log}</code></p>'


def _stacks(report: Report) -> str:
    rows = [[row["stack"], row["region"], row["resources"], *(row[how] for how in _HOWS)] for row in report.by_stack()]
    table = _table("stacks", ["stack", "region", "resources", *_HOWS], rows, numbers=range(2, 8))
    return f"<h2>Stacks</h2>{table}" if rows else ""


def _steps(report: Report) -> str:
    longest = max((step.seconds for step in report.steps), default=0) or 1
    rows = "".join(
        f'<tr class="{step.outcome}"><td>{escape(step.title)}'
        + "".join(f'<p class="quiet">{escape(note)}</p>' for note in step.notes)
        + f'</td><td>{step.outcome}</td><td class="number">{step.seconds:.1f} s</td>'
        f'<td><span class="bar" style="width:{max(1, round(160 * step.seconds / longest))}px"></span></td></tr>'
        for step in report.steps
    )
    return (
        '<h2>Steps</h2><div class="wide"><table><thead><tr><th>step</th><th>outcome</th><th>time</th><th></th></tr>'
        "</thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _recorded(report: Report) -> str:
    rows = [[row["type"], row["count"], row["reason"]] for row in report.recorded_types()]
    return f"<h2>Recorded only</h2>{_table('recorded', ['type', 'count', 'why'], rows, numbers=(1,))}" if rows else ""


def _left_behind(report: Report) -> str:
    rows = [
        [
            item.region,
            item.type,
            item.construct_path,
            item.physical_id,
            item.reason,
            "as declared" if item.expected else "NO",
        ]
        for item in report.outcome.left_behind
    ]
    columns = ["region", "type", "construct", "id", "why", "expected"]
    return f"<h2>Left behind</h2>{_table('left', columns, rows)}" if rows else ""


def _resources(report: Report) -> str:
    resources = report.outcome.verification.resources
    if not resources:
        return ""
    filters = "".join(
        f'<label>{name} <select data-filter="{name}"><option value="">all</option>'
        + "".join(
            f"<option>{escape(value)}</option>" for value in dict.fromkeys(getattr(item, name) for item in resources)
        )
        + "</select></label>"
        for name in ("stack", "region", "how")
    )
    columns = ("stack", "region", "construct", "type", "how", "physical id", "settings")
    head = "".join(f'<th scope="col"><button type="button">{column}</button></th>' for column in columns)
    body = "\n".join(_resource_row(item) for item in resources)
    return (
        '<h2>Resources</h2><form id="filters">'
        '<label>search <input type="search" placeholder="construct, type, id"></label>'
        f'{filters}<output></output></form><div class="wide"><table id="resources"><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


_NOT_TOLD = {"untold": "not told", "withheld": "not told by AWS itself"}


def _resource_row(item: Accounted) -> str:
    same = sum(check.outcome == "same" for check in item.checks)
    summary = f"{same} of {len(item.checks)} as declared" if item.checks else ""
    lines = "".join(
        f'<tr class="{check.outcome}"><td>{escape(check.setting)}</td><td>{escape(_short(check.declared))}</td>'
        f"<td>{escape(_NOT_TOLD.get(check.outcome) or _short(check.found))}</td></tr>"
        for check in item.checks
    )
    details = (
        f"<details><summary>{summary}</summary><table><thead><tr><th>setting</th><th>declared</th><th>found</th></tr></thead>"
        f"<tbody>{lines}</tbody></table></details>"
        if lines
        else ""
    )
    reason = f'<p class="quiet">{escape(item.reason)}</p>' if item.reason else ""
    return (
        f'<tr data-stack="{escape(item.stack)}" data-region="{escape(item.region)}" data-how="{item.how}">'
        f"<td>{escape(item.stack)}</td><td>{escape(item.region)}</td><td>{escape(item.construct_path)}</td>"
        f"<td>{escape(item.type.removeprefix('AWS::'))}</td>"
        f'<td><span class="mark {item.how}">{item.how}</span></td>'
        f"<td><code>{escape(item.physical_id)}</code></td><td>{details}{reason}</td></tr>"
    )


def _not_compared(report: Report, outcome: CheckOutcome, title: str) -> str:
    rows = [[row["type"], row["setting"], row["count"]] for row in report.settings(outcome)]
    if not rows:
        return ""
    table = _table(outcome, ["type", "setting", "count"], rows, numbers=(2,))
    return (
        f"<h2>{escape(title)}</h2>"
        f"<details><summary>{len(rows)} kinds of settings were deployed, and could not be compared</summary>"
        f"{table}</details>"
    )


def _cannot_show() -> str:
    items = "".join(f"<dt>{escape(what)}</dt><dd>{escape(why)}</dd>" for what, why in CANNOT_SHOW)
    return f"<h2>What a rehearsal can't show</h2><dl>{items}</dl>"


def _versions(report: Report) -> str:
    text = ", ".join(f"{name} {version}" for name, version in report.outcome.versions.items())
    return f'<p class="quiet">{escape(text)}</p>' if text else ""


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 300 else text[:297] + "..."
