"""A region as a destination of the image replication of another region's registry."""

import random
from typing import Any

from .calls import Patience, Properties, connect

RULE_LIMIT = 10
DESTINATION_LIMIT = 25


class RegistryReplication:
    """The own region as a destination of the primary region's image replication, for one repository prefix."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def identity(self, properties: Properties) -> str:
        """One destination a prefix and region."""
        return f"{properties['RepositoryPrefix']}@{properties['DestinationRegion']}"

    def apply(self, properties: Properties, old: Properties) -> dict[str, str]:
        """Add the destination to the prefix's rule, or the rule."""
        self._settle(properties, wanted=True)
        return {"DestinationRegion": properties["DestinationRegion"]}

    def remove(self, properties: Properties) -> None:
        """Take the destination out of the prefix's rule, and the rule with its last destination."""
        self._settle(properties, wanted=False)

    def _settle(self, properties: Properties, *, wanted: bool) -> None:
        # The configuration is written as a whole and has no version to compare: another region's write between this
        # read and this write would be lost or lose this one. So it counts only when a later read shows it.
        prefix, region = properties["RepositoryPrefix"], properties["DestinationRegion"]
        client = connect("ecr", properties["PrimaryRegion"])
        while True:
            registry = self._patience.permitted(client.describe_registry)
            rules = registry.get("replicationConfiguration", {}).get("rules", [])
            changed = _with_destination(
                rules, prefix, {"region": region, "registryId": registry["registryId"]}, wanted=wanted
            )
            if changed == rules:
                return
            if wanted:
                _check_limits(changed)
            self._patience.permitted(client.put_replication_configuration, replicationConfiguration={"rules": changed})
            self._patience.pause(random.uniform(2, 6), f"the replication of {prefix} to {region} to be kept")  # noqa: S311 (jitter)


def _with_destination(
    rules: list[dict[str, Any]], prefix: str, destination: dict[str, str], *, wanted: bool
) -> list[dict[str, Any]]:
    filters = [{"filter": prefix, "filterType": "PREFIX_MATCH"}]
    mine = [rule for rule in rules if rule.get("repositoryFilters") == filters]
    if wanted:
        if any(destination in rule["destinations"] for rule in mine):
            return rules
        if not mine:
            return [*rules, {"destinations": [destination], "repositoryFilters": filters}]
        longer = {**mine[0], "destinations": [*mine[0]["destinations"], destination]}
        return [longer if rule is mine[0] else rule for rule in rules]
    changed = []
    for rule in rules:
        destinations = [target for target in rule["destinations"] if rule not in mine or target != destination]
        if destinations:
            changed.append({**rule, "destinations": destinations})
    return changed


def _check_limits(rules: list[dict[str, Any]]) -> None:
    destinations = {(target["region"], target["registryId"]) for rule in rules for target in rule["destinations"]}
    if len(rules) > RULE_LIMIT:
        raise RuntimeError(
            f"the registry already has {RULE_LIMIT} replication rules, the most that ECR allows: remove or merge one"
        )
    if len(destinations) > DESTINATION_LIMIT:
        raise RuntimeError(
            f"the registry already replicates to {DESTINATION_LIMIT} destinations, the most that ECR allows: remove one"
        )
