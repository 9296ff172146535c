"""``ha rehearse`` as a person runs it: exit codes, reports, and nothing left running."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops.cli import main
from ops.rehearsal.assembly import Assembly
from tests.ops.rehearsal.apps import small

REPOSITORY = Path(__file__).parents[3]


def _rehearse(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops.cli", "rehearse", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
    )


def _processes_of(directory: Path) -> list[str]:
    """The command lines and variables of running processes that have to do with ``directory``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            about = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(directory).encode() in about and process.name != str(os.getpid()):
            found.append(about.decode(errors="replace")[:200])
    return found


@pytest.mark.emulator
def test_the_whole_life_of_a_small_app_passes(tmp_path: Path, app_name: str) -> None:
    small.build(str(tmp_path / "assembly"), name=app_name, one_region=True)

    result = _rehearse("--full", "--app", str(tmp_path / "assembly"), "--out", str(tmp_path / "out"))

    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["outcome"] == "passed"
    assert report["summary"]["unaccounted"] == 0
    outcomes = {step["name"]: step["outcome"] for step in report["steps"]}
    passed = {
        "deploy",
        "verify",
        "unchanged",
        "diff",
        "updated",
        "failure",
        "drift",
        "drifted",
        "destroy",
        "left-behind",
    }
    assert {name for name, outcome in outcomes.items() if outcome == "passed"} >= passed
    # Both need an environment file, which a foreign app does not have; the report says so instead of leaving them out.
    assert {name for name, outcome in outcomes.items() if outcome == "skipped"} == {"region", "unprotect"}
    assert _processes_of(tmp_path / "out") == []


@pytest.mark.emulator
def test_a_planted_fault_fails_the_command_and_is_legible(tmp_path: Path, app_name: str) -> None:
    assembly, out = tmp_path / "assembly", tmp_path / "out"
    construct_path = small.build(str(assembly), name=app_name, fault="missing-property", one_region=True)

    result = _rehearse("--app", str(assembly), "--out", str(out))

    assert result.returncode == 1
    for told in (construct_path, "AWS::EC2::Subnet", "reason", "look at", str(out / "emulator" / "emulator.log")):
        assert told in result.stdout
    report = json.loads((out / "report.json").read_text())
    assert report["outcome"] == "failed"
    assert [failure["construct_path"] for failure in report["failures"]] == [construct_path]


@pytest.mark.emulator
def test_an_interrupt_leaves_nothing_running(sound: Assembly, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "rehearse", "--app", str(sound.directory), "--out", str(out)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("... cdk deploy"):
            break
    time.sleep(0.7)
    assert len(_processes_of(out)) > 1

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 130, output
    assert _processes_of(out) == []
    assert json.loads((out / "report.json").read_text())["outcome"] == "interrupted"
    assert not list(out.glob(".report*"))


def test_help_says_what_to_type_first(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rehearse", "--help"])
    assert ended.value.code == 0
    assert "ha rehearse single-region --full" in capsys.readouterr().out


def test_an_unknown_environment_is_one_line_without_a_traceback(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["rehearse", "referense", "--out", str(tmp_path)]) == 1
    output = capsys.readouterr().out
    assert "did you mean 'reference'?" in output
    assert "Traceback" not in output
