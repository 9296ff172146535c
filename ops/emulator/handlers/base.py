"""What every handler of ours builds on.

A ``Handler`` stands for a resource type that the emulator lacks; an ``Extension`` adds checks and attributes to one
that it has. Both get a ``Request``. Both run on a thread of their own, so they may call the emulator through boto3.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ops.emulator.ledger import How
from ops.emulator.state import GLOBAL, STATE, Record

Properties = dict[str, Any]
Attributes = dict[str, Any]


class Refused(ValueError):  # noqa: N818 - it reads as what AWS does
    """AWS would refuse this; the message says why."""


@dataclass(frozen=True)
class Request:
    """One create or update of one resource. ``previous`` and ``physical_id`` are set at an update."""

    type: str
    logical_id: str
    properties: Properties
    stack: str
    region: str
    account: str
    previous: Properties = field(default_factory=dict)
    physical_id: str = ""

    @property
    def is_update(self) -> bool:
        """Whether the resource exists already."""
        return bool(self.physical_id)

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """An ARN in this account, and in this region unless the service has none."""
        return f"arn:aws:{service}:{self.region if regional else ''}:{self.account}:{resource}"

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of the emulator itself."""
        return client(service, region or self.region)

    def digest(self, length: int = 8) -> str:
        """A short hexadecimal string that differs by stack, region and logical id, and stays the same every time."""
        seed = f"{self.account}/{self.region}/{self.stack}/{self.logical_id}/{self.properties.get('Name', '')}"
        return hashlib.sha256(seed.encode()).hexdigest()[:length]

    def generated_name(self, limit: int = 63) -> str:
        """The name CloudFormation would make up: stack, logical id and a suffix."""
        suffix = self.digest(12).upper()
        return f"{self.stack}-{self.logical_id}"[: limit - 13] + "-" + suffix


@dataclass(frozen=True)
class Outcome:
    """The physical id and the attributes that ``Fn::GetAtt`` reads."""

    physical_id: str
    attributes: Attributes = field(default_factory=dict)


class Handler:
    """A resource type of ours.

    ``how`` is ``native`` where the emulator's own API keeps the resource and ``handled`` where we do; ``reason`` goes
    to the ledger.
    """

    how: How = "handled"
    reason = ""
    regional = True

    def check(self, request: Request) -> None:
        """Raise ``Refused`` for what AWS would refuse; runs before create and before update."""

    def create(self, request: Request) -> Outcome:
        """Bring the resource about."""
        raise NotImplementedError

    def update(self, request: Request) -> Outcome:
        """Change the resource in place; create-only properties never get here."""
        raise NotImplementedError

    def delete(self, request: Request) -> None:
        """Remove the resource; harmless where it is gone."""
        raise NotImplementedError

    def keep(self, request: Request, physical_id: str, record: Record) -> None:
        """Keep ``record`` in the state that can be asked for."""
        STATE.put(request.type, request.region if self.regional else GLOBAL, physical_id, record)

    def forget(self, request: Request) -> None:
        """Drop the record of the request's physical id."""
        STATE.remove(request.type, request.region if self.regional else GLOBAL, request.physical_id)


class Extension:
    """Checks and attributes that the emulator's own model of a type lacks."""

    def check(self, request: Request) -> None:
        """Raise ``Refused`` for what AWS would refuse; runs before create and before update."""

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """More attributes, after a create or update; what belongs to the resource may be made here."""
        return {}

    def before_delete(self, request: Request) -> None:
        """Refuse the deletion, or remove what ``after`` made."""


HANDLERS: dict[str, Handler] = {}
EXTENSIONS: dict[str, Extension] = {}


def handles(*resource_types: str) -> Callable[[type[Handler]], type[Handler]]:
    """Register a handler class for these types."""

    def register(handler: type[Handler]) -> type[Handler]:
        for resource_type in resource_types:
            HANDLERS[resource_type] = handler()
        return handler

    return register


def extends(*resource_types: str) -> Callable[[type[Extension]], type[Extension]]:
    """Register an extension class for these types."""

    def register(extension: type[Extension]) -> type[Extension]:
        for resource_type in resource_types:
            EXTENSIONS[resource_type] = extension()
        return extension

    return register


_clients: dict[tuple[str, str], Any] = {}
_client_lock = Lock()
_session: boto3.session.Session | None = None


def client(service: str, region: str) -> Any:
    """A boto3 client of the emulator itself, made once a service and region (making one is not thread-safe)."""
    global _session
    key = (service, region)
    with _client_lock:
        if key not in _clients:
            _session = _session or boto3.session.Session()
            _clients[key] = _session.client(
                service,
                region_name=region,
                endpoint_url=os.environ["AWS_ENDPOINT_URL"],
                config=Config(retries={"max_attempts": 1}, max_pool_connections=4, parameter_validation=False),
            )
        return _clients[key]


def exists(call: Callable[..., Any], **arguments: Any) -> Any:
    """The answer of a describe call, or ``None`` where the service says that there is no such thing."""
    try:
        return call(**arguments)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise
        return None


def quietly(call: Callable[..., Any], **arguments: Any) -> None:
    """Make a deleting call, and take it as done where the service says that there is no such thing."""
    exists(call, **arguments)


def as_bool(value: object, default: bool = False) -> bool:
    """A template's boolean, which may come as a string."""
    return default if value is None else str(value).lower() == "true"


def tags_of(properties: Properties) -> list[dict[str, str]]:
    """The tags as a list of Key and Value, whatever form the type gives them; without those of CloudFormation itself.

    The services let nobody but CloudFormation set a tag that starts with ``aws:``.
    """
    tags = properties.get("Tags") or []
    pairs = tags.items() if isinstance(tags, dict) else ((tag["Key"], tag["Value"]) for tag in tags)
    return [{"Key": key, "Value": str(value)} for key, value in pairs if not key.startswith("aws:")]


def region_of(arn: str) -> str:
    """The region in an ARN, empty where there is none."""
    parts = str(arn).split(":")
    return parts[3] if len(parts) > 5 else ""
