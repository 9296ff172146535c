"""The ledger: one line for each thing that CloudFormation did to a resource, in the order it happened."""

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

How = Literal["native", "handled", "lambda", "recorded"]
Operation = Literal["create", "update", "delete", "retain"]


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """What happened to one resource.

    ``how`` says what stands behind the resource: ``native`` (the emulator's own model, to be found through boto3),
    ``handled`` (a handler of ours with state and checks), ``lambda`` (the real handler code ran) or ``recorded`` (no
    model: validated, then noted). ``reason`` explains that, and carries the message of a failure.
    ``state`` is ``complete`` or ``failed``. ``operation`` is ``retain`` where a deletion policy kept the resource.
    ``properties`` are the resolved ones, ``attributes`` what ``Fn::GetAtt`` reads.
    """

    stack: str
    region: str
    logical_id: str
    construct_path: str
    type: str
    physical_id: str
    how: How
    reason: str
    operation: Operation
    state: Literal["complete", "failed"] = "complete"
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """Appends entries to a JSON lines file, and reads them back."""

    def __init__(self, path: Path) -> None:
        """Write to, and read from, the file at ``path``; its folder must exist."""
        self._path = path
        self._lock = threading.Lock()

    def append(self, entry: LedgerEntry) -> None:
        """Add one entry at the end."""
        line = json.dumps(asdict(entry), default=str, separators=(",", ":"))
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def read(self) -> list[LedgerEntry]:
        """Every entry so far, oldest first; a line that is still being written is left out."""
        if not self._path.exists():
            return []
        known = {item.name for item in fields(LedgerEntry)}
        lines = self._path.read_text(encoding="utf-8").split("\n")[:-1]
        return [
            LedgerEntry(**{key: value for key, value in json.loads(line).items() if key in known})
            for line in lines
            if line
        ]


def current_resources(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Reduce a ledger to the resources that exist: the last completed entry of each one that was not deleted.

    A resource that its deletion policy kept is still in the list, with the operation ``retain``.
    """
    existing: dict[tuple[str, str, str, str], LedgerEntry] = {}
    for entry in entries:
        if entry.state == "failed":
            continue
        key = (entry.stack, entry.region, entry.logical_id, entry.physical_id)
        if entry.operation == "delete":
            existing.pop(key, None)
        else:
            existing[key] = entry
    return list(existing.values())
