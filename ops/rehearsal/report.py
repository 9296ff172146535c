"""The report of a rehearsal: what was asked for, what came to exist and how, and what a rehearsal can't show."""

import json
import os
import platform
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from ops.rehearsal.display import Step
from ops.rehearsal.rehearsal import Outcome
from ops.rehearsal.verify.settings import CheckOutcome

CANNOT_SHOW = (
    ("Quotas", "addresses, VPCs, accelerators, load balancers: an account's limits are not known here"),
    ("Capacity", "whether a zone has the instance class, the node type or the accelerator on the day"),
    ("IAM enforcement", "every call is allowed here; roles and policies exist but deny nothing"),
    ("Real durations", "clusters, databases and global stores take many minutes each; here they take none"),
    ("Replication of data", "replicas, global stores and image replication are linked and checked, no byte moves"),
    ("Names taken by others", "bucket names and domains that another account owns"),
    ("Domain delegation", "certificates are issued without anybody asking the domain's registrar"),
    (
        "Traffic",
        "no packet takes the way from client to pod; routes, listeners and groups exist and refer to each other",
    ),
    ("In-cluster behaviour", "clusters are records here, no controller runs in them"),
    ("Cost", "nothing is billed"),
)
ReportResult = Literal["passed", "failed", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that the table, the JSON file and the page tell."""

    name: str
    full: bool
    result: ReportResult
    message: str
    started: str
    seconds: float
    steps: Sequence[Step]
    outcome: Outcome

    def as_dict(self) -> dict[str, Any]:
        """Return the report as ``report.json`` holds it."""
        verification = self.outcome.verification
        return {
            "environment": self.name,
            "full": self.full,
            "outcome": self.result,
            "message": self.message,
            "started": self.started,
            "seconds": self.seconds,
            "summary": {
                "resources": len(verification.resources),
                **verification.counts(),
                "recorded_percent": verification.recorded_percent(),
                "stacks": self.by_stack(),
                "recorded_types": self.recorded_types(),
                "checks": self.checks(),
                "untold_settings": self.settings("untold"),
                "withheld_settings": self.settings("withheld"),
            },
            "failures": [failure.as_dict() for failure in self.outcome.failures],
            "steps": [
                {
                    "name": step.name,
                    "title": step.title,
                    "outcome": step.outcome,
                    "seconds": step.seconds,
                    "notes": step.notes,
                }
                for step in self.steps
            ],
            "resources": [resource.as_dict() for resource in verification.resources],
            "left_behind": [item.as_dict() for item in self.outcome.left_behind],
            "versions": self.outcome.versions,
            "emulator_log": str(self.outcome.emulator_log),
            "cannot_show": [{"what": what, "why": why} for what, why in CANNOT_SHOW],
        }

    def by_stack(self) -> list[dict[str, Any]]:
        """Count each stack's resources by ``how``."""
        counts: dict[tuple[str, str], Counter[str]] = {}
        for item in self.outcome.verification.resources:
            counts.setdefault((item.stack, item.region), Counter())[item.how] += 1
        hows = ("native", "handled", "lambda", "recorded", "unaccounted")
        return [
            {"stack": stack, "region": region, "resources": counter.total(), **{how: counter[how] for how in hows}}
            for (stack, region), counter in counts.items()
        ]

    def recorded_types(self) -> list[dict[str, Any]]:
        """Count the recorded resources by type and reason."""
        counter = Counter(
            (item.type, item.reason) for item in self.outcome.verification.resources if item.how == "recorded"
        )
        return [{"type": kind, "count": count, "reason": reason} for (kind, reason), count in sorted(counter.items())]

    def settings(self, outcome: CheckOutcome) -> list[dict[str, Any]]:
        """Count the declared settings of one outcome by type.

        ``untold``: what was not compared, because the emulator's APIs don't tell it; ``withheld``: because no API of
        AWS tells it either.
        """
        counter = Counter(
            (item.type, check.setting)
            for item in self.outcome.verification.resources
            for check in item.checks
            if check.outcome == outcome
        )
        return [
            {"type": kind, "setting": setting, "count": count} for (kind, setting), count in sorted(counter.items())
        ]

    def checks(self) -> dict[str, int]:
        """Count the compared settings by outcome."""
        counter = Counter(check.outcome for item in self.outcome.verification.resources for check in item.checks)
        return {outcome: counter.get(outcome, 0) for outcome in ("same", "differs", "untold", "withheld")}


def tool_versions(cli_version: str) -> dict[str, str]:
    """Return the versions of what the result depends on."""
    packages = {name: metadata.version(name) for name in ("ministack", "boto3", "aws-cdk-lib") if _is_installed(name)}
    return {"cdk CLI": cli_version, **packages, "python": platform.python_version()}


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def write_atomically(path: Path, content: str) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        # mkstemp makes the file for its owner alone; a report is for everybody who may read the folder.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(report: Report, path: Path) -> None:
    """Write ``report.json``."""
    write_atomically(path, json.dumps(report.as_dict(), indent=1, default=str) + "\n")
