"""Variations of an environment file: what a person would change in it during an environment's life."""

import copy
from pathlib import Path
from typing import Any

import yaml

from environments.loader import find

Document = dict[str, Any]
_REGIONS_TO_ADD = ("eu-central-1", "us-west-2", "ap-northeast-1")
_MOST_REGIONS = 5


class Variations:
    """Writes changed copies of an environment file; the file itself is never touched.

    Arguments:
        environment: name or path of the environment.
        folder: where the copies go.
    """

    def __init__(self, environment: str, folder: Path) -> None:
        """Read the file."""
        self._document: Document = yaml.safe_load(find(environment).read_text(encoding="utf-8"))
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def region_to_add(self) -> str | None:
        """A region that the environment does not have yet; ``None`` where it has as many as it can."""
        names = self._region_names()
        if len(names) >= _MOST_REGIONS:
            return None
        return next(region for region in _REGIONS_TO_ADD if region not in names)

    def changed(self) -> tuple[str, list[str]]:
        """Change settings that AWS changes in place, in several systems; returns the file and what was changed."""
        document = copy.deepcopy(self._document)
        changes = [
            _set(document, "network.flow_log_retention_days", 180, otherwise=365),
            _set(document, "ingress.deregistration_delay_seconds", 25, otherwise=15),
            _set(document, "database.backup_retention_days", 21, otherwise=28),
            _set(document, "ingress.rate_limit_per_five_minutes", 3000, otherwise=4000),
        ]
        queues = document.get("messaging", {}).get("queues") or []
        if queues:
            changes.append(
                _set(queues[0], "visibility_timeout_seconds", 180, otherwise=240, called="messaging.queues[0].")
            )
        return self._write("changed", document), changes

    def unprotected(self, *, region: str | None = None) -> str:
        """Turn deletion protection off, with one more region or not; returns the file."""
        document = self._with_region(region)
        document["deletion_protection"] = False
        return self._write("unprotected" if region is None else f"unprotected-with-{region}", document)

    def with_region(self, region: str) -> str:
        """Add a region at the end of the list; returns the file."""
        return self._write(f"with-{region}", self._with_region(region))

    def _with_region(self, region: str | None) -> Document:
        document = copy.deepcopy(self._document)
        if region is not None:
            regions = document["regions"]
            document["regions"] = [*(regions if isinstance(regions, list) else [regions]), region]
        return document

    def _region_names(self) -> list[str]:
        regions = self._document["regions"]
        entries = regions if isinstance(regions, list) else [regions]
        return [entry["name"] if isinstance(entry, dict) else str(entry) for entry in entries]

    def _write(self, name: str, document: Document) -> str:
        path = self._folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return str(path)


def _set(document: Document, field: str, value: Any, *, otherwise: Any, called: str = "") -> str:
    """Set a field to ``value``, or to ``otherwise`` where it has that value already; returns what was done."""
    *path, name = field.split(".")
    section = document
    for part in path:
        section = section.setdefault(part, {})
    old = section.get(name)
    section[name] = otherwise if old == value else value
    return f"{called}{field}: {old if old is not None else 'default'} -> {section[name]}"
