"""The terminal, the Markdown comment and the JSON report tell the same, in the same order, every time."""

import io
import json
from collections.abc import Callable

import pytest
from rich.console import Console

from ops.impact.changes import Impact
from ops.impact.compare import compare
from ops.impact.gate import Verdict, judge
from ops.impact.render_json import to_dict, to_json
from ops.impact.render_markdown import LIMIT, to_markdown
from ops.impact.render_terminal import print_impact
from ops.impact.templates import Template
from tests.ops.impact.conftest import PRIMARY, Impacts, Planted
from tests.ops.impact.planted import PLANTED


def _many(planted: Planted) -> None:
    for name in ("engine version", "security group opened to the world", "key removed", "queue visibility"):
        PLANTED[name].edit(planted)
    planted.properties(f"{PRIMARY}/ApiServerEndpoint/Reconcile")["Code"]["S3Key"] = f"{'0' * 64}.zip"


@pytest.fixture
def impact(impact_of: Impacts) -> Impact:
    return impact_of(_many)


def _terminal(impact: Impact, verdict: Verdict | None = None) -> str:
    stream = io.StringIO()
    print_impact(Console(file=stream, width=200), impact, verdict)
    return stream.getvalue()


def test_most_severe_comes_first(impact: Impact) -> None:
    assert [change.path.removeprefix(f"{PRIMARY}/") for change in impact.changes] == [
        "Keys/Cache",
        "Network/EndpointsSecurityGroup",
        "Database/Instance",
        "Messaging/Queue-billing/Queue",
    ]


def test_json_has_a_stable_form(impact: Impact) -> None:
    report = to_dict(impact, judge(impact, []))
    assert list(report) == ["schema", "base", "head", "stacks", "summary", "changes", "code_changed", "gate"]
    assert report["schema"] == 1
    assert report["stacks"][0] == {"name": "reference-global", "region": "eu-west-1"}
    assert report["summary"]["deletion"] == 1
    first = report["changes"][0]
    assert first["needs_approval"] == [f"{PRIMARY}/Keys/Cache: deletion"]
    assert first["consequence"]["data_at_stake"] == "retained"
    assert {tuple(change) for change in report["changes"]} == {tuple(first)}
    assert report["code_changed"] == [f"{PRIMARY}/ApiServerEndpoint/Reconcile"]
    assert report["gate"]["unapproved"] == [f"{PRIMARY}/Keys/Cache: deletion"]


def test_json_can_be_read_back(impact: Impact) -> None:
    assert json.loads(to_json(impact)) == to_dict(impact)


@pytest.mark.parametrize("render", [to_json, to_markdown, _terminal])
def test_report_is_the_same_every_time(reference: list[Template], render: Callable[..., str]) -> None:
    texts = set()
    for _ in range(2):
        planted = Planted(reference)
        _many(planted)
        impact = compare(reference, planted.templates, base_name="before", head_name="after")
        texts.add(render(impact, judge(impact, [])))
    assert len(texts) == 1


def test_terminal_shows_values_consequences_and_the_approval(impact: Impact) -> None:
    text = _terminal(impact, judge(impact, []))
    assert "EngineVersion: 17.9 -> 17.10" in text
    assert "OPEN TO THE WORLD" in text
    assert "stops   the database" in text
    assert f'- change: "{PRIMARY}/Keys/Cache: deletion"' in text
    assert f"code changed, configuration as before: {PRIMARY}/ApiServerEndpoint/Reconcile" in text


def test_markdown_collapses_all_but_what_needs_an_approval(impact: Impact) -> None:
    text = to_markdown(impact, judge(impact, []))
    assert text.index("Needs an approval (1)") < text.index("Broadening") < text.index("Some interruption")
    assert text.count("<details open>") == 1
    assert text.count("<details") == text.count("</details>")
    assert "| <code>EngineVersion</code> | <code>17.9</code> | <code>17.10</code> |" in text


def test_markdown_without_changes_says_so(impact_of: Impacts) -> None:
    assert "Nothing changes." in to_markdown(impact_of(lambda planted: None))


def test_markdown_escapes_what_values_hold(impact_of: Impacts) -> None:
    path = f"{PRIMARY}/Messaging/Queue-billing/Queue"
    text = to_markdown(impact_of(lambda planted: planted.properties(path).update(VisibilityTimeout="</code>|`x`")))
    assert "<code>&lt;/code&gt;&#124;`x`</code>" in text


def test_markdown_fits_into_a_comment(reference: list[Template]) -> None:
    def rewritten(planted: Planted) -> None:
        for template in planted.templates:
            for key, body in template.resources.items():
                body.setdefault("Properties", {})["Tags"] = [{"Key": "Name", "Value": key * 20}]

    planted = Planted(reference)
    rewritten(planted)
    text = to_markdown(compare(reference, planted.templates, base_name="before", head_name="after"))
    assert len(text) <= LIMIT + 1000
    assert "more do not fit here" in text
    assert text.count("<details") == text.count("</details>")
