"""``ha``: the one command for everything a person runs around a deployment.

Each subcommand lives in a module of its own that offers ``register(subcommands)``; it adds its parser and sets ``run``,
a function that takes the parsed arguments and returns the exit code.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

_SUBCOMMANDS = (
    "ops.rehearsal.command",
    "ops.lint",
    "ops.documentation",
    "ops.bench",
    "ops.impact.command",
    "ops.pipeline.order",
    "ops.pipeline.bake",
    "ops.pipeline.comment",
)

_DESCRIPTION = """\
Everything around a deployment that is not the deployment itself. The deployment is `cdk deploy`, or `make deploy`.
"""
_EPILOG = """\
start here:
  ha rehearse            deploy the reference environment to an emulator on this machine; nothing is billed
  ha rehearse --help     what the report means, and more examples
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every subcommand."""
    parser = argparse.ArgumentParser(
        prog="ha",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subcommands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in _SUBCOMMANDS:
        importlib.import_module(module).register(subcommands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code."""
    parsed = build_parser().parse_args(arguments)
    code: int = parsed.run(parsed)
    return code


if __name__ == "__main__":
    sys.exit(main())
