"""One emulator for all tests of the rehearsal, and small assemblies to deploy to it."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.emulator import Emulator
from ops.rehearsal.assembly import Assembly, AssemblyStack
from ops.rehearsal.clients import Clients
from tests.ops.rehearsal.apps import small

_DONE = ("_COMPLETE", "_FAILED")
_names = (f"small{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator"), account=small.ACCOUNT) as running:
        yield running


@pytest.fixture(scope="session")
def clients(emulator: Emulator) -> Clients:
    return Clients(emulator)


@pytest.fixture
def app_name() -> str:
    """A name that no other test's stacks and queues have."""
    return next(_names)


@pytest.fixture
def sound(tmp_path: Path, app_name: str) -> Assembly:
    small.build(str(tmp_path / "assembly"), name=app_name)
    return Assembly(tmp_path / "assembly")


@pytest.fixture(scope="session")
def deploy(clients: Clients) -> Callable[[Assembly], list[str]]:
    """Deploy an assembly through CloudFormation's API, until a stack fails; returns the stacks' statuses."""

    def run(assembly: Assembly) -> list[str]:
        statuses = []
        for stack in assembly.stacks:
            statuses.append(_create(clients, stack))
            if statuses[-1] != "CREATE_COMPLETE":
                break
        return statuses

    return run


def _create(clients: Clients, stack: AssemblyStack) -> str:
    client = clients.client("cloudformation", stack.region)
    body = stack.template_path.read_text(encoding="utf-8")
    client.create_stack(StackName=stack.name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status: str = client.describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"]
        if status.endswith(_DONE) and "CLEANUP" not in status:
            return status
        time.sleep(0.1)
    raise TimeoutError(f"{stack.name} is still {status}")
