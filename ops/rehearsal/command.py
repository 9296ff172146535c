"""``ha rehearse``: the command line of the rehearsal."""

import argparse
import contextlib
import datetime
import re
import signal
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import yaml
from rich.console import Console

from environments.loader import EnvironmentFileError, find
from ops.emulator import EmulatorError
from ops.rehearsal.assembly import Assembly
from ops.rehearsal.cdk_cli import RehearsalError
from ops.rehearsal.display import StepFailed, StepLog, make_display

if TYPE_CHECKING:
    from ops.rehearsal.rehearsal import Rehearsal, Subject
    from ops.rehearsal.report import Report, ReportResult

_EXIT_CODES = {"passed": 0, "failed": 1, "interrupted": 130}
_STAND_IN_ACCOUNT = "111122223333"

_DESCRIPTION = """\
Deploy an environment with the unmodified CDK CLI, through CloudFormation, to an AWS emulator on loopback; then ask
every service what came to exist. No AWS account, no credentials, no Docker, and nothing leaves this machine.

The report says of every resource how it exists:
  native    the emulator's own model, found through the service's API with the declared settings
  handled   a handler of this project, with state and the checks that AWS would make
  lambda    the real handler code ran
  recorded  no model: held against the type's published schema, references resolved, then noted
"""
_EPILOG = """\
examples:
  ha rehearse                             environments/reference.yaml: deploy, look up, report, clean up
  ha rehearse single-region --full        the whole life: also update, failure, drift, a region more and less, destroy
  ha rehearse my.yaml --out /tmp/report   a file anywhere, reports somewhere else
  ha rehearse --app cdk.out               an assembly that is synthesized already, of any CDK app

exit codes:  0 all accounted for    1 something was refused, differs or is missing    130 interrupted
"""


def register(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rehearse`` to the command."""
    parser = subcommands.add_parser(
        "rehearse",
        help="deploy an environment to an AWS emulator on loopback and report what came to exist",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "environment",
        nargs="?",
        help="name in environments/, or the path of a YAML file (default: reference; none with --app)",
    )
    parser.add_argument("--full", action="store_true", help="rehearse the whole life instead of the deployment alone")
    parser.add_argument(
        "--out", type=Path, default=Path("build/rehearsal"), help="where reports and logs go (default: %(default)s)"
    )
    parser.add_argument("--app", help="another CDK app's command, or the folder of a synthesized cloud assembly")
    parser.add_argument(
        "--account", help="the emulated account, 12 digits (default: the one that the environment or assembly names)"
    )
    parser.add_argument(
        "--hold",
        action="store_true",
        help="keep the emulator after the report, until Ctrl-C, to look around in it with your own tools",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Rehearse, report, and return the exit code."""
    # Heavy imports (boto3, the emulator) wait until they are needed, so that `ha --help` answers at once.
    from ops.rehearsal.rehearsal import Rehearsal, Subject

    console = Console()
    environment = arguments.environment or (None if arguments.app else "reference")
    subject = Subject(environment=environment, app=arguments.app)
    display = make_display(console)
    log = StepLog(display)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        account = arguments.account or account_of(subject)
        with Rehearsal(subject, out=arguments.out, log=log, account=account) as rehearsal:
            result = _rehearse(console, rehearsal, full=arguments.full)
            if arguments.hold and result != "interrupted":
                _hold(console, rehearsal)
    except (EmulatorError, EnvironmentFileError, RehearsalError, StepFailed) as error:
        console.print(str(error), style="red", soft_wrap=True, highlight=False, markup=False)
        return _EXIT_CODES["failed"]
    except KeyboardInterrupt:
        console.print("interrupted; everything that was started is stopped")
        return _EXIT_CODES["interrupted"]
    finally:
        display.close()
    return _EXIT_CODES[result]


def _rehearse(console: Console, rehearsal: "Rehearsal", *, full: bool) -> "ReportResult":
    """Live the life, and report it however it ended."""
    from ops.rehearsal.life import whole_life
    from ops.rehearsal.rehearsal import short_life
    from ops.rehearsal.report import tool_versions

    started, began = datetime.datetime.now(datetime.UTC), time.monotonic()
    result: ReportResult = "passed"
    message = ""
    try:
        rehearsal.outcome.versions = tool_versions(rehearsal.cli.version())
        (whole_life if full else short_life)(rehearsal)
    except (StepFailed, RehearsalError) as error:
        result, message = "failed", str(error)
    except KeyboardInterrupt:
        result, message = "interrupted", "interrupted; everything that was started is stopped"
    except BaseException as error:
        _tell(
            console,
            rehearsal,
            _report(rehearsal, "failed", f"{type(error).__name__}: {error}", started, began, full=full),
        )
        raise
    _tell(console, rehearsal, _report(rehearsal, result, message, started, began, full=full))
    return result


def _report(
    rehearsal: "Rehearsal",
    result: "ReportResult",
    message: str,
    started: datetime.datetime,
    began: float,
    *,
    full: bool,
) -> "Report":
    from ops.rehearsal.report import Report

    return Report(
        name=rehearsal.subject.name,
        full=full,
        result=result,
        message=message,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 1),
        steps=rehearsal.log.steps,
        outcome=rehearsal.outcome,
    )


def _tell(console: Console, rehearsal: "Rehearsal", report: "Report") -> None:
    """Write the files and print the tables."""
    from ops.rehearsal.page import write_page
    from ops.rehearsal.report import write_json
    from ops.rehearsal.tables import print_report

    write_json(report, rehearsal.out / "report.json")
    write_page(report, rehearsal.out / "report.html")
    print_report(console, report)
    style = {"passed": "bold green", "failed": "bold red"}.get(report.result, "yellow")
    console.print(f"\n{report.result} in {report.seconds:.0f} s", style=style)
    told_already = any(step.outcome == "failed" and step.notes for step in report.steps)
    if report.message and not told_already:
        console.print(report.message, soft_wrap=True, highlight=False, markup=False)
    console.print(f"report: {rehearsal.out / 'report.html'} and report.json", soft_wrap=True, highlight=False)


def _hold(console: Console, rehearsal: "Rehearsal") -> None:
    console.print(
        f"\nThe emulator stays at {rehearsal.emulator.endpoint_url} until Ctrl-C. To look around:", soft_wrap=True
    )
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        console.print(f"  export {name}={rehearsal.emulator.environment[name]}", soft_wrap=True, highlight=False)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)


def account_of(subject: "Subject") -> str:
    """Return the account that the assembly or the environment file names, or a stand-in where the app decides.

    Raises:
        EnvironmentFileError: there is no such environment.
        RehearsalError: the assembly can't be read.
    """
    if subject.assembly_directory is not None:
        return Assembly(subject.assembly_directory).account
    if subject.environment is None:
        return _STAND_IN_ACCOUNT
    document = yaml.safe_load(find(subject.environment).read_text(encoding="utf-8"))
    account = document.get("account") if isinstance(document, dict) else None
    # A mistake in the file is for the app to explain, with file, field and value.
    return account if isinstance(account, str) and re.fullmatch(r"\d{12}", account) else _STAND_IN_ACCOUNT


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
