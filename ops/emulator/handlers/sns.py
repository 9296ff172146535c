"""SNS topics: the attributes that the emulator's CloudFormation leaves out.

Modelled: key, signature version, tracing. Refused: a key that the region lacks.
"""

from ministack.services import sns as store

from ops.emulator.handlers.base import Attributes, Extension, Outcome, Request, extends
from ops.emulator.handlers.rds import check_key

_AWS_MANAGED = "alias/aws/"
_KEPT = ("KmsMasterKeyId", "SignatureVersion", "TracingConfig")


@extends("AWS::SNS::Topic")
class Topic(Extension):
    """A topic's key and the other attributes."""

    def check(self, request: Request) -> None:
        """The key exists in the region."""
        key = request.properties.get("KmsMasterKeyId", "")
        if key and not key.startswith(_AWS_MANAGED):
            check_key(request, key)

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Set the attributes, and take away those that are gone from the template."""
        attributes = store._topics[outcome.physical_id]["attributes"]
        for name in _KEPT:
            attributes.pop(name, None)
            if request.properties.get(name):
                attributes[name] = str(request.properties[name])
        return {}
