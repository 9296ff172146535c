"""What our handlers keep about the resources that the emulator has no model of."""

import copy
from threading import RLock
from typing import Any

GLOBAL = "global"

Record = dict[str, Any]


class StateStore:
    """Records by resource type, region and physical id; answers and takes copies, so that nobody shares one."""

    def __init__(self) -> None:
        """Start empty."""
        self._records: dict[str, dict[str, dict[str, Record]]] = {}
        self._lock = RLock()

    def put(self, resource_type: str, region: str, physical_id: str, record: Record) -> None:
        """Keep ``record``, in place of an earlier one."""
        with self._lock:
            of_type = self._records.setdefault(resource_type, {})
            of_type.setdefault(region, {})[physical_id] = copy.deepcopy(record)

    def get(self, resource_type: str, region: str, physical_id: str) -> Record | None:
        """The record, or ``None``."""
        return copy.deepcopy(self._records.get(resource_type, {}).get(region, {}).get(physical_id))

    def remove(self, resource_type: str, region: str, physical_id: str) -> None:
        """Forget the record; harmless where there is none."""
        with self._lock:
            of_region = self._records.get(resource_type, {}).get(region, {})
            of_region.pop(physical_id, None)
            if not of_region:
                self._records.get(resource_type, {}).pop(region, None)
            if not self._records.get(resource_type):
                self._records.pop(resource_type, None)

    def find(self, resource_type: str, region: str | None = None) -> dict[str, Record]:
        """All records of a type by physical id, in one region or in all."""
        with self._lock:
            of_type = self._records.get(resource_type, {})
            chosen = of_type.values() if region is None else [of_type.get(region, {})]
            return copy.deepcopy({key: record for records in chosen for key, record in records.items()})

    def snapshot(self) -> dict[str, dict[str, dict[str, Record]]]:
        """Everything."""
        with self._lock:
            return copy.deepcopy(self._records)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._records.clear()


STATE = StateStore()
