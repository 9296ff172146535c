"""The registrar's handler against small regional fakes, whose calls are checked with the services' own models."""

import copy
import http.server
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from ha_constructs.handlers.registrar import index, peering, registry_replication, secret_replica

OWN, PEER = "us-east-1", "eu-west-1"
KEY = f"arn:aws:kms:{OWN}:111111111111:key/mrk-1"
SECRET_ARN = f"arn:aws:secretsmanager:{PEER}:111111111111:secret:production/database-a1b2c3"


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"refused: {code}"}}, "Operation")


class Checked:
    """A fake client that takes only what the service's model allows."""

    def __init__(self, service: str, fake: Any) -> None:
        self._model = botocore.session.get_session().get_service_model(service)
        self._operations = {xform_name(name): name for name in self._model.operation_names}
        self._fake = fake

    def __getattr__(self, name: str) -> Callable[..., Any]:
        shape = self._model.operation_model(self._operations[name]).input_shape

        def call(**parameters: Any) -> Any:
            if shape is not None:
                validate_parameters(parameters, shape)
            self._fake.calls.append(name)
            if self._fake.denials:
                self._fake.denials -= 1
                raise refusal("AccessDenied")
            return getattr(self._fake, name)(**parameters)

        return call


class Fake:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.denials = 0


class Network(Fake):
    """EC2 of one region."""

    def __init__(self, statuses: list[str], tables: dict[str, dict[str, str]]) -> None:
        super().__init__()
        self.statuses = statuses
        self.tables = tables
        self.options: dict[str, Any] = {}

    def describe_vpc_peering_connections(self, VpcPeeringConnectionIds: list[str]) -> dict[str, Any]:  # noqa: N803
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == "unknown":
            raise refusal("InvalidVpcPeeringConnectionID.NotFound")
        return {"VpcPeeringConnections": [{"Status": {"Code": status, "Message": "because"}}]}

    def accept_vpc_peering_connection(self, VpcPeeringConnectionId: str) -> None:  # noqa: N803
        self.statuses = ["active"]

    def modify_vpc_peering_connection_options(self, **parameters: Any) -> None:
        self.options = parameters

    def create_route(self, RouteTableId: str, DestinationCidrBlock: str, VpcPeeringConnectionId: str) -> None:  # noqa: N803
        if DestinationCidrBlock in self.tables[RouteTableId]:
            raise refusal("RouteAlreadyExists")
        self.tables[RouteTableId][DestinationCidrBlock] = VpcPeeringConnectionId

    def replace_route(self, RouteTableId: str, DestinationCidrBlock: str, VpcPeeringConnectionId: str) -> None:  # noqa: N803
        self.tables[RouteTableId][DestinationCidrBlock] = VpcPeeringConnectionId

    def describe_route_tables(self, RouteTableIds: list[str]) -> dict[str, Any]:  # noqa: N803
        if RouteTableIds[0] not in self.tables:
            raise refusal("InvalidRouteTableID.NotFound")
        local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}
        routes = [
            {"DestinationCidrBlock": cidr, "VpcPeeringConnectionId": target}
            for cidr, target in self.tables[RouteTableIds[0]].items()
        ]
        return {"RouteTables": [{"Routes": [local, *routes]}]}

    def delete_route(self, RouteTableId: str, DestinationCidrBlock: str) -> None:  # noqa: N803
        del self.tables[RouteTableId][DestinationCidrBlock]


class Secrets(Fake):
    """Secrets Manager of the primary region, with one secret."""

    def __init__(self) -> None:
        super().__init__()
        self.replicas: dict[str, dict[str, str]] = {}
        self.outcome: list[str] = ["InProgress", "InSync"]  # what a new replica becomes, look by look
        self.pending: list[str] = []
        self.exists = True

    def describe_secret(self, SecretId: str) -> dict[str, Any]:  # noqa: N803
        if not self.exists:
            raise refusal("ResourceNotFoundException")
        answer = {"ARN": SECRET_ARN, "ReplicationStatus": copy.deepcopy(list(self.replicas.values()))}
        for replica in self.replicas.values():
            if self.pending:
                replica["Status"] = self.pending.pop(0)
        return answer

    def replicate_secret_to_regions(self, SecretId: str, AddReplicaRegions: list[dict[str, str]]) -> None:  # noqa: N803
        self.pending = list(self.outcome)
        for target in AddReplicaRegions:
            self.replicas[target["Region"]] = {**target, "Status": "InProgress", "StatusMessage": "name is taken"}

    def remove_regions_from_replication(self, SecretId: str, RemoveReplicaRegions: list[str]) -> None:  # noqa: N803
        for region in RemoveReplicaRegions:
            del self.replicas[region]


class Registry(Fake):
    """ECR of the primary region; ``lost_writes`` of the next writes are overwritten by somebody else."""

    def __init__(self, rules: list[dict[str, Any]]) -> None:
        super().__init__()
        self.rules = rules
        self.lost_writes = 0

    def describe_registry(self) -> dict[str, Any]:
        return {"registryId": "111111111111", "replicationConfiguration": {"rules": copy.deepcopy(self.rules)}}

    def put_replication_configuration(self, replicationConfiguration: dict[str, Any]) -> None:  # noqa: N803
        if self.lost_writes:
            self.lost_writes -= 1
            return
        self.rules = replicationConfiguration["rules"]


class Context:
    """An invocation's context: time that passes with every pause."""

    def __init__(self) -> None:
        self.milliseconds = 600_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.fixture(autouse=True)
def context(monkeypatch: pytest.MonkeyPatch) -> Context:
    context = Context()

    def sleep(seconds: float) -> None:
        context.milliseconds -= int(seconds * 1000)

    monkeypatch.setattr(time, "sleep", sleep)
    return context


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Fake]:
    """The fakes by service and region; the handler can reach no others."""
    fakes: dict[tuple[str, str], Fake] = {}

    def connect(service: str, region: str) -> Checked:
        return Checked(service, fakes[service, region])

    for module in (peering, secret_replica, registry_replication):
        monkeypatch.setattr(module, "connect", connect)
    return fakes


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    class Response:
        def __enter__(self) -> None:
            return None

        def __exit__(self, *_: object) -> None:
            return None

    def urlopen(request: Any, timeout: float) -> Response:
        assert (request.method, request.full_url) == ("PUT", "https://answer.example/signed")
        assert len(request.data) < 4096
        sent.append(json.loads(request.data))
        return Response()

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return sent


Send = Callable[..., dict[str, Any]]


@pytest.fixture
def send(answers: list[dict[str, Any]], context: Context) -> Send:
    def send(request: str, kind: str, properties: dict[str, Any], **fields: Any) -> dict[str, Any]:
        event = {
            "RequestType": request,
            "ResponseURL": "https://answer.example/signed",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Logical",
            "ResourceType": f"Custom::{kind}",
            "ResourceProperties": {"ServiceToken": "arn", **properties},
            **fields,
        }
        index.handler(event, context)
        return answers[-1]

    return send


class TestPeering:
    PROPERTIES = {
        "ConnectionId": "pcx-1",
        "OwnCidr": "10.1.0.0/16",
        "OwnRegion": OWN,
        "PeerRegion": PEER,
        "PeerRouteTableIds": "rtb-1,rtb-2",
    }

    @pytest.fixture
    def own(self, clients: dict[tuple[str, str], Fake]) -> Network:
        clients["ec2", OWN] = network = Network(["active"], {})
        return network

    @pytest.fixture
    def peer(self, clients: dict[tuple[str, str], Fake], own: Network) -> Network:
        clients["ec2", PEER] = network = Network(["active"], {"rtb-1": {}, "rtb-2": {}})
        return network

    def test_creation_routes_back_in_every_table(self, send: Send, peer: Network) -> None:
        answer = send("Create", "PeeringRegistration", self.PROPERTIES)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "pcx-1/registration")
        assert peer.tables == {"rtb-1": {"10.1.0.0/16": "pcx-1"}, "rtb-2": {"10.1.0.0/16": "pcx-1"}}

    def test_creation_sets_dns_resolution_from_each_side(self, send: Send, own: Network, peer: Network) -> None:
        send("Create", "PeeringRegistration", self.PROPERTIES)
        resolve = {"AllowDnsResolutionFromRemoteVpc": True}
        assert own.options == {"VpcPeeringConnectionId": "pcx-1", "RequesterPeeringConnectionOptions": resolve}
        assert peer.options == {"VpcPeeringConnectionId": "pcx-1", "AccepterPeeringConnectionOptions": resolve}

    def test_creation_twice_changes_nothing(self, send: Send, peer: Network) -> None:
        send("Create", "PeeringRegistration", self.PROPERTIES)
        before = copy.deepcopy(peer.tables)
        assert send("Create", "PeeringRegistration", self.PROPERTIES)["Status"] == "SUCCESS"
        assert peer.tables == before

    def test_creation_replaces_a_route_that_leads_elsewhere(self, send: Send, peer: Network) -> None:
        peer.tables["rtb-1"]["10.1.0.0/16"] = "pcx-gone"
        send("Create", "PeeringRegistration", self.PROPERTIES)
        assert peer.tables["rtb-1"] == {"10.1.0.0/16": "pcx-1"}

    def test_creation_waits_for_the_connection(self, send: Send, own: Network, peer: Network) -> None:
        peer.statuses = ["unknown", "provisioning", "active"]
        own.statuses = ["provisioning", "active"]
        assert send("Create", "PeeringRegistration", self.PROPERTIES)["Status"] == "SUCCESS"
        assert "accept_vpc_peering_connection" not in peer.calls

    def test_creation_accepts_a_pending_connection_in_the_peer_region(
        self, send: Send, own: Network, peer: Network
    ) -> None:
        peer.statuses = ["pending-acceptance"]
        own.statuses = ["pending-acceptance", "active"]
        assert send("Create", "PeeringRegistration", self.PROPERTIES)["Status"] == "SUCCESS"
        assert "accept_vpc_peering_connection" in peer.calls
        assert "accept_vpc_peering_connection" not in own.calls

    def test_connection_accepted_meanwhile_is_fine(
        self, send: Send, peer: Network, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer.statuses = ["pending-acceptance", "active"]

        def accept(**_: str) -> None:
            raise refusal("InvalidStateTransition")

        monkeypatch.setattr(peer, "accept_vpc_peering_connection", accept)
        assert send("Create", "PeeringRegistration", self.PROPERTIES)["Status"] == "SUCCESS"

    def test_creation_fails_with_the_reason_of_a_failed_connection(self, send: Send, peer: Network) -> None:
        peer.statuses = ["failed"]
        answer = send("Create", "PeeringRegistration", self.PROPERTIES)
        assert answer["Status"] == "FAILED"
        assert "pcx-1 is failed: because" in answer["Reason"]

    def test_creation_gives_up_in_time_to_answer(self, send: Send, peer: Network, context: Context) -> None:
        peer.statuses = ["provisioning"]
        answer = send("Create", "PeeringRegistration", self.PROPERTIES)
        assert answer["Status"] == "FAILED"
        assert "gave up waiting" in answer["Reason"]
        assert context.milliseconds >= 30_000

    def test_update_follows_the_peers_tables(self, send: Send, peer: Network) -> None:
        created = send("Create", "PeeringRegistration", self.PROPERTIES)
        peer.tables["rtb-3"] = {}
        send(
            "Update",
            "PeeringRegistration",
            self.PROPERTIES | {"PeerRouteTableIds": "rtb-2,rtb-3"},
            OldResourceProperties=self.PROPERTIES,
            PhysicalResourceId=created["PhysicalResourceId"],
        )
        route = {"10.1.0.0/16": "pcx-1"}
        assert peer.tables == {"rtb-1": {}, "rtb-2": route, "rtb-3": route}

    def test_update_to_another_connection_leaves_the_old_for_deletion(self, send: Send, peer: Network) -> None:
        created = send("Create", "PeeringRegistration", self.PROPERTIES)
        new = self.PROPERTIES | {"ConnectionId": "pcx-2", "PeerRouteTableIds": "rtb-2"}
        updated = send(
            "Update",
            "PeeringRegistration",
            new,
            OldResourceProperties=self.PROPERTIES,
            PhysicalResourceId=created["PhysicalResourceId"],
        )
        assert updated["PhysicalResourceId"] == "pcx-2/registration"
        assert peer.tables == {"rtb-1": {"10.1.0.0/16": "pcx-1"}, "rtb-2": {"10.1.0.0/16": "pcx-2"}}
        send("Delete", "PeeringRegistration", self.PROPERTIES, PhysicalResourceId=created["PhysicalResourceId"])
        assert peer.tables == {"rtb-1": {}, "rtb-2": {"10.1.0.0/16": "pcx-2"}}

    def test_deletion_removes_its_routes_and_no_others(self, send: Send, peer: Network) -> None:
        created = send("Create", "PeeringRegistration", self.PROPERTIES)
        peer.tables["rtb-1"]["10.2.0.0/16"] = "pcx-other"
        answer = send(
            "Delete", "PeeringRegistration", self.PROPERTIES, PhysicalResourceId=created["PhysicalResourceId"]
        )
        assert answer["Status"] == "SUCCESS"
        assert peer.tables == {"rtb-1": {"10.2.0.0/16": "pcx-other"}, "rtb-2": {}}

    def test_deletion_tolerates_tables_that_are_gone(self, send: Send, peer: Network) -> None:
        peer.tables = {"rtb-2": {"10.1.0.0/16": "pcx-1"}}
        answer = send("Delete", "PeeringRegistration", self.PROPERTIES, PhysicalResourceId="pcx-1/registration")
        assert answer["Status"] == "SUCCESS"
        assert peer.tables == {"rtb-2": {}}

    def test_fresh_permissions_are_waited_for(self, send: Send, peer: Network) -> None:
        peer.denials = 3
        assert send("Create", "PeeringRegistration", self.PROPERTIES)["Status"] == "SUCCESS"

    def test_lasting_denial_is_told(
        self, send: Send, peer: Network, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: -context.milliseconds / 1000)
        peer.denials = 1000
        answer = send("Create", "PeeringRegistration", self.PROPERTIES)
        assert answer["Status"] == "FAILED"
        assert "AccessDenied" in answer["Reason"]
        assert context.milliseconds > 500_000


class TestSecretReplica:
    PROPERTIES = {
        "SecretId": "production/database",
        "PrimaryRegion": PEER,
        "ReplicaRegion": OWN,
        "KmsKeyId": KEY,
    }

    @pytest.fixture
    def secrets(self, clients: dict[tuple[str, str], Fake]) -> Secrets:
        clients["secretsmanager", PEER] = secrets = Secrets()
        return secrets

    def test_creation_replicates_with_the_regions_key_and_waits(self, send: Send, secrets: Secrets) -> None:
        answer = send("Create", "SecretReplica", self.PROPERTIES)
        assert answer["Status"] == "SUCCESS"
        assert answer["PhysicalResourceId"] == f"production/database@{OWN}"
        assert answer["Data"] == {"ReplicaArn": SECRET_ARN.replace(PEER, OWN)}
        assert secrets.replicas[OWN]["KmsKeyId"] == KEY
        assert secrets.replicas[OWN]["Status"] == "InSync"

    def test_creation_twice_replicates_once(self, send: Send, secrets: Secrets) -> None:
        send("Create", "SecretReplica", self.PROPERTIES)
        assert send("Create", "SecretReplica", self.PROPERTIES)["Status"] == "SUCCESS"
        assert secrets.calls.count("replicate_secret_to_regions") == 1

    def test_key_named_by_its_id_is_the_same_key(self, send: Send, secrets: Secrets) -> None:
        secrets.replicas[OWN] = {"Region": OWN, "Status": "InSync", "KmsKeyId": "mrk-1"}
        assert send("Create", "SecretReplica", self.PROPERTIES)["Status"] == "SUCCESS"
        assert "replicate_secret_to_regions" not in secrets.calls

    def test_update_to_another_key_replicates_anew(self, send: Send, secrets: Secrets) -> None:
        created = send("Create", "SecretReplica", self.PROPERTIES)
        answer = send(
            "Update",
            "SecretReplica",
            self.PROPERTIES | {"KmsKeyId": KEY.replace("mrk-1", "mrk-2")},
            OldResourceProperties=self.PROPERTIES,
            PhysicalResourceId=created["PhysicalResourceId"],
        )
        assert answer["Status"] == "SUCCESS"
        assert answer["PhysicalResourceId"] == created["PhysicalResourceId"]
        assert secrets.replicas[OWN]["KmsKeyId"].endswith("mrk-2")

    def test_failed_replica_is_made_anew(self, send: Send, secrets: Secrets) -> None:
        secrets.replicas[OWN] = {"Region": OWN, "Status": "Failed", "KmsKeyId": KEY}
        answer = send("Create", "SecretReplica", self.PROPERTIES)
        assert answer["Status"] == "SUCCESS"
        assert "remove_regions_from_replication" in secrets.calls

    def test_failed_replication_tells_why(self, send: Send, secrets: Secrets) -> None:
        secrets.outcome = ["Failed"]
        answer = send("Create", "SecretReplica", self.PROPERTIES)
        assert answer["Status"] == "FAILED"
        assert "name is taken" in answer["Reason"]

    def test_replication_that_takes_too_long_is_told(self, send: Send, secrets: Secrets) -> None:
        secrets.outcome = []
        answer = send("Create", "SecretReplica", self.PROPERTIES)
        assert answer["Status"] == "FAILED"
        assert "InProgress" in answer["Reason"]

    def test_deletion_removes_the_replica_and_leaves_others(self, send: Send, secrets: Secrets) -> None:
        secrets.replicas = {OWN: {"Region": OWN}, "ap-south-1": {"Region": "ap-south-1"}}
        answer = send("Delete", "SecretReplica", self.PROPERTIES, PhysicalResourceId=f"production/database@{OWN}")
        assert answer["Status"] == "SUCCESS"
        assert set(secrets.replicas) == {"ap-south-1"}

    def test_deletion_tolerates_a_replica_that_is_gone(self, send: Send, secrets: Secrets) -> None:
        answer = send("Delete", "SecretReplica", self.PROPERTIES, PhysicalResourceId=f"production/database@{OWN}")
        assert answer["Status"] == "SUCCESS"
        assert secrets.calls == ["describe_secret"]

    def test_deletion_tolerates_a_secret_that_is_gone(self, send: Send, secrets: Secrets) -> None:
        secrets.exists = False
        answer = send("Delete", "SecretReplica", self.PROPERTIES, PhysicalResourceId=f"production/database@{OWN}")
        assert answer["Status"] == "SUCCESS"


def rule(prefix: str, *regions: str) -> dict[str, Any]:
    return {
        "destinations": [{"region": region, "registryId": "111111111111"} for region in regions],
        "repositoryFilters": [{"filter": prefix, "filterType": "PREFIX_MATCH"}],
    }


class TestRegistryReplication:
    PROPERTIES = {"PrimaryRegion": PEER, "DestinationRegion": OWN, "RepositoryPrefix": "production/"}

    @pytest.fixture
    def registry(self, clients: dict[tuple[str, str], Fake]) -> Registry:
        clients["ecr", PEER] = registry = Registry([])
        return registry

    def test_first_region_makes_the_rule(self, send: Send, registry: Registry) -> None:
        answer = send("Create", "RegistryReplication", self.PROPERTIES)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", f"production/@{OWN}")
        assert registry.rules == [rule("production/", OWN)]

    def test_next_region_joins_the_rule_and_leaves_others_alone(self, send: Send, registry: Registry) -> None:
        others = rule("staging/", "eu-north-1")
        registry.rules = [others, rule("production/", "ap-south-1")]
        send("Create", "RegistryReplication", self.PROPERTIES)
        assert registry.rules == [others, rule("production/", "ap-south-1", OWN)]

    def test_creation_twice_writes_once(self, send: Send, registry: Registry) -> None:
        send("Create", "RegistryReplication", self.PROPERTIES)
        send("Create", "RegistryReplication", self.PROPERTIES)
        assert registry.calls.count("put_replication_configuration") == 1

    def test_write_lost_to_another_region_is_repeated(self, send: Send, registry: Registry) -> None:
        registry.lost_writes = 2
        assert send("Create", "RegistryReplication", self.PROPERTIES)["Status"] == "SUCCESS"
        assert registry.rules == [rule("production/", OWN)]

    def test_deletion_leaves_the_other_regions(self, send: Send, registry: Registry) -> None:
        registry.rules = [rule("staging/", OWN), rule("production/", OWN, "ap-south-1")]
        answer = send("Delete", "RegistryReplication", self.PROPERTIES, PhysicalResourceId=f"production/@{OWN}")
        assert answer["Status"] == "SUCCESS"
        assert registry.rules == [rule("staging/", OWN), rule("production/", "ap-south-1")]

    def test_last_region_takes_the_rule_along(self, send: Send, registry: Registry) -> None:
        registry.rules = [rule("production/", OWN)]
        send("Delete", "RegistryReplication", self.PROPERTIES, PhysicalResourceId=f"production/@{OWN}")
        assert registry.rules == []

    def test_deletion_tolerates_a_rule_that_is_gone(self, send: Send, registry: Registry) -> None:
        answer = send("Delete", "RegistryReplication", self.PROPERTIES, PhysicalResourceId=f"production/@{OWN}")
        assert answer["Status"] == "SUCCESS"
        assert registry.calls == ["describe_registry"]

    def test_too_many_rules_are_told_before_writing(self, send: Send, registry: Registry) -> None:
        registry.rules = [rule(f"team{number}/", "eu-north-1") for number in range(10)]
        answer = send("Create", "RegistryReplication", self.PROPERTIES)
        assert answer["Status"] == "FAILED"
        assert "10 replication rules" in answer["Reason"]
        assert "put_replication_configuration" not in registry.calls

    def test_too_many_destinations_are_told_before_writing(self, send: Send, registry: Registry) -> None:
        registry.rules = [rule("all/", *(f"region-{number}" for number in range(25)))]
        answer = send("Create", "RegistryReplication", self.PROPERTIES)
        assert answer["Status"] == "FAILED"
        assert "25 destinations" in answer["Reason"]


class TestAnswer:
    PROPERTIES = {"PrimaryRegion": PEER, "DestinationRegion": OWN, "RepositoryPrefix": "production/"}

    def test_unknown_type_is_answered(self, send: Send) -> None:
        answer = send("Create", "Unheard", {})
        assert answer["Status"] == "FAILED"
        assert answer["PhysicalResourceId"] == "not-created/Logical"

    def test_what_was_never_created_is_deleted_without_a_call(self, send: Send) -> None:
        answer = send("Delete", "RegistryReplication", {}, PhysicalResourceId="not-created/Logical")
        assert answer["Status"] == "SUCCESS"

    def test_half_done_creation_is_deleted_under_its_own_id(
        self, send: Send, clients: dict[tuple[str, str], Fake]
    ) -> None:
        registry = Registry([])
        registry.denials = 1000
        clients["ecr", PEER] = registry
        answer = send("Create", "RegistryReplication", self.PROPERTIES)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", f"production/@{OWN}")

    def test_failed_update_keeps_the_id(self, send: Send, clients: dict[tuple[str, str], Fake]) -> None:
        clients["ecr", PEER] = Registry([rule(f"team{number}/", OWN) for number in range(10)])
        answer = send("Update", "RegistryReplication", self.PROPERTIES, PhysicalResourceId="before@region")
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "before@region")

    @pytest.mark.parametrize(("physical_id", "seen"), [("same", {"Value": "old"}), ("other", {})])
    def test_update_sees_old_properties_of_the_same_resource_only(
        self, send: Send, monkeypatch: pytest.MonkeyPatch, physical_id: str, seen: dict[str, str]
    ) -> None:
        received: list[dict[str, Any]] = []

        class Recorder:
            def __init__(self, patience: object) -> None:
                return

            def identity(self, properties: dict[str, Any]) -> str:
                return "same"

            def apply(self, properties: dict[str, Any], old: dict[str, Any]) -> dict[str, str]:
                received.append(old)
                return {}

        monkeypatch.setitem(index.REGISTRATIONS, "Custom::Recorder", Recorder)
        send("Update", "Recorder", {}, OldResourceProperties={"Value": "old"}, PhysicalResourceId=physical_id)
        assert received == [seen]

    def test_unexpected_error_is_answered_within_the_limit(
        self, send: Send, clients: dict[tuple[str, str], Fake], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry = Registry([])
        clients["ecr", PEER] = registry

        def explode() -> None:
            raise ZeroDivisionError('"\n€' * 5000)

        monkeypatch.setattr(registry, "describe_registry", explode)
        answer = send("Create", "RegistryReplication", self.PROPERTIES)
        assert answer["Status"] == "FAILED"
        assert answer["Reason"].startswith("ZeroDivisionError")

    def test_signed_url_is_not_logged(
        self, send: Send, clients: dict[tuple[str, str], Fake], caplog: pytest.LogCaptureFixture
    ) -> None:
        clients["ecr", PEER] = Registry([])
        caplog.set_level("INFO")
        send("Create", "RegistryReplication", self.PROPERTIES)
        assert "production/" in caplog.text
        assert "signed" not in caplog.text


@pytest.fixture
def flaky_server() -> Iterator[tuple[str, list[bytes]]]:
    """A server that refuses the first answer and takes the second."""
    received: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(503 if len(received) == 1 else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    server.server_close()


def test_answer_is_sent_again_when_not_taken(flaky_server: tuple[str, list[bytes]]) -> None:
    url, received = flaky_server
    event = {"ResponseURL": url, "StackId": "stack", "RequestId": "request", "LogicalResourceId": "Logical"}
    index.answer(event, status="SUCCESS", reason="", physical_id="id", data={"Key": "value"})
    assert len(received) == 2
    assert json.loads(received[1])["Data"] == {"Key": "value"}
