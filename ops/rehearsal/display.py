"""Shows a rehearsal while it runs: a live table on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

StepOutcome = Literal["running", "passed", "failed", "skipped"]
_PLAIN_SECONDS = 5.0


@dataclass
class Step:
    """One step of a rehearsal: what it is, how it went, how long it took, and what is worth telling about it."""

    name: str
    title: str
    outcome: StepOutcome = "running"
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class StackCount:
    """How many resources of a stack are done, of how many (``None``: only CloudFormation knows)."""

    stack: str
    done: int
    total: int | None


class StepFailed(Exception):  # noqa: N818 - it reads as what happened
    """A step did not do what it must; the message says what was seen."""


class Display(Protocol):
    """What the steps tell while they run."""

    def begin(self, step: Step) -> None:
        """A step starts."""

    def tick(self, counts: Sequence[StackCount]) -> None:
        """The running step's stacks got this far."""

    def end(self, step: Step) -> None:
        """A step is over."""

    def close(self) -> None:
        """Nothing more will come."""


class PlainDisplay:
    """One line when a step starts and ends, and every few seconds while stacks move."""

    def __init__(self, console: Console) -> None:
        """Write to ``console``."""
        self._console = console
        self._said = time.monotonic()
        self._last: Sequence[StackCount] = ()

    def begin(self, step: Step) -> None:
        """Say what starts."""
        self._said = time.monotonic()
        self._print(f"... {step.title}")

    def tick(self, counts: Sequence[StackCount]) -> None:
        """Say how far the stacks are, not more often than every five seconds."""
        if counts == self._last or time.monotonic() - self._said < _PLAIN_SECONDS:
            return
        self._said, self._last = time.monotonic(), list(counts)
        moving = [count for count in counts if count.done and count.done != count.total]
        if moving:
            self._print("    " + ", ".join(f"{count.stack} {_of(count)}" for count in moving))

    def end(self, step: Step) -> None:
        """Say how the step went, and its notes."""
        mark = {"passed": "ok ", "failed": "NO ", "skipped": "-- "}.get(step.outcome, "   ")
        self._print(f"{mark} {step.title} ({step.seconds:.1f} s)")
        for note in step.notes:
            self._print(f"      {note}")

    def close(self) -> None:
        """Nothing to tidy."""

    def _print(self, line: str) -> None:
        # Neither wrapped nor coloured: a log's line is one line.
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)


class LiveDisplay:
    """The steps so far, the running one with its time, and a bar a stack; finished steps scroll up as text."""

    def __init__(self, console: Console) -> None:
        """Draw on ``console``."""
        self._console = console
        self._step: Step | None = None
        self._started = 0.0
        self._counts: Sequence[StackCount] = ()
        self._spinner = Spinner("dots")
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8, transient=True)

    def begin(self, step: Step) -> None:
        """Show the step as running."""
        self._step, self._started, self._counts = step, time.monotonic(), ()
        self._live.start()

    def tick(self, counts: Sequence[StackCount]) -> None:
        """Move the bars."""
        self._counts = counts

    def end(self, step: Step) -> None:
        """Replace the running step by its result."""
        self._step = None
        self._live.stop()
        mark, style = {"passed": ("✓", "green"), "failed": ("✗", "bold red"), "skipped": ("-", "dim")}[step.outcome]
        self._console.print(Text.assemble((f"{mark} ", style), step.title, (f"  {step.seconds:.1f} s", "dim")))
        for note in step.notes:
            self._console.print(Text(f"    {note}", style="dim"))

    def close(self) -> None:
        """Give the terminal back."""
        self._live.stop()

    def _render(self) -> RenderableType:
        if self._step is None:
            return Text("")
        elapsed = time.monotonic() - self._started
        self._spinner.update(text=Text.assemble(self._step.title, (f"  {elapsed:.0f} s", "dim")))
        grid = Table.grid(padding=(0, 1))
        for count in self._counts:
            total = count.total or max(count.done, 1)
            style = "green" if count.done == count.total else "cyan"
            grid.add_row(
                "   ",
                count.stack,
                ProgressBar(total=total, completed=count.done, width=30, complete_style=style),
                _of(count),
            )
        return Group(self._spinner, grid)


def _of(count: StackCount) -> str:
    return f"{count.done}/{count.total}" if count.total is not None else f"{count.done} changed"


def make_display(console: Console) -> Display:
    """Return the display that fits where ``console`` writes to."""
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(console)


class StepLog:
    """Runs steps one after the other, keeps what they did, and shows it.

    Arguments:
        display: where they are shown.

    Exposes ``steps``.
    """

    def __init__(self, display: Display) -> None:
        """Start without a step."""
        self.steps: list[Step] = []
        self._display = display

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[Step]:
        """Time what the block does; an exception marks the step as failed and goes on outwards."""
        step = Step(name, title)
        self.steps.append(step)
        started = time.monotonic()
        self._display.begin(step)
        try:
            yield step
        except BaseException as error:
            step.outcome = "failed"
            if isinstance(error, StepFailed):
                step.notes += str(error).splitlines()
            raise
        else:
            step.outcome = "passed"
        finally:
            step.seconds = round(time.monotonic() - started, 2)
            self._display.end(step)

    def skip(self, name: str, title: str, reason: str) -> None:
        """Tell about a step that is left out, and why."""
        step = Step(name, title, outcome="skipped", notes=[reason])
        self.steps.append(step)
        self._display.end(step)

    def ticker(self, counts: Callable[[], Sequence[StackCount]]) -> Callable[[], None]:
        """Return a function to call while a step runs: it shows what ``counts`` says."""
        return lambda: self._display.tick(counts())
