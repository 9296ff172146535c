"""Keeps a target group equal to the network interfaces through which an EKS control plane is reached in its VPC.

Runs for CloudFormation (custom resource) and on a schedule. Its rules:

* It never leaves the target group without a target: if no interface is found, what is registered stays.
* It registers before it deregisters.
* A request of CloudFormation is always answered. Deletion does nothing: the targets go with their group. Interfaces
  that can't be seen yet are not a failure of the deployment: the schedule looks again within a minute.
* On the schedule, finding nothing is an error, so that an alarm on the function's errors tells.
"""

import json
import logging
import os
import urllib.request
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

PORT = 443
ANSWER_ATTEMPTS = 3
ANSWER_TIMEOUT_SECONDS = 10

logger = logging.getLogger()
logger.setLevel(logging.INFO)

# Bounded, so that the function has time left to answer CloudFormation: five calls at most, each tried twice.
CLIENT_CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})


class NoInterfacesError(RuntimeError):
    """The control plane has no network interface that could be seen."""


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Reconcile, for CloudFormation if the event has a ResponseURL, else for the schedule."""
    if "ResponseURL" in event:
        return answer_cloudformation(event)
    result = reconcile()
    if not result["Found"]:
        raise NoInterfacesError(f"no network interface of the cluster {os.environ['CLUSTER_NAME']} found; kept as is")
    return result


def answer_cloudformation(event: Mapping[str, Any]) -> dict[str, Any]:
    """Do what CloudFormation asks, and tell it how that went, whatever happens."""
    answer: dict[str, Any] = {
        "Status": "SUCCESS",
        "PhysicalResourceId": event.get("PhysicalResourceId") or f"api-server-targets-{os.environ['CLUSTER_NAME']}",
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    try:
        if event["RequestType"] != "Delete":
            answer["Data"] = reconcile()
    except Exception as error:  # whatever it is, an unanswered request blocks the stack for an hour
        logger.exception("could not reconcile the targets")
        answer["Status"] = "FAILED"
        answer["Reason"] = f"{type(error).__name__}: {error}"[:1024]
    send(event["ResponseURL"], answer)
    return answer


def reconcile() -> dict[str, Any]:
    """Make the target group equal to the control plane's interfaces; give the counts of what was found and changed."""
    ec2 = boto3.client("ec2", config=CLIENT_CONFIG)
    load_balancing = boto3.client("elbv2", config=CLIENT_CONFIG)
    target_group_arn = os.environ["TARGET_GROUP_ARN"]

    wanted = control_plane_addresses(ec2)
    registered, leaving = target_addresses(load_balancing, target_group_arn)
    if not wanted:
        logger.error("no network interface of the control plane found: %d targets kept as they are", len(registered))
        return {"Found": 0, "Registered": 0, "Deregistered": 0}

    missing = wanted - registered
    stale = registered - wanted
    if missing:
        load_balancing.register_targets(TargetGroupArn=target_group_arn, Targets=as_targets(missing))
    if stale:
        load_balancing.deregister_targets(TargetGroupArn=target_group_arn, Targets=as_targets(stale))
    if missing or stale:
        logger.info("registered %s, deregistered %s, leaving %s", sorted(missing), sorted(stale), sorted(leaving))
    return {"Found": len(wanted), "Registered": len(missing), "Deregistered": len(stale)}


def control_plane_addresses(ec2: Any) -> set[str]:
    """Find the control plane's interfaces by the description that EKS gives them.

    Anyone who may create interfaces in the VPC could give one that description; the security group that EKS attaches
    narrows it down to those who may also use that group.
    """
    pages = ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[
            {"Name": "description", "Values": [f"Amazon EKS {os.environ['CLUSTER_NAME']}"]},
            {"Name": "vpc-id", "Values": [os.environ["VPC_ID"]]},
            {"Name": "group-id", "Values": [os.environ["CLUSTER_SECURITY_GROUP_ID"]]},
            {"Name": "status", "Values": ["in-use"]},
        ]
    )
    return {interface["PrivateIpAddress"] for page in pages for interface in page["NetworkInterfaces"]}


def target_addresses(load_balancing: Any, target_group_arn: str) -> tuple[set[str], set[str]]:
    """List registered addresses, and apart from them those that are draining (which may be registered anew)."""
    registered: set[str] = set()
    leaving: set[str] = set()
    descriptions = load_balancing.describe_target_health(TargetGroupArn=target_group_arn)["TargetHealthDescriptions"]
    for description in descriptions:
        draining = description["TargetHealth"]["State"] == "draining"
        (leaving if draining else registered).add(description["Target"]["Id"])
    return registered, leaving


def as_targets(addresses: set[str]) -> list[dict[str, Any]]:
    """Give addresses the form of the API."""
    return [{"Id": address, "Port": PORT} for address in sorted(addresses)]


def send(url: str, answer: Mapping[str, Any]) -> None:
    """Put the answer to CloudFormation's presigned URL."""
    body = json.dumps(answer).encode()
    for attempt in range(1, ANSWER_ATTEMPTS + 1):
        request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_SECONDS):  # noqa: S310
                return
        except OSError:
            logger.exception("answer not delivered, attempt %d of %d", attempt, ANSWER_ATTEMPTS)
            if attempt == ANSWER_ATTEMPTS:
                raise
