"""The mistakes: for each a sound assembly, and the same with one thing wrong."""

from dataclasses import dataclass

from tests.ha_checks.planted.parts import (
    accelerated,
    addon,
    alias,
    balancer,
    cache,
    datastore,
    engine,
    fifo,
    function,
    groups,
    https,
    logs,
    network,
    nodes,
    queues,
    record,
    replica,
    subnets,
)
from tests.ha_checks.support import ACCOUNT, HERE, THERE, Resources, Stack, att, ref


@dataclass(frozen=True)
class Mistake:
    """A mistake that synthesizes.

    Arguments:
        name: what is wrong, in a few words.
        aws: what AWS answers, and when.
        sound: stacks that deploy.
        wrong: the same stacks with the mistake.
    """

    name: str
    aws: str
    sound: list[Stack]
    wrong: list[Stack]


def _mistake(name: str, aws: str, sound: Resources | list[Stack], wrong: Resources | list[Stack]) -> Mistake:
    return Mistake(name, aws, *([Stack(each)] if isinstance(each, dict) else each for each in (sound, wrong)))


FOREIGN = f"arn:aws:acm:{THERE}:{ACCOUNT}:certificate/11111111-2222-4333-8444-555555555555"
LONG = "load-balancer-of-the-web-shop-in-eu-west-1"
DATABASE_KEY = {"KmsKeyId": att("Key")}

MISTAKES: list[Mistake] = [
    _mistake(
        "EKS add-on of a name that does not exist",
        "EKS knows no such add-on; told once the cluster is there",
        addon("vpc-cni"),
        addon("aws-vpc-cni"),
    ),
    _mistake(
        "ARM instance type with an x86 image",
        "`m7g.large is not a valid instance type for requested amiType`, once the cluster is there",
        nodes("AL2023_ARM_64_STANDARD"),
        nodes("AL2023_x86_64_STANDARD"),
    ),
    _mistake(
        "Endpoint group of another region than its load balancer",
        "no such endpoint in the group's region; told after load balancer and accelerator",
        accelerated(HERE),
        accelerated(THERE),
    ),
    _mistake(
        "Second endpoint group of a listener for one region",
        "`EndpointGroupAlreadyExistsException`, after the accelerator",
        accelerated(HERE, THERE),
        accelerated(HERE, HERE),
    ),
    _mistake(
        "Alias record with the zone of another service",
        "`InvalidChangeBatch`, after the load balancer",
        alias(att("Balancer", "CanonicalHostedZoneID")),
        alias("Z2BJ6XQ5FK7U4H"),
    ),
    _mistake(
        "Record outside of its hosted zone",
        "`InvalidChangeBatch: RRSet ... is not permitted in zone`",
        record("www.example.com."),
        record("www.example.org."),
    ),
    _mistake(
        "Log group whose key leaves CloudWatch Logs out",
        "`The specified KMS key does not exist or is not allowed to be used`",
        logs(f"logs.{HERE}.amazonaws.com"),
        logs(),
    ),
    _mistake(
        "Replica of an encrypted database in another region without a key",
        "an encrypted source and no key in the replica's region; told after that region's network",
        replica(**DATABASE_KEY),
        replica(),
    ),
    _mistake(
        "Engine version that does not exist",
        "`Cannot find version 17.99 for postgres`",
        engine("17.6"),
        engine("17.99"),
    ),
    _mistake(
        "Automatic failover of a cache with one node",
        "automatic failover needs a replica",
        cache(2),
        cache(1),
    ),
    _mistake(
        "Global Datastore of burstable nodes",
        "the node type is not supported; told after the primary cache",
        datastore("cache.r7g.large"),
        datastore("cache.t4g.medium"),
    ),
    _mistake(
        "Certificate of another region",
        "`CertificateNotFound`, after the load balancer",
        https(ref("Certificate")),
        https(FOREIGN),
    ),
    _mistake(
        "Load balancer name of more than 32 characters",
        "`ValidationError: The load balancer name cannot be longer than '32' characters`",
        {**network(), "Balancer": balancer(Name="web")},
        {**network(), "Balancer": balancer(Name=LONG)},
    ),
    _mistake(
        "Load balancer in one zone",
        "`At least two subnets in two different Availability Zones must be specified`",
        {**network(), "Balancer": balancer()},
        {**network(), "Balancer": balancer(Subnets=subnets(1))},
    ),
    _mistake(
        "Subnet in a zone of another region",
        "`Value (us-east-1a) for parameter availabilityZone is invalid`",
        network(),
        network(region=THERE),
    ),
    _mistake(
        "Subnets whose addresses overlap",
        "`The CIDR '10.0.0.0/20' conflicts with another subnet`",
        network("ab"),
        network("ab", overlap=True),
    ),
    _mistake(
        "Queue name that another stack has",
        "`AlreadyExists`, in the second stack",
        queues("jobs", "mails"),
        queues("jobs", "jobs"),
    ),
    _mistake(
        "FIFO queue with a standard dead-letter queue",
        "`Dead-letter queue must be same type of queue as the source`",
        fifo(True),
        fifo(None),
    ),
    _mistake(
        "Security groups that name each other",
        "`Circular dependency between resources`",
        groups(circular=False),
        groups(circular=True),
    ),
    _mistake(
        "Role that Lambda may not assume",
        "`The role defined for the function cannot be assumed by Lambda`",
        function("lambda.amazonaws.com"),
        function("ec2.amazonaws.com"),
    ),
]
