"""``ha bake``: watch a region's alarms for a while after its deployment, and stop the pipeline when one fires."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Protocol

from rich.console import Console

from environments import Environment, EnvironmentFileError, load
from ops.pipeline.alarms import AlarmState, NoAccessError, NoAlarmsError, NoAnswerError, RegionAlarms
from ops.pipeline.order import GLOBAL, deployment_order, turn_of

EXIT_CODES = {"passed": 0, "alarm": 1, "unknown": 2}
MINUTES = 15.0
INTERVAL_SECONDS = 15.0
# A look without an answer is not a good look: after so many in a row nobody knows how the region is.
BLIND_LOOKS = 5

_DESCRIPTION = """\
Watch a region after its deployment: every few seconds the state of the composite alarm <environment>-<region>-unhealthy
and of the critical alarms it is made of. The first one that is in ALARM ends it, so that no further region is deployed.
"""
_EPILOG = """\
examples:
  ha bake production --region eu-west-1 --minutes 30   after deploying eu-west-1
  ha bake production --before us-east-1                one look at every region that is deployed before us-east-1

exit codes:  0 nothing fired    1 an alarm fired    2 the alarms can't be read, so nobody knows
"""


class Alarms(Protocol):
    """What is watched."""

    name: str
    region: str

    @property
    def dashboard_url(self) -> str:
        """Where a person looks first."""

    def read(self) -> list[AlarmState]:
        """The alarms' states now."""


def register(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``bake`` to the command."""
    parser = subcommands.add_parser(
        "bake",
        help="watch a region's alarms after its deployment; fail when one fires",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("environment", help="name in environments/, or the path of a YAML file")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--region", help="the region to watch; `global` has no alarms and passes")
    which.add_argument("--before", metavar="REGION", help="look once at each region that is deployed before this one")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long to watch (default: %(default)g)")
    parser.add_argument(
        "--interval", type=float, default=INTERVAL_SECONDS, help="seconds between two looks (default: %(default)g)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Watch and return the exit code."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        environment = load(arguments.environment)
        if arguments.before:
            return look_before(environment, arguments.before, console)
        turn = turn_of(environment, arguments.region)
    except (EnvironmentFileError, ValueError) as error:
        print(error, file=sys.stderr)
        return EXIT_CODES["unknown"]
    if turn.step == GLOBAL:
        console.print("the global stack has no alarms: nothing to wait for")
        return EXIT_CODES["passed"]
    alarms = RegionAlarms(name=turn.stack, region=turn.region)
    return watch(alarms, console, minutes=arguments.minutes, interval=arguments.interval)


def look_before(environment: Environment, step: str, console: Console) -> int:
    """Look once at every region that is deployed before a step: none is deployed to while an earlier one is unwell.

    Raises:
        ValueError: the environment has no such region.
    """
    turns = deployment_order(environment)
    earlier = turns[: turns.index(turn_of(environment, step))]
    for turn in earlier:
        if turn.step != GLOBAL:
            code = watch(RegionAlarms(name=turn.stack, region=turn.region), console, minutes=0)
            if code:
                return code
    return EXIT_CODES["passed"]


def watch(
    alarms: Alarms,
    console: Console,
    *,
    minutes: float,
    interval: float = INTERVAL_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Look at alarms again and again, and return the exit code: of the first that fires, or of a quiet end.

    Arguments:
        alarms: what to look at.
        console: where progress and the reason of a stop go.
        minutes: how long; 0 for a single look.
        interval: seconds between two looks.
        clock: seconds that only grow.
        sleep: waits for some seconds.
    """
    started = clock()
    end = started + minutes * 60
    blind = 0
    while True:
        try:
            states = alarms.read()
        except (NoAccessError, NoAlarmsError) as error:
            console.print(str(error), style="red", markup=False)
            return EXIT_CODES["unknown"]
        except NoAnswerError as error:
            blind += 1
            console.print(f"{alarms.name}: no answer ({blind} of {BLIND_LOOKS}): {error}", markup=False)
            if blind == BLIND_LOOKS or clock() >= end:
                console.print("CloudWatch does not answer: nobody knows how the region is, so this is a stop.")
                return EXIT_CODES["unknown"]
        else:
            blind = 0
            firing = [state for state in states if state.state == "ALARM"]
            if firing:
                _explain(alarms, firing, console)
                return EXIT_CODES["alarm"]
            _progress(alarms, states, console, elapsed=clock() - started, minutes=minutes)
            if clock() >= end:
                return EXIT_CODES["passed"]
        sleep(min(interval, max(end - clock(), 0.0)))


def _progress(alarms: Alarms, states: list[AlarmState], console: Console, *, elapsed: float, minutes: float) -> None:
    silent = sum(state.state == "INSUFFICIENT_DATA" for state in states)
    fine = f"{len(states)} alarms, none fires" + (f", {silent} without data" if silent else "")
    console.print(f"{alarms.name}: {elapsed / 60:.1f} of {minutes:g} min: {fine}", markup=False)


def _explain(alarms: Alarms, firing: list[AlarmState], console: Console) -> None:
    """Say which alarms fire and what to do about it; the composite one last, since it only repeats the others."""
    lines = [f"STOP: {alarms.region} is not well. No further region is deployed."]
    for state in sorted(firing, key=lambda state: state.name.endswith("-unhealthy")):
        lines.append(f"  {state.name}: ALARM" + (f" since {state.since}" if state.since else ""))
        lines += [f"    {text}" for text in (state.description, state.reason) if text]
    lines += [
        "What to do:",
        f"  1. Look: {alarms.dashboard_url}",
        "  2. What the deployment changed: `make impact` of the commits before and after; what is not deployed yet:"
        " `make diff`",
        "  3. Roll back: `git revert` the change, then `make deploy-region` for this region; the others still run the"
        " version of before",
        "  4. When the alarm is over, run the pipeline again: regions without a change are left as they are",
    ]
    console.print("\n".join(lines), style="red", markup=False)
