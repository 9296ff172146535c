"""The folder outside the repository of what is expensive to make: only complete entries, one maker at a time."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_directory() -> Path:
    """``$XDG_CACHE_HOME/ha-platform/control-plane``, below ``~/.cache`` where the variable is not set."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "ha-platform" / "control-plane"


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Only one process at a time is inside; the system releases the lock also when the process is killed.

    What killed processes left unfinished is removed on the way in.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left_behind in directory.glob(".unfinished-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        yield


@contextmanager
def unfinished(directory: Path) -> Iterator[Path]:
    """A folder to make something in, inside :func:`exclusive`; gone afterwards, whatever happens.

    It is on the same file system, so that what is finished moves to its place in one step.
    """
    folder = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=directory))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
