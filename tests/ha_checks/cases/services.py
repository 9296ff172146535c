"""Traffic, health checks, queues, key policies."""

from typing import Any

from tests.ha_checks.cases.case import Case, case
from tests.ha_checks.support import (
    ACCOUNT,
    HERE,
    THERE,
    Resources,
    Stack,
    applied,
    att,
    attributes,
    key,
    output,
    ref,
    resource,
)

BALANCER = "ElasticLoadBalancingV2::LoadBalancer"
TARGETS = "ElasticLoadBalancingV2::TargetGroup"


def _endpoint_group(region: str, endpoint: Any, **more: Any) -> dict[str, Any]:
    endpoints = [{"EndpointId": endpoint}]
    return resource(
        "GlobalAccelerator::EndpointGroup", EndpointGroupRegion=region, EndpointConfigurations=endpoints, **more
    )


def _balancer_arn(region: str) -> str:
    return f"arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/app/web/0123456789abcdef"


def _listened(region: str) -> Resources:
    return {
        "L": resource("GlobalAccelerator::Listener"),
        "A": _endpoint_group(HERE, "a", ListenerArn=ref("L")),
        "B": _endpoint_group(region, "b", ListenerArn=ref("L")),
    }


def _alias(zone: Any, name: Any, **more: dict[str, Any]) -> Resources:
    return {"R": resource("Route53::RecordSet", AliasTarget={"HostedZoneId": zone, "DNSName": name}), **more}


WEB = {"Web": resource(BALANCER), "Tcp": resource(BALANCER, Type="network")}
DUALSTACK = {"Fn::Join": ["", ["dualstack.", att("Web", "DNSName")]]}


def _targets(interval: int, threshold: int, **more: Any) -> Resources:
    return {"T": resource(TARGETS, HealthCheckIntervalSeconds=interval, UnhealthyThresholdCount=threshold, **more)}


def _checked(interval: int) -> Resources:
    return {"H": resource("Route53::HealthCheck", HealthCheckConfig={"Type": "HTTPS", "RequestInterval": interval})}


def _alarmed(points: int) -> Resources:
    follows = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Name": ref("A"), "Region": HERE}}
    alarm = resource("CloudWatch::Alarm", Period=60, EvaluationPeriods=points)
    return {"H": resource("Route53::HealthCheck", HealthCheckConfig=follows), "A": alarm}


def _delay(seconds: str, **more: Any) -> dict[str, Any]:
    return resource(TARGETS, TargetGroupAttributes=attributes(deregistration_delay__timeout_seconds=seconds), **more)


BOUND = {"Tags": [{"Key": "eks:eks-cluster-name", "Value": "main"}]}


def _workload(grace: int | None) -> dict[str, Any]:
    spec = {} if grace is None else {"terminationGracePeriodSeconds": grace}
    template = {"metadata": {"labels": {"app": "web", "tier": "front"}}, "spec": spec}
    return _object("apps/v1", "Deployment", template=template)


def _object(version: str, kind: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def _served(grace: int | None) -> Resources:
    """A target group that a binding within a manifest leads to a workload's pods, as the CDK writes it."""
    marker = "TARGET-GROUP"
    binding = _object("eks.amazonaws.com/v1", "TargetGroupBinding", serviceRef={"name": "web"}, targetGroupARN=marker)
    manifest = applied(binding, _object("v1", "Service", selector={"app": "web"}), _workload(grace))
    before, after = manifest["Properties"]["Manifest"].replace('": "', '":"').split(marker)
    manifest["Properties"]["Manifest"] = {"Fn::Join": ["", [before, ref("T"), after]]}
    return {"M": manifest, "T": _delay("60")}


def _tasks(stop: int) -> Resources:
    service = resource(
        "ECS::Service", TaskDefinition=ref("Task"), LoadBalancers=[{"TargetGroupArn": ref("T"), "ContainerName": "web"}]
    )
    task = resource("ECS::TaskDefinition", ContainerDefinitions=[{"Name": "web", "StopTimeout": stop}])
    return {"S": service, "Task": task, "T": _delay("60")}


def _kept(seconds: str) -> Resources:
    return {"B": resource(BALANCER, LoadBalancerAttributes=attributes(client_keep_alive__seconds=seconds))}


def _queue(dead: str = "Dead", **more: Any) -> dict[str, Any]:
    return resource("SQS::Queue", RedrivePolicy={"deadLetterTargetArn": att(dead), "maxReceiveCount": 5}, **more)


def _subscribed(**topic: Any) -> Resources:
    return {
        "S": resource("SNS::Subscription", Protocol="sqs", TopicArn=ref("T"), Endpoint=att("Q")),
        "T": resource("SNS::Topic", **topic),
        "Q": resource("SQS::Queue", FifoQueue=True),
    }


def _alerted(*services: str, actions: str = "kms:*") -> Resources:
    return {
        "K": key(*services, actions=actions),
        "T": resource("SNS::Topic", KmsMasterKeyId=att("K")),
        "A": resource("CloudWatch::Alarm", AlarmActions=[ref("T")]),
    }


def _logged(*services: str) -> Resources:
    return {"K": key(*services), "G": resource("Logs::LogGroup", KmsKeyId=att("K"))}


def _queued(*services: str) -> Resources:
    return {
        "K": key(*services),
        "Q": resource("SQS::Queue", KmsMasterKeyId=ref("Alias")),
        "Alias": resource("KMS::Alias", AliasName="alias/queues", TargetKeyId=ref("K")),
        "S": resource("SNS::Subscription", Protocol="sqs", Endpoint=att("Q")),
    }


CASES: list[Case] = [
    case(
        "EndpointGroupInAnotherRegion",
        "literal",
        {"G": _endpoint_group(HERE, _balancer_arn(HERE))},
        {"G": _endpoint_group(HERE, _balancer_arn(THERE))},
        "G",
        "its endpoint is in us-east-1",
    ),
    case(
        "EndpointGroupInAnotherRegion",
        "load balancer of another stack",
        [
            Stack(WEB, HERE, "here", {"Web": ref("Web")}),
            Stack({"G": _endpoint_group(HERE, output("here", HERE, "Web"))}, THERE, "there"),
        ],
        [
            Stack(WEB, HERE, "here", {"Web": ref("Web")}),
            Stack({"G": _endpoint_group(THERE, output("here", HERE, "Web"))}, THERE, "there"),
        ],
        "there/G",
    ),
    case("SecondEndpointGroupOfARegion", "of one listener", _listened(THERE), _listened(HERE), "B", "app/A"),
    case(
        "AliasZoneMismatch",
        "literal zone of another kind",
        _alias("Z32O12XQLNTSW2", DUALSTACK, **WEB),
        _alias("Z2IFOLAFXWLO4F", DUALSTACK, **WEB),
        "R",
        "Z32O12XQLNTSW2",
    ),
    case(
        "AliasZoneMismatch",
        "zone of another load balancer",
        _alias(att("Web", "CanonicalHostedZoneID"), DUALSTACK, **WEB),
        _alias(att("Tcp", "CanonicalHostedZoneID"), DUALSTACK, **WEB),
        "R",
        "app/Tcp",
    ),
    case(
        "AliasZoneMismatch",
        "literal name",
        _alias("Z35SXDOTRQ7X7K", "web-1.us-east-1.elb.amazonaws.com"),
        _alias("Z32O12XQLNTSW2", "web-1.us-east-1.elb.amazonaws.com"),
        "R",
        "Z35SXDOTRQ7X7K",
    ),
    case(
        "AliasZoneMismatch",
        "accelerator",
        _alias("Z2BJ6XQ5FK7U4H", att("A", "DnsName"), A=resource("GlobalAccelerator::Accelerator")),
        _alias("Z2FDTNDATAQYW2", att("A", "DnsName"), A=resource("GlobalAccelerator::Accelerator")),
        "R",
    ),
    case("HealthCheckTooSlow", "target group", _targets(10, 3), _targets(30, 3), "T", "90 s"),
    case(
        "HealthCheckTooSlow",
        "endpoint group with defaults",
        {"G": resource("GlobalAccelerator::EndpointGroup", HealthCheckIntervalSeconds=10)},
        {"G": resource("GlobalAccelerator::EndpointGroup")},
        "G",
        "3 failures at 30 s",
    ),
    case("HealthCheckTooSlow", "Route 53", _checked(10), _checked(30), "H"),
    case("HealthCheckTooSlow", "by an alarm", _alarmed(1), _alarmed(3), "H", "3 datapoints of 60 s"),
    case(
        "DeregistrationOutlastsGrace",
        "pods the assembly does not hold",
        {"T": _delay("20", **BOUND), "Other": _delay("300")},
        {"T": _delay("60", **BOUND)},
        "T",
        "60 s, pods have a grace of 30 s",
    ),
    case(
        "DeregistrationOutlastsGrace",
        "pods of a manifest",
        _served(90),
        _served(45),
        "T",
        "shop/web have a grace of 45 s",
    ),
    case("DeregistrationOutlastsGrace", "pods of a manifest by default", _served(60), _served(None), "T", "30 s"),
    case("DeregistrationOutlastsGrace", "tasks", _tasks(90), _tasks(30), "T", "tasks of S"),
    case("ClientKeepAliveTooLong", "value", _kept("60"), _kept("3600"), "B", "3600 s"),
    case(
        "ClientKeepAliveTooLong",
        "default",
        {"B": resource(BALANCER, Type="network")},
        {"B": resource(BALANCER)},
        "B",
    ),
    case(
        "QueueWithoutDeadLetterQueue",
        "queue",
        {"Q": _queue(), "Dead": resource("SQS::Queue")},
        {"Q": resource("SQS::Queue"), "P": _queue(), "Dead": resource("SQS::Queue")},
        "Q",
    ),
    case(
        "QueueWithoutDeadLetterQueue",
        "failures of others",
        {
            "F": resource("Lambda::Function", DeadLetterConfig={"TargetArn": att("A")}),
            "A": resource("SQS::Queue"),
            "R": resource("Events::Rule", Targets=[{"Arn": "x", "Id": "x", "DeadLetterConfig": {"Arn": att("B")}}]),
            "B": resource("SQS::Queue"),
            "C": resource("SQS::Queue", RedriveAllowPolicy={"redrivePermission": "allowAll"}),
        },
        {"F": resource("Lambda::Function"), "A": resource("SQS::Queue")},
        "A",
    ),
    case(
        "FifoMismatch",
        "dead-letter queue",
        {"Q": _queue(FifoQueue=True), "Dead": resource("SQS::Queue", FifoQueue=True)},
        {"Q": _queue(FifoQueue=True), "Dead": resource("SQS::Queue")},
        "Q",
        "FIFO queue, standard dead-letter queue",
    ),
    case("FifoMismatch", "topic", _subscribed(FifoTopic=True), _subscribed(), "S"),
    case(
        "KeyPolicyWithoutService",
        "alarms to a topic",
        _alerted("cloudwatch.amazonaws.com"),
        _alerted("events.amazonaws.com"),
        "K",
        "does not let cloudwatch.amazonaws.com in; app/T",
    ),
    case(
        "KeyPolicyWithoutService",
        "too few actions",
        _alerted("cloudwatch.amazonaws.com"),
        _alerted("cloudwatch.amazonaws.com", actions="kms:Decrypt"),
        "K",
    ),
    case(
        "KeyPolicyWithoutService",
        "logs",
        _logged(f"logs.{HERE}.amazonaws.com"),
        _logged(f"logs.{THERE}.amazonaws.com"),
        "K",
    ),
    case(
        "KeyPolicyWithoutService", "topic to a queue, by alias", _queued("sns.amazonaws.com"), _queued(), "K", "app/Q"
    ),
    case(
        "KeyPolicyWithoutService",
        "AWS's own key",
        _alerted("cloudwatch.amazonaws.com"),
        {
            "T": resource("SNS::Topic", KmsMasterKeyId="alias/aws/sns"),
            "A": resource("CloudWatch::Alarm", AlarmActions=[ref("T")]),
        },
        "T",
        "alias/aws/sns lets no service in",
    ),
]
