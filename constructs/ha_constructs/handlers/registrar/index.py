"""Handler of the custom resources with which a region registers itself in the regions it belongs with.

Each resource type is a class with three methods: ``identity`` (the physical id; another one means replacement, and
CloudFormation then deletes the old one), ``apply`` (create and update, idempotent) and ``remove`` (idempotent; what is
gone already is fine). Whatever happens, CloudFormation gets an answer: without one a stack hangs until the resource's
service timeout. The answer stays far below CloudFormation's 4,096 bytes.

Follows "Custom resource request and response reference"
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html).
"""

import json
import logging
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Protocol

from .calls import Patience, Properties
from .peering import PeeringRegistration
from .registry_replication import RegistryReplication
from .secret_replica import SecretReplica

logger = logging.getLogger()
logger.setLevel(logging.INFO)

REASON_LENGTH = 1000
NOT_CREATED = "not-created/"


class Registration(Protocol):
    """What every resource type of this handler can do."""

    def identity(self, properties: Properties) -> str:
        """Return the physical id."""

    def apply(self, properties: Properties, old: Properties) -> dict[str, str]:
        """Create or update; return the attributes."""

    def remove(self, properties: Properties) -> None:
        """Delete."""


REGISTRATIONS: dict[str, Callable[[Patience], Registration]] = {
    "Custom::PeeringRegistration": PeeringRegistration,
    "Custom::SecretReplica": SecretReplica,
    "Custom::RegistryReplication": RegistryReplication,
}


def handler(event: dict[str, Any], context: Any) -> None:
    """Do what CloudFormation asks for and answer, whatever happens."""
    # The response URL is signed: whoever reads it in a log could answer instead.
    logger.info("%s", json.dumps({key: value for key, value in event.items() if key != "ResponseURL"}))
    physical_id = event.get("PhysicalResourceId") or NOT_CREATED + event["LogicalResourceId"]
    data: dict[str, str] = {}
    try:
        physical_id, data = _perform(event, physical_id, Patience(context))
        status, reason = "SUCCESS", ""
    except Exception as error:
        logger.exception("failed")
        if event["RequestType"] == "Create":
            physical_id = _identity_or(event, physical_id)
        status, reason = "FAILED", f"{type(error).__name__}: {error}"
    answer(event, status=status, reason=reason, physical_id=physical_id, data=data)


def _perform(event: dict[str, Any], physical_id: str, patience: Patience) -> tuple[str, dict[str, str]]:
    registration = REGISTRATIONS[event["ResourceType"]](patience)
    properties = event["ResourceProperties"]
    if event["RequestType"] == "Delete":
        if not physical_id.startswith(NOT_CREATED):
            registration.remove(properties)
        return physical_id, {}
    identity = registration.identity(properties)
    # Under another identity the old one gets a deletion of its own, with its own properties.
    old = event.get("OldResourceProperties", {}) if identity == physical_id else {}
    return identity, registration.apply(properties, old)


def _identity_or(event: dict[str, Any], fallback: str) -> str:
    # A creation that failed half-way is deleted by this id, so it must be one that deletion does not pass over.
    try:
        return REGISTRATIONS[event["ResourceType"]](Patience(None)).identity(event["ResourceProperties"])
    except KeyError:
        return fallback


def answer(event: dict[str, Any], *, status: str, reason: str, physical_id: str, data: dict[str, str]) -> None:
    """Put the outcome to the signed URL, trying three times."""
    readable = "".join(character if character.isascii() and character.isprintable() else " " for character in reason)
    body = json.dumps(
        {
            "Status": status,
            "Reason": readable[:REASON_LENGTH] or "done",
            "PhysicalResourceId": physical_id,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": data,
        }
    ).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310 (from CloudFormation)
    for attempt in range(3):
        try:
            with urllib.request.urlopen(request, timeout=15):  # noqa: S310
                return
        except OSError:
            logger.exception("answer not taken")
            time.sleep(2**attempt)
    raise RuntimeError("CloudFormation did not take the answer")
