"""All rules, in the order of the documentation."""

from types import ModuleType

from ha_checks import (
    addresses,
    alarms,
    cache,
    data,
    health,
    keys,
    messaging,
    names,
    nodes,
    places,
    quotas,
    replication,
    traffic,
    versions,
    zones,
)
from ha_checks.rule import Rule

_MODULES: tuple[ModuleType, ...] = (
    zones,
    nodes,
    data,
    cache,
    versions,
    alarms,
    replication,
    addresses,
    traffic,
    health,
    messaging,
    keys,
    places,
    names,
    quotas,
)

RULES: tuple[Rule, ...] = tuple(
    value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)
)
"""Every rule of the pack."""
