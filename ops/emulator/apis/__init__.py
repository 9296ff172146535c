"""AWS API actions that ministack lacks, or answers wrongly or in part; a module a service.

Every answer comes from a record that the emulator keeps: its own one, which the handlers complete where a resource is
created or updated, or one of our state. Nothing is read from a template.
"""

from ops.emulator.apis import certificates, ec2, ecr, elasticache, loadbalancing, rds, route53, secretsmanager


def install() -> None:
    """Add the actions to the services."""
    for module in (certificates, ec2, ecr, elasticache, loadbalancing, rds, route53, secretsmanager):
        module.install()
