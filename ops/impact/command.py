"""``ha impact``: the command line of the impact report and its gate."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from ops.impact.changes import Impact
    from ops.impact.gate import Verdict

_CODES = {"compared": 0, "refused": 1, "impossible": 2}
_DEFAULT_APPROVALS = Path("approvals.yaml")

_DESCRIPTION = """\
Say what a change would do to what is deployed, before anybody deploys it: every stack, every region, and what the
clusters are given. Works offline: both sides are synthesized on this machine.

Each change has a class:
  deletion, rename, replacement, conditional-replacement    the resource of before is not the one in use afterwards
  weakening      less protected: deletion protection, retention, standby, encryption
  broadening     somebody may do more: IAM, key, bucket and queue policies, security groups
  some-interruption, rollout, orphaned, creation, update
"""
_EPILOG = """\
examples:
  ha impact --base main                                the working tree against main, environment reference
  ha impact --base v1.4 --head production              production of the working tree against production of v1.4
  ha impact --base cdk.out.before --head cdk.out       two assemblies, of any CDK app
  ha impact --base main --head HEAD --environment production --format markdown --out comment.md
  ha impact --base main --gate --approvals approvals.yaml
  ha impact --base live --head production              against what is deployed, with the AWS SDK's credentials; it
                                                       reads templates only. `cdk diff` asks for a change set besides

the gate:
  With --gate the exit code is 1 when something that holds data or identity (cluster, database, cache, key, zone,
  accelerator, load balancer, bucket, queue, topic, registry, backup vault, secret, network, stack) is deleted, renamed
  or replaced, or when protection gets weaker, unless the approvals file names the change with a reason:
    - change: "production-eu-west-1/Database/Instance: replacement"
      reason: "why this is right"
      expires: 2026-12-31      # optional
  An approval that matches no change, or has expired, is refused too.

exit codes:  0 compared, and the gate is passed    1 the gate refuses    2 it can't be compared
"""


def register(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``impact`` to the command."""
    parser = subcommands.add_parser(
        "impact",
        help="say what a change would replace, delete, interrupt or open, and stop what is not approved",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--base", required=True, help="git revision, folder of a cloud assembly (cdk.out), or `live`")
    parser.add_argument(
        "--head", help="folder of a cloud assembly, environment, or git revision (default: the working tree)"
    )
    parser.add_argument(
        "--environment",
        help="what to synthesize where only a revision is given (default: that of --head, or reference)",
    )
    parser.add_argument(
        "--format", choices=("terminal", "markdown", "json"), default="terminal", help="default: %(default)s"
    )
    parser.add_argument("--out", type=Path, help="write the report to this file instead")
    parser.add_argument("--gate", action="store_true", help="exit with 1 unless every change that needs it is approved")
    parser.add_argument(
        "--approvals", type=Path, help=f"the approvals file (default: {_DEFAULT_APPROVALS} where there is one)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare, report, and return the exit code."""
    # Heavy imports (cfn-lint's schemas) wait until they are needed, so that `ha --help` answers at once.
    from environments.loader import EnvironmentFileError
    from ops.impact.compare import compare
    from ops.impact.gate import ApprovalsError, judge, read_approvals
    from ops.impact.live import LiveError
    from ops.impact.sources import DEFAULT_ENVIRONMENT, ImpactError, base_side, environment_of, head_side
    from ops.rehearsal.cdk_cli import RehearsalError

    console = Console(stderr=True)
    try:
        file = arguments.approvals or (_DEFAULT_APPROVALS if arguments.gate and _DEFAULT_APPROVALS.is_file() else None)
        approvals = read_approvals(file) if file else []
        with console.status("synthesizing and comparing"):
            head = head_side(arguments.head, arguments.environment)
            environment = arguments.environment or environment_of(arguments.head) or DEFAULT_ENVIRONMENT
            base = base_side(arguments.base, head, environment)
            impact = compare(base.templates, head.templates, base_name=base.name, head_name=head.name)
    except (ApprovalsError, EnvironmentFileError, ImpactError, LiveError, RehearsalError) as error:
        console.print(str(error), style="red", soft_wrap=True, highlight=False, markup=False)
        return _CODES["impossible"]
    verdict = judge(impact, approvals) if arguments.gate or approvals else None
    _report(arguments, impact, verdict)
    if arguments.gate and verdict and not verdict.passes:
        if arguments.format != "terminal" or arguments.out:
            for line in verdict.lines():
                console.print(line, style="red", soft_wrap=True, highlight=False, markup=False)
        return _CODES["refused"]
    return _CODES["compared"]


def _report(arguments: argparse.Namespace, impact: "Impact", verdict: "Verdict | None") -> None:
    from ops.impact.render_json import to_json
    from ops.impact.render_markdown import to_markdown
    from ops.impact.render_terminal import print_impact

    if arguments.format == "terminal":
        if arguments.out:
            arguments.out.parent.mkdir(parents=True, exist_ok=True)
            with arguments.out.open("w", encoding="utf-8") as stream:
                print_impact(Console(file=stream, width=120), impact, verdict)
        else:
            print_impact(Console(), impact, verdict)
        return
    text = to_markdown(impact, verdict) if arguments.format == "markdown" else to_json(impact, verdict)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
