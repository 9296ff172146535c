"""Custom resources run their function's own code, in Python and in Node.js."""

from typing import Any

import pytest

from ops.emulator import Emulator, current_resources

from .conftest import ACCOUNT, HERE, Deploy, Network, one

PYTHON = """
import json, urllib.request
def handler(event, context):
    {body}
    answer = {{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}}
    answer |= {{"Status": "SUCCESS", "PhysicalResourceId": "made", "Data": {{"Number": "42"}}}}
    request = urllib.request.Request(event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request)
"""
NODE = """
const { EC2, DescribeVpcsCommand, EC2Client } = require("@aws-sdk/client-ec2");
const http = require("http");
exports.handler = async (event) => {
  const all = await new EC2({}).describeVpcs({});
  const one = await new EC2Client({}).send(new DescribeVpcsCommand({ VpcIds: [all.Vpcs[0].VpcId] }));
  const answer = { Status: "SUCCESS", PhysicalResourceId: "made", Data: { Number: String(one.Vpcs.length) },
    StackId: event.StackId, RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId };
  await new Promise((done, failed) => {
    const request = http.request(event.ResponseURL, { method: "PUT" }, done);
    request.on("error", failed);
    request.end(JSON.stringify(answer));
  });
};
"""


def _resources(code: str, runtime: str) -> dict[str, Any]:
    function = {
        "Code": {"ZipFile": code}, "Handler": "index.handler", "Runtime": runtime,
        "Role": f"arn:aws:iam::{ACCOUNT}:role/function",
    }  # fmt: skip
    return {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Resource": {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}},
    }


@pytest.mark.parametrize(
    ("code", "runtime", "number"), [(PYTHON.format(body="pass"), "python3.13", "42"), (NODE, "nodejs22.x", "1")]
)
def test_the_function_answers(deploy: Deploy, emulator: Emulator, code: str, runtime: str, number: str) -> None:
    stack = deploy(_resources(code, runtime), {"Number": {"Fn::GetAtt": ["Resource", "Number"]}})
    assert stack.outputs == {"Number": number}, stack.reason
    entries = [entry for entry in current_resources(emulator.ledger()) if entry.stack == stack.name]
    assert {entry.logical_id: entry.how for entry in entries} == {"Function": "native", "Resource": "lambda"}
    assert all(entry.region == HERE for entry in entries)


def test_a_function_that_dies_fails_its_resource_at_once(deploy: Deploy) -> None:
    stack = deploy(_resources(PYTHON.format(body="raise RuntimeError('no luck')"), "python3.13"))
    assert "app/Resource (Resource): the function failed without an answer: no luck" in stack.reason


def _function_in(network: dict[str, Any] | None, name: str = "inside") -> dict[str, Any]:
    place = {"VpcConfig": network} if network else {}
    role = f"arn:aws:iam::{ACCOUNT}:role/function"
    code = {"Code": {"ZipFile": "def handler(event, context): pass"}, "Handler": "index.handler", "Role": role}
    return one("AWS::Lambda::Function", FunctionName=name, Runtime="python3.12", **code, **place)


def test_the_network_of_a_function_is_told_until_it_is_gone(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    def told() -> dict[str, Any]:
        answer = emulator.client("lambda").get_function_configuration(FunctionName="inside")
        network: dict[str, Any] = answer["VpcConfig"]
        return network

    stack = deploy(_function_in({"SubnetIds": here.subnets, "SecurityGroupIds": [here.group]}))
    assert stack.status == "CREATE_COMPLETE", stack.reason
    assert (told()["SubnetIds"], told()["SecurityGroupIds"]) == (here.subnets, [here.group])
    assert told()["VpcId"] == here.vpc
    stack.update(_function_in(None))
    assert told()["SubnetIds"] == []


def test_a_function_in_a_subnet_of_another_region(deploy: Deploy, there: Network) -> None:
    stack = deploy(_function_in({"SubnetIds": there.subnets, "SecurityGroupIds": []}, "abroad"))
    assert f"does not exist in {HERE}" in stack.reason
