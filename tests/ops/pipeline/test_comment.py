"""Comments under a pull or merge request: one a key, replaced by the next."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ops.pipeline.comment import find_request, put_comment


class Forge(ThreadingHTTPServer):
    """A server that keeps comments as GitHub and GitLab do."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[tuple[str, str]] = []
        self.comments: dict[int, str] = {1: "Looks good"}
        self.tokens: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Forge

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body: dict[str, Any] = json.loads(self.rfile.read(length) or b"{}")
        self.server.calls.append((self.command, self.path.split("?")[0]))
        self.server.tokens.add(self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or "")
        if self.command == "POST":
            self.server.comments[len(self.server.comments) + 1] = body["body"]
        elif self.command in ("PATCH", "PUT"):
            self.server.comments[int(self.path.rsplit("/", 1)[1])] = body["body"]
        known = [{"id": number, "body": text} for number, text in self.server.comments.items()]
        answer = json.dumps(known if self.command == "GET" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def forge() -> Iterator[Forge]:
    with Forge() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def github(forge: Forge, tmp_path: Path) -> dict[str, str]:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    return {
        "GITHUB_TOKEN": "job",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_API_URL": forge.url,
        "GITHUB_REPOSITORY": "team/platform",
    }


@pytest.fixture
def gitlab(forge: Forge) -> dict[str, str]:
    return {
        "COMMENT_TOKEN": "project",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_API_V4_URL": forge.url,
        "CI_PROJECT_ID": "42",
    }


@pytest.mark.parametrize(
    ("service", "path", "token"),
    [
        ("github", "/repos/team/platform/issues/7/comments", "Bearer job"),
        ("gitlab", "/projects/42/merge_requests/7/notes", "project"),
    ],
)
def test_the_first_comment_is_written_anew(
    forge: Forge, request: pytest.FixtureRequest, service: str, path: str, token: str
) -> None:
    found = find_request(request.getfixturevalue(service))

    assert found is not None
    assert put_comment(found, "Nothing is replaced", key="impact") == "created"
    assert forge.calls == [("GET", path), ("POST", path)]
    assert forge.tokens == {token}
    assert "Nothing is replaced" in forge.comments[2]


@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_the_next_comment_of_a_key_replaces_it(forge: Forge, request: pytest.FixtureRequest, service: str) -> None:
    found = find_request(request.getfixturevalue(service))
    assert found is not None
    put_comment(found, "before", key="impact")
    put_comment(found, "another", key="costs")

    assert put_comment(found, "now", key="impact") == "updated"
    assert "Looks good" in forge.comments[1]
    assert "now" in forge.comments[2]
    assert "another" in forge.comments[3]


def test_a_long_report_is_cut_to_what_fits(forge: Forge, github: dict[str, str]) -> None:
    found = find_request(github)
    assert found is not None

    put_comment(found, "x" * 100_000, key="impact")

    assert len(forge.comments[2]) < 65_536
    assert "does not fit" in forge.comments[2]


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "GITHUB_EVENT_PATH"])
def test_outside_of_a_pull_request_there_is_nowhere_to_write(github: dict[str, str], missing: str) -> None:
    del github[missing]

    assert find_request(github) is None
