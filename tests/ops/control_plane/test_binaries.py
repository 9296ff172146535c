import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ops.control_plane import BinariesMissingError, find_binaries
from ops.control_plane import build as building
from ops.control_plane.cache import cache_directory, exclusive, unfinished

MODULES = Path(building.__file__).parent / "gomodule"


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No cache, no assets, nothing on PATH; returns the folder that is on PATH."""
    tools = tmp_path / "bin"
    tools.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tools


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def go(empty_machine: Path) -> Path:
    """A toolchain that writes a file where `go build` would, or fails for kwok after writing half of it."""
    script = """
    if [ "$1" = env ]; then echo go99.0; exit; fi
    while [ "$1" != -o ]; do shift; done
    echo "$2" >> "$XDG_CACHE_HOME/built"
    echo half > "$2"
    case "$2" in
        */kwok) echo 'cannot find package'; exit 1;;
        */kube-scheduler) /bin/sleep 30;;
        *) /bin/sleep 0.3;;
    esac
    """
    return executable(empty_machine / "go", script)


def quiet(message: str) -> None:
    pass


def test_assets_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assets = tmp_path / "assets"
    server = executable(assets / "kube-apiserver", "echo Kubernetes v1.36.9")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))

    assert find_binaries(["kube-apiserver"]) == {"kube-apiserver": server}


def test_an_api_server_of_another_minor_version_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "assets" / "kube-apiserver", "echo Kubernetes v1.35.4")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))

    with pytest.raises(BinariesMissingError, match=r"is Kubernetes v1\.35\.4, the cluster runs 1\.36"):
        find_binaries(["kube-apiserver"])


def test_assets_that_are_no_folder_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", "/no/such/folder")

    with pytest.raises(BinariesMissingError, match=r"KUBEBUILDER_ASSETS names /no/such/folder"):
        find_binaries(["etcd"])


def test_setup_envtest_is_asked_for_the_minor_version(tmp_path: Path, empty_machine: Path) -> None:
    etcd = executable(tmp_path / "envtest-1.35.x" / "etcd", "")
    executable(empty_machine / "setup-envtest", f'[ "$1 $2 $3" = "use -p path" ] && echo {tmp_path}/envtest-$4')

    assert find_binaries(["etcd"], kubernetes_version="1.35") == {"etcd": etcd}


@pytest.mark.usefixtures("go")
def test_what_is_built_is_kept(tmp_path: Path) -> None:
    first = find_binaries(["etcd"], progress=quiet)
    second = find_binaries(["etcd"], progress=quiet)

    assert first == second
    assert first["etcd"].is_relative_to(tmp_path / "cache" / "ha-platform" / "control-plane")
    assert len((tmp_path / "cache" / "built").read_text().splitlines()) == 1


@pytest.mark.usefixtures("go")
def test_a_failed_build_leaves_nothing_and_tells_why() -> None:
    with pytest.raises(BinariesMissingError, match=r"cannot find package"):
        find_binaries(["kwok"], progress=quiet)

    assert not [path for path in cache_directory().rglob("*kwok*") if path.is_file()]
    assert not list(cache_directory().glob(".unfinished-*"))


@pytest.mark.usefixtures("go")
def test_an_interrupted_build_ends_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_PROGRESS_SECONDS", 0.2)

    def interrupt(message: str) -> None:
        if message.endswith(" s"):
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        find_binaries(["kube-scheduler"], progress=interrupt)

    assert time.monotonic() - started < 10
    assert not [path for path in cache_directory().rglob("*kube-scheduler*") if path.is_file()]


@pytest.mark.usefixtures("go")
def test_of_two_that_want_the_same_one_builds(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: find_binaries(["etcd"], progress=quiet), range(2)))

    assert found[0] == found[1]
    assert len((tmp_path / "cache" / "built").read_text().splitlines()) == 1


@pytest.mark.usefixtures("go")
def test_progress_names_the_program_and_its_version() -> None:
    messages: list[str] = []

    find_binaries(["kube-apiserver"], progress=messages.append)

    assert re.match(r"building kube-apiserver v1\.36\.\d+, once$", messages[0])
    assert "done in" in messages[-1]


def test_an_unknown_program_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown program 'kubelet': choose of etcd"):
        find_binaries(["kubelet"])


def test_a_version_that_is_not_pinned_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Kubernetes '1\.20' cannot be built here: choose one of 1\.36, 1\.35"):
        find_binaries(["etcd"], kubernetes_version="1.20")


def test_kubectl_and_helm_come_from_the_layer_of_the_cdk() -> None:
    found = find_binaries(["kubectl", "helm"])

    assert all(os.access(path, os.X_OK) and path.stat().st_size > 10_000_000 for path in found.values())


def test_what_a_killed_process_left_is_removed() -> None:
    with exclusive(cache_directory()), unfinished(cache_directory()) as folder:
        left_behind = folder.with_name(".unfinished-killed")
        left_behind.mkdir()

    with exclusive(cache_directory()):
        assert not left_behind.exists()


@pytest.mark.parametrize("version", building.supported_versions())
def test_every_staging_module_is_of_the_pinned_release(version: str) -> None:
    text = (MODULES / f"kubernetes-{version}" / "go.mod").read_text()
    release = re.search(rf"^\s*k8s\.io/kubernetes v1(\.{version.split('.')[1]}\.\d+)", text, re.MULTILINE)
    replaced = re.findall(r"^\s*(k8s\.io/\S+) => \1 v0(\S+)", text, re.MULTILINE)

    assert release
    assert len(replaced) > 30
    assert {staging for _, staging in replaced} == {release.group(1)}
