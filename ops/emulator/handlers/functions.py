"""Lambda functions: the network that the emulator's CloudFormation leaves out.

Modelled: subnets and security groups of a function. Refused: those that the region lacks, and groups without subnets.
"""

from ministack.services import lambda_svc as store

from ops.emulator.handlers.base import Attributes, Extension, Outcome, Refused, Request, extends
from ops.emulator.handlers.lookups import groups_of, subnets_of


@extends("AWS::Lambda::Function")
class Function(Extension):
    """A function in a VPC."""

    def check(self, request: Request) -> None:
        """Subnets, of one VPC, and groups exist."""
        network = request.properties.get("VpcConfig", {})
        subnets = subnets_of(request, network.get("SubnetIds", []))
        if len({subnet["VpcId"] for subnet in subnets}) > 1:
            raise Refused("the subnets of a function must be of one VPC")
        if groups_of(request, network.get("SecurityGroupIds", [])) and not subnets:
            raise Refused("a function with security groups needs subnets")

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Put the function into the VPC, or take it out."""
        configuration = store._functions[outcome.physical_id]["config"]
        configuration["VpcConfig"] = store._vpc_config_with_id(request.properties.get("VpcConfig"))
        return {}
