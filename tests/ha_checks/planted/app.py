"""A CDK app of given templates, for the CDK's own checks: ``python -m tests.ha_checks.planted.app FOLDER``."""

import json
import sys
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import cloudformation_include as include
from cdk_nag import AwsSolutionsChecks

from tests.ha_checks.support import ACCOUNT


def main(folder: Path) -> None:
    """Synthesize the folder's plan into its ``cdk.out``."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    app = cdk.App(outdir=str(folder / "cdk.out"), analytics_reporting=False, tree_metadata=False)
    for prefix, stacks in plan.items():
        for given in stacks:
            environment = cdk.Environment(account=ACCOUNT, region=given["region"])
            # Slashes divide a construct's path; one scope an assembly keeps their reports apart.
            stack = cdk.Stack(_scope(app, prefix), given["name"], env=environment)
            path = folder / f"{prefix}-{given['name']}.json"
            path.write_text(json.dumps(given["template"]), encoding="utf-8")
            # As typed constructs, which is how an app makes them and what cdk-nag judges.
            include.CfnInclude(stack, "Template", template_file=str(path), allow_cyclical_references=True)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


def _scope(app: cdk.App, prefix: str) -> cdk.Stage:
    known = app.node.try_find_child(prefix)
    return known if isinstance(known, cdk.Stage) else cdk.Stage(app, prefix)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
