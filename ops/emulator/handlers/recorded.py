"""Types that neither the emulator nor a handler of ours models.

Modelled: nothing but existence. The properties were held against the published schema and every reference was resolved
before this runs; the physical id and the readable attributes are made up in the shape the schema gives them.
Refused: a type without a published schema.
"""

from typing import Any

from ops.emulator.handlers.base import Attributes, Handler, Outcome, Request, handles
from ops.emulator.schemas import ResourceSchema, schema_of

_DEFAULT_REASON = "the emulator has no model of this type; held against its published schema and noted"
REASONS = {
    "AWS::Serverless::Application": "an application of the Serverless Application Repository, not to be had here",
    "AWS::Chatbot::SlackChannelConfiguration": "needs a Slack workspace that was authorized by hand",
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": "needs a Teams tenant that was authorized by hand",
    "AWS::Route53::DNSSEC": "the emulator answers no DNS queries, so there is nothing to sign",
    "AWS::Route53::KeySigningKey": "the emulator answers no DNS queries, so there is nothing to sign",
    "AWS::Logs::QueryDefinition": "saved queries have no effect on what runs",
}


class Recorded(Handler):
    """Notes a resource with a plausible id and plausible attributes."""

    how = "recorded"

    def __init__(self, resource_type: str) -> None:
        """Take the reason that goes with the type."""
        self.reason = REASONS.get(resource_type, _DEFAULT_REASON)

    def create(self, request: Request) -> Outcome:
        """Make up an id and the attributes."""
        schema = schema_of(request.type, request.region)
        attributes = made_up_attributes(schema, request, {})
        physical_id = _physical_id(schema, request, attributes)
        self.keep(request, physical_id, {"Properties": request.properties, "Attributes": attributes})
        return Outcome(physical_id, attributes)

    def update(self, request: Request) -> Outcome:
        """Note the new properties."""
        schema = schema_of(request.type, request.region)
        attributes = made_up_attributes(schema, request, {})
        self.keep(request, request.physical_id, {"Properties": request.properties, "Attributes": attributes})
        return Outcome(request.physical_id, attributes)

    def delete(self, request: Request) -> None:
        """Forget it."""
        self.forget(request)


@handles("AWS::Serverless::Application")
class ServerlessApplication(Recorded):
    """An application of the repository; those that rotate secrets have one output, the function's ARN."""

    def __init__(self) -> None:
        """Take the type's reason."""
        super().__init__("AWS::Serverless::Application")

    def create(self, request: Request) -> Outcome:
        """Note it, with the output."""
        return self._with_output(request, super().create(request))

    def update(self, request: Request) -> Outcome:
        """Note the new properties."""
        return self._with_output(request, super().update(request))

    @staticmethod
    def _with_output(request: Request, outcome: Outcome) -> Outcome:
        name = request.properties.get("Parameters", {}).get(
            "functionName", f"{request.stack}-{request.logical_id}"[:64]
        )
        function = request.arn("lambda", f"function:{name}")
        return Outcome(outcome.physical_id, {**outcome.attributes, "Outputs.RotationLambdaARN": function})


def made_up_attributes(schema: ResourceSchema, request: Request, known: Attributes) -> Attributes:
    """Values for the readable attributes that nobody supplied."""
    made_up: Attributes = {}
    for name in schema.read_only_attributes:
        if name in known or name in request.properties:
            continue
        definition = schema.definition(name)
        if definition.get("type") in ("string", ["string"], "integer", "boolean", "number") or "array" in str(
            definition.get("type")
        ):
            made_up[name] = _value(name, definition, request)
    return made_up


def _value(name: str, definition: dict[str, Any], request: Request) -> Any:
    kind = definition.get("type")
    if "enum" in definition:
        return definition["enum"][0]
    if kind == "integer" or kind == "number":
        return 1
    if kind == "boolean":
        return False
    if "array" in str(kind):
        return []
    leaf = name.rsplit(".", 1)[-1]
    service, resource = request.type.split("::")[1].lower(), request.type.split("::")[2].lower()
    if leaf.lower().endswith("arn"):
        return request.arn(service, f"{resource}/{request.digest(16)}")
    return f"{resource}-{request.digest(16)}"


def _physical_id(schema: ResourceSchema, request: Request, attributes: Attributes) -> str:
    values = [request.properties.get(name) or attributes.get(name) for name in schema.primary_identifier]
    if values and all(values):
        return "|".join(str(value) for value in values)
    return request.generated_name()
