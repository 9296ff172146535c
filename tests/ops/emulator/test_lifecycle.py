"""What surrounds every resource: schema, references, names, the ledger, and rollback."""

from typing import Any

from ops.emulator import Emulator, current_resources

from .conftest import HERE, THERE, Deploy


def _queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def test_a_property_the_schema_refuses_names_the_construct(deploy: Deploy) -> None:
    stack = deploy({"Orders": _queue(VisibilityTimeout=30, QueueNam="orders")})
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "app/Orders (Orders): properties that AWS::SQS::Queue refuses: unknown property 'QueueNam'" in stack.reason


def test_a_reference_to_nothing_refuses_the_template(deploy: Deploy) -> None:
    stack = deploy({"Orders": _queue(KmsMasterKeyId={"Ref": "Ky"})})
    assert stack.status == "REFUSED"
    assert "Unresolved resource dependencies [Orders -> Ky]" in stack.reason


def test_a_cycle_is_refused(deploy: Deploy) -> None:
    stack = deploy({"A": _queue(QueueName={"Ref": "B"}), "B": _queue(QueueName={"Ref": "A"})})
    assert stack.status == "CREATE_FAILED"
    assert "Circular dependency detected among resources: A, B" in stack.reason


def test_a_type_that_aws_does_not_have_is_refused(deploy: Deploy) -> None:
    stack = deploy({"Base": {"Type": "AWS::Moon::Base"}})
    assert "Unrecognized resource types: [AWS::Moon::Base]" in stack.reason


def test_an_output_is_read_in_the_region_it_is_in(deploy: Deploy) -> None:
    for region in (HERE, THERE):
        published = {"Arn": {"Fn::GetAtt": ["Orders", "Arn"]}}
        deploy({"Orders": _queue()}, published, region=region, name="publisher")
    reference = {"Fn::GetStackOutput": {"StackName": "publisher", "OutputName": "Arn", "Region": THERE}}
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": reference}}
    stack = deploy({"Parameter": parameter}, {"Value": {"Fn::GetAtt": ["Parameter", "Value"]}})
    assert stack.outputs["Value"].startswith(f"arn:aws:sqs:{THERE}:")


def test_a_missing_output_of_another_region_is_named(deploy: Deploy) -> None:
    deploy({"Orders": _queue()}, region=THERE, name="silent")
    reference = {"Fn::GetStackOutput": {"StackName": "silent", "OutputName": "Arn", "Region": THERE}}
    stack = deploy({"Orders": _queue(QueueName=reference)})
    assert f"stack 'silent' in {THERE} has no output 'Arn'" in stack.reason


def test_a_missing_stack_of_another_region_is_named(deploy: Deploy) -> None:
    deploy({"Orders": _queue()}, {"Arn": "x"}, region=HERE, name="here-only")
    reference = {"Fn::GetStackOutput": {"StackName": "here-only", "OutputName": "Arn", "Region": THERE}}
    stack = deploy({"Orders": _queue(QueueName=reference)})
    assert f"there is no stack 'here-only' in {THERE}" in stack.reason


def test_a_name_belongs_to_one_resource_of_a_region(deploy: Deploy) -> None:
    first = deploy({"Orders": _queue(QueueName="taken")})
    second = deploy({"Other": _queue(QueueName="taken")})
    elsewhere = deploy({"Other": _queue(QueueName="taken")}, region=THERE)
    assert first.status == elsewhere.status == "CREATE_COMPLETE"
    assert f"'taken' exists already in {HERE}: it belongs to Orders of stack {first.name}" in second.reason


def test_a_role_name_belongs_to_one_resource_of_the_account(deploy: Deploy) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "operator", "AssumeRolePolicyDocument": trust}}
    assert deploy({"Role": role}).status == "CREATE_COMPLETE"
    assert "'operator' exists already in the account" in deploy({"Role": role}, region=THERE).reason


def test_a_deleted_stack_frees_its_names(deploy: Deploy) -> None:
    deploy({"Orders": _queue(QueueName="reused")}).delete()
    assert deploy({"Orders": _queue(QueueName="reused")}).status == "CREATE_COMPLETE"


def test_a_failed_stack_frees_its_names(deploy: Deploy) -> None:
    deploy({"Orders": _queue(QueueName="again"), "Bad": _queue(DelaySeconds="soon")})
    assert deploy({"Orders": _queue(QueueName="again")}).status == "CREATE_COMPLETE"


def test_a_failing_update_goes_back_to_the_old_values(deploy: Deploy, emulator: Emulator) -> None:
    stack = deploy({"Orders": _queue(QueueName="stable", VisibilityTimeout=30)})
    bad = {**_queue(DelaySeconds="soon"), "DependsOn": "Orders"}
    stack.update({"Orders": _queue(QueueName="stable", VisibilityTimeout=60), "Bad": bad})
    sqs = emulator.client("sqs")
    url = sqs.get_queue_url(QueueName="stable")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert attributes["VisibilityTimeout"] == "30"


def test_the_ledger_tells_what_stands_behind_a_resource(deploy: Deploy, emulator: Emulator) -> None:
    accelerator = {"Type": "AWS::GlobalAccelerator::Accelerator", "Properties": {"Name": "told"}}
    query = {"Type": "AWS::Logs::QueryDefinition", "Properties": {"Name": "errors", "QueryString": "fields @message"}}
    stack = deploy({"Orders": _queue(), "Accelerator": accelerator, "Query": query})
    entries = {entry.logical_id: entry for entry in current_resources(emulator.ledger()) if entry.stack == stack.name}
    assert {name: entry.how for name, entry in entries.items()} == {
        "Orders": "native", "Accelerator": "handled", "Query": "recorded",
    }  # fmt: skip
    assert entries["Query"].reason == "saved queries have no effect on what runs"
    assert entries["Orders"].construct_path == "app/Orders"


def test_a_kept_resource_is_told_from_a_deleted_one(deploy: Deploy, emulator: Emulator) -> None:
    stack = deploy({"Kept": {**_queue(), "DeletionPolicy": "Retain"}, "Gone": _queue()}).delete()
    left = [entry for entry in current_resources(emulator.ledger()) if entry.stack == stack.name]
    assert [(entry.logical_id, entry.operation) for entry in left] == [("Kept", "retain")]


def test_a_recorded_resource_is_gone_from_the_state_after_its_stack(deploy: Deploy, emulator: Emulator) -> None:
    query = {"Type": "AWS::Logs::QueryDefinition", "Properties": {"Name": "slow", "QueryString": "fields @message"}}
    stack = deploy({"Query": query})
    assert len(emulator.state()["AWS::Logs::QueryDefinition"][HERE]) >= 1
    before = emulator.state()["AWS::Logs::QueryDefinition"][HERE]
    stack.delete()
    after = emulator.state().get("AWS::Logs::QueryDefinition", {}).get(HERE, {})
    assert len(after) == len(before) - 1
