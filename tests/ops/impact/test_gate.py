"""The gate stops what nobody deploys by accident, and takes approvals by name and reason."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.impact.changes import Effect, Impact
from ops.impact.gate import Approval, ApprovalsError, approval_text, judge, read_approvals
from ops.impact.templates import Template
from tests.ops.impact.conftest import PRIMARY, Impacts, at_path
from tests.ops.impact.planted import PLANTED

TODAY = datetime.date(2026, 11, 22)
KEY = f"{PRIMARY}/Keys/Cache: deletion"


@pytest.fixture
def key_removed(impact_of: Impacts) -> Impact:
    """A change that needs one approval."""
    return impact_of(PLANTED["key removed"].edit)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Write an approvals file."""

    def write(text: str) -> Path:
        path = tmp_path / "approvals.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_deletion_of_a_key_is_refused(key_removed: Impact) -> None:
    verdict = judge(key_removed, [], today=TODAY)
    assert not verdict.passes
    assert [approval_text(*each) for each in verdict.unapproved] == [KEY]


def test_message_is_the_text_that_approves(key_removed: Impact, written: Callable[[str], Path]) -> None:
    lines = judge(key_removed, [], today=TODAY).lines()
    entry = "\n".join(line for line in lines if line.startswith(("- ", "  "))).replace('""  #', '"rotated away"  #')
    assert judge(key_removed, read_approvals(written(entry)), today=TODAY).passes


def test_approved_change_passes_with_its_reason(key_removed: Impact) -> None:
    verdict = judge(key_removed, [Approval(change=KEY, reason="nothing uses it")], today=TODAY)
    assert verdict.passes
    assert verdict.approved[0][2].reason == "nothing uses it"


def test_approval_of_another_class_does_not_count(key_removed: Impact) -> None:
    verdict = judge(key_removed, [Approval(change=f"{PRIMARY}/Keys/Cache: replacement", reason="wrong")], today=TODAY)
    assert len(verdict.unapproved) == 1
    assert len(verdict.unused) == 1


def test_approval_that_matches_nothing_is_refused(impact_of: Impacts) -> None:
    verdict = judge(impact_of(lambda planted: None), [Approval(change=KEY, reason="left over")], today=TODAY)
    assert not verdict.passes
    assert any(KEY in line and "matches no change" in line for line in verdict.lines())


def test_each_class_of_a_change_needs_its_own_approval(impact_of: Impacts) -> None:
    impact = impact_of(PLANTED["cache not encrypted"].edit)
    path = PLANTED["cache not encrypted"].path
    assert at_path(impact, path).needs_approval == (Effect.REPLACEMENT, Effect.WEAKENING)
    verdict = judge(impact, [Approval(change=f"{path}: replacement", reason="new cache")], today=TODAY)
    assert [effect for _, effect in verdict.unapproved] == [Effect.WEAKENING]


@pytest.mark.parametrize(("expires", "passes"), [(TODAY, True), (TODAY - datetime.timedelta(days=1), False)])
def test_approval_counts_through_its_last_day(key_removed: Impact, expires: datetime.date, passes: bool) -> None:
    approval = Approval(change=KEY, reason="nothing uses it", expires=expires)
    assert judge(key_removed, [approval], today=TODAY).passes is passes


def test_expired_approval_is_named(key_removed: Impact) -> None:
    expired = Approval(change=KEY, reason="nothing uses it", expires=datetime.date(2026, 1, 1))
    assert any("expired on 2026-01-01" in line for line in judge(key_removed, [expired], today=TODAY).lines())


def test_update_needs_no_approval(impact_of: Impacts) -> None:
    verdict = judge(impact_of(PLANTED["queue visibility"].edit), [], today=TODAY)
    assert verdict.passes
    assert verdict.lines() == ["gate passed: nothing needs an approval"]


def test_removed_stack_is_refused(reference: list[Template]) -> None:
    from ops.impact.compare import compare

    head = [template for template in reference if template.name == PRIMARY]
    impact = compare(reference, head, base_name="before", head_name="after")
    texts = [approval_text(*each) for each in judge(impact, [], today=TODAY).unapproved]
    assert texts == ["reference-global: deletion", "reference-us-east-1: deletion"]


def test_file_is_read(written: Callable[[str], Path]) -> None:
    path = written(f'- change: "{KEY}"\n  reason: nothing uses it\n  expires: 2026-12-31\n')
    assert read_approvals(path) == [Approval(change=KEY, reason="nothing uses it", expires=datetime.date(2026, 12, 31))]


def test_empty_file_approves_nothing(written: Callable[[str], Path]) -> None:
    assert read_approvals(written("# nothing yet\n")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('- change: "a/b: deletion"\n', 'has no "reason"'),
        ('- {change: "a/b: deletion", reason: "  "}\n', 'has no "reason"'),
        ('- {change: "a/b: deletion", reason: 3}\n', 'has no "reason"'),
        ("- {reason: because}\n", 'has no "change"'),
        ('- {change: "a/b", reason: because}\n', "must end in a class"),
        ('- {change: "a/b: gone", reason: because}\n', "must end in a class"),
        ('- {change: "a/b: deletion", reason: because, expires: soon}\n', "must be a date"),
        ('- {change: "a/b: deletion", reason: because, until: 2026-12-31}\n', "unknown key 'until'"),
        ("- just a text\n", "must be a mapping"),
        ("change: x\n", "must be a list"),
        ("- [unclosed\n", "can't be read"),
        ('- {change: "a/b: deletion", reason: x}\n- {change: "a/b:  deletion", reason: y}\n', "is there twice"),
    ],
)
def test_mistakes_in_the_file_are_named(written: Callable[[str], Path], text: str, message: str) -> None:
    with pytest.raises(ApprovalsError, match=message.replace("(", r"\(")):
        read_approvals(written(text))
