"""Rules about quotas: the template's own, and those of services that grow with each region."""

from collections.abc import Iterator

from ha_checks.assembly import Assembly, StackTemplate
from ha_checks.intrinsics import UNKNOWN_PART
from ha_checks.resource import Resource
from ha_checks.rule import Finding, Settings, rule

THEME = "Quotas"

RESOURCES_PER_TEMPLATE = 500
BYTES_PER_TEMPLATE = 1_000_000
LISTENERS_PER_ACCELERATOR = 10
ENDPOINT_GROUPS_PER_ACCELERATOR = 42
ENDPOINTS_PER_GROUP = 10
PEERINGS_PER_VPC = 50
NAME_LENGTH = 32


@rule(
    theme=THEME,
    why="A template takes 500 resources. Who meets the limit must split the stack, and a resource that moves to "
    "another stack is made anew unless it is imported by hand.",
    mend="Split the stack now, along what changes together, while what moves is still small.",
    url="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
)
def template_resources(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A template near its limit of resources."""
    for stack in assembly.stacks:
        yield from _near(settings, len(stack.resources), RESOURCES_PER_TEMPLATE, "resources", stack)


@rule(
    theme=THEME,
    why="A template takes 1 MB; beyond it the deployment is refused before it begins, of all stacks that share the "
    "change.",
    mend="Split the stack, shorten inline code and dashboards, or set `@aws-cdk/core:suppressTemplateIndentation`.",
    url="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
)
def template_size(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A template near its limit of bytes."""
    for stack in assembly.stacks:
        yield from _near(settings, stack.size, BYTES_PER_TEMPLATE, "bytes", stack)


@rule(
    theme=THEME,
    why="An accelerator takes 10 listeners and 42 endpoint groups, a group 10 load balancers: the region after the "
    "last fails.",
    mend="Ask for a higher quota before the next region, or share listeners among ports (`PortRanges`).",
    url="https://docs.aws.amazon.com/global-accelerator/latest/dg/limits-global-accelerator.html",
)
def accelerator_quota(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """An accelerator near its quota of listeners or endpoint groups, a group near its quota of endpoints."""
    listeners = assembly.of_type("AWS::GlobalAccelerator::Listener")
    groups = assembly.of_type("AWS::GlobalAccelerator::EndpointGroup")
    for accelerator in assembly.of_type("AWS::GlobalAccelerator::Accelerator"):
        own = [listener for listener in listeners if listener.target("AcceleratorArn") is accelerator]
        joined = [group for group in groups if group.target("ListenerArn") in own]
        yield from _near(settings, len(own), LISTENERS_PER_ACCELERATOR, "listeners", accelerator)
        yield from _near(settings, len(joined), ENDPOINT_GROUPS_PER_ACCELERATOR, "endpoint groups", accelerator)
    for group in groups:
        count = len(group.items("EndpointConfigurations"))
        yield from _near(settings, count, ENDPOINTS_PER_GROUP, "endpoints", group)


@rule(
    theme=THEME,
    why="A VPC takes 50 peerings (125 on request), and a full mesh needs one for each other region and environment.",
    mend="Join the VPCs by a transit gateway or Cloud WAN instead.",
    url="https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
)
def peering_quota(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A VPC near its quota of peerings."""
    counts: dict[str, tuple[Resource, int]] = {}
    for connection in assembly.of_type("AWS::EC2::VPCPeeringConnection"):
        for path in ("VpcId", "PeerVpcId"):
            vpc = connection.target(path)
            if vpc:
                counts[vpc.path] = (vpc, counts.get(vpc.path, (vpc, 0))[1] + 1)
    for vpc, count in counts.values():
        yield from _near(settings, count, PEERINGS_PER_VPC, "peerings", vpc)


@rule(
    theme=THEME,
    why="ARC Region switch refuses a plan whose name is longer than 32 characters.",
    mend="Shorten the name.",
    url="https://docs.aws.amazon.com/arc-region-switch/latest/api/API_CreatePlan.html",
)
def arc_plan_name(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A plan's name that is too long."""
    for plan in assembly.of_type("AWS::ARCRegionSwitch::Plan"):
        yield from _too_long(plan)


@rule(
    theme=THEME,
    why="Elastic Load Balancing refuses names of more than 32 characters, such that begin or end with a hyphen, and "
    "load balancers named `internal-...`.",
    mend="Shorten the name, or leave it to CloudFormation.",
    url="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html",
)
def load_balancer_name(assembly: Assembly, settings: Settings) -> Iterator[Finding]:
    """A load balancer's or target group's name that is refused."""
    for balancer in assembly.of_type(
        "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancingV2::TargetGroup"
    ):
        yield from _too_long(balancer)
        name = balancer.literal("Name") or ""
        if name.startswith(("-", "internal-")) or name.endswith("-"):
            yield Finding(balancer, f"{name} begins or ends with what is not allowed", "Properties.Name")


def _too_long(resource: Resource) -> Iterator[Finding]:
    # What is known of a name can be too long by itself.
    name = resource.text("Name").replace(UNKNOWN_PART, "")
    if len(name) > NAME_LENGTH:
        yield Finding(resource, f"{name} has {len(name)} characters, {NAME_LENGTH} is the most", "Properties.Name")


def _near(settings: Settings, count: int, quota: int, what: str, at: Resource | StackTemplate) -> Iterator[Finding]:
    if count > settings.quota_share * quota:
        yield Finding(at, f"{count:,} of {quota:,} {what}, more than {settings.quota_share:.0%} of the quota")
