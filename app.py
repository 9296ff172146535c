"""Composition root: read an environment, add the global stack, add a stack a region."""

import gc
import os
import sys

# The CDK defines tens of thousands of classes and keeps them all: collecting while they load finds nothing, slowly.
gc.disable()

import aws_cdk as cdk

from environments import Environment, EnvironmentFileError, load
from stacks.global_stack import GlobalStack
from stacks.regional_stack import RegionalStack


def build(app: cdk.App, environment: Environment) -> None:
    """Add every stack of an environment, in the order in which they deploy."""
    previous: cdk.Stack = GlobalStack(app, environment=environment)
    for region in environment.regions:
        stack = RegionalStack(app, environment=environment, region=region)
        # One region at a time: a region registers itself with those before it.
        stack.add_stack_dependency(previous)
        previous = stack


def main() -> None:
    """Synthesize the environment that the context names; end with one clear message when its file is wrong."""
    app = cdk.App(tree_metadata=False)
    try:
        environment = load(app.node.try_get_context("environment") or "")
    except EnvironmentFileError as error:
        sys.exit(f"{error}\nChoose the environment with `-c environment=<name or path>`.")
    build(app, environment)
    # The CDK's own switch for its validator leaves every pack out.
    if os.environ.get("CDK_VALIDATION") != "false":
        from cdk_nag import AwsSolutionsChecks

        from ha_checks.plugin import HighAvailabilityChecks

        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), HighAvailabilityChecks())
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
        sys.exit("The templates have findings, listed above: mend them, or acknowledge them at the construct.")


if __name__ == "__main__":
    main()
    # Nor at exit, where Python would look through all of them once more.
    gc.freeze()
