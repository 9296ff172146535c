"""The report as Markdown, for a comment on a merge request: a summary, then one collapsed section for each severity."""

import html

from ops.impact.changes import Change, Effect, Impact
from ops.impact.gate import Verdict
from ops.impact.wording import NOTHING, facts, shown, summary, title

LIMIT = 60_000
"""Characters. A GitHub comment takes 65,536; GitLab takes a million."""
_DETAILS = 12


def to_markdown(impact: Impact, verdict: Verdict | None = None) -> str:
    """Return the report; what does not fit into a comment is counted, the least severe first."""
    parts = [
        "## Impact\n",
        f"{_escaped(impact.base)} → {_escaped(impact.head)}\n",
        f"**{summary(impact)}**\n" if impact.changes else f"{NOTHING}\n",
        *_verdict(verdict),
    ]
    approval = [change for change in impact.changes if change.needs_approval]
    rest = [change for change in impact.changes if not change.needs_approval]
    room = LIMIT - sum(map(len, parts))
    if approval:
        section = _section("Needs an approval", approval, room, is_open=True)
        parts.append(section)
        room -= len(section)
    for effect in Effect:
        changes = [change for change in rest if change.classes[0] is effect]
        if changes:
            name = str(effect).replace("-", " ").capitalize()
            section = _section(f"{name}: {effect.meaning}", changes, room)
            parts.append(section)
            room -= len(section)
    if impact.code_changed:
        names = "".join(f"- `{path}`\n" for path in impact.code_changed)
        parts.append(f"<details><summary>Code changed ({len(impact.code_changed)})</summary>\n\n{names}\n</details>\n")
    return "\n".join(parts)


def _verdict(verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return []
    if verdict.passes:
        return [f"✅ {verdict.lines()[0]}\n"]
    text = "\n".join(verdict.lines())
    return [f"⛔ The gate refuses.\n\n```text\n{text}\n```\n"]


def _section(name: str, changes: list[Change], room: int, *, is_open: bool = False) -> str:
    head = f"<details{' open' if is_open else ''}><summary>{html.escape(name)} ({len(changes)})</summary>\n\n"
    body, left = "", 0
    for index, change in enumerate(changes):
        text = _change(change)
        if len(head) + len(body) + len(text) + 200 > room:
            left = len(changes) - index
            break
        body += text
    if left:
        body += f"{left} more do not fit here: `ha impact --format json` has all.\n"
    return f"{head}{body}\n</details>\n"


def _change(change: Change) -> str:
    lines = [f"**{title(change)}** `{change.path}` ({change.type})\n"]
    lines += [
        f"- {label}: {' '.join(f'<{page}>' for page in text.split()) if label == 'source' else _escaped(text)}"
        for label, text in facts(change)
    ]
    if change.details:
        lines += ["", "| property | before | after |", "|---|---|---|"]
        for detail in change.details[:_DETAILS]:
            cause = f"<br>{_cell(detail.cause)}" if detail.cause else ""
            lines.append(
                f"| {_code(detail.path)}{cause} | {_code(shown(detail.before))} | {_code(shown(detail.after))} |"
            )
        if len(change.details) > _DETAILS:
            lines.append(f"| and {len(change.details) - _DETAILS} more | | |")
    return "\n".join([*lines, "", ""])


def _code(text: str) -> str:
    # In HTML, since a backtick within backticks can't be escaped.
    return f"<code>{_cell(text)}</code>"


def _cell(text: str) -> str:
    return html.escape(text, quote=False).replace("|", "&#124;")


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("*", "\\*").replace("_", "\\_").replace("`", "\\`")
