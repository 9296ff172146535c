"""``ha bench``: how long synthesis takes, as ratios to the smallest app there is, in one run, as whole processes."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
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


def measure(command: Sequence[str], *, directory: Path, runs: int) -> Measurement:
    """Run a command `runs` times after a warm-up and return its median time and peak memory.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    seconds = []
    for _ in range(runs + 1):
        with tempfile.TemporaryDirectory() as output:
            environment = {**os.environ, "CDK_VALIDATION": "false", "CDK_OUTDIR": output}
            started = time.perf_counter()
            subprocess.run(command, cwd=directory, env=environment, check=True, capture_output=True)
            seconds.append(time.perf_counter() - started)
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return Measurement(statistics.median(seconds[1:]), megabytes)


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
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each, after a warm-up (default: 3)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, and return 1 when a ratio is over its limit."""
    return int(not compare(runs=arguments.runs))


def compare(*, runs: int) -> bool:
    """Print the ratios and return whether they keep to the limits.

    Arguments:
        runs: counted runs of each process, after a warm-up.
    """
    console = Console()
    with tempfile.TemporaryDirectory() as scratch, console.status("measuring"):
        smallest = Path(scratch) / "one_queue.py"
        smallest.write_text(ONE_QUEUE_APP, encoding="utf-8")
        unit = measure([sys.executable, str(smallest)], directory=ROOT, runs=runs)
        reference = measure(synthesis_command("reference"), directory=ROOT, runs=runs)
        by_count = [
            measure(synthesis_command(_with_regions(Path(scratch), count)), directory=ROOT, runs=runs)
            for count in range(1, len(REGIONS) + 1)
        ]
    further = (by_count[-1].seconds - by_count[0].seconds) / (len(by_count) - 1) / unit.seconds
    _print(console, unit, reference, by_count, further)
    return reference.seconds / unit.seconds <= REFERENCE_LIMIT and further <= REGION_LIMIT


def _with_regions(folder: Path, count: int) -> Path:
    document = load("reference").model_dump(mode="json", exclude_defaults=True)
    document["regions"] = list(REGIONS[:count])
    path = folder / f"{count}.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _print(
    console: Console, unit: Measurement, reference: Measurement, by_count: Sequence[Measurement], further: float
) -> None:
    table = Table(title="Synthesis, validation off")
    for column in ("app", "seconds", "x one queue", "limit", "peak MB"):
        table.add_column(column, justify="left" if column == "app" else "right")
    table.add_row("one queue", f"{unit.seconds:.2f}", "1.00", "", f"{unit.megabytes:.0f}")
    for count, measured in enumerate(by_count, start=1):
        ratio = measured.seconds / unit.seconds
        table.add_row(
            f"reference, {count} region{'s' * (count > 1)}",
            f"{measured.seconds:.2f}",
            f"{ratio:.2f}",
            "",
            f"{measured.megabytes:.0f}",
        )
    ratio = reference.seconds / unit.seconds
    table.add_row(
        "reference", f"{reference.seconds:.2f}", f"{ratio:.2f}", f"{REFERENCE_LIMIT:.2f}", f"{reference.megabytes:.0f}"
    )
    table.add_row("each further region", f"{further * unit.seconds:.2f}", f"{further:.2f}", f"{REGION_LIMIT:.2f}", "")
    console.print(table)
