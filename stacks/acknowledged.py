"""Steps below the standard that an environment file asks for: acknowledged, so that they show with their reason."""

import aws_cdk as cdk

from environments import Environment


def acknowledge_choices(stack: cdk.Stack, environment: Environment) -> None:
    """Acknowledge at the stack what the environment's plainly named fields ask for, and nothing else."""
    choices = {
        "HaChecks::NoDeletionProtection": (not environment.deletion_protection, "deletion_protection: false"),
        "HaChecks::SingleNatGateway": (environment.network.single_nat_gateway, "network.single_nat_gateway: true"),
        "HaChecks::SingleZoneData": (environment.database.single_zone, "database.single_zone: true"),
    }
    acknowledgments = [
        cdk.Acknowledgment(id=rule, reason=f"The environment file says `{field}`")
        for rule, (chosen, field) in choices.items()
        if chosen
    ]
    if acknowledgments:
        cdk.Validations.of(stack).acknowledge(*acknowledgments)
