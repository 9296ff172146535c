"""The process: where it listens, and that it ends."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from ops.emulator import Emulator


def _answers(endpoint: str) -> bool:
    port = int(endpoint.rsplit(":", 1)[1])
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_an_account_id_has_twelve_digits(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give 12 digits"):
        Emulator(tmp_path, account="12")


def test_listens_on_loopback_only(emulator: Emulator) -> None:
    port = int(emulator.endpoint_url.rsplit(":", 1)[1])
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
    ]
    assert listening == [f"0100007F:{port:04X}"]


def test_calls_are_made_in_the_account(emulator: Emulator) -> None:
    assert emulator.client("sts").get_caller_identity()["Account"] == emulator.account


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_ends_with_the_block_whatever_ends_it(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), Emulator(tmp_path) as running:
        endpoint = running.endpoint_url
        assert _answers(endpoint)
        raise error
    assert not _answers(endpoint)


def test_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        emulator = Emulator(tmp_path).__enter__()
        os.write(writing, emulator.endpoint_url.encode())
        time.sleep(60)
    endpoint = os.read(reading, 100).decode()
    assert _answers(endpoint)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 10
    while _answers(endpoint) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _answers(endpoint)


def test_a_subprocess_gets_no_real_credentials(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    given = emulator.process_environment()
    assert "AWS_PROFILE" not in given
    assert "AWS_SESSION_TOKEN" not in given
    assert given["AWS_ENDPOINT_URL"] == emulator.endpoint_url
