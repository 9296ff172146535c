"""Reading an environment file, and what its author is told of a mistake."""

from collections.abc import Callable
from pathlib import Path

import pytest

from environments import EnvironmentFileError, load

Write = Callable[[str], str]

MINIMAL = """\
name: test
account: "111122223333"
regions: [eu-west-1]
domain: example.com
alerts: {email: [platform@example.com]}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an environment file and return its path."""

    def write_file(text: str) -> str:
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write_file


def message_of(name_or_path: str) -> str:
    with pytest.raises(EnvironmentFileError) as caught:
        load(name_or_path)
    return str(caught.value)


@pytest.mark.parametrize("name", ["reference", "production", "single-region"])
def test_a_shipped_environment_is_found_by_its_name(name: str) -> None:
    assert load(name).name == name


def test_a_file_anywhere_is_found_by_its_path(write: Write) -> None:
    assert load(write(MINIMAL)).name == "test"


def test_an_unknown_name_lists_the_known_ones() -> None:
    message = message_of("referense")

    assert "'referense'" in message
    assert "production, reference, single-region" in message
    assert "did you mean 'reference'" in message


def test_a_mistake_names_file_line_field_and_value(write: Write) -> None:
    path = write(MINIMAL + "cache:\n  replicas: 9\n")

    message = message_of(path)

    assert message.startswith(f"{path}:7: cache.replicas: 9: ")
    assert "less than or equal to 5" in message


def test_an_unknown_key_names_the_nearest_known_one(write: Write) -> None:
    message = message_of(write(MINIMAL + "databse: {}\n"))

    assert ":6: databse: unknown key (did you mean 'database'?); possible here: account, alerts" in message


def test_every_mistake_is_told_at_once(write: Write) -> None:
    message = message_of(write(MINIMAL.replace("eu-west-1", "eu-west-9") + "cache: {shards: 0}\n"))

    assert len(message.splitlines()) == 2


def test_a_missing_key_says_what_it_is_for(write: Write) -> None:
    message = message_of(write(MINIMAL.replace("domain: example.com\n", "")))

    assert "domain: required, and missing (The public domain of the environment.)" in message


def test_a_key_given_twice_is_refused(write: Write) -> None:
    assert "the key 'name' is given twice" in message_of(write(MINIMAL + "name: other\n"))


@pytest.mark.parametrize(
    ("text", "problem"), [("", "must be a mapping"), ("- a\n", "must be a mapping"), ("a: [\n", "not valid YAML")]
)
def test_what_is_not_a_mapping_is_refused(write: Write, text: str, problem: str) -> None:
    assert problem in message_of(write(text))
