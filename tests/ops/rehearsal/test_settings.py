"""What counts as the declared setting found again."""

from typing import Any

import pytest

from ops.rehearsal.verify.settings import compare, resolved


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        (True, "true"),
        (443, "443"),
        (1, 1.0),
        ("arn:aws:kms:eu-west-1:111122223333:key/abc", "abc"),
        (["b", "a"], ["a", "b"]),
        ({"maxReceiveCount": 5}, '{"maxReceiveCount": "5"}'),
        ("s3:GetObject", ["s3:GetObject"]),
    ],
)
def test_spellings_of_the_same_value_are_the_same(declared: Any, found: Any) -> None:
    assert [check.outcome for check in compare({"Setting": declared}, {"Setting": found})] == ["same"]


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        (True, "false"),
        (10, 1),
        ("10.0.0.0/16", "10.0.0.0/1"),
        ("key", "monkey"),
        (["a", "a"], ["a", "b"]),
        (["a"], ["a", "b"]),
        ({"maxReceiveCount": 5}, '{"maxReceiveCount": "6"}'),
    ],
)
def test_other_values_differ(declared: Any, found: Any) -> None:
    outcomes = [check.outcome for check in compare({"Setting": {"Value": declared}}, {"Setting": {"Value": found}})]
    assert outcomes == ["differs"]


def test_a_setting_that_the_service_does_not_tell_is_untold() -> None:
    assert [check.outcome for check in compare({"A": 1, "B": 2}, {"A": None})] == ["untold", "untold"]


def test_settings_inside_others_are_named_by_their_path() -> None:
    checks = compare({"Logging": {"Enabled": True, "Level": "info"}}, {"Logging": {"Enabled": True}})
    assert {check.setting: check.outcome for check in checks} == {"Logging.Enabled": "same", "Logging.Level": "untold"}


def test_tags_of_cloudformation_are_no_difference() -> None:
    declared = {"Tags": [{"Key": "team", "Value": "a"}]}
    found = {"Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "s"}, {"Key": "team", "Value": "a"}]}
    assert compare(declared, found)[0].outcome == "same"
    assert compare(declared, {"Tags": [{"Key": "team", "Value": "b"}]})[0].outcome == "differs"


def test_references_are_taken_from_what_was_deployed_and_literals_from_the_template() -> None:
    template = {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24", "Tags": [{"Key": "a", "Value": {"Ref": "Vpc"}}]}
    deployed = {"VpcId": "vpc-1", "CidrBlock": "10.9.9.0/24", "Tags": [{"Key": "a", "Value": "vpc-1"}]}
    assert resolved(template, deployed) == {
        "VpcId": "vpc-1",
        "CidrBlock": "10.0.0.0/24",
        "Tags": [{"Key": "a", "Value": "vpc-1"}],
    }
