"""Starts and stops the emulator's process, and tells what it did."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ops.emulator.ledger import Ledger, LedgerEntry

_LOOPBACK = "127.0.0.1"
_REPOSITORY = Path(__file__).resolve().parents[2]
_SECRET = "emulator"  # noqa: S105 - the emulator takes any
_START_SECONDS = 90
_STOP_SECONDS = 10


class EmulatorError(RuntimeError):
    """The emulator's process did not start, or ended by itself."""


class Emulator:
    """An emulated AWS account on a free port of the loopback interface, for as long as the ``with`` block lasts.

    Arguments:
        workdir: folder for the log, the ledger and the emulator's own temporary files; made where it is missing.
        account: the account id that every call is made in (12 digits).
        region: the region of clients that name none.

    Exposes ``endpoint_url``, ``environment``, ``process_environment()``, ``client()``, ``ledger()``, ``state()``,
    ``log_path`` and ``ledger_path``.
    Raises ``ValueError`` for an account id that is not one and ``EmulatorError`` where the process does not come up.
    The process ends with the block, also after an exception or an interrupt, and when the parent process dies.
    """

    def __init__(self, workdir: Path | str, *, account: str = "111122223333", region: str = "us-east-1") -> None:
        """Prepare the emulator; nothing is started before the ``with`` block is entered."""
        if not (account.isdigit() and len(account) == 12):
            raise ValueError(f"account {account!r} is not an AWS account id: give 12 digits")
        self.workdir = Path(workdir).resolve()
        self.account = account
        self.region = region
        self.log_path = self.workdir / "emulator.log"
        self.ledger_path = self.workdir / "ledger.jsonl"
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[tuple[str, str], Any] = {}

    @property
    def endpoint_url(self) -> str:
        """Where every service of the emulated account answers."""
        return f"http://{_LOOPBACK}:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point an AWS SDK or the CDK CLI at the emulator: put them over the caller's own."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DEFAULT_ACCOUNT": self.account,
            "CDK_DEFAULT_REGION": self.region,
            "NO_PROXY": f"{_LOOPBACK},localhost",
            "no_proxy": f"{_LOOPBACK},localhost",
        }

    def process_environment(self) -> dict[str, str]:
        """The caller's environment with every AWS variable replaced, for a subprocess such as the CDK CLI."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        return kept | self.environment

    def __enter__(self) -> Self:
        """Start the process and wait until it answers."""
        self.workdir.mkdir(parents=True, exist_ok=True)
        (self.workdir / "tmp").mkdir(exist_ok=True)
        self.ledger_path.unlink(missing_ok=True)
        self._port = _free_port()
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ops.emulator.server"],
                cwd=self.workdir,
                env=self._server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the process, whatever ended the block."""
        self.stop()

    def stop(self) -> None:
        """End the process with everything it started; harmless when it already ended."""
        process, self._process = self._process, None
        if process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sign)
            except ProcessLookupError:
                break
            try:
                process.wait(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        process.wait(timeout=_STOP_SECONDS)
        # The code of the Lambda functions, unpacked.
        shutil.rmtree(self.workdir / "tmp", ignore_errors=True)

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of ``service`` in ``region`` (default: the emulator's region), made once and kept."""
        import boto3
        from botocore.config import Config

        key = (service, region or self.region)
        if key not in self._clients:
            session = boto3.session.Session(
                aws_access_key_id=self.account, aws_secret_access_key=_SECRET, region_name=key[1]
            )
            configuration = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, proxies={})
            self._clients[key] = session.client(service, endpoint_url=self.endpoint_url, config=configuration)
        return self._clients[key]

    def ledger(self) -> list[LedgerEntry]:
        """What CloudFormation did so far, oldest first; still readable after the block."""
        return Ledger(self.ledger_path).read()

    def state(self) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
        """What our handlers keep: resource type, then region (``global`` where it has none), then physical id."""
        answer: dict[str, dict[str, dict[str, dict[str, Any]]]] = json.loads(self._get("/_emulator/state"))
        return answer

    def _get(self, path: str) -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.endpoint_url + path, timeout=10) as response:
            content: bytes = response.read()
        return content

    def _server_environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MINISTACK_"))}
        paths = [str(_REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {
            **inherited,
            **self.environment,
            "PYTHONPATH": os.pathsep.join(paths),
            # Lambda handlers run as local processes: node and python come from the virtual environment.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", "")]),
            "TMPDIR": str(self.workdir / "tmp"),
            "BIND_HOST": _LOOPBACK,
            "GATEWAY_PORT": str(self._port),
            "MINISTACK_HOST": _LOOPBACK,
            "MINISTACK_ACCOUNT_ID": self.account,
            "MINISTACK_REGION": self.region,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            "NODE_OPTIONS": f"--require {Path(__file__).with_name('sdk_for_node.js')}",
            "DOCKER_HOST": f"unix://{self.workdir}/no-docker.sock",
            "EMULATOR_LEDGER": str(self.ledger_path),
            "EMULATOR_PARENT": str(os.getpid()),
        }

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise EmulatorError(f"the emulator ended while starting, see {self.log_path}:\n{self._log_tail()}")
            try:
                self._get("/_emulator/health")
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
            else:
                return
        raise EmulatorError(
            f"the emulator did not answer in {_START_SECONDS} s, see {self.log_path}:\n{self._log_tail()}"
        )

    def _log_tail(self) -> str:
        return "\n".join(self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
