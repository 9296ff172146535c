"""Reads the templates that are deployed, with whatever credentials the AWS SDK finds.

Only reads: ``cloudformation:GetTemplate`` and ``cloudformation:DescribeStacks``. Resources that drifted are not looked
at; `cdk drift` does that.
"""

import json
from collections.abc import Sequence
from typing import Any

from ops.impact.templates import Template


class LiveError(RuntimeError):
    """AWS can't be asked; the message says why."""


def deployed_templates(head: Sequence[Template]) -> list[Template]:
    """Return what is deployed under the names and in the regions of ``head``'s stacks; missing stacks are left out.

    Raises:
        LiveError: there are no credentials, or they do not allow reading the stacks.
    """
    # Imported here: comparing offline needs no SDK.
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    found = []
    for template in head:
        # A nested stack has a generated name; its parent's template says that it changes.
        if "/" in template.name:
            continue
        client = boto3.client("cloudformation", region_name=template.region)
        try:
            stack = client.describe_stacks(StackName=template.name)["Stacks"][0]
            body = client.get_template(StackName=template.name, TemplateStage="Original")["TemplateBody"]
        except ClientError as error:
            if "does not exist" in str(error):
                continue
            raise LiveError(f"{template.name} in {template.region} can't be read: {error}") from error
        except BotoCoreError as error:
            raise LiveError(f"AWS can't be asked for {template.name} in {template.region}: {error}") from error
        found.append(
            Template(
                name=template.name,
                region=template.region,
                body=_as_dict(body),
                termination_protection=bool(stack.get("EnableTerminationProtection")),
            )
        )
    return found


def _as_dict(body: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(body) if isinstance(body, str) else json.loads(json.dumps(body))
    return content
