"""Calls to AWS: clients by region, error codes, and waiting that leaves time to answer."""

import logging
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

logger = logging.getLogger(__name__)

Properties = dict[str, Any]
Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")

RESERVED_SECONDS = 30.0  # kept back for the answer
PERMISSION_SECONDS = 60.0  # a policy attached just before takes a while to reach every region
DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
CLIENT_CONFIG = Config(connect_timeout=10, read_timeout=30, retries={"mode": "standard", "max_attempts": 6})


def connect(service: str, region: str) -> Any:
    """Return a client of ``service`` in ``region``."""
    return boto3.client(service, region_name=region, config=CLIENT_CONFIG)


def error_code(error: ClientError) -> str:
    """Return the code of a service's refusal, such as ``InvalidRoute.NotFound``."""
    return str(error.response.get("Error", {}).get("Code", ""))


class Patience:
    """Bounded waiting: never longer than the invocation has left, less what answering needs."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def pause(self, seconds: float, waiting_for: str) -> None:
        """Sleep, or raise TimeoutError where there is no time left for it."""
        if self._context.get_remaining_time_in_millis() / 1000 < seconds + RESERVED_SECONDS:
            raise TimeoutError(f"gave up waiting for {waiting_for}")
        time.sleep(seconds)

    def permitted(
        self, operation: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Call, and call again for a minute while IAM still denies it."""
        started = time.monotonic()
        while True:
            try:
                return operation(*args, **kwargs)
            except ClientError as error:
                if error_code(error) not in DENIED_CODES or time.monotonic() - started > PERMISSION_SECONDS:
                    raise
                logger.info("denied, trying again: %s", error)
            self.pause(5, "permissions")
