"""Alarms and the dashboard of a region: what to watch, how urgent it is, and whether the region is healthy."""

from ha_constructs.monitoring.region import RegionMonitoring
from ha_constructs.monitoring.systems import (
    MonitoredCache,
    MonitoredDatabase,
    MonitoredLoadBalancer,
    MonitoredNetworkLoadBalancer,
    MonitoredQueue,
    cache_node_ids,
)

__all__ = [
    "MonitoredCache",
    "MonitoredDatabase",
    "MonitoredLoadBalancer",
    "MonitoredNetworkLoadBalancer",
    "MonitoredQueue",
    "RegionMonitoring",
    "cache_node_ids",
]
