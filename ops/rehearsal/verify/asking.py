"""How a resource is looked up: by the service's own API, in its region, never through what deployed it.

A *finder* asks for one resource type and answers its settings under CloudFormation's property names, so that they can
be held against the declared ones. A setting that the API does not tell is left out, never made up.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from ops.rehearsal.clients import Clients

Settings = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a finder knows: where to ask, the physical id, and what was declared (references resolved)."""

    clients: Clients
    region: str
    physical_id: str
    declared: Settings = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A boto3 client in the resource's region."""
        return self.clients.client(service, self.region)

    def answer(self, call: Callable[..., Any], *path: str | int, **arguments: Any) -> Any:
        """Return what ``call`` answers, below ``path``; ``None`` where there is no such thing."""
        try:
            value = call(**arguments)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) >= 500:
                raise
            return None
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError):
                return None
        return value

    def alike(self, response: Mapping[str, Any], *, but: Iterable[str] = ()) -> dict[str, Any]:
        """Return the declared settings that the response tells under the same names."""
        left_out = set(but)
        return {name: response[name] for name in self.declared if name in response and name not in left_out}


Finder = Callable[[Ask], Settings | None]


@dataclass(frozen=True)
class Registered:
    """A finder, and the settings that it must be able to tell where they are declared."""

    find: Finder
    must: tuple[str, ...]


_FINDERS: dict[str, Registered] = {}


def finds(*resource_types: str, must: Sequence[str] = ()) -> Callable[[Finder], Finder]:
    """Register a finder for these types.

    Arguments:
        resource_types: CloudFormation type names.
        must: settings without which a resource of the type is not worth calling found: where one is declared and the
            API does not tell it, that is a failure instead of a gap to be reported.
    """

    def register(finder: Finder) -> Finder:
        for resource_type in resource_types:
            _FINDERS[resource_type] = Registered(finder, tuple(must))
        return finder

    return register


@functools.cache
def finders() -> Mapping[str, Registered]:
    """Return every finder there is, by type; they live in the modules of ``ops.rehearsal.verify.finders``."""
    package = importlib.import_module("ops.rehearsal.verify.finders")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return _FINDERS
