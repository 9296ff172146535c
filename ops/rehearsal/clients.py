"""boto3 clients of the emulator, made once for each service and region and shared by the threads that verify."""

import threading
from typing import Any, Protocol

import boto3
from botocore.config import Config

from ops.emulator import LedgerEntry


class EmulatedAccount(Protocol):
    """What the rehearsal needs of the emulator."""

    @property
    def endpoint_url(self) -> str:
        """Where the emulator answers."""

    @property
    def account(self) -> str:
        """The account that every call is made in."""

    def ledger(self) -> list[LedgerEntry]:
        """What CloudFormation did so far."""

    def state(self) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
        """What the emulator's own handlers keep."""


class Clients:
    """Clients for one emulated account.

    One session serves all of them, since reading the services' models costs more than every call of a rehearsal, and a
    lock guards it, since making clients is not thread-safe (using them is).

    Arguments:
        emulator: the account to talk to.
    """

    def __init__(self, emulator: EmulatedAccount) -> None:
        """Make nothing yet."""
        self._endpoint = emulator.endpoint_url
        self._session = boto3.session.Session(
            aws_access_key_id=emulator.account,
            aws_secret_access_key="emulator",  # noqa: S106 - the emulator takes any
        )
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        """Return the client of ``service`` in ``region``."""
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._session.client(
                    service, region_name=region, endpoint_url=self._endpoint, config=_CONFIGURATION
                )
            return self._clients[service, region]


_CONFIGURATION = Config(
    retries={"max_attempts": 1},
    # A proxy in the user's variables must not carry what goes to loopback.
    proxies={},
    s3={"addressing_style": "path"},
    max_pool_connections=8,
    connect_timeout=5,
    read_timeout=60,
)
