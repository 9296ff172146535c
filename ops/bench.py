"""``ha bench``: how long synthesis takes, as ratios to the smallest app there is, in one run, as whole processes."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from environments import load

ROOT = Path(__file__).parent.parent
REGIONS = ("eu-west-1", "us-east-1", "eu-central-1", "ap-southeast-1", "sa-east-1")
REFERENCE_LIMIT = 3.0
REGION_LIMIT = 0.5
ONE_QUEUE = "one queue"

ONE_QUEUE_APP = """\
import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

app = cdk.App()
sqs.Queue(cdk.Stack(app, "one"), "Queue")
app.synth()
"""


@dataclass(frozen=True)
class Measurement:
    """Figures of one kind of process.

    Arguments:
        seconds: median wall time.
        megabytes: peak memory of the largest process (Python or Node.js) in any run.
    """

    seconds: float
    megabytes: float


def measure(commands: Mapping[str, Sequence[str]], *, runs: int) -> dict[str, Measurement]:
    """Run every command in turn, `runs` times after a warm-up, and return medians and peaks by name.

    In turn, so that a machine that slows down slows all of them down.

    Raises:
        subprocess.CalledProcessError: one failed.
    """
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            figures = _run(command)
            if number:
                seen[name].append(figures)
    return {
        name: Measurement(statistics.median(second for second, _ in figures), max(peak for _, peak in figures))
        for name, figures in seen.items()
    }


def _run(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of one run."""
    with tempfile.TemporaryDirectory() as output, tempfile.TemporaryFile() as log:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "CDK_VALIDATION": "false", "CDK_OUTDIR": output}
        # Without bytecode on disk every run would compile the CDK anew.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise subprocess.CalledProcessError(process.returncode, list(command), log.read())
        return seconds, usage.ru_maxrss / 1024


def synthesis_command(environment: Path | str) -> list[str]:
    """Return the command that synthesizes an environment, without the CLI around it."""
    context = (ROOT / "cdk.json").read_text(encoding="utf-8")
    program = (
        "import json, os, runpy, sys\n"
        "context = json.loads(sys.argv[1])['context'] | {'environment': sys.argv[2]}\n"
        "os.environ['CDK_CONTEXT_JSON'] = json.dumps(context)\n"
        "sys.path.insert(0, os.getcwd())\n"
        "runpy.run_path('app.py', run_name='__main__')\n"
    )
    return [sys.executable, "-O", "-c", program, context, str(environment)]


def register(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``bench`` to the command."""
    parser = subcommands.add_parser(
        "bench", help="measure synthesis: ratios, peak memory, the cost of 1 to 5 regions", description=__doc__
    )
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each, after a warm-up (default: 5)")
    parser.add_argument("--enforce", action="store_true", help="fail when a ratio is over its limit")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; with ``--enforce`` return 1 when a ratio is over its limit."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder, console.status("measuring"):
        measured = measure(_commands(Path(folder)), runs=arguments.runs)
    unit = measured[ONE_QUEUE].seconds
    by_count = [measured[_title(count)].seconds for count in range(1, len(REGIONS) + 1)]
    reference = by_count[1] / unit
    further = (by_count[-1] - by_count[0]) / (len(by_count) - 1) / unit
    _print(console, measured, further)
    for what, ratio, limit in (("reference", reference, REFERENCE_LIMIT), ("further region", further, REGION_LIMIT)):
        verdict = "within" if ratio <= limit else "OVER"
        console.print(f"{what}: {ratio:.2f} times one queue, {verdict} the limit of {limit:.2f}", highlight=False)
    return int(arguments.enforce and (reference > REFERENCE_LIMIT or further > REGION_LIMIT))


def _commands(folder: Path) -> dict[str, list[str]]:
    smallest = folder / "one_queue.py"
    smallest.write_text(ONE_QUEUE_APP, encoding="utf-8")
    return {
        ONE_QUEUE: [sys.executable, str(smallest)],
        **{_title(count): synthesis_command(_with_regions(folder, count)) for count in range(1, len(REGIONS) + 1)},
    }


def _title(count: int) -> str:
    return f"reference environment, {count} region{'s' * (count > 1)}"


def _with_regions(folder: Path, count: int) -> Path:
    document = load("reference").model_dump(mode="json", exclude_defaults=True)
    document["regions"] = list(REGIONS[:count])
    path = folder / f"{count}.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _print(console: Console, measured: Mapping[str, Measurement], further: float) -> None:
    unit = measured[ONE_QUEUE].seconds
    table = Table(title="Synthesis, validation off")
    for column in ("app", "seconds", "x one queue", "peak MB"):
        table.add_column(column, justify="left" if column == "app" else "right")
    for name, figures in measured.items():
        table.add_row(name, f"{figures.seconds:.2f}", f"{figures.seconds / unit:.2f}", f"{figures.megabytes:.0f}")
    table.add_row("each further region", f"{further * unit:.2f}", f"{further:.2f}", "")
    console.print(table)
