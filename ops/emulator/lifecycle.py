"""What happens around each create, update and delete that CloudFormation makes.

The engine calls these three functions in place of its own. They hold the resolved properties against the schema, refuse
references that nothing answered and names that are taken, run our handler or the emulator's own, supply missing
attributes, and write the ledger. A failure carries the construct's path and the logical id, so the CDK CLI shows both.
"""

from collections.abc import Callable

from ops.emulator import names, references
from ops.emulator.handlers.base import EXTENSIONS, HANDLERS, Attributes, Handler, Outcome, Properties, Request
from ops.emulator.handlers.recorded import Recorded, made_up_attributes
from ops.emulator.ledger import How, Ledger, LedgerEntry, Operation
from ops.emulator.schemas import ResourceSchema, UnknownTypeError, schema_of

Native = Callable[..., tuple[str, Attributes]]
_SCHEMALESS = ("Custom::", "AWS::CloudFormation::", "AWS::CDK::")


class ResourceFailedError(ValueError):
    """A resource could not be created, updated or deleted; the message names its construct."""


class Lifecycle:
    """The three operations, with the ledger and the names they share.

    ``scope`` answers account and region of the running operation; ``path_of`` the construct path that the template
    gives a logical id of a stack.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        scope: Callable[[], tuple[str, str]],
        path_of: Callable[[str, str], str],
    ) -> None:
        """Start with no name taken."""
        self._ledger = ledger
        self._scope = scope
        self._path_of = path_of
        self._names = names.NameRegistry()
        self._paths: dict[tuple[str, str, str], str] = {}

    def provision(
        self, native: Native, resource_type: str, logical_id: str, properties: Properties, stack: str
    ) -> tuple[str, Attributes]:
        """Create one resource; answers its physical id and attributes."""
        request = self._request(resource_type, logical_id, properties, stack)
        claimed: str | None = None
        try:
            schema = self._validated(request)
            claimed = self._claim(schema, request)
            _check(request)
            outcome = Outcome(*native(resource_type, logical_id, properties, stack))
            outcome = _completed(schema, request, outcome)
        except Exception as error:
            self._release(request, claimed)
            raise self._failure(request, "create", error) from error
        self._write(request, "create", outcome)
        return outcome.physical_id, outcome.attributes

    def update(
        self,
        native: Native,
        resource_type: str,
        physical_id: str,
        old: Properties,
        new: Properties,
        stack: str,
        logical_id: str = "",
        attributes: Attributes | None = None,
    ) -> tuple[str, Attributes]:
        """Update one resource; a resource whose properties stay the same is left alone."""
        if old == new:
            return physical_id, attributes or {}
        request = self._request(resource_type, logical_id or physical_id, new, stack, old, physical_id)
        claimed: str | None = None
        try:
            schema = self._validated(request)
            claimed = self._claim(schema, request)
            _check(request)
            answer = native(resource_type, physical_id, old, new, stack, logical_id, attributes)
            # Native handlers answer only what an update can change: what a resource was created with stays readable.
            kept = (attributes or {}) if answer[0] == physical_id else {}
            outcome = _completed(schema, request, Outcome(answer[0], {**kept, **answer[1]}))
        except Exception as error:
            if claimed != self._name(request, old):
                self._release(request, claimed)
            raise self._failure(request, "update", error) from error
        former = self._name(request, old)
        if former != claimed:
            self._release(request, former)
        self._write(request, "update", outcome)
        return outcome.physical_id, outcome.attributes

    def delete(
        self,
        native: Callable[..., None],
        resource_type: str,
        physical_id: str,
        properties: Properties,
        stack: str = "",
        logical_id: str = "",
    ) -> None:
        """Delete one resource and free its name."""
        request = self._request(resource_type, logical_id or physical_id, properties, stack, properties, physical_id)
        try:
            extension = EXTENSIONS.get(resource_type)
            if extension is not None:
                extension.before_delete(request)
            native(resource_type, physical_id, properties, stack, logical_id)
        except Exception as error:
            raise self._failure(request, "delete", error) from error
        self._release(request, self._name(request, properties))
        self._write(request, "delete", Outcome(physical_id))

    def retain(self, resource_type: str, physical_id: str, properties: Properties, stack: str, logical_id: str) -> None:
        """Note that a deletion policy kept a resource."""
        request = self._request(resource_type, logical_id, properties, stack, properties, physical_id)
        self._write(request, "retain", Outcome(physical_id))

    def _request(
        self,
        resource_type: str,
        logical_id: str,
        properties: Properties,
        stack: str,
        previous: Properties | None = None,
        physical_id: str = "",
    ) -> Request:
        account, region = self._scope()
        return Request(
            resource_type, logical_id, properties or {}, stack or "", region, account, previous or {}, physical_id or ""
        )

    def _validated(self, request: Request) -> ResourceSchema | None:
        left_over = references.unresolved(request.properties)
        if left_over:
            raise ValueError(f"unresolved reference at {', '.join(left_over)}")
        if request.type.startswith(_SCHEMALESS):
            return None
        schema = schema_of(request.type, request.region)
        errors = schema.errors(request.properties)
        if errors:
            raise ValueError(f"properties that {request.type} refuses: " + "; ".join(errors))
        return schema

    def _claim(self, schema: ResourceSchema | None, request: Request) -> str | None:
        name = names.explicit_name(schema, request.properties) if schema else None
        if name is not None:
            self._names.claim(request.type, request.region, name, (request.stack, request.logical_id))
        return name

    def _name(self, request: Request, properties: Properties) -> str | None:
        if request.type.startswith(_SCHEMALESS):
            return None
        try:
            return names.explicit_name(schema_of(request.type, request.region), properties)
        except UnknownTypeError:
            return None

    def _release(self, request: Request, name: str | None) -> None:
        if name is not None:
            self._names.release(request.type, request.region, name, (request.stack, request.logical_id))

    def _path(self, request: Request) -> str:
        key = (request.region, request.stack, request.logical_id)
        path = self._path_of(request.stack, request.logical_id)
        if path:
            self._paths[key] = path
        return path or self._paths.get(key, "")

    def _failure(self, request: Request, operation: Operation, error: Exception) -> ResourceFailedError:
        path = self._path(request) or f"{request.stack}/{request.logical_id}"
        message = f"{path} ({request.logical_id}): {error}"
        self._write(request, operation, Outcome(request.physical_id), failure=str(error))
        return ResourceFailedError(message)

    def _write(self, request: Request, operation: Operation, outcome: Outcome, failure: str | None = None) -> None:
        how, reason = how_of(request.type)
        self._ledger.append(
            LedgerEntry(
                stack=request.stack,
                region=request.region,
                logical_id=request.logical_id,
                construct_path=self._path(request),
                type=request.type,
                physical_id=str(outcome.physical_id),
                how=how,
                reason=reason if failure is None else failure,
                operation=operation,
                state="complete" if failure is None else "failed",
                properties=request.properties,
                attributes=outcome.attributes,
            )
        )


def how_of(resource_type: str) -> tuple[How, str]:
    """What stands behind a type, and why."""
    handler = HANDLERS.get(resource_type)
    if handler is not None:
        return handler.how, handler.reason
    if resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource":
        return "lambda", "the handler's own code ran"
    return "native", ""


def handler_for(resource_type: str, region: str, native_types: frozenset[str]) -> Handler | None:
    """Our handler of a type: a real one, or the recording one where the emulator has none and a schema is published."""
    if resource_type in HANDLERS:
        return HANDLERS[resource_type]
    if resource_type in native_types or resource_type.startswith(_SCHEMALESS):
        return None
    try:
        schema_of(resource_type, region)
    except UnknownTypeError:
        return None
    return HANDLERS.setdefault(resource_type, Recorded(resource_type))


def _check(request: Request) -> None:
    for part in (HANDLERS.get(request.type), EXTENSIONS.get(request.type)):
        if part is not None:
            part.check(request)


def _completed(schema: ResourceSchema | None, request: Request, outcome: Outcome) -> Outcome:
    extension = EXTENSIONS.get(request.type)
    attributes = dict(outcome.attributes or {})
    if extension is not None:
        attributes.update(extension.after(request, outcome))
    if schema is not None:
        attributes = {**made_up_attributes(schema, request, attributes), **attributes}
    return Outcome(outcome.physical_id, attributes)
