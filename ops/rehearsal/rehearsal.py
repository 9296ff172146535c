"""The parts every rehearsal is made of: start, synthesize, bootstrap, deploy, verify, destroy.

``Rehearsal`` holds what the steps share. ``short_life`` is what ``ha rehearse`` does; ``life.whole_life`` is what
``ha rehearse --full`` does.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ops.emulator import Emulator
from ops.rehearsal.assembly import Assembly, AssemblyStack
from ops.rehearsal.cdk_cli import REPOSITORY, CdkCli, CliResult, RehearsalError, find_cdk
from ops.rehearsal.clients import Clients
from ops.rehearsal.display import StepFailed, StepLog
from ops.rehearsal.failures import Failure, refusals, stack_events
from ops.rehearsal.leftovers import Leftover
from ops.rehearsal.progress import LedgerFollower
from ops.rehearsal.surroundings import loopback_environment
from ops.rehearsal.verify import Verification, verify

_OWN_ENTRIES = ("assemblies", "emulator", "environments", "home", "logs", "report.json", "report.html")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is rehearsed.

    Arguments:
        environment: name or path of an environment file, given to the app as its context ``environment``.
        app: command of a CDK app, or the folder of a cloud assembly; default: the repository's own app.
        context: more context for the app.
    """

    environment: str | None = None
    app: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the report calls it."""
        return self.environment or Path(self.app or "app").name

    @property
    def assembly_directory(self) -> Path | None:
        """The folder of the cloud assembly where one was given instead of an app."""
        return Path(self.app) if self.app and (Path(self.app) / "manifest.json").is_file() else None


@dataclass
class Outcome:
    """What a rehearsal saw, as far as it came."""

    verification: Verification = field(default_factory=Verification)
    failures: list[Failure] = field(default_factory=list)
    left_behind: list[Leftover] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    emulator_log: Path = Path()


class Rehearsal:
    """One environment, one emulator, the CDK CLI, and the steps that they can do.

    Arguments:
        subject: what is rehearsed.
        out: folder for logs, assemblies and reports. What an earlier rehearsal left there is removed.
        log: where steps are kept and shown.
        account: the emulated account, 12 digits.

    Exposes ``outcome``. Use it as a context manager: the emulator ends with it.
    """

    def __init__(self, subject: Subject, *, out: Path, log: StepLog, account: str) -> None:
        """Make the folder ready; nothing is started yet."""
        self.subject = subject
        self.out = out.resolve()
        self.log = log
        self.outcome = Outcome()
        self._account = account
        self.out.mkdir(parents=True, exist_ok=True)
        for name in _OWN_ENTRIES:
            entry = self.out / name
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
        (self.out / "assemblies").mkdir()
        (self.out / "logs").mkdir()

    def __enter__(self) -> "Rehearsal":
        """Start the emulator."""
        executable = find_cdk()
        with self.log.step("emulator", "start the emulator on loopback") as step:
            self.emulator = Emulator(self.out / "emulator", account=self._account)
            self.outcome.emulator_log = self.emulator.log_path
            self.emulator.__enter__()
            step.notes.append(f"{self.emulator.endpoint_url}, log: {self.emulator.log_path}")
        self.clients = Clients(self.emulator)
        self.follower = LedgerFollower(self.emulator.ledger_path)
        self.cli = CdkCli(
            executable=executable,
            environment=loopback_environment(self.emulator.environment, state_directory=self.out / "home"),
            logs=self.out / "logs",
            on_tick=self.log.ticker(self.follower.counts),
        )
        return self

    def __exit__(self, *error: object) -> None:
        """Stop the emulator with everything in it."""
        self.emulator.stop()

    def synthesize(self, environment: str | None = None, *, name: str = "deployed") -> Assembly:
        """Synthesize the app, once for each environment file, and check that it is for the emulated account.

        Arguments:
            environment: another environment than the subject's.
            name: folder of the assembly, below ``assemblies``.
        """
        given = self.subject.assembly_directory
        if given is not None and environment is None:
            return self._checked(Assembly(given))
        chosen = environment or self.subject.environment
        context = {**self.subject.context, **({"environment": chosen} if chosen else {})}
        with self.log.step("synthesize", f"synthesize {Path(chosen).name if chosen else self.subject.name}") as step:
            output = self.out / "assemblies" / name
            result = self.cli.synthesize(app=self.subject.app, context=context, output=output, cwd=REPOSITORY)
            if not result.succeeded:
                raise StepFailed(f"the app does not synthesize:\n{result.tail()}\n(all of it: {result.log})")
            assembly = self._checked(Assembly(output))
            step.notes.append(f"{len(assembly.stacks)} stacks, {len(assembly.resources)} resources")
        return assembly

    def _checked(self, assembly: Assembly) -> Assembly:
        if assembly.account != self._account:
            raise RehearsalError(
                f"the assembly is for account {assembly.account}, the emulator runs as {self._account}: "
                f"pass --account {assembly.account}"
            )
        return assembly

    def bootstrap(self, regions: list[str]) -> None:
        """Bootstrap regions, with the CLI's own template."""
        with self.log.step("bootstrap", f"cdk bootstrap {', '.join(regions)}"):
            self.follower.expect(None, whole=False)
            _succeeded(self.cli.bootstrap(account=self._account, regions=regions), "bootstrap")

    def deploy(self, assembly: Assembly, *, title: str = "cdk deploy --all", whole: bool = True) -> CliResult:
        """Deploy every stack; what CloudFormation refuses becomes failures with the construct's path.

        Arguments:
            assembly: what to deploy.
            title: what the step is called.
            whole: whether every resource is to be made, for the progress display.
        """
        with self.log.step("deploy", title):
            before = {stack.name: len(stack_events(self.clients, stack)) for stack in assembly.stacks}
            self.follower.expect(assembly, whole=whole)
            result = self.cli.on_assembly("deploy", assembly.directory, "--all", "--require-approval", "never")
            refused = refusals(self.clients, assembly, since=before)
            if result.succeeded:
                self._ask_whether_complete(assembly)
            elif refused:
                self.outcome.failures += refused
                raise StepFailed(f"CloudFormation refused {len(refused)} of it (the CLI's log: {result.log})")
            else:
                raise StepFailed(f"cdk deploy failed:\n{result.tail()}\n(all of it: {result.log})")
        return result

    def _ask_whether_complete(self, assembly: Assembly) -> None:
        """Never trust the CLI's check mark alone: ask CloudFormation."""
        for stack in assembly.stacks:
            status = self.status(stack)
            if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                raise StepFailed(f"the CLI reports success, but CloudFormation says {stack.name} is {status}")

    def status(self, stack: AssemblyStack) -> str:
        """Return what CloudFormation says of a stack; ``no such stack`` where there is none."""
        client = self.clients.client("cloudformation", stack.region)
        try:
            found: list[dict[str, Any]] = client.describe_stacks(StackName=stack.name)["Stacks"]
        except ClientError:
            return "no such stack"
        return str(found[0]["StackStatus"])

    def verify(
        self, assembly: Assembly, *, title: str = "look every resource up, by its service's own API", keep: bool = True
    ) -> Verification:
        """Account for every resource; anything wrong becomes a failure.

        Arguments:
            assembly: what was deployed.
            title: what the step is called.
            keep: whether the report lists these resources; a later state of the environment is only checked.
        """
        with self.log.step("verify", title) as step:
            result = verify(self.emulator, self.clients, assembly)
            if keep:
                self.outcome.verification = result
            counts = ", ".join(f"{count} {how}" for how, count in result.counts().items() if count)
            step.notes.append(f"{len(result.resources)} resources: {counts}")
            self.outcome.failures += result.failures
            if result.failures:
                raise StepFailed(f"{len(result.failures)} resources or settings are not as declared")
        return result


def _succeeded(result: CliResult, what: str) -> None:
    if not result.succeeded:
        raise StepFailed(f"cdk {what} failed:\n{result.tail()}\n(all of it: {result.log})")


def short_life(rehearsal: Rehearsal) -> None:
    """Synthesize, bootstrap, deploy and verify; the emulator's end cleans up."""
    assembly = rehearsal.synthesize()
    rehearsal.bootstrap(assembly.regions)
    rehearsal.deploy(assembly)
    rehearsal.verify(assembly)
