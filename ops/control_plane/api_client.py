"""Requests to an API server without ``kubectl``: for what is asked several times a second."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SECONDS = 30


class ApiError(RuntimeError):
    """The API server answered with an error: ``status`` is its HTTP status, the message its reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status


class ApiClient:
    """Speaks to one API server on loopback.

    Arguments:
        url: address of the server.
        token: bearer token of the caller.
        certificate: file with the server's certificate.
    """

    def __init__(self, url: str, token: str, certificate: Path) -> None:
        self._url = url
        self._token = token
        # No proxy that the environment names: the server is on loopback.
        direct = urllib.request.ProxyHandler({})
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(certificate)))
        self._opener = urllib.request.build_opener(direct, trust)

    def call(self, path: str, *, method: str = "GET", body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request; see :meth:`ops.control_plane.ControlPlane.call`."""
        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = urllib.request.Request(  # noqa: S310 (loopback)
            f"{self._url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": content_type},
        )
        try:
            with self._opener.open(request, timeout=_SECONDS) as response:
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, error.read().decode(errors="replace")) from error
        answer: dict[str, Any] = json.loads(text) if text.startswith("{") else {"text": text}
        return answer
