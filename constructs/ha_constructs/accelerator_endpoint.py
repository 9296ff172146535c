"""A region's registration at the accelerator: one endpoint group with the region's load balancer in it."""

import aws_cdk as cdk
from aws_cdk import aws_globalaccelerator as globalaccelerator
from constructs import Construct

MAXIMUM_WEIGHT = 255
HEALTH_CHECK_INTERVALS_SECONDS = (10, 30)


class AcceleratorEndpoint(Construct):
    """The endpoint group of one region at one listener of an accelerator, owned by that region's stack.

    A listener takes one endpoint group a region, so a second listener (TCP) needs a second instance of this construct.
    Removing the region's stack removes the group: Global Accelerator then sends clients to the other regions.

    *Health.* For load balancers Global Accelerator follows the health of their targets, as configured at the target
    groups; the health check settings of the endpoint group apply to other kinds of endpoints only (Health checks for
    accelerator endpoints,
    https://docs.aws.amazon.com/global-accelerator/latest/dg/about-endpoint-groups-health-check-options.html). They are
    set all the same, so that an endpoint of another kind added to the group later is checked every 10 s and taken out
    after 3 failures: 30 s. New connections move away from an unhealthy region within about 30 s; established ones stay
    where they are until they close. When *no* region is healthy, traffic goes to all of them.

    *Traffic dial.* The percentage of the traffic which routing would bring to this region that is let in. On failover
    from other regions the dial is not honoured when this region is the only healthy one.

    *In the VPC.* For endpoints that preserve the client's address Global Accelerator creates network interfaces, one a
    subnet, and a security group named ``GlobalAccelerator`` in the load balancer's VPC. The VPC needs an attached
    internet gateway (no route to it). The load balancer's security group must let the *clients'* addresses in. Global
    Accelerator removes the interfaces and the group some time after the last endpoint: a VPC that is deleted sooner
    fails with a dependency violation, and deleting the stack again later succeeds (Requirements for endpoints with
    client IP address preservation,
    https://docs.aws.amazon.com/global-accelerator/latest/dg/about-endpoints.sipp-caveats.html).

    Updates: endpoint, weight, dial and health check change without interruption; listener and region replace the group.

    Arguments:
        listener_arn: the listener's ARN, from the global stack.
        region: the region of the load balancer, and so of the group.
        load_balancer_arn: ARN of an application or network load balancer, internal or not, in ``region``.
        traffic_dial: percent, 0 to 100. Default 100.
        weight: share among the endpoints of the same group, 0 to 255. Default 128.
        preserve_client_ip: whether targets see the client's address. Default true; an internal application load
            balancer allows nothing else, a network load balancer needs a security group of its own for it.
        health_check_port: TCP port, 1 to 65535. Default 443.
        health_check_interval_seconds: 10 (default) or 30.
        health_check_threshold: failures in a row, 1 to 10. Default 3.

    Exposes ``endpoint_group`` and ``endpoint_group_arn``.

    Raises:
        ValueError: a number out of range, a listener ARN that is not one, a load balancer of another region.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        listener_arn: str,
        region: str,
        load_balancer_arn: str,
        traffic_dial: int = 100,
        weight: int = 128,
        preserve_client_ip: bool = True,
        health_check_port: int = 443,
        health_check_interval_seconds: int = 10,
        health_check_threshold: int = 3,
    ) -> None:
        super().__init__(scope, construct_id)
        _check_range("traffic_dial", traffic_dial, 0, 100)
        _check_range("weight", weight, 0, MAXIMUM_WEIGHT)
        _check_range("health_check_port", health_check_port, 1, 65535)
        _check_range("health_check_threshold", health_check_threshold, 1, 10)
        _check_interval(health_check_interval_seconds)
        _check_arns(listener_arn=listener_arn, load_balancer_arn=load_balancer_arn, region=region)

        self.endpoint_group = globalaccelerator.EndpointGroup(
            self,
            "EndpointGroup",
            listener=globalaccelerator.Listener.from_listener_arn(self, "Listener", listener_arn),
            region=region,
            endpoints=[
                globalaccelerator.RawEndpoint(
                    endpoint_id=load_balancer_arn, weight=weight, preserve_client_ip=preserve_client_ip
                )
            ],
            traffic_dial_percentage=traffic_dial,
            health_check_protocol=globalaccelerator.HealthCheckProtocol.TCP,
            health_check_port=health_check_port,
            health_check_interval=cdk.Duration.seconds(health_check_interval_seconds),
            health_check_threshold=health_check_threshold,
        )
        self.endpoint_group_arn: str = self.endpoint_group.endpoint_group_arn


def _check_range(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise ValueError(f"{name}: {value} is out of range; give a number from {lowest} to {highest}")


def _check_interval(seconds: int) -> None:
    if seconds not in HEALTH_CHECK_INTERVALS_SECONDS:
        raise ValueError(f"health_check_interval_seconds: {seconds} is not offered; give 10 or 30")


def _check_arns(*, listener_arn: str, load_balancer_arn: str, region: str) -> None:
    """Check what is known at synthesis; values that CloudFormation fills in later pass."""
    if not cdk.Token.is_unresolved(listener_arn) and (
        ":globalaccelerator::" not in listener_arn or "/listener/" not in listener_arn
    ):
        raise ValueError(
            f"listener_arn: {listener_arn!r} is not a listener of Global Accelerator; "
            "give arn:aws:globalaccelerator::<account>:accelerator/<id>/listener/<id>"
        )
    if not cdk.Token.is_unresolved(load_balancer_arn):
        parts = load_balancer_arn.split(":")
        if len(parts) < 6 or parts[2] != "elasticloadbalancing" or parts[3] != region:
            raise ValueError(
                f"load_balancer_arn: {load_balancer_arn!r} is not a load balancer in {region}; "
                "an endpoint group takes endpoints of its own region only"
            )
