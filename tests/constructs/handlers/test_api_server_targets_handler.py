"""The function that keeps the API server's targets current."""

import importlib.util
import json
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HANDLER = Path(__file__).parents[3] / "constructs" / "ha_constructs" / "handlers" / "api_server_targets" / "index.py"
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/api/0123456789abcdef"


class FakeAws:
    """Interfaces and targets, and a record of what was changed in which order."""

    def __init__(self) -> None:
        self.interfaces: list[str] = []
        self.targets: dict[str, str] = {}
        self.calls: list[tuple[str, list[str]]] = []
        self.filters: dict[str, list[str]] = {}
        self.failure: Exception | None = None

    def client(self, _service: str, **_options: Any) -> "FakeAws":
        return self

    def get_paginator(self, _name: str) -> "FakeAws":
        return self

    def paginate(self, *, Filters: list[dict[str, Any]]) -> list[dict[str, Any]]:  # noqa: N803
        if self.failure:
            raise self.failure
        self.filters = {entry["Name"]: entry["Values"] for entry in Filters}
        # Two pages, so that a function that reads one only is found out.
        return [
            {"NetworkInterfaces": [{"PrivateIpAddress": address} for address in page]}
            for page in (self.interfaces[:1], self.interfaces[1:])
        ]

    def describe_target_health(self, *, TargetGroupArn: str) -> dict[str, Any]:  # noqa: N803
        assert TargetGroupArn == GROUP
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": address, "Port": 443}, "TargetHealth": {"State": state}}
                for address, state in self.targets.items()
            ]
        }

    def register_targets(self, *, TargetGroupArn: str, Targets: list[dict[str, Any]]) -> None:  # noqa: N803
        assert TargetGroupArn == GROUP
        self.calls.append(("register", [f"{target['Id']}:{target['Port']}" for target in Targets]))

    def deregister_targets(self, *, TargetGroupArn: str, Targets: list[dict[str, Any]]) -> None:  # noqa: N803
        assert TargetGroupArn == GROUP
        self.calls.append(("deregister", [f"{target['Id']}:{target['Port']}" for target in Targets]))


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("CLUSTER_NAME", "test-eu-west-1")
    monkeypatch.setenv("CLUSTER_SECURITY_GROUP_ID", "sg-1")
    monkeypatch.setenv("TARGET_GROUP_ARN", GROUP)
    monkeypatch.setenv("VPC_ID", "vpc-1")
    specification = importlib.util.spec_from_file_location("api_server_targets_index", HANDLER)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def aws(index: ModuleType, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    fake = FakeAws()
    monkeypatch.setattr(index, "boto3", fake)
    return fake


@pytest.fixture
def answers(index: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(index, "send", lambda url, answer: sent.append({"url": url, **answer}))
    return sent


def request(kind: str, **changes: str) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": "https://example.com/answer",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Targets",
        **changes,
    }


def test_interfaces_of_every_page_are_registered(index: ModuleType, aws: FakeAws) -> None:
    aws.interfaces = ["10.0.0.1", "10.0.1.1"]
    assert index.handler({}, None) == {"Found": 2, "Registered": 2, "Deregistered": 0}
    assert aws.calls == [("register", ["10.0.0.1:443", "10.0.1.1:443"])]


def test_interfaces_are_those_of_this_cluster_in_its_network(index: ModuleType, aws: FakeAws) -> None:
    aws.interfaces = ["10.0.0.1"]
    index.handler({}, None)
    assert aws.filters == {
        "description": ["Amazon EKS test-eu-west-1"],
        "vpc-id": ["vpc-1"],
        "group-id": ["sg-1"],
        "status": ["in-use"],
    }


def test_replaced_interface_is_registered_before_the_old_one_goes(index: ModuleType, aws: FakeAws) -> None:
    aws.interfaces = ["10.0.0.1", "10.0.1.2"]
    aws.targets = {"10.0.0.1": "healthy", "10.0.1.1": "unhealthy"}
    index.handler({}, None)
    assert aws.calls == [("register", ["10.0.1.2:443"]), ("deregister", ["10.0.1.1:443"])]


def test_nothing_changes_when_all_is_well(index: ModuleType, aws: FakeAws) -> None:
    aws.interfaces = ["10.0.0.1"]
    aws.targets = {"10.0.0.1": "healthy", "10.0.1.1": "draining"}
    index.handler({}, None)
    assert aws.calls == []


def test_returning_address_that_still_drains_is_registered_again(index: ModuleType, aws: FakeAws) -> None:
    aws.interfaces = ["10.0.0.1"]
    aws.targets = {"10.0.0.1": "draining"}
    index.handler({}, None)
    assert aws.calls == [("register", ["10.0.0.1:443"])]


def test_schedule_keeps_all_targets_and_fails_when_no_interface_is_seen(index: ModuleType, aws: FakeAws) -> None:
    aws.targets = {"10.0.0.1": "healthy"}
    with pytest.raises(RuntimeError, match="kept as is"):
        index.handler({}, None)
    assert aws.calls == []


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_deployment_goes_on_when_no_interface_is_seen_yet(
    index: ModuleType, aws: FakeAws, answers: list[dict[str, Any]], kind: str
) -> None:
    aws.targets = {"10.0.0.1": "healthy"}
    index.handler(request(kind), None)
    assert (answers[0]["Status"], answers[0]["Data"]["Found"]) == ("SUCCESS", 0)
    assert aws.calls == []


def test_creation_answers_with_the_counts(index: ModuleType, aws: FakeAws, answers: list[dict[str, Any]]) -> None:
    aws.interfaces = ["10.0.0.1"]
    index.handler(request("Create"), None)
    assert answers == [
        {
            "url": "https://example.com/answer",
            "Status": "SUCCESS",
            "PhysicalResourceId": "api-server-targets-test-eu-west-1",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Targets",
            "Data": {"Found": 1, "Registered": 1, "Deregistered": 0},
        }
    ]


def test_update_keeps_the_physical_id(index: ModuleType, aws: FakeAws, answers: list[dict[str, Any]]) -> None:
    aws.interfaces = ["10.0.0.1"]
    index.handler(request("Update", PhysicalResourceId="given-before"), None)
    assert answers[0]["PhysicalResourceId"] == "given-before"


def test_deletion_touches_nothing_and_succeeds(index: ModuleType, aws: FakeAws, answers: list[dict[str, Any]]) -> None:
    aws.failure = RuntimeError("nobody home")
    index.handler(request("Delete", PhysicalResourceId="given-before"), None)
    assert answers[0]["Status"] == "SUCCESS"
    assert aws.calls == []


def test_failure_is_answered_too(index: ModuleType, aws: FakeAws, answers: list[dict[str, Any]]) -> None:
    aws.failure = RuntimeError("denied " * 500)
    index.handler(request("Create"), None)
    assert answers[0]["Status"] == "FAILED"
    assert answers[0]["Reason"].startswith("RuntimeError: denied")
    assert len(answers[0]["Reason"]) <= 1024


def test_answer_is_put_again_after_a_broken_connection(index: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Accepted:
        def __enter__(self) -> "Accepted":
            return self

        def __exit__(self, *_details: object) -> None:
            return None

    def urlopen(put: urllib.request.Request, timeout: float) -> Accepted:
        seen.append((put.get_method(), put.full_url, json.loads(put.data or b""), timeout))  # type: ignore[arg-type]
        if len(seen) == 1:
            raise ConnectionResetError
        return Accepted()

    monkeypatch.setattr(index.urllib.request, "urlopen", urlopen)
    index.send("https://example.com/answer", {"Status": "SUCCESS"})
    assert [entry[:3] for entry in seen] == [("PUT", "https://example.com/answer", {"Status": "SUCCESS"})] * 2


def test_undeliverable_answer_is_an_error(index: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def urlopen(put: urllib.request.Request, timeout: float) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(index.urllib.request, "urlopen", urlopen)
    with pytest.raises(ConnectionResetError):
        index.send("https://example.com/answer", {"Status": "SUCCESS"})
