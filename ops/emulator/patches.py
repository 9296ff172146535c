"""Everything that we change in ministack, in one place; each function says what and why.

ministack's CloudFormation is a set of modules that import functions from each other by name, so a changed function has
to be put into every module that holds it (``_replace``).
"""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation, lambda_svc
from ministack.services.cloudformation import changesets, custom_resource, engine, handlers, provisioners, stacks

from ops.emulator import references
from ops.emulator.handlers.base import EXTENSIONS, HANDLERS, Handler, Request
from ops.emulator.lifecycle import Lifecycle, handler_for
from ops.emulator.schemas import has_schema, schema_of

_MODULES: tuple[ModuleType, ...] = (changesets, engine, handlers, provisioners, stacks)
_SERVERLESS_TRANSFORM = "AWS::Serverless-2016-10-31"


def install(lifecycle: Lifecycle) -> None:
    """Apply every patch."""
    native_types = frozenset(provisioners._RESOURCE_HANDLERS)
    _resource_table(native_types)
    _operations(lifecycle)
    _worker_threads()
    _references()
    _running_templates()
    _failing_functions()
    _metric_math()
    _conditions()
    _template_check()
    _serverless_transform()
    _replacement_and_tags(native_types)


_templates: dict[tuple[str, str], dict[str, Any]] = {}


def path_of(stack: str, logical_id: str) -> str:
    """The construct path in the metadata of the template that the stack runs."""
    resources = _templates.get((get_region(), stack), {}).get("Resources", {})
    metadata = (resources.get(logical_id) or {}).get("Metadata") or {}
    return str(metadata.get("aws:cdk:path", ""))


def scope() -> tuple[str, str]:
    """Account and region of the running operation."""
    return get_account_id(), get_region()


def _replace(name: str, changed: Callable[..., Any]) -> None:
    original = next(getattr(module, name) for module in _MODULES if hasattr(module, name))
    for module in _MODULES:
        if getattr(module, name, None) is original:
            setattr(module, name, changed)


def _resource_table(native_types: frozenset[str]) -> None:
    """Ministack refuses a type it has no entry for. Ours come first; any other published type is recorded."""

    class Table(dict[str, dict[str, Any]]):
        def __contains__(self, key: object) -> bool:
            return self.get(str(key)) is not None

        def __getitem__(self, key: str) -> dict[str, Any]:
            entry: dict[str, Any] | None = self.get(key)
            if entry is None:
                raise KeyError(key)
            return entry

        def get(self, key: str, default: Any = None) -> Any:
            handler = handler_for(key, get_region(), native_types)
            return _entry(key, handler) if handler is not None else super().get(key, default)

    _replace("_RESOURCE_HANDLERS", Table(provisioners._RESOURCE_HANDLERS))  # type: ignore[arg-type]


def _entry(resource_type: str, handler: Handler) -> dict[str, Any]:
    """Our handler in the form of ministack's table."""

    def request(logical_id: str, new: Any, stack: str, old: Any = None, physical_id: str = "") -> Request:
        account, region = scope()
        return Request(resource_type, logical_id, new, stack, region, account, old or {}, physical_id)

    def create(logical_id: str, properties: Any, stack: str) -> tuple[str, dict[str, Any]]:
        outcome = handler.create(request(logical_id, properties, stack))
        return outcome.physical_id, outcome.attributes

    def update(physical_id: str, old: Any, new: Any, stack: str, logical_id: str = "") -> tuple[str, dict[str, Any]]:
        outcome = handler.update(request(logical_id, new, stack, old, physical_id))
        return outcome.physical_id, outcome.attributes

    def delete(physical_id: str, properties: Any, logical_id: str = "") -> None:
        handler.delete(request(logical_id, properties, "", properties, physical_id))

    return {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
        "delete_with_logical_id": True,
    }


def _operations(lifecycle: Lifecycle) -> None:
    """Put our lifecycle around the engine's create, update and delete; note what a deletion policy keeps.

    Only the engine's own calls go through the lifecycle: a replacement inside ministack's update stays one operation.
    """
    provision, update, delete = (
        provisioners._provision_resource,
        provisioners._update_resource,
        provisioners._delete_resource,
    )
    add_event = stacks._add_event

    def event(
        stack_id: str, stack: str, logical_id: str, resource_type: str, status: str, *rest: Any, **named: Any
    ) -> None:
        add_event(stack_id, stack, logical_id, resource_type, status, *rest, **named)
        if status == "DELETE_SKIPPED":
            record = (cloudformation._stacks.get(stack) or {}).get("_resources", {}).get(logical_id, {})
            physical_id = named.get("physical_id") or (
                rest[1] if len(rest) > 1 else record.get("PhysicalResourceId", "")
            )
            lifecycle.retain(resource_type, physical_id, record.get("Properties", {}), stack, logical_id)

    stacks._provision_resource = lambda *arguments: lifecycle.provision(provision, *arguments)
    stacks._update_resource = lambda *arguments: lifecycle.update(update, *arguments)
    stacks._delete_resource = lambda *arguments: lifecycle.delete(delete, *arguments)
    stacks._add_event = event


def _worker_threads() -> None:
    """Our handlers call the emulator through boto3: on the event loop, such a call would wait for itself."""
    original = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: original(name) or name in HANDLERS or name in EXTENSIONS


def _references() -> None:
    """``Fn::GetStackOutput`` reads the output in the region it names; an attribute without a value is refused."""
    original = engine._resolve_refs

    def resolve(value: Any, resources: Any, *context: Any) -> Any:
        if isinstance(value, dict):
            if "Fn::GetStackOutput" in value:
                wanted = {key: resolve(item, resources, *context) for key, item in value["Fn::GetStackOutput"].items()}
                return _stack_output(wanted)
            if "Fn::GetAtt" in value:
                answer = original(value, resources, *context)
                name = value["Fn::GetAtt"] if isinstance(value["Fn::GetAtt"], str) else ".".join(value["Fn::GetAtt"])
                if answer in ("", None) and "PhysicalResourceId" in resources.get(name.split(".")[0], {}):
                    raise ValueError(f"attribute {name} has no value")
                return answer
        return original(value, resources, *context)

    _replace("_resolve_refs", resolve)


def _stack_output(reference: dict[str, Any]) -> str:
    account, own_region = scope()
    name, output = str(reference.get("StackName", "")), str(reference.get("OutputName", ""))
    region = str(reference.get("Region") or own_region)
    # A stack may be named by its ARN.
    if name.startswith("arn:"):
        region, name = name.split(":")[3], name.split("/")[1]
    stack = cloudformation._stacks.get_scoped(account, region, name)
    if stack is None or stack.get("StackStatus") in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS"):
        raise ValueError(f"Fn::GetStackOutput: there is no stack {name!r} in {region} (for its output {output!r})")
    for entry in stack.get("Outputs", []):
        if entry.get("OutputKey") == output:
            return str(entry.get("OutputValue", ""))
    raise ValueError(f"Fn::GetStackOutput: stack {name!r} in {region} has no output {output!r}")


def _running_templates() -> None:
    """The stack's record gets its template at the end of an operation only: note it at the start, for ``path_of``."""
    original = stacks._deploy_stack_async

    def deploy(stack: str, stack_id: str, template: dict[str, Any], *rest: Any, **named: Any) -> Any:
        _templates[stack_id.split(":")[3], stack] = template
        return original(stack, stack_id, template, *rest, **named)

    _replace("_deploy_stack_async", deploy)


def _failing_functions() -> None:
    """A function that dies without answering CloudFormation fails its resource at once; AWS would wait for an hour."""
    original = lambda_svc._execute_function_with_config_scope

    def execute(function: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = original(function, event)
        token = str(event.get("ResponseURL", "")).rpartition("/")[2] if isinstance(event, dict) else ""
        if answer.get("error") and token:
            body = answer.get("body")
            message = body.get("errorMessage", body) if isinstance(body, dict) else body
            reason = f"the function failed without an answer: {message}"
            custom_resource.deliver_response(token, {"Status": "FAILED", "Reason": reason[:1000]})
        return answer

    lambda_svc._execute_function_with_config_scope = execute


def _metric_math() -> None:
    """Ministack refuses an alarm on an expression: keep it with its ``Metrics``, which ``DescribeAlarms`` answers."""
    original = provisioners._cw_metric_alarm_record

    def record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if not properties.get("Metrics"):
            plain: dict[str, Any] = original(name, properties)
            return plain
        # An anomaly detection alarm compares with a band and has no threshold of its own.
        stand_in = {"MetricName": "-", "Namespace": "-", "Threshold": 0, **properties}
        alarm: dict[str, Any] = original(name, {**stand_in, "Metrics": None})
        for key in ("MetricName", "Namespace", "Statistic", "Period", "Dimensions"):
            alarm.pop(key, None)
        return {**alarm, "Metrics": properties["Metrics"]}

    provisioners._cw_metric_alarm_record = record


def _conditions() -> None:
    """Ministack's conditions know ``Ref`` and ``Fn::Select`` only: the other functions inside them are resolved before.

    The CDK's own bootstrap template has a condition with ``Fn::Join``, which was taken for true.
    """
    original = engine._evaluate_conditions

    def evaluate(template: dict[str, Any], parameters: dict[str, Any]) -> dict[str, bool]:
        def walk(node: Any) -> Any:
            if isinstance(node, list):
                return [walk(item) for item in node]
            if not isinstance(node, dict) or "Condition" in node:
                return node
            (key,) = node if len(node) == 1 else ("",)
            if key in ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not"):
                return {key: walk(node[key])}
            if key.startswith("Fn::") or str(node.get("Ref", "")).startswith("AWS::"):
                return engine._resolve_refs(node, {}, parameters, {}, template.get("Mappings", {}), "", "")
            return node

        conditions = {name: walk(body) for name, body in (template.get("Conditions") or {}).items()}
        answer: dict[str, bool] = original({**template, "Conditions": conditions}, parameters)
        return answer

    _replace("_evaluate_conditions", evaluate)


def _template_check() -> None:
    """CloudFormation refuses a reference to something the template does not hold; ministack takes it as a literal."""
    original = engine.validate_template_support

    def validate(template: Any, conditions: Any = None, *rest: Any, **named: Any) -> Any:
        dangling = references.dangling(template, conditions or {}, engine._intrinsic_references)
        if dangling:
            raise ValueError("Template format error: Unresolved resource dependencies [" + ", ".join(dangling) + "]")
        return original(template, conditions or {}, *rest, **named)

    _replace("validate_template_support", validate)


def _serverless_transform() -> None:
    """Applications of the Serverless Application Repository need no transform to be recorded."""
    original = engine._apply_transforms

    def apply(template: Any, *rest: Any, **named: Any) -> Any:
        types = {
            str(body.get("Type", "")) for body in (template.get("Resources") or {}).values() if isinstance(body, dict)
        }
        serverless = {name for name in types if name.startswith("AWS::Serverless::")}
        if serverless <= {"AWS::Serverless::Application"} and _SERVERLESS_TRANSFORM in engine.declared_transforms(
            template
        ):
            template = engine._without_transform(template, _SERVERLESS_TRANSFORM)
        return original(template, *rest, **named)

    _replace("_apply_transforms", apply)


def _replacement_and_tags(native_types: frozenset[str]) -> None:
    """The engine replaces a resource, and hands stack tags on, by two tables; for our types the schema fills them."""

    class FromSchema(dict[str, Any]):
        def __init__(self, given: dict[str, Any], read: Callable[[str], Any]) -> None:
            super().__init__(given)
            self._read = read

        def get(self, key: str, default: Any = None) -> Any:
            if key not in self and key not in native_types and has_schema(key, get_region()):
                self[key] = self._read(key)
            value = super().get(key)
            return default if value is None else value

    create_only = FromSchema(provisioners._REPLACING_PROPERTIES, lambda key: schema_of(key, get_region()).create_only)
    tags = FromSchema(provisioners._STACK_TAG_PROPERTY, lambda key: schema_of(key, get_region()).tag_property)
    for module in (*_MODULES, importlib.import_module("ministack.services.cloudformation.drift")):
        if hasattr(module, "_REPLACING_PROPERTIES"):
            setattr(module, "_REPLACING_PROPERTIES", create_only)  # noqa: B010 - not every module has it
        if hasattr(module, "_STACK_TAG_PROPERTY"):
            setattr(module, "_STACK_TAG_PROPERTY", tags)  # noqa: B010 - not every module has it
