"""How an action of ours gets into a service of ministack, and in which form it answers."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from ministack import app
from ministack.core.responses import json_response

Answer = tuple[int, dict[str, str], bytes]
Parameters = dict[str, Any]
Action = Callable[[Parameters], Answer]


def add_json_actions(service: str, actions: Mapping[str, Action]) -> None:
    """Let ``actions`` answer for a service that is called with JSON and names the action in a header."""
    original: Callable[..., Awaitable[Answer]] = app.SERVICE_HANDLERS[service]

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Parameters) -> Answer:
        action = actions.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if action is not None:
            return action(json.loads(body) if body else {})
        return await original(method, path, headers, body, query)

    app.SERVICE_HANDLERS[service] = handle


def add_query_actions(service: str, actions: Mapping[str, Action]) -> None:
    """Let ``actions`` answer for a service that is called with a form and names the action in it."""
    original: Callable[..., Awaitable[Answer]] = app.SERVICE_HANDLERS[service]

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Parameters) -> Answer:
        form = {**query, **parse_qs(body.decode("utf-8", errors="replace"))} if body else dict(query)
        action = actions.get(str(form.get("Action", [""])[0]))
        if action is not None:
            return action(form)
        return await original(method, path, headers, body, query)

    app.SERVICE_HANDLERS[service] = handle


def json_answer(body: dict[str, Any]) -> Answer:
    """A successful answer of a JSON service."""
    answer: Answer = json_response(body)
    return answer


def elements(record: Mapping[str, Any], names: Iterable[str]) -> str:
    """One XML element for each of the record's values of these names; a name without a value is left out."""
    return "".join(element(name, record[name]) for name in names if record.get(name) not in (None, ""))


def element(name: str, value: object) -> str:
    """One XML element with a plain value."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text)}</{name}>"
