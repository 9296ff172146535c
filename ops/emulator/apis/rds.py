"""RDS: what ministack does not tell of a DB instance."""

from collections.abc import Callable
from typing import Any

from ministack.services import rds

from ops.emulator.apis.answers import element, elements

_DETAILS = ("DatabaseInsightsMode", "PerformanceInsightsKMSKeyId", "EngineLifecycleSupport", "DedicatedLogVolume")
_NO_EXPORTS = "<EnabledCloudwatchLogsExports/>"


def install() -> None:
    """Complete the answers."""
    rds._instance_xml = _with_details(rds._instance_xml)


def _with_details(original: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """An instance with its insights, keys and the logs that it exports; ministack tells that there are none."""

    def fields(instance: dict[str, Any]) -> str:
        logs = "".join(element("member", name) for name in instance.get("EnabledCloudwatchLogsExports", []))
        exports = f"<EnabledCloudwatchLogsExports>{logs}</EnabledCloudwatchLogsExports>"
        return original(instance).replace(_NO_EXPORTS, exports) + elements(instance, _DETAILS)

    return fields
