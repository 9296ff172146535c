"""``ha lint``: synthesize environments with every validation, then hold their templates against cfn-lint.

cdk-nag's AwsSolutions pack and the CDK's CloudFormation validator run within the synthesis; cfn-lint knows more of each
region, so every template is linted for the region of its stack.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

from rich.console import Console

from environments import EnvironmentFileError, load
from environments.loader import FOLDER
from ops.rehearsal.assembly import Assembly
from ops.rehearsal.cdk_cli import REPOSITORY, find_cdk

IGNORED_RULES = {
    "W3005": "the CDK adds DependsOn where a reference orders already; harmless",
    "W3010": "zones are literals on purpose: an order that AWS may change would replace subnets",
}
"""cfn-lint's rules that do not apply, with the reason."""


def register(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``lint`` to the command."""
    parser = subcommands.add_parser(
        "lint",
        help="synthesize with cdk-nag and the CDK's validator, then run cfn-lint over every template",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "environments",
        nargs="*",
        help="names in environments/ or paths of YAML files (default: all in environments/)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Lint the named environments and return the exit code."""
    console = Console(stderr=True)
    names = arguments.environments or sorted(path.stem for path in FOLDER.glob("*.yaml"))
    code = 0
    for name in names:
        try:
            load(name)
        except EnvironmentFileError as error:
            console.print(str(error), markup=False, highlight=False)
            return 1
        with console.status(f"linting {name}"):
            findings = lint(name)
        console.print(f"{name}: " + ("\n".join(findings) if findings else "no findings"), markup=False)
        code = code or int(bool(findings))
    return code


def lint(environment: str) -> list[str]:
    """Return what the synthesis or cfn-lint finds in an environment's templates; nothing is the aim."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "cdk.out"
        command = [str(find_cdk()), "synth", "--quiet", "--context", f"environment={environment}"]
        synthesis = subprocess.run(
            [*command, "--output", str(output)], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        if synthesis.returncode:
            return [synthesis.stdout + synthesis.stderr]
        return [
            finding for stack in Assembly(output).stacks for finding in lint_template(stack.template_path, stack.region)
        ]


def lint_template(template: Path, region: str) -> list[str]:
    """Return what cfn-lint finds in one template, for its stack's region."""
    # Imported here: it loads the schemas of every resource type.
    from cfnlint.api import ManualArgs, lint_file

    matches = lint_file(template, ManualArgs(regions=[region], ignore_checks=list(IGNORED_RULES)))
    return [
        f"{template.name}: {'/'.join(map(str, match.path or []))}: {match.rule.id} {match.message}" for match in matches
    ]
