"""What the readable form of a template hides, and what it never does."""

from typing import Any

import pytest

from ops.snapshots import ReadableStack, difference, manifests_to_yaml, readable, renamed, to_yaml

ASSET, OTHER_ASSET = "a1" * 32, "b2" * 32


def _template(resource_type: str = "AWS::SQS::Queue", logical_id: str = "Jobs0A1B2C3D", **properties: Any) -> Any:
    return {"Resources": {logical_id: {"Type": resource_type, "Properties": properties}}}


def _function(**properties: Any) -> Any:
    return _template("AWS::Lambda::Function", Handler="index.handler", Description="ours", **properties)


def _layer(description: str) -> Any:
    return _template("AWS::Lambda::LayerVersion", Description=description)


def _own_function(runtime: str) -> Any:
    return _template("AWS::Lambda::Function", Handler="framework.onEvent", Runtime=runtime)


def _version(code_hash: str) -> Any:
    return _template("AWS::Lambda::Version", logical_id=f"HandlerCurrentVersion0A1B2C3D{code_hash}")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_function(Code={"S3Key": f"{ASSET}.zip"}), _function(Code={"S3Key": f"{OTHER_ASSET}.zip"})),
        (_layer("kubectl 1.36.3; helm 4.2.3"), _layer("kubectl 1.36.4; helm 4.3.0")),
        (_own_function("nodejs24.x"), _own_function("nodejs26.x")),
        (_version("1f" * 16), _version("2e" * 16)),
    ],
    ids=["asset", "layer", "runtime of the CDK's function", "function version"],
)
def test_a_release_of_the_cdk_alone_changes_nothing(before: Any, after: Any) -> None:
    assert readable(before) == readable(after)


def test_the_runtime_of_our_own_functions_is_shown() -> None:
    found = difference(readable(_function(Runtime="python3.13")), readable(_function(Runtime="python3.14")))

    assert found == {"changed": {"Jobs0A1B2C3D.Properties.Runtime": {"from": "python3.13", "to": "python3.14"}}}


def test_references_become_text_within_their_string() -> None:
    arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":x:", {"Fn::GetAtt": ["Jobs0A1B2C3D", "Arn"]}]]}

    stack = readable(_template(Tag=arn, Literal="${kept}"))

    properties = stack.template["Resources"]["Jobs0A1B2C3D"]["Properties"]
    assert properties == {"Tag": "arn:${AWS::Partition}:x:${Jobs0A1B2C3D.Arn}", "Literal": "${!kept}"}


def test_json_in_a_string_becomes_a_structure() -> None:
    stack = readable(_template(Policy='{"b": 1, "a": [{"Ref": "text"}]}'))

    assert stack.template["Resources"]["Jobs0A1B2C3D"]["Properties"]["Policy"] == {"a": [{"Ref": "text"}], "b": 1}


def test_manifests_are_documents_of_their_own() -> None:
    manifest = {"Fn::Join": ["", ['[{"kind": "Namespace", "metadata": {"name": "', {"Ref": "Name"}, '"}}]']]}

    stack = readable(_template("Custom::AWSCDK-EKS-KubernetesResource", Manifest=manifest))

    assert manifests_to_yaml(stack.manifests["Jobs"]) == "---\n{kind: Namespace, metadata: {name: '${Name}'}}\n"
    assert stack.template["Resources"]["Jobs0A1B2C3D"]["Properties"] == {"Manifest": "in the file of Jobs"}


def test_stacks_of_two_regions_compare_as_one() -> None:
    def of(region: str, logical_id: str) -> ReadableStack:
        template = _template(logical_id=logical_id, QueueName=f"app-{region}-jobs", Zone=f"{region}a")
        return renamed(readable(template), {"app": "<app>", region: "<region>", f"app-{region}": "<app>-<region>"})

    here, there = of("eu-west-1", "Rulefromappeuwest1Jobs0A1B2C3D"), of("us-east-1", "Rulefromappuseast1Jobs4E5F6A7B")

    assert difference(here, there) == {}
    assert here.template["Resources"]["Rulefrom<app>-<region>Jobs"]["Properties"]["Zone"] == "<region>a"


def test_what_came_went_and_changed_is_told_by_path() -> None:
    before = readable({"Resources": {**_template(Rules=["a", "b"], Size=1)["Resources"], "Old": {"Type": "T"}}})
    after = readable({"Resources": {**_template(Rules=["a", "b", "c"], Kind="x")["Resources"], "New": {"Type": "T"}}})

    assert difference(before, after) == {
        "removed": {"Old": "T"},
        "added": {"New": {"Type": "T"}},
        "changed": {
            "Jobs0A1B2C3D.Properties.Kind": {"added": "x"},
            "Jobs0A1B2C3D.Properties.Rules": {"added": ["c"]},
            "Jobs0A1B2C3D.Properties.Size": {"removed": 1},
        },
    }


def test_an_order_that_changes_is_a_change() -> None:
    found = difference(readable(_template(Rules=["a", "b"])), readable(_template(Rules=["b", "a"])))

    assert found == {"changed": {"Jobs0A1B2C3D.Properties.Rules": {"order": ["b", "a"]}}}


def test_yaml_puts_on_one_line_what_fits_there() -> None:
    rules = [f"a rule that is long enough for a line of its own {number}" for number in range(3)]

    lines = to_yaml({"Rules": rules, "Tags": [{"Key": "a", "Value": "b"}]}).splitlines()

    assert lines == ["Rules:", *(f"  - {rule}" for rule in rules), "Tags: [{Key: a, Value: b}]"]
