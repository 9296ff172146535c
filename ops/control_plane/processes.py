"""Programs that run beside us, end with us, and write to log files."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_GUARD = Path(__file__).with_name("guard.py")
_LOOPBACK = "127.0.0.1"
_STOP_SECONDS = 10


class GuardedProcess:
    """A program in a process group of its own, started at once; it cannot outlive this process (see ``guard.py``).

    Arguments:
        command: the program and its arguments.
        log_path: file for its output; added to where it exists.

    Exposes ``log_path``, ``running``, ``log_tail()`` and ``stop()``.
    """

    def __init__(self, command: Sequence[str | Path], log_path: Path) -> None:
        self.log_path = log_path
        self.name = Path(command[0]).name
        with log_path.open("a") as log:
            self._process = subprocess.Popen(
                # -I and -S: the guard needs nothing but the standard library, and starts faster without the rest.
                [sys.executable, "-I", "-S", str(_GUARD), *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether the program has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Kill the program and wait until it is gone; nothing happens where it is already."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that the program wrote."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nothing listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((_LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
