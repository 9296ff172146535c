import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops.control_plane.processes import GuardedProcess, free_ports

STARTER = """
import pathlib, sys, time
from ops.control_plane.processes import GuardedProcess
script = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)"
process = GuardedProcess([sys.executable, "-c", script, sys.argv[1]], pathlib.Path(sys.argv[1] + ".log"))
time.sleep(60)
"""


def alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition, seconds: float = 10) -> bool:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_program_ends_when_its_starter_dies(tmp_path: Path, how: signal.Signals) -> None:
    note = tmp_path / "process-id"
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(note)], stderr=subprocess.DEVNULL)
    assert wait_for(lambda: note.is_file() and note.read_text())
    program = int(note.read_text())
    assert alive(program)

    starter.send_signal(how)
    starter.wait()

    assert wait_for(lambda: not alive(program))


def test_stop_ends_a_program_that_ignores_requests_to_end(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    process = GuardedProcess([sys.executable, "-c", stubborn], tmp_path / "log")
    assert wait_for(lambda: "up" in process.log_tail())

    process.stop()

    assert not process.running


def test_the_log_tells_why_a_program_ended(tmp_path: Path) -> None:
    process = GuardedProcess([sys.executable, "-c", "raise SystemExit('no such cluster')"], tmp_path / "log")

    assert wait_for(lambda: not process.running)
    assert "no such cluster" in process.log_tail()


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20
