"""The other half of ``sdk_for_node.js``: makes the SDK calls of Node handlers through boto3, against the emulator."""

import base64
import datetime
import json
from typing import Any

import boto3
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from ops.emulator.handlers.base import client

# Packages of the SDK for JavaScript whose name differs from boto3's by more than hyphens.
_SERVICES = {
    "cloudwatch-logs": "logs",
    "cloudwatch-events": "events",
    "elastic-load-balancing": "elb",
    "elastic-load-balancing-v2": "elbv2",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}


def answer(body: bytes) -> dict[str, Any]:
    """The result of the call, or its error with code, message and status."""
    request = json.loads(body)
    try:
        service = client(_service_name(request["service"]), request["region"])
        result = getattr(service, xform_name(request["operation"]))(**request["parameters"])
    except ClientError as error:
        details = error.response["Error"]
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 400)
        return {"error": {"code": details.get("Code"), "message": details.get("Message"), "status": status}}
    except (BotoCoreError, AttributeError, TypeError, ValueError) as error:
        return {"error": {"code": type(error).__name__, "message": str(error), "status": 400}}
    result.pop("ResponseMetadata", None)
    return {"result": json.loads(json.dumps(result, default=_plain))}


def _service_name(package: str) -> str:
    if package in _SERVICES:
        return _SERVICES[package]
    known = boto3.session.Session().get_available_services()
    names = (package, package.replace("-", ""))
    return next((name for name in names if name in known), package)


def _plain(value: object) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if hasattr(value, "read"):
        value = value.read()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
