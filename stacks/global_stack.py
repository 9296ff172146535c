"""The stack for what is global: the accelerator, the domain's zone and the certificate that proves its delegation."""

import aws_cdk as cdk
from constructs import Construct

from environments import Environment
from ha_constructs.accelerator import Accelerator
from ha_constructs.certificate import DomainCertificate
from ha_constructs.hosted_zone import PublicZone
from stacks.acknowledged import acknowledge_choices
from stacks.published import Published, publish


class GlobalStack(cdk.Stack):
    """Deployed first, in the primary region. It never lists regions: each regional stack registers itself.

    Its certificate is validated through the zone, so a domain that is not delegated stops the deployment here, before
    any region costs anything.

    Arguments:
        environment: what to build.
    """

    def __init__(self, scope: Construct, *, environment: Environment) -> None:
        super().__init__(
            scope,
            environment.global_stack_name,
            stack_name=environment.global_stack_name,
            description=f"Accelerator, domain and certificate of {environment.name}",
            env=cdk.Environment(account=environment.account, region=environment.primary.name),
            cross_region_references=True,
            # Of the stack, not of each resource: CloudFormation passes them on to what can be tagged.
            tags={"environment": environment.name, **environment.tags},
            termination_protection=environment.deletion_protection,
        )
        acknowledge_choices(self, environment)
        accelerator = Accelerator(
            self,
            "Accelerator",
            name=environment.name,
            tcp_ports=environment.ingress.tcp_ports,
            deletion_protection=environment.deletion_protection,
        )
        domain = PublicZone(
            self,
            "Domain",
            domain_name=environment.domain.name,
            hosted_zone_id=environment.domain.hosted_zone_id,
            certificate_authorities=environment.domain.certificate_authorities,
            dnssec=environment.domain.dnssec_key_arn is not None,
            dnssec_key_arn=environment.domain.dnssec_key_arn,
            deletion_protection=environment.deletion_protection,
        )
        domain.add_edge_records(accelerator.alias_target)
        DomainCertificate(self, "Certificate", zone=domain.zone)

        publish(
            self,
            {
                Published.WEB_LISTENER_ARN: accelerator.web_listener_arn,
                Published.ACCELERATOR_DNS_NAME: accelerator.dns_name,
                Published.HOSTED_ZONE_ID: domain.zone_id,
            },
        )
        if accelerator.tcp_listener_arn:
            publish(self, {Published.TCP_LISTENER_ARN: accelerator.tcp_listener_arn})
        if domain.name_servers:
            publish(self, {Published.NAME_SERVERS: cdk.Fn.join(",", domain.name_servers)})
