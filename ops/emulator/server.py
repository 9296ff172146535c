"""The emulator's process: ``python -m ops.emulator.server``, started by :class:`ops.emulator.Emulator`.

It reads everything from environment variables: ministack's own (``GATEWAY_PORT``, ``BIND_HOST``, ...),
``EMULATOR_LEDGER`` (the ledger's file) and ``EMULATOR_PARENT`` (the process without which this one ends).
"""

import asyncio
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app as ministack_app

from ops.emulator import apis, patches, sdk
from ops.emulator.handlers import register_all
from ops.emulator.ledger import Ledger
from ops.emulator.lifecycle import Lifecycle
from ops.emulator.state import STATE

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


# Calls of Node handlers wait for the emulator itself: they get threads of their own, apart from the server's pool.
_SDK_THREADS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="sdk")


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answers our own routes, and hands everything else to ministack."""
    if scope["type"] == "http" and scope["path"].startswith("/_emulator/"):
        body: dict[str, Any] = {"status": "ready"}
        if scope["path"] == "/_emulator/state":
            body = STATE.snapshot()
        elif scope["path"] == "/_emulator/sdk":
            body = await asyncio.get_running_loop().run_in_executor(_SDK_THREADS, sdk.answer, await _body(receive))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body, default=str).encode()})
        return
    await ministack_app(scope, receive, send)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def main() -> None:
    """Install what ministack lacks, then serve until a signal comes or the parent is gone."""
    register_all()
    ledger = Ledger(Path(os.environ["EMULATOR_LEDGER"]))
    patches.install(Lifecycle(ledger=ledger, scope=patches.scope, path_of=patches.path_of))
    apis.install()
    threading.Thread(target=_end_with_parent, args=(int(os.environ["EMULATOR_PARENT"]),), daemon=True).start()
    logging.getLogger("hypercorn.access").setLevel(logging.WARNING)
    config = Config()
    config.bind = [f"{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    asyncio.run(_serve(config))


async def _serve(config: Config) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stopped.set)
    await serve(application, config, shutdown_trigger=stopped.wait)  # type: ignore[arg-type]


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
