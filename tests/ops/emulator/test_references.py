"""References that nothing answers."""

from typing import Any

import pytest
from ministack.services.cloudformation.engine import _intrinsic_references

from ops.emulator.references import dangling, unresolved


@pytest.mark.parametrize(
    ("properties", "place"),
    [
        ({"VpcId": {"Ref": "Vpc"}}, "VpcId (Ref)"),
        ({"Rules": [{"Arn": {"Fn::GetStackOutput": {}}}]}, "Rules.0.Arn (Fn::GetStackOutput)"),
    ],
)
def test_finds_what_is_left_in_properties(properties: dict[str, Any], place: str) -> None:
    assert unresolved(properties) == [place]


def test_takes_ordinary_maps_for_what_they_are() -> None:
    assert unresolved({"Tags": {"Reference": "x"}, "Statement": [{"Action": "s3:*"}]}) == []


def test_finds_references_to_what_the_template_does_not_hold() -> None:
    template = {
        "Parameters": {"Size": {"Type": "String"}},
        "Resources": {
            "Queue": {"Properties": {"A": {"Ref": "Size"}, "B": {"Ref": "AWS::Region"}, "C": {"Ref": "Topic"}}}
        },
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Qeue", "Arn"]}}},
    }
    assert dangling(template, {}, _intrinsic_references) == ["Queue -> Topic", "output Arn -> Qeue"]
