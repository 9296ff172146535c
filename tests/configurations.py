"""The configuration matrix: one list of environments that every matrix test shares."""

from typing import Any

import pytest

from environments import Environment, load

REGIONS = ("eu-west-1", "us-east-1", "eu-central-1", "ap-southeast-1", "sa-east-1")


def minimal(**changes: Any) -> dict[str, Any]:
    """Return the content of the smallest environment file, with changes on top."""
    document: dict[str, Any] = {
        "name": "test",
        "account": "111122223333",
        "regions": ["eu-west-1"],
        "domain": "example.com",
        "alerts": {"email": ["platform@example.com"]},
    }
    return {**document, **changes}


def _overlay(**changes: Any) -> Environment:
    return Environment.model_validate(minimal(**changes))


MATRIX: dict[str, Environment] = {
    "reference": load("reference"),
    "production": load("production"),
    "single-region": load("single-region"),
    **{f"{count}-regions": _overlay(regions=list(REGIONS[:count])) for count in range(1, 6)},
    "existing-zone": _overlay(domain={"name": "example.com", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}),
    "unprotected": _overlay(regions=list(REGIONS[:2]), deletion_protection=False),
    "cheaper": _overlay(
        network={"single_nat_gateway": True},
        database={"single_zone": True, "instance_class": "t4g.medium"},
        cache={"global_datastore": False, "node_type": "cache.t4g.medium", "replicas": 1},
    ),
    "public-api-server": _overlay(cluster={"api_server": {"public_access_cidrs": ["203.0.113.0/24"]}}),
    "opt-in-region": _overlay(regions=["eu-south-2", "ap-southeast-5"]),
    "older-kubernetes": _overlay(cluster={"kubernetes_version": "1.35"}),
    "fifo": _overlay(
        messaging={
            "topics": [{"name": "orders", "fifo": True}],
            "queues": [{"name": "billing", "topics": ["orders"], "fifo": True}],
        }
    ),
}
"""Every shape of environment that must synthesize, by name."""

matrix = pytest.mark.parametrize("configuration", MATRIX.values(), ids=MATRIX.keys())
"""Run a test for each environment of the matrix."""
