"""Small assemblies, straight from template fragments."""

import json
from dataclasses import dataclass, field
from typing import Any

from ha_checks.assembly import Assembly
from ha_checks.rule import Settings
from ha_checks.rules import RULES

ACCOUNT = "111122223333"
HERE, THERE = "eu-west-1", "us-east-1"
Resources = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Stack:
    """A stack of a small assembly."""

    resources: Resources
    region: str | None = HERE
    name: str = "app"
    outputs: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    mappings: dict[str, Any] = field(default_factory=dict)
    stage: str = ""

    @property
    def template(self) -> dict[str, Any]:
        """The template."""
        return {
            "Parameters": self.parameters,
            "Mappings": self.mappings,
            "Resources": self.resources,
            "Outputs": {name: {"Value": value} for name, value in self.outputs.items()},
        }


def assembly(*stacks: Stack) -> Assembly:
    """The stacks, read together."""
    made = Assembly()
    for stack in stacks:
        made.add(
            stack.template,
            stack_name=stack.name,
            construct_path=f"{stack.stage}/{stack.name}".strip("/"),
            region=stack.region,
            account=ACCOUNT,
        )
    return made


def findings(rule_name: str, *stacks: Stack, settings: Settings | None = None) -> dict[str, str]:
    """Message by place (``stack/logical id``) of what one rule finds."""
    (rule,) = (rule for rule in RULES if rule.name == rule_name)
    found = rule.findings(assembly(*stacks), settings or Settings())
    return {finding.construct_path: finding.message for finding in found}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    """A resource."""
    return {"Type": f"AWS::{kind}", "Properties": properties}


def ref(name: str) -> dict[str, str]:
    """A reference."""
    return {"Ref": name}


def att(name: str, attribute: str = "Arn") -> dict[str, list[str]]:
    """An attribute."""
    return {"Fn::GetAtt": [name, attribute]}


def output(stack: str, region: str, name: str) -> dict[str, Any]:
    """A value of another stack."""
    return {"Fn::GetStackOutput": {"StackName": stack, "Region": region, "OutputName": name}}


def attributes(**values: str) -> list[dict[str, str]]:
    """A load balancer's or target group's attributes; ``__`` stands for a dot."""
    return [{"Key": name.replace("__", "."), "Value": value} for name, value in values.items()]


def network(zones: str = "abc", nat: str = "", region: str = HERE, cidr: str = "10.0.0.0/16") -> Resources:
    """A VPC with a subnet a zone, each leading to a NAT gateway in the zone that ``nat`` names at its place."""
    made = {"Vpc": resource("EC2::VPC", CidrBlock=cidr)}
    for zone in zones:
        made[f"Subnet{zone}"] = resource("EC2::Subnet", VpcId=ref("Vpc"), AvailabilityZone=f"{region}{zone}")
    for zone, gateway in zip(zones, nat, strict=False):
        made[f"Nat{gateway}"] = resource("EC2::NatGateway", SubnetId=ref(f"Subnet{gateway}"))
        made[f"Table{zone}"] = resource("EC2::RouteTable", VpcId=ref("Vpc"))
        made[f"Join{zone}"] = resource(
            "EC2::SubnetRouteTableAssociation", RouteTableId=ref(f"Table{zone}"), SubnetId=ref(f"Subnet{zone}")
        )
        made[f"Route{zone}"] = resource(
            "EC2::Route", RouteTableId=ref(f"Table{zone}"), NatGatewayId=ref(f"Nat{gateway}")
        )
    return made


def subnets(zones: str = "abc") -> list[dict[str, str]]:
    """References to a network's subnets."""
    return [ref(f"Subnet{zone}") for zone in zones]


def applied(*objects: dict[str, Any], cluster: str = "main") -> dict[str, Any]:
    """A resource that applies Kubernetes objects."""
    return {
        "Type": "Custom::AWSCDK-EKS-KubernetesResource",
        "Properties": {"ClusterName": cluster, "Manifest": json.dumps(objects)},
    }


def key(*services: str, actions: str = "kms:*") -> dict[str, Any]:
    """A key that lets the account and services in."""
    principals: list[dict[str, str]] = [{"AWS": f"arn:aws:iam::{ACCOUNT}:root"}]
    principals += [{"Service": service} for service in services]
    statements = [{"Effect": "Allow", "Principal": who, "Action": actions, "Resource": "*"} for who in principals]
    return resource("KMS::Key", KeyPolicy={"Version": "2012-10-17", "Statement": statements})
