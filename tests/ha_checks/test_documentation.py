"""Every rule says why, how to mend it and where to read on; the page has them all."""

import re
from pathlib import Path

import pytest

from ha_checks.documentation import rules_page
from ha_checks.rule import Rule
from ha_checks.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@every_rule
def test_a_rule_tells_what_a_reader_needs(rule: Rule) -> None:
    assert re.fullmatch(r"HaChecks::[A-Z][A-Za-z]+", rule.id)
    assert rule.check.__doc__
    assert rule.why.endswith(".")
    assert rule.mend.endswith(".")
    assert rule.url.startswith("https://docs.aws.amazon.com/")


@every_rule
def test_the_page_has_the_rule(rule: Rule) -> None:
    page = rules_page()

    assert f"### {rule.id}\n" in page
    assert all(text in page for text in (rule.why, rule.mend, rule.url))


def test_ids_are_unique() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == rules_page(), "run `make docs`"
