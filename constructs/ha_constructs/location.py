"""Where a construct is deployed: the parts that ARNs are made of."""

from dataclasses import dataclass
from functools import cache

import aws_cdk as cdk
from constructs import Construct


@dataclass(frozen=True)
class Location:
    """Partition, account and region of a stack; tokens where the stack leaves one open.

    Arguments:
        partition: such as ``aws``.
        account: twelve digits.
        region: such as ``eu-west-1``.
    """

    partition: str
    account: str
    region: str

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """Return an ARN of this account.

        Arguments:
            service: the service's namespace, such as ``ec2``.
            resource: all that follows the account.
            region: another region than the stack's own.
        """
        return f"arn:{self.partition}:{service}:{region or self.region}:{self.account}:{resource}"


def location_of(scope: Construct) -> Location:
    """Return where a construct's stack is deployed."""
    return _location_of_stack(cdk.Stack.of(scope))


# Reading a property of the stack asks the CDK's Node.js process, each time; dozens of ARNs a region need these three.
@cache
def _location_of_stack(stack: cdk.Stack) -> Location:
    return Location(partition=stack.partition, account=stack.account, region=stack.region)
