"""A Kubernetes control plane of real programs on the loopback interface, for as long as a ``with`` block lasts."""

import base64
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from ops.control_plane.api_client import ApiClient, ApiError
from ops.control_plane.binaries import API_SERVER, CONTROLLERS, find_binaries
from ops.control_plane.build import Progress
from ops.control_plane.processes import GuardedProcess, free_ports

Manifests = Path | str | Iterable[Mapping[str, Any]]

_LOOPBACK = "127.0.0.1"
_START_SECONDS = 60
_START_ATTEMPTS = 3
_POLL_SECONDS = 0.1
_FIELD_MANAGER = "ha-platform"


class ControlPlaneError(RuntimeError):
    """A program of the control plane did not come up, or ended by itself; the message has the end of its log."""


class KubectlError(RuntimeError):
    """``kubectl`` ended with an error; the message is what it wrote, the API server's reason included."""


class ControlPlane:
    """etcd and kube-apiserver, with controllers where asked for; several run at once, one a region.

    What EKS runs, this runs: the default admission plug-ins (pod security, quotas, limit ranges, defaulting), node
    restriction, RBAC and the default feature gates of the minor version. What it is not: EKS's own admission webhooks,
    access entries and IAM authentication; whoever has the ``kubeconfig`` is a cluster administrator.

    Arguments:
        directory: folder for the kubeconfig, logs and data; made where it is missing. Default: a temporary one, removed
            afterwards.
        kubernetes_version: minor version, as in ``1.36``.
        controllers: runs kube-controller-manager. Without it nothing makes a namespace's service account or a
            quota's status, so the ServiceAccount admission plug-in is off, and quotas do not count.
        scheduler: runs kube-scheduler.
        service_cidr: network of service addresses. Default 172.20.0.0/16, which EKS uses for most VPCs.
        api_server_arguments: more flags for kube-apiserver, last, so that they win.
        controller_manager_arguments: likewise for kube-controller-manager.
        progress: told about the programs that are built first, if they are.

    Exposes ``kubeconfig``, ``server_url``, ``token`` and ``certificate_data`` (base64, as EKS describes a cluster),
    ``log_directory``, ``version``, ``binaries``; ``kubectl()``, ``apply()``,
    ``get()``, ``call()``, ``install_crds()``, ``start()`` for more programs that end with the block.

    Raises ``BinariesMissingError`` at once where a program is neither found nor buildable, and ``ControlPlaneError`` on
    entry where one does not come up. All programs end with the block, after an exception or an interrupt, and when this
    process is killed.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        kubernetes_version: str = "1.36",
        controllers: bool = False,
        scheduler: bool = False,
        service_cidr: str = "172.20.0.0/16",
        api_server_arguments: Sequence[str] = (),
        controller_manager_arguments: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> None:
        self.kubernetes_version = kubernetes_version
        self.binaries = dict(
            find_binaries(
                [*API_SERVER, *(CONTROLLERS if controllers or scheduler else ())],
                kubernetes_version=kubernetes_version,
                progress=progress,
            )
        )
        self._controllers = controllers
        self._scheduler = scheduler
        self._service_cidr = service_cidr
        self._api_server_arguments = api_server_arguments
        self._controller_manager_arguments = controller_manager_arguments
        self._temporary = directory is None
        self._directory = directory or Path(tempfile.mkdtemp(prefix="control-plane-"))
        self._processes: list[GuardedProcess] = []
        self.token = secrets.token_urlsafe(32)
        self.kubeconfig = self._directory / "kubeconfig"
        self.log_directory = self._directory / "logs"
        self.server_url = ""
        self._client: ApiClient | None = None

    def __enter__(self) -> Self:
        try:
            self._start_api_server()
            if self._controllers:
                self._start_controller_manager()
            if self._scheduler:
                flags = ("--leader-elect=false", "--secure-port=0")
                self.start(self.binaries["kube-scheduler"], f"--kubeconfig={self.kubeconfig}", *flags)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every program, latest first, and remove the data; the logs stay where ``directory`` was given."""
        while self._processes:
            self._processes.pop().stop()
        shutil.rmtree(self._directory if self._temporary else self._data, ignore_errors=True)

    @property
    def version(self) -> str:
        """What the API server says it is, as in ``v1.36.3``."""
        return str(json.loads(self.kubectl("get", "--raw", "/version"))["gitVersion"])

    def start(self, program: Path, *arguments: str | Path, log_name: str | None = None) -> GuardedProcess:
        """Start one more program that ends with the block; its log is named after it or ``log_name``."""
        process = GuardedProcess([program, *arguments], self.log_directory / f"{log_name or program.name}.log")
        self._processes.append(process)
        return process

    def kubectl(self, *arguments: str | Path, input: str | None = None, timeout: float = 120) -> str:
        """Run ``kubectl`` as a cluster administrator and return what it wrote; ``KubectlError`` has its complaint.

        Arguments:
            arguments: as on the command line.
            input: text for its standard input.
            timeout: seconds after which it is ended with a ``KubectlError``.
        """
        common = [self.binaries["kubectl"], f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self._data / 'kubectl'}"]
        # Defaults that a person keeps for kubectl are not ours.
        environment = {**os.environ, "KUBERC": "off"}
        command = [*map(str, common), *map(str, arguments)]
        try:
            answer = subprocess.run(
                command, input=input, capture_output=True, text=True, check=False, env=environment, timeout=timeout
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlError(f"kubectl {' '.join(map(str, arguments))}: no end within {timeout:.0f} s") from error
        if answer.returncode:
            raise KubectlError(f"kubectl {' '.join(map(str, arguments))}: {answer.stderr.strip()}")
        return answer.stdout

    def apply(
        self,
        manifests: Manifests,
        *,
        server_side: bool = True,
        field_manager: str = _FIELD_MANAGER,
        force_conflicts: bool = False,
        dry_run: bool = False,
    ) -> str:
        """Apply objects in the order given, with strict validation by the server; returns a line an object.

        Arguments:
            manifests: a file, YAML text, or the objects themselves.
            server_side: server-side apply, which refuses to change a field that another manager owns. False: as the
                CDK's kubectl handler does it.
            field_manager: who owns the fields that are applied.
            force_conflicts: takes fields over from other managers.
            dry_run: the server does everything but keep the objects.

        Raises ``KubectlError`` with the server's reason; objects before the refused one are applied.
        """
        flags = [f"--field-manager={field_manager}", "--validate=strict"]
        flags += ["--server-side", f"--force-conflicts={str(force_conflicts).lower()}"] if server_side else []
        flags += ["--dry-run=server"] if dry_run else []
        return self.kubectl("apply", *flags, "--filename=-", input=_as_text(manifests))

    def get(self, kind: str, name: str | None = None, *, namespace: str | None = None) -> dict[str, Any]:
        """An object, or the list of them (of all namespaces where none is named), as the server returns it."""
        scope = [f"--namespace={namespace}"] if namespace else ([] if name else ["--all-namespaces"])
        found: dict[str, Any] = json.loads(
            self.kubectl("get", kind, *([name] if name else []), *scope, "--output=json")
        )
        return found

    def call(self, path: str, *, method: str = "GET", body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request to the API server without ``kubectl``, for what is asked often; ``ApiError`` has its refusal.

        Arguments:
            path: with a leading slash, as in ``/api/v1/pods``.
            method: the HTTP method; PATCH is a JSON merge patch.
            body: what is sent, as JSON.
        """
        if self._client is None:
            self._client = ApiClient(self.server_url, self.token, self._certificate)
        return self._client.call(path, method=method, body=body)

    def install_crds(self, directory: Path, *, groups: Collection[str] = (), timeout_seconds: int = 60) -> list[str]:
        """Apply the custom resource definitions of a folder's YAML files and wait until they serve.

        Arguments:
            directory: folder with ``*.yaml`` or ``*.yml`` files, each with any number of objects.
            groups: API groups to take, as in ``argoproj.io``. Default: all, which takes the server a while.
            timeout_seconds: how long to wait until all are served.

        Returns their names. Raises ``ValueError`` where there are none and ``KubectlError`` for one that is refused.
        """
        definitions = [
            document
            for file in sorted([*directory.glob("*.yaml"), *directory.glob("*.yml")])
            for document in yaml.load_all(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            if document and document.get("kind") == "CustomResourceDefinition"
            if not groups or document["spec"]["group"] in groups
        ]
        if not definitions:
            raise ValueError(f"{directory} has no custom resource definitions of {', '.join(groups) or 'any group'}")
        self.apply(definitions, field_manager="crds")
        names = [str(definition["metadata"]["name"]) for definition in definitions]
        established = ("--for=condition=Established", f"--timeout={timeout_seconds}s")
        self.kubectl("wait", *established, *(f"customresourcedefinition/{name}" for name in names))
        return names

    @property
    def certificate_data(self) -> str:
        """The server's certificate as kubeconfig files and EKS's cluster description carry it, in base64."""
        return base64.b64encode(self._certificate.read_bytes()).decode()

    @property
    def _certificate(self) -> Path:
        return self._data / "certificates" / "apiserver.crt"

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _start_api_server(self) -> None:
        """Start etcd and kube-apiserver; again on other ports where another program was faster to take one."""
        for attempt in range(1, _START_ATTEMPTS + 1):
            shutil.rmtree(self._data, ignore_errors=True)
            for folder in (self._directory, self._data, self.log_directory):
                folder.mkdir(parents=True, exist_ok=True)
            try:
                self._start_api_server_once(*free_ports(3))
                return
            except ControlPlaneError as error:
                if attempt == _START_ATTEMPTS or "address already in use" not in str(error):
                    raise
                while self._processes:
                    self._processes.pop().stop()

    def _start_api_server_once(self, client_port: int, peer_port: int, port: int) -> None:
        client, peer = f"http://{_LOOPBACK}:{client_port}", f"http://{_LOOPBACK}:{peer_port}"
        self.start(
            self.binaries["etcd"],
            f"--data-dir={self._data / 'etcd'}",
            *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
            *(
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
            ),
            # The data need not survive a crash.
            *("--unsafe-no-fsync", "--log-level=warn"),
        )
        certificates = self._data / "certificates"
        tokens = self._data / "tokens.csv"
        tokens.touch(mode=0o600)
        tokens.write_text(f'{self.token},administrator,administrator,"system:masters"\n')
        self.start(
            self.binaries["kube-apiserver"],
            f"--etcd-servers={client}",
            *(f"--bind-address={_LOOPBACK}", f"--advertise-address={_LOOPBACK}", f"--secure-port={port}"),
            # The server makes its own certificate and key; the same key signs service account tokens.
            f"--cert-dir={certificates}",
            f"--service-account-key-file={certificates / 'apiserver.key'}",
            f"--service-account-signing-key-file={certificates / 'apiserver.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            *(f"--token-auth-file={tokens}", "--authorization-mode=Node,RBAC", "--anonymous-auth=false"),
            "--enable-admission-plugins=NodeRestriction",
            *(() if self._controllers else ("--disable-admission-plugins=ServiceAccount",)),
            f"--service-cluster-ip-range={self._service_cidr}",
            # Endpoints of the `kubernetes` service must not be loopback addresses, so they are left out.
            "--endpoint-reconciler-type=none",
            "--allow-privileged=true",
            *self._api_server_arguments,
        )
        self.server_url = f"https://{_LOOPBACK}:{port}"
        self._client = None
        self._wait_until_ready()
        self._write_kubeconfig()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            for process in self._processes:
                if not process.running:
                    raise ControlPlaneError(f"{process.log_path.stem} ended by itself:\n{process.log_tail()}")
            try:
                self.call("/readyz")
            except (ApiError, OSError):  # not listening, not ready, or the certificate is not written yet
                time.sleep(_POLL_SECONDS)
            else:
                return
        tail = self._processes[-1].log_tail()
        raise ControlPlaneError(f"kube-apiserver was not ready within {_START_SECONDS} s:\n{tail}")

    def _write_kubeconfig(self) -> None:
        server = {"server": self.server_url, "certificate-authority-data": self.certificate_data}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "local", "cluster": server}],
            "users": [{"name": "administrator", "user": {"token": self.token}}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": "administrator"}}],
            "current-context": "local",
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(content, sort_keys=False))

    def _start_controller_manager(self) -> None:
        certificates = self._data / "certificates"
        self.start(
            self.binaries["kube-controller-manager"],
            f"--kubeconfig={self.kubeconfig}",
            *("--leader-elect=false", "--secure-port=0", "--use-service-account-credentials=true"),
            f"--service-account-private-key-file={certificates / 'apiserver.key'}",
            f"--root-ca-file={self._certificate}",
            *self._controller_manager_arguments,
        )
        self._wait_for_service_account()

    def _wait_for_service_account(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.get("serviceaccount", "default", namespace="default")
            except KubectlError:
                time.sleep(_POLL_SECONDS)
            else:
                return
        raise ControlPlaneError(f"kube-controller-manager did not start its work:\n{self._processes[-1].log_tail()}")


def _as_text(manifests: Manifests) -> str:
    if isinstance(manifests, Path):
        return manifests.read_text()
    if isinstance(manifests, str):
        return manifests
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
