"""Builds the programs of a control plane from the Go module proxy, once, into the cache.

No registry carries them ready-made. Each folder of ``gomodule/`` is a Go module that pins the programs and all that
they are made of (``go.sum``); Go refuses a download with another digest.
"""

import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.control_plane.cache import cache_directory, exclusive, unfinished

_HERE = Path(__file__).parent
_MODULES = _HERE / "gomodule"
_TOOLCHAIN = _HERE / "toolchain.txt"
_PROGRESS_SECONDS = 30
# Part of the key of the cache: change it when the way of building changes.
_RECIPE = "CGO_ENABLED=0 -trimpath -s -w, 1"

Progress = Callable[[str], None]


class BuildFailedError(RuntimeError):
    """A program is not in the cache and could not be built; the message has the end of the output."""


@dataclass(frozen=True)
class Program:
    """A program that can be built: the folder of its Go module, the package, the module its version is read from."""

    module: str
    package: str
    versioned_by: str


def programs(kubernetes_version: str) -> Mapping[str, Program]:
    """What can be built for a minor version of Kubernetes, by name; ValueError names the versions there are."""
    kubernetes = f"kubernetes-{kubernetes_version}"
    if not (_MODULES / kubernetes / "go.mod").is_file():
        supported = ", ".join(supported_versions())
        raise ValueError(f"Kubernetes {kubernetes_version!r} cannot be built here: choose one of {supported}")
    names = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
    return {
        "etcd": Program(kubernetes, "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
        **{name: Program(kubernetes, f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes") for name in names},
        "kwok": Program("kwok", "sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok"),
        "rollouts-controller": Program(
            "argo-rollouts",
            "github.com/argoproj/argo-rollouts/cmd/rollouts-controller",
            "github.com/argoproj/argo-rollouts",
        ),
    }


def supported_versions() -> list[str]:
    """The minor versions of Kubernetes that are pinned, newest first."""
    found = [folder.name.removeprefix("kubernetes-") for folder in _MODULES.glob("kubernetes-*")]
    return sorted(found, key=lambda version: [int(part) for part in version.split(".")], reverse=True)


def build(name: str, kubernetes_version: str, progress: Progress | None = None) -> Path:
    """The program's path in the cache, building it first where it is not there yet (minutes, on two cores).

    Of several processes one builds and the others wait. An interrupted build leaves nothing behind. Raises
    ``BuildFailedError`` without a Go toolchain (neither on PATH nor installable) and where Go fails; ``ValueError`` for
    a name or version that is not pinned.
    """
    program = programs(kubernetes_version)[name]
    directory = cache_directory() / f"{program.module}-{_key(program.module)}"
    finished = directory / name
    if finished.is_file():
        return finished
    with exclusive(cache_directory()):
        if not finished.is_file():
            directory.mkdir(exist_ok=True)
            with unfinished(cache_directory()) as folder:
                made = _compile(name, program, folder, progress or _tell)
                made.replace(finished)
    return finished


def _key(module: str) -> str:
    digest = hashlib.sha256(f"{_RECIPE} {platform.system()} {platform.machine()}".encode())
    for file in ("go.mod", "go.sum"):
        digest.update((_MODULES / module / file).read_bytes())
    return digest.hexdigest()[:16]


def _compile(name: str, program: Program, folder: Path, progress: Progress) -> Path:
    source = _MODULES / program.module
    version = _pinned_version(source, program.versioned_by)
    needed = re.search(r"^go (\S+)", (source / "go.mod").read_text(), re.MULTILINE)
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOBIN": str(folder)}
    go = _toolchain(needed.group(1) if needed else "1", environment, progress)
    made = folder / name
    command = [
        *([nice] if (nice := shutil.which("nice")) else []),
        *(go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", _linker_flags(program, version)),
        *("-o", str(made), program.package),
    ]
    _run(command, source, environment, f"building {name} {version}, once", progress)
    return made


def _pinned_version(source: Path, module: str) -> str:
    pinned = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", (source / "go.mod").read_text(), re.MULTILINE)
    if pinned is None:
        raise BuildFailedError(f"{source / 'go.mod'} does not require {module}")
    return pinned.group(1)


def _linker_flags(program: Program, version: str) -> str:
    flags = ["-s", "-w"]
    if program.versioned_by == "k8s.io/kubernetes":
        major, minor, _ = version.removeprefix("v").split(".", 2)
        stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
        flags += [f"-X k8s.io/component-base/version.{key}={value}" for key, value in stamps.items()]
    return " ".join(flags)


def _toolchain(needed: str, environment: dict[str, str], progress: Progress) -> str:
    """The ``go`` to build with: the machine's where it is new enough, else the pinned one of ``toolchain.txt``.

    With the latter Go's own caches are folders beside ours: who has no Go wants no Go caches in the home directory.
    """
    if (found := shutil.which("go")) and _numbers(_go_version(found)) >= _numbers(needed):
        return found
    directory = cache_directory() / f"toolchain-{hashlib.sha256(_TOOLCHAIN.read_bytes()).hexdigest()[:16]}"
    if not directory.is_dir():
        with unfinished(cache_directory()) as folder:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
            command = [*pip, "--require-hashes", "--requirement", str(_TOOLCHAIN), "--target", str(folder)]
            _run(command, _HERE, environment, f"installing Go ({needed} or newer is needed), once", progress)
            folder.rename(directory)
    environment |= {
        "GOTOOLCHAIN": "local",
        "GOPATH": str(cache_directory() / "go-path"),
        "GOCACHE": str(cache_directory() / "go-build"),
        "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip(),
    }
    return str(directory / "go" / "bin" / "go")


def _go_version(go: str) -> str:
    answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    return answer.stdout.strip().removeprefix("go")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _run(command: list[str], folder: Path, environment: Mapping[str, str], what: str, progress: Progress) -> None:
    """Run to the end, with a line of progress now and then; the whole process group ends with an interruption."""
    started = time.monotonic()
    progress(what)
    with tempfile.TemporaryFile("w+") as output:
        options: dict[str, Any] = {"cwd": folder, "env": environment, "stdout": output, "stderr": subprocess.STDOUT}
        try:
            process = subprocess.Popen(command, start_new_session=True, **options)
        except OSError as error:
            raise BuildFailedError(f"{what}: {error}") from error
        try:
            while (code := _wait(process)) is None:
                progress(f"{what}: {time.monotonic() - started:.0f} s")
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if code:
            output.seek(0)
            last_lines = "".join(output.readlines()[-15:])
            raise BuildFailedError(f"{what}: {Path(command[0]).name} ended with {code}\n{last_lines}")
    progress(f"{what}: done in {time.monotonic() - started:.0f} s")


def _wait(process: subprocess.Popen[Any]) -> int | None:
    try:
        return process.wait(timeout=_PROGRESS_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _tell(message: str) -> None:
    print(f"control plane: {message}", file=sys.stderr, flush=True)
