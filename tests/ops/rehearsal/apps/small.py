"""A small CDK app for rehearsals: a global stack and two regional ones, sound or with one planted fault (``build``)."""

from collections.abc import Callable

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_globalaccelerator as accelerator
from aws_cdk import aws_sqs as sqs

ACCOUNT = "111122223333"
PRIMARY, SECONDARY = "eu-west-1", "us-east-1"


class Small:
    """The stacks, with what the faults need to reach."""

    def __init__(self, app: cdk.App, name: str, *, one_region: bool = False) -> None:
        self.app = app
        self.name = name
        self.everywhere = self._stack("global", PRIMARY)
        self.accelerator = accelerator.CfnAccelerator(self.everywhere, "Accelerator", name=name)
        self.listener = accelerator.CfnListener(
            self.everywhere,
            "Listener",
            accelerator_arn=self.accelerator.ref,
            protocol="TCP",
            port_ranges=[accelerator.CfnListener.PortRangeProperty(from_port=443, to_port=443)],
        )
        cdk.CfnOutput(self.everywhere, "ListenerArn", value=self.listener.ref)
        self.primary = self._regional(PRIMARY, 1)
        self.secondary = self.primary if one_region else self._regional(SECONDARY, 2)

    def _stack(self, suffix: str, region: str) -> cdk.Stack:
        return cdk.Stack(
            self.app,
            f"{self.name}-{suffix}",
            env=cdk.Environment(account=ACCOUNT, region=region),
            cross_region_references=True,
        )

    def _regional(self, region: str, number: int) -> cdk.Stack:
        stack = self._stack(region, region)
        stack.add_stack_dependency(self.everywhere)
        vpc = ec2.CfnVPC(stack, "Vpc", cidr_block=f"10.{number}.0.0/16")
        for index, zone in enumerate("ab"):
            ec2.CfnSubnet(
                stack,
                f"Subnet{zone.upper()}",
                vpc_id=vpc.ref,
                cidr_block=f"10.{number}.{index}.0/24",
                availability_zone=f"{region}{zone}",
            )
        dead = sqs.Queue(stack, "Dead", queue_name=f"{self.name}-dead", retention_period=cdk.Duration.days(14))
        sqs.Queue(
            stack,
            "Jobs",
            queue_name=f"{self.name}-jobs",
            visibility_timeout=cdk.Duration.seconds(120),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=5),
        )
        return stack

    def load_balancer(self, stack: cdk.Stack) -> elb.CfnLoadBalancer:
        """Add an internal load balancer to a regional stack."""
        subnets = [stack.resolve(stack.node.find_child(f"Subnet{zone}").ref) for zone in "AB"]  # type: ignore[attr-defined]
        return elb.CfnLoadBalancer(
            stack,
            "LoadBalancer",
            scheme="internal",
            type="network",
            name=self.name,
            subnets=list(map(cdk.Token.as_string, subnets)),
        )


def overlapping_cidr(small: Small) -> str:
    """A third subnet lies over the first."""
    vpc = small.secondary.node.find_child("Vpc")
    subnet = ec2.CfnSubnet(small.secondary, "Overlapping", vpc_id=vpc.ref, cidr_block="10.2.0.0/25")  # type: ignore[attr-defined]
    subnet.add_dependency(small.secondary.node.find_child("SubnetA"))  # type: ignore[arg-type]
    return subnet.node.path


def wrong_enum(small: Small) -> str:
    """A raw override sets a value that the property does not have."""
    subnet = small.secondary.node.find_child("SubnetA")
    load_balancer = small.load_balancer(small.secondary)
    load_balancer.add_dependency(subnet)  # type: ignore[arg-type]
    load_balancer.add_property_override("Scheme", "external")
    return load_balancer.node.path


def missing_property(small: Small) -> str:
    """A required property is deleted."""
    subnet = small.primary.node.find_child("SubnetB")
    subnet.add_property_deletion_override("VpcId")  # type: ignore[attr-defined]
    return subnet.node.path


def missing_output(small: Small) -> str:
    """A value is taken from an output that the other region's stack does not publish."""
    value = cdk.Fn.get_stack_output(small.everywhere.stack_name, "Nowhere", PRIMARY)
    queue = sqs.CfnQueue(small.secondary, "Reader", tags=[cdk.CfnTag(key="listener", value=cdk.Token.as_string(value))])
    return queue.node.path


def foreign_load_balancer(small: Small) -> str:
    """The secondary region's endpoint group names the primary region's load balancer."""
    load_balancer = small.load_balancer(small.primary)
    cdk.CfnOutput(small.primary, "LoadBalancerArn", value=load_balancer.ref)
    small.secondary.add_stack_dependency(small.primary)
    arn = cdk.Token.as_string(cdk.Fn.get_stack_output(small.primary.stack_name, "LoadBalancerArn", PRIMARY))
    listener = cdk.Token.as_string(cdk.Fn.get_stack_output(small.everywhere.stack_name, "ListenerArn", PRIMARY))
    group = accelerator.CfnEndpointGroup(
        small.secondary,
        "Endpoints",
        listener_arn=listener,
        endpoint_group_region=SECONDARY,
        endpoint_configurations=[accelerator.CfnEndpointGroup.EndpointConfigurationProperty(endpoint_id=arn)],
    )
    return group.node.path


def duplicate_name(small: Small) -> str:
    """A stack of the same region gives a queue a name that another stack's queue has."""
    sqs.CfnQueue(small.everywhere, "Jobs", queue_name=f"{small.name}-jobs")
    return f"{small.primary.node.path}/Jobs/Resource"


FAULTS: dict[str, Callable[[Small], str]] = {
    "overlapping-cidr": overlapping_cidr,
    "wrong-enum": wrong_enum,
    "missing-property": missing_property,
    "missing-output": missing_output,
    "foreign-load-balancer": foreign_load_balancer,
    "duplicate-name": duplicate_name,
}


def build(directory: str, *, name: str, fault: str | None = None, one_region: bool = False) -> str:
    """Synthesize the app; returns the path of the construct that must be refused, empty for a sound app."""
    # Without the bootstrap's rule, so that a template deploys to an account that is not bootstrapped.
    synthesizer = cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    app = cdk.App(
        outdir=directory,
        analytics_reporting=False,
        default_stack_synthesizer=synthesizer,
        # The CLI sets this for every app that it runs.
        context={"aws:cdk:enable-path-metadata": True},
    )
    small = Small(app, name, one_region=one_region)
    refused = FAULTS[fault](small) if fault else ""
    app.synth()
    return refused
