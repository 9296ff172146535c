"""A resource of a template, with its properties resolved on demand."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ha_checks.intrinsics import UNKNOWN, UNKNOWN_PART, Attribute, resolve, text_of

if TYPE_CHECKING:
    from ha_checks.assembly import StackTemplate


class Resource:
    """A resource of a template.

    Arguments:
        stack: the stack it belongs to.
        logical_id: its key in the template.
        body: what the template says of it.

    Exposes ``type``, ``properties`` (as written), ``conditional``, ``path`` (of its construct) and, resolved,
    ``get()``, ``flag()``, ``number()``, ``literal()``, ``text()``, ``items()``, ``attribute()`` and ``target()``.
    """

    def __init__(self, stack: "StackTemplate", logical_id: str, body: Mapping[str, Any]) -> None:
        self.stack = stack
        self.logical_id = logical_id
        self.type = str(body.get("Type", ""))
        self.properties: dict[str, Any] = body.get("Properties") or {}
        self.metadata: dict[str, Any] = body.get("Metadata") or {}
        self.conditional = "Condition" in body
        self._known: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<{self.type} {self.stack.stack_name}/{self.logical_id}>"

    @property
    def region(self) -> str | None:
        """The stack's region."""
        return self.stack.region

    @property
    def path(self) -> str:
        """The construct's path, or stack and logical id where neither template nor assembly carries it."""
        known = self.metadata.get("aws:cdk:path") or self.stack.paths.get(self.logical_id)
        return str(known or f"{self.stack.construct_path}/{self.logical_id}")

    def get(self, path: str, default: Any = None) -> Any:
        """The resolved value of a property (dotted path); ``default`` where the template does not give it."""
        if path not in self._known:
            self._known[path] = self._look_up(path)
        value = self._known[path]
        return default if value is None else value

    def _look_up(self, path: str) -> Any:
        value: Any = self.properties
        for name in path.split("."):
            if not isinstance(value, dict):
                return UNKNOWN
            if name not in value:
                # Of a mapping that an intrinsic function gives, the rest is open too.
                intrinsic = len(value) == 1 and next(iter(value)).startswith("Fn::")
                return UNKNOWN if intrinsic else None
            value = value[name]
        return resolve(value, self.stack)

    def flag(self, path: str, default: bool) -> bool | None:
        """A switch; ``None`` where it is not known."""
        value = self.get(path, default)
        if isinstance(value, str):
            return {"true": True, "false": False}.get(value.lower())
        return value if isinstance(value, bool) else None

    def number(self, path: str, default: float | None = None) -> float | None:
        """A number; ``None`` where it is not known."""
        return as_number(self.get(path, default))

    def literal(self, path: str) -> str | None:
        """A text that is known in full; ``None`` otherwise."""
        value = self.get(path)
        return value if isinstance(value, str) else None

    def text(self, path: str) -> str:
        """A text in which `UNKNOWN_PART` stands for what is not known; empty where the template does not give it."""
        value: Any = self.properties
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return "" if value is None else text_of(value, self.stack)

    def items(self, path: str) -> list[Any]:
        """The members of a list that is known, else none."""
        value = self.get(path)
        return value if isinstance(value, list) else []

    def target(self, path: str) -> "Resource | None":
        """The resource of the assembly that a property leads to."""
        return target_of(self.get(path))

    def attribute(self, name: str) -> Any:
        """A value of a list of keys and values such as a load balancer's attributes; ``None`` where it is not given."""
        for container in ("LoadBalancerAttributes", "TargetGroupAttributes"):
            for item in self.items(container):
                if isinstance(item, dict) and item.get("Key") == name:
                    return item.get("Value")
        return None


def target_of(value: Any) -> Resource | None:
    """The resource that a resolved value is an attribute of."""
    return value.resource if isinstance(value, Attribute) else None


def as_number(value: Any) -> float | None:
    """The value as a number, ``None`` where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def as_list(value: Any) -> list[Any]:
    """The value as a list; IAM and Kubernetes allow one thing in place of a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def arn_region(arn: str) -> str | None:
    """The region that an ARN names; ``None`` where it names none, or the text is no ARN."""
    parts = arn.split(":")
    if len(parts) < 6 or parts[0] != "arn" or not parts[3] or UNKNOWN_PART in parts[3]:
        return None
    return parts[3]
