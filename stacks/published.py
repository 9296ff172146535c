"""What a stack lets the others know: outputs with fixed names, always published, read by weak reference.

A stack reads another's output with `Fn::GetStackOutput` when it deploys. The names are literals on both sides, so a
region that joins or leaves changes no template but its own.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html
"""

from collections.abc import Mapping
from enum import StrEnum

import aws_cdk as cdk

from environments import Environment


class Published(StrEnum):
    """Names of the outputs."""

    WEB_LISTENER_ARN = "WebListenerArn"
    TCP_LISTENER_ARN = "TcpListenerArn"
    ACCELERATOR_DNS_NAME = "AcceleratorDnsName"
    HOSTED_ZONE_ID = "HostedZoneId"
    NAME_SERVERS = "NameServers"
    VPC_ID = "VpcId"
    ROUTE_TABLE_IDS = "RouteTableIds"
    SECRETS_KEY_ARN = "SecretsKeyArn"
    DATABASE_SECRET_ARN = "DatabaseSecretArn"  # noqa: S105 - a name
    DATABASE_ENDPOINT = "DatabaseEndpoint"
    DATABASE_PROXY_ENDPOINT = "DatabaseProxyEndpoint"
    CACHE_GLOBAL_REPLICATION_GROUP_ID = "CacheGlobalReplicationGroupId"
    CACHE_ENDPOINT = "CacheEndpoint"
    CLUSTER_NAME = "ClusterName"
    CLUSTER_ENDPOINT = "ClusterEndpoint"
    WEB_TARGET_GROUP_ARN = "WebTargetGroupArn"
    API_SERVER_ENDPOINT_SERVICE = "ApiServerEndpointService"


def publish(stack: cdk.Stack, values: Mapping[Published, str]) -> None:
    """Publish values as the stack's outputs."""
    for name, value in values.items():
        cdk.CfnOutput(stack, name, value=value)


def from_global(environment: Environment, name: Published) -> str:
    """Read an output of the global stack."""
    return cdk.Fn.get_stack_output(environment.global_stack_name, name, environment.primary.name)


def from_region(environment: Environment, region: str, name: Published) -> str:
    """Read an output of a region's stack."""
    return cdk.Fn.get_stack_output(environment.stack_name(region), name, region)
