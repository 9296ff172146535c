"""``ha comment``: put a Markdown file under a pull or merge request, in place of the one put there before.

In a GitHub workflow it takes the workflow's own token; in GitLab a project access token with the scope ``api`` in the
variable ``COMMENT_TOKEN``, since a job's own token may not write notes. Without either it prints the file.

- https://docs.github.com/en/rest/issues/comments
- https://docs.gitlab.com/api/notes/#merge-requests
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PAGE = 100
_TIMEOUT_SECONDS = 30
# GitHub refuses bodies of more than 65,536 characters.
_LONGEST = 65_000
_CUT = "\n\n*The rest does not fit into a comment: it is in the job's artifact or log.*\n"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A pull or merge request and how its comments are written.

    Arguments:
        comments: address of the list of its comments.
        one: address of the comment ``{id}``.
        update: HTTP method that changes one.
        headers: with the token.
    """

    comments: str
    one: str
    update: str
    headers: Mapping[str, str]


def register(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``comment`` to the command."""
    parser = subcommands.add_parser(
        "comment",
        help="put a Markdown file under the pull or merge request that this job belongs to",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="the Markdown file")
    parser.add_argument("--key", default="impact", help="comments of one key replace each other (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the comment, or print it, and return the exit code."""
    if not arguments.file.is_file():
        print(f"{arguments.file} is missing: the step that writes it has failed or was left out", file=sys.stderr)
        return 1
    text = arguments.file.read_text(encoding="utf-8")
    request = find_request(os.environ)
    if request is None:
        print(text)
        return 0
    try:
        print(f"comment {put_comment(request, text, key=arguments.key)}")
    except urllib.error.URLError as error:
        print(f"the comment was not written: {error}", file=sys.stderr)
        return 1
    return 0


def find_request(environment: Mapping[str, str]) -> Request | None:
    """Return the request that a CI job belongs to, by the job's variables; None outside of one or without a token."""
    return _github(environment) or _gitlab(environment)


def put_comment(request: Request, text: str, *, key: str) -> str:
    """Write the comment of this key, anew or over the one of before; returns ``created`` or ``updated``.

    Raises:
        urllib.error.URLError: the service is out of reach or refuses.
    """
    marker = f"<!-- ha: {key} -->"
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + _CUT
    body = {"body": f"{marker}\n{text}"}
    page = 1
    while True:
        comments = _call(request, "GET", f"{request.comments}?per_page={_PAGE}&page={page}")
        for comment in comments:
            if (comment.get("body") or "").startswith(marker):
                _call(request, request.update, request.one.format(id=comment["id"]), body)
                return "updated"
        if len(comments) < _PAGE:
            break
        page += 1
    _call(request, "POST", request.comments, body)
    return "created"


def _github(environment: Mapping[str, str]) -> Request | None:
    token, event = environment.get("GITHUB_TOKEN"), environment.get("GITHUB_EVENT_PATH")
    if not token or not event:
        return None
    number = json.loads(Path(event).read_text(encoding="utf-8")).get("pull_request", {}).get("number")
    if number is None:
        return None
    issues = f"{environment['GITHUB_API_URL']}/repos/{environment['GITHUB_REPOSITORY']}/issues"
    return Request(
        comments=f"{issues}/{number}/comments",
        one=f"{issues}/comments/{{id}}",
        update="PATCH",
        headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
    )


def _gitlab(environment: Mapping[str, str]) -> Request | None:
    token, number = environment.get("COMMENT_TOKEN"), environment.get("CI_MERGE_REQUEST_IID")
    if not token or not number:
        return None
    project = f"{environment['CI_API_V4_URL']}/projects/{environment['CI_PROJECT_ID']}"
    notes = f"{project}/merge_requests/{number}/notes"
    return Request(comments=notes, one=f"{notes}/{{id}}", update="PUT", headers={"PRIVATE-TOKEN": token})


def _call(request: Request, method: str, url: str, body: Mapping[str, str] | None = None) -> Any:
    call = urllib.request.Request(  # noqa: S310 - the address of the CI server
        url,
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={**request.headers, "Content-Type": "application/json", "User-Agent": "ha"},
    )
    with urllib.request.urlopen(call, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
        return json.loads(response.read() or b"null")
