"""The report tells everything, in every form, and its page needs nothing else."""

import json
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ops.rehearsal.display import Step
from ops.rehearsal.failures import Failure
from ops.rehearsal.leftovers import Leftover
from ops.rehearsal.page import render
from ops.rehearsal.rehearsal import Outcome
from ops.rehearsal.report import CANNOT_SHOW, Report, write_atomically, write_json
from ops.rehearsal.tables import print_report
from ops.rehearsal.verify import Accounted, Check, Verification


def _resource(name: str, how: str, reason: str = "", checks: tuple[Check, ...] = ()) -> Accounted:
    return Accounted(
        stack="demo-eu-west-1",
        region="eu-west-1",
        construct_path=f"demo-eu-west-1/{name}",
        type="AWS::SQS::Queue" if how == "native" else "AWS::Chatbot::SlackChannelConfiguration",
        logical_id=name,
        physical_id=f"id-of-{name}",
        how=how,  # type: ignore[arg-type]
        reason=reason,
        checks=checks,
    )


@pytest.fixture
def report() -> Report:
    resources = [
        _resource(
            "Jobs",
            "native",
            checks=(
                Check("VisibilityTimeout", 120, "120", "same"),
                Check("X", 1, None, "untold"),
                Check("Y", 2, None, "withheld"),
            ),
        ),
        _resource("Script", "native", reason="<script>alert(1)</script>"),
        _resource("Handled", "handled", "a handler of ours"),
        _resource("Slack", "recorded", "needs a workspace"),
    ]
    failure = Failure(
        kind="refused",
        stack="demo-eu-west-1",
        region="eu-west-1",
        construct_path="demo-eu-west-1/Jobs",
        type="AWS::SQS::Queue",
        logical_id="Jobs",
        reason="it is refused",
        look_at="the name",
    )
    left = Leftover(
        region="eu-west-1",
        type="AWS::S3::Bucket",
        physical_id="logs",
        construct_path="a/Logs",
        reason="Retain",
        expected=True,
    )
    return Report(
        name="demo",
        full=True,
        result="failed",
        message="",
        started="2026-01-01T00:00:00+00:00",
        seconds=12.3,
        steps=[Step("deploy", "cdk deploy --all", "passed", 10.0, ["a note"])],
        outcome=Outcome(Verification(resources), [failure], [left], {"cdk CLI": "2"}, Path("emulator.log")),
    )


def test_the_json_file_lists_every_resource_with_how_and_reason(report: Report, tmp_path: Path) -> None:
    write_json(report, tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())

    assert [(item["construct_path"], item["how"], item["reason"]) for item in content["resources"]][3] == (
        "demo-eu-west-1/Slack",
        "recorded",
        "needs a workspace",
    )
    keys = {"stack", "region", "construct_path", "type", "logical_id", "physical_id", "how", "reason", "checks"}
    assert all(item.keys() == keys for item in content["resources"])
    assert content["resources"][0]["checks"][0] == {
        "setting": "VisibilityTimeout",
        "declared": 120,
        "found": "120",
        "outcome": "same",
    }
    assert len(content["cannot_show"]) == len(CANNOT_SHOW)


def test_the_summary_counts_by_stack_and_gives_the_recorded_share(report: Report) -> None:
    summary = report.as_dict()["summary"]

    assert summary["recorded_percent"] == 25.0
    assert summary["stacks"] == [
        {
            "stack": "demo-eu-west-1",
            "region": "eu-west-1",
            "resources": 4,
            "native": 2,
            "handled": 1,
            "lambda": 0,
            "recorded": 1,
            "unaccounted": 0,
        }
    ]
    assert summary["recorded_types"] == [
        {"type": "AWS::Chatbot::SlackChannelConfiguration", "count": 1, "reason": "needs a workspace"}
    ]
    assert summary["checks"] == {"same": 1, "differs": 0, "untold": 1, "withheld": 1}
    assert summary["withheld_settings"] == [{"type": "AWS::SQS::Queue", "setting": "Y", "count": 1}]
    assert summary["untold_settings"] == [{"type": "AWS::SQS::Queue", "setting": "X", "count": 1}]


def test_the_terminal_names_construct_type_reason_what_to_look_at_and_the_log(report: Report) -> None:
    output = StringIO()
    print_report(Console(file=output, width=160), report)

    for told in (
        "demo-eu-west-1/Jobs",
        "AWS::SQS::Queue",
        "it is refused",
        "the name",
        "emulator.log",
        "25.0 %",
        "Retain",
    ):
        assert told in output.getvalue()


class _Page(HTMLParser):
    """Collects what a page would load from elsewhere, and checks that elements are closed."""

    _EMPTY = frozenset({"meta", "input", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elsewhere: list[str] = []
        self.rows = 0
        self.scripts = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elsewhere += [str(value) for name, value in attributes if name in ("src", "href", "action") and value]
        self.rows += tag == "tr" and "data-stack" in dict(attributes)
        self.scripts += tag == "script"
        if tag not in self._EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_lists_every_resource(report: Report) -> None:
    content = render(report)
    page = _Page()
    page.feed(content)

    assert page.elsewhere == []
    assert "@import" not in content
    assert "url(" not in content
    assert page.open == []
    assert page.rows == 4


def test_the_page_shows_texts_as_texts(report: Report) -> None:
    page = _Page()
    page.feed(render(report))

    assert page.scripts == 1


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_atomically(path, "first")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "second \ud800")

    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]
