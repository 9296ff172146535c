"""One emulator for all tests of the folder, and stacks deployed to it straight from template fragments."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from ops.emulator import Emulator

Resources = dict[str, Any]
ACCOUNT = "111122223333"
HERE, THERE = "eu-west-1", "us-east-1"
ZONES = "ab"
_WAIT_SECONDS = 30
_numbers = itertools.count()


@dataclass
class Stack:
    """How a stack operation ended."""

    emulator: Emulator
    name: str
    region: str
    status: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Every reason of a failure."""
        return "\n".join(self.failures)

    def update(self, resources: Resources, outputs: dict[str, Any] | None = None) -> "Stack":
        """Update to these resources."""
        self._client.update_stack(StackName=self.name, TemplateBody=_template(resources, outputs))
        return self.wait()

    def delete(self) -> "Stack":
        """Delete."""
        self._client.delete_stack(StackName=self.name)
        return self.wait()

    @property
    def _client(self) -> Any:
        return self.emulator.client("cloudformation", self.region)

    def wait(self) -> "Stack":
        """Wait for the end of the running operation."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                record = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
            except self._client.exceptions.ClientError:
                self.status = "DELETE_COMPLETE"
                return self
            if not record["StackStatus"].endswith("IN_PROGRESS"):
                break
            time.sleep(0.05)
        self.status = record["StackStatus"]
        self.outputs = {item["OutputKey"]: item["OutputValue"] for item in record.get("Outputs", [])}
        events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        self.failures = [
            event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"]
        ]
        return self


Deploy = Callable[..., Stack]


def _template(resources: Resources, outputs: dict[str, Any] | None) -> str:
    named = {
        name: {"Metadata": {"aws:cdk:path": f"app/{name}"}, **body} if isinstance(body, dict) else body
        for name, body in resources.items()
    }
    return json.dumps(
        {"Resources": named, "Outputs": {name: {"Value": value} for name, value in (outputs or {}).items()}}
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts the emulator."""
    for item in items:
        if "emulator" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.emulator)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The emulator."""
    with Emulator(tmp_path_factory.mktemp("emulator"), account=ACCOUNT, region=HERE) as running:
        yield running


@pytest.fixture(scope="session")
def deploy(emulator: Emulator) -> Deploy:
    """Create a stack of these resources; a template that is refused as a whole has the status REFUSED."""

    def create(
        resources: Resources, outputs: dict[str, Any] | None = None, *, region: str = HERE, name: str | None = None
    ) -> Stack:
        stack = Stack(emulator, name or f"stack-{next(_numbers)}", region)
        client = emulator.client("cloudformation", region)
        try:
            client.create_stack(StackName=stack.name, TemplateBody=_template(resources, outputs))
        except client.exceptions.ClientError as error:
            stack.status, stack.failures = "REFUSED", [str(error)]
            return stack
        return stack.wait()

    return create


def network_resources(cidr: str) -> Resources:
    """A VPC with a subnet in each of two zones and a security group."""
    first, second = cidr.split(".")[:2]
    subnets = {
        f"Subnet{zone}": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": f"{first}.{second}.{number}.0/24",
                "AvailabilityZone": {"Fn::Sub": f"${{AWS::Region}}{zone}"},
            },
        }
        for number, zone in enumerate(ZONES)
    }
    group = {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "all"}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group},
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": key_policy()}},
        **subnets,
    }


def key_policy(*services: str) -> dict[str, Any]:
    """A key policy for the account, and for services."""
    principals: list[dict[str, str]] = [{"AWS": f"arn:aws:iam::{ACCOUNT}:root"}]
    principals += [{"Service": service} for service in services]
    statements = [{"Effect": "Allow", "Principal": who, "Action": "kms:*", "Resource": "*"} for who in principals]
    return {"Version": "2012-10-17", "Statement": statements}


@dataclass(frozen=True)
class Network:
    """What a network stack made."""

    vpc: str
    group: str
    subnets: list[str]
    key: str


def _network(deploy: Deploy, region: str, cidr: str) -> Network:
    outputs = {
        "Vpc": {"Ref": "Vpc"},
        "Group": {"Fn::GetAtt": ["Group", "GroupId"]},
        "Key": {"Fn::GetAtt": ["Key", "Arn"]},
    }
    outputs |= {f"Subnet{zone}": {"Ref": f"Subnet{zone}"} for zone in ZONES}
    stack = deploy(network_resources(cidr), outputs, region=region, name="network")
    assert stack.status == "CREATE_COMPLETE", stack.reason
    made = stack.outputs
    return Network(made["Vpc"], made["Group"], [made[f"Subnet{zone}"] for zone in ZONES], made["Key"])


@pytest.fixture(scope="session")
def here(deploy: Deploy) -> Network:
    """A network in this region."""
    return _network(deploy, HERE, "10.0.0.0/16")


@pytest.fixture(scope="session")
def there(deploy: Deploy) -> Network:
    """A network in the other region."""
    return _network(deploy, THERE, "10.1.0.0/16")


def one(resource_type: str, **properties: Any) -> Resources:
    """A template's resources: a single one."""
    return {"Thing": {"Type": resource_type, "Properties": properties}}


@pytest.fixture(scope="session")
def balancers(deploy: Deploy, here: Network, there: Network) -> dict[str, str]:
    """A load balancer's ARN in each region."""
    arns: dict[str, str] = {}
    for region, network in ((HERE, here), (THERE, there)):
        resources = one(
            "AWS::ElasticLoadBalancingV2::LoadBalancer", Name="web", Scheme="internal", Subnets=network.subnets
        )
        names = {"DnsName": "DNSName", "Zone": "CanonicalHostedZoneID"}
        outputs: dict[str, Any] = {name: {"Fn::GetAtt": ["Thing", attribute]} for name, attribute in names.items()}
        stack = deploy(resources, {"Arn": {"Ref": "Thing"}, **outputs}, region=region)
        assert stack.status == "CREATE_COMPLETE", stack.reason
        arns |= {region: stack.outputs["Arn"], f"{region}-name": stack.outputs["DnsName"]}
    return arns


@pytest.fixture(scope="session")
def listener(deploy: Deploy) -> str:
    """The ARN of an accelerator's listener."""
    resources = {
        "Accelerator": {"Type": "AWS::GlobalAccelerator::Accelerator", "Properties": {"Name": "edge"}},
        "Listener": {
            "Type": "AWS::GlobalAccelerator::Listener",
            "Properties": {
                "AcceleratorArn": {"Ref": "Accelerator"},
                "Protocol": "TCP",
                "PortRanges": [{"FromPort": 443, "ToPort": 443}],
            },
        },
    }
    return deploy(resources, {"Arn": {"Ref": "Listener"}}).outputs["Arn"]


@pytest.fixture(scope="session")
def cluster(deploy: Deploy, here: Network) -> str:
    """The name of an EKS cluster."""
    role = f"arn:aws:iam::{ACCOUNT}:role/cluster"
    network = {"SubnetIds": here.subnets}
    stack = deploy(one("AWS::EKS::Cluster", Name="platform", RoleArn=role, ResourcesVpcConfig=network, Version="1.36"))
    assert stack.status == "CREATE_COMPLETE", stack.reason
    return "platform"
