"""What AWS publishes of a resource type's updates, from the schemas that cfn-lint bundles.

Format: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

Path = tuple[str, ...]
_NAMES = {
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Name",
    "AWS::EC2::SecurityGroup": "GroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::SecretsManager::Secret": "Name",
}
"""Types whose fixed name is not their primary identifier:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html"""


@dataclass(frozen=True)
class TypeSchema:
    """The part of a resource type's schema that says how it is updated."""

    type: str
    document: Mapping[str, Any]

    @property
    def create_only(self) -> list[Path]:
        """Paths of the properties whose change replaces the resource."""
        return self._paths("createOnlyProperties")

    @property
    def conditional_create_only(self) -> list[Path]:
        """Paths of the properties whose change replaces the resource in some cases."""
        return self._paths("conditionalCreateOnlyProperties")

    def is_write_only(self, path: Path) -> bool:
        """Whether no API tells the property's value: drift of it goes unseen."""
        return any(path[: len(each)] == each for each in self._paths("writeOnlyProperties"))

    @property
    def name_property(self) -> str | None:
        """The property that fixes the physical name, where the type has one."""
        if self.type in _NAMES:
            return _NAMES[self.type]
        identifier = self._paths("primaryIdentifier")
        names = [path[0] for path in identifier if len(path) == 1 and path in self.create_only]
        return names[0] if len(identifier) == 1 and names else None

    def is_unordered(self, path: Path) -> bool:
        """Whether the list at a path is a set."""
        node = self._node(path)
        return node.get("insertionOrder") is False

    def _paths(self, key: str) -> list[Path]:
        return sorted(
            tuple(part for part in pointer.split("/") if part and part != "properties")
            for pointer in self.document.get(key, ())
        )

    def _node(self, path: Path) -> Mapping[str, Any]:
        node: Mapping[str, Any] = self.document
        for part in path:
            node = self._followed(node)
            node = node.get("items", {}) if part.startswith("[") else node.get("properties", {}).get(part, {})
        return self._followed(node)

    def _followed(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in node:
            node = self.document.get("definitions", {}).get(node["$ref"].rsplit("/", 1)[-1], {})
        return node


@cache
def schema_of(resource_type: str, region: str) -> TypeSchema:
    """Return a type's schema; an empty one where AWS publishes none (its changes then count as updates)."""
    try:
        document = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, resource_type).schema
    except ResourceNotFoundError:
        document = {}
    return TypeSchema(resource_type, document)
