"""Follows the emulator's ledger while CloudFormation works: how many resources of each stack are done."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from ops.rehearsal.assembly import Assembly
from ops.rehearsal.display import StackCount


class LedgerFollower:
    """Reads only what the ledger gained since the last look, several times a second.

    Arguments:
        ledger_path: the emulator's ledger, one JSON document a line.
    """

    def __init__(self, ledger_path: Path) -> None:
        """Start at the ledger's end, so that only what comes from now on counts."""
        self._path = ledger_path
        self._offset = 0
        self._expected: dict[str, int | None] = {}
        self._done: dict[str, set[str]] = {}
        self.mark()

    def mark(self) -> None:
        """Forget what was counted: the next step begins."""
        self._offset = self._path.stat().st_size if self._path.exists() else 0
        self._expected, self._done = {}, {}

    def expect(self, assembly: Assembly | None, *, whole: bool) -> None:
        """Count for the stacks of ``assembly`` from now on; ``whole``: every resource is to be made or deleted."""
        self.mark()
        for stack in assembly.stacks if assembly else ():
            self._expected[stack.name] = len(stack.resources) if whole else None

    def counts(self) -> Sequence[StackCount]:
        """Return each expected stack's count."""
        for stack, logical_id in self._new_entries():
            self._done.setdefault(stack, set()).add(logical_id)
        return [StackCount(stack, len(self._done.get(stack, ())), total) for stack, total in self._expected.items()]

    def operations(self) -> int:
        """Return how many resources were touched since the mark, in any stack."""
        self.counts()
        return sum(len(done) for done in self._done.values())

    def _new_entries(self) -> Iterable[tuple[str, str]]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        # The last line may still be in writing.
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            entry = json.loads(line)
            if entry.get("state") == "complete":
                yield entry["stack"], entry["logical_id"]
