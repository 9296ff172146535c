"""What regions share, copy and must have of their own."""

from typing import Any

from tests.ha_checks.cases.case import Case, case
from tests.ha_checks.support import ACCOUNT, HERE, THERE, Resources, Stack, applied, att, output, ref, resource


def _both(here: Resources, there: Resources, **outputs: Any) -> list[Stack]:
    return [Stack(here, HERE, "here", outputs), Stack(there, THERE, "there")]


def _alarm(metric: str, namespace: str = "AWS/SQS", **dimensions: Any) -> dict[str, Any]:
    pairs = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return resource("CloudWatch::Alarm", Namespace=namespace, MetricName=metric, Dimensions=pairs)


QUEUE: Resources = {"Queue": resource("SQS::Queue")}
DEPTH = _alarm("ApproximateNumberOfMessagesVisible", QueueName=att("Queue", "QueueName"))
AGE = _alarm("ApproximateAgeOfOldestMessage", QueueName=att("Queue", "QueueName"))
MATH = resource(
    "CloudWatch::Alarm",
    Metrics=[
        {"Id": "e", "Expression": "m / 2"},
        {
            "Id": "m",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SQS",
                    "MetricName": "NumberOfMessagesSent",
                    "Dimensions": [{"Name": "QueueName", "Value": att("Queue", "QueueName")}],
                },
                "Period": 60,
            },
        },
    ],
)
CLUSTER: Resources = {"Cluster": resource("EKS::Cluster")}
API_ERRORS = _alarm("apiserver_request_total_5xx", "AWS/EKS", ClusterName="main")
DATABASE: Resources = {"Db": resource("RDS::DBInstance")}
REPLICA: Resources = {"Db": resource("RDS::DBInstance", SourceDBInstanceIdentifier="main")}
LAG = _alarm("ReplicaLag", "AWS/RDS", DBInstanceIdentifier=ref("Db"))


def _secret(*regions: str) -> dict[str, Any]:
    return resource("SecretsManager::Secret", Name="app/db", ReplicaRegions=[{"Region": region} for region in regions])


def _reader(region: str, name: str = "app/db-??????") -> dict[str, Any]:
    arn = f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}"
    return _policy(arn)


def _policy(target: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": target}
    return resource("IAM::Policy", PolicyDocument={"Statement": [statement]})


def _dynamic(name: str) -> dict[str, Any]:
    return resource(
        "RDS::DBInstance", MasterUserPassword=f"{{{{resolve:secretsmanager:{name}:SecretString:password}}}}"
    )


REPOSITORY = resource("ECR::Repository", RepositoryName="shop/web")


def _replication(*regions: str, prefix: str = "shop/") -> dict[str, Any]:
    destinations = [{"Region": region, "RegistryId": ACCOUNT} for region in regions]
    rule = {"Destinations": destinations, "RepositoryFilters": [{"Filter": prefix, "FilterType": "PREFIX_MATCH"}]}
    return resource("ECR::ReplicationConfiguration", ReplicationConfiguration={"Rules": [rule]})


def _pod(region: str) -> dict[str, Any]:
    image = f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/shop/web:1.2"
    spec = {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}
    return applied({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})


def _key_arn(region: str) -> str:
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/11111111-2222-4333-8444-555555555555"


def _listener(region: str) -> Resources:
    arn = f"arn:aws:acm:{region}:{ACCOUNT}:certificate/11111111-2222-4333-8444-555555555555"
    return {"L": resource("ElasticLoadBalancingV2::Listener", Certificates=[{"CertificateArn": arn}])}


def _distribution(region: str) -> Resources:
    arn = f"arn:aws:acm:{region}:{ACCOUNT}:certificate/1"
    certificate = {"ViewerCertificate": {"AcmCertificateArn": arn}}
    return {"D": resource("CloudFront::Distribution", DistributionConfig=certificate)}


def _action(region: str) -> Resources:
    return {"A": resource("CloudWatch::Alarm", AlarmActions=[f"arn:aws:sns:{region}:{ACCOUNT}:alerts"])}


def _group(**parameters: str) -> Resources:
    return {"P": resource("RDS::DBParameterGroup", Family="postgres17", Parameters=parameters)}


CASES: list[Case] = [
    case(
        "AlarmMissingInRegion",
        "of the same queue",
        _both(QUEUE | {"A": DEPTH, "B": AGE}, QUEUE | {"A": DEPTH, "Other": AGE}),
        _both(QUEUE | {"A": DEPTH, "B": AGE}, QUEUE | {"A": DEPTH}),
        "there/Queue",
        "ApproximateAgeOfOldestMessage, which eu-west-1 has (B)",
    ),
    case(
        "AlarmMissingInRegion",
        "in an expression",
        _both(QUEUE | {"A": MATH}, QUEUE | {"A": MATH}),
        _both(QUEUE | {"A": MATH}, QUEUE),
        "there/Queue",
        "NumberOfMessagesSent",
    ),
    case(
        "AlarmMissingInRegion",
        "of what is named literally",
        _both(CLUSTER | {"A": API_ERRORS}, QUEUE),
        _both(CLUSTER | {"A": API_ERRORS}, CLUSTER),
        "there/Cluster",
    ),
    case(
        "AlarmMissingInRegion",
        "of a replica, not of its writer",
        _both(DATABASE, REPLICA | {"A": LAG}),
        [*_both(DATABASE, REPLICA | {"A": LAG}), Stack(REPLICA, "sa-east-1", "third")],
        "third/Db",
        "ReplicaLag",
    ),
    case(
        "VersionDiffersBetweenRegions",
        "cluster",
        _both({"C": resource("EKS::Cluster", Version="1.36")}, {"C": resource("EKS::Cluster", Version="1.36")}),
        _both({"C": resource("EKS::Cluster", Version="1.36")}, {"C": resource("EKS::Cluster", Version="1.35")}),
        "there/C",
        "1.35 in us-east-1, 1.36 in eu-west-1",
    ),
    case(
        "VersionDiffersBetweenRegions",
        "replica of another construct",
        _both(
            {"W": resource("RDS::DBInstance", DBInstanceIdentifier="main", EngineVersion="17.9")},
            {
                "R": resource(
                    "RDS::DBInstance", SourceDBInstanceIdentifier=output("here", HERE, "W"), EngineVersion="17.9"
                )
            },
            W=ref("W"),
        ),
        _both(
            {"W": resource("RDS::DBInstance", DBInstanceIdentifier="main", EngineVersion="17.9")},
            {
                "R": resource(
                    "RDS::DBInstance", SourceDBInstanceIdentifier=output("here", HERE, "W"), EngineVersion="17.4"
                )
            },
            W=ref("W"),
        ),
        "there/R",
        "EngineVersion",
    ),
    case(
        "ParametersDifferBetweenRegions",
        "value",
        _both(_group(log_statement="ddl"), _group(log_statement="ddl")),
        _both(_group(log_statement="ddl"), _group(log_statement="all")),
        "there/P",
        "log_statement is all",
    ),
    case(
        "ParametersDifferBetweenRegions",
        "one that is missing",
        _both(_group(work_mem="1"), _group(work_mem="1")),
        _both(_group(work_mem="1"), _group()),
        "there/P",
        "work_mem is not given",
    ),
    case(
        "SecretNotReplicated",
        "read in its own region",
        _both({"S": _secret(THERE)}, {"R": _reader(THERE)}),
        _both({"S": _secret()}, {"R": _reader(THERE)}),
        "there/R",
        "is only in eu-west-1",
    ),
    case(
        "SecretNotReplicated",
        "read across regions",
        _both({"S": _secret(THERE)}, {"R": _reader(THERE)}),
        _both({"S": _secret(THERE)}, {"R": _policy(output("here", HERE, "S"))}, S=ref("S")),
        "there/R",
        "us-east-1 reads secret app/db in eu-west-1",
    ),
    case(
        "SecretNotReplicated",
        "dynamic reference",
        _both({"S": _secret(THERE)}, {"D": _dynamic("app/db")}),
        _both({"S": _secret()}, {"D": _dynamic("app/db")}),
        "there/D",
    ),
    case(
        "ImageNotReplicated",
        "pulled across regions",
        _both({"E": REPOSITORY, "C": _replication(THERE)}, {"M": _pod(THERE)}),
        _both({"E": REPOSITORY, "C": _replication(THERE)}, {"M": _pod(HERE)}),
        "there/M",
        "pulls shop/web from eu-west-1",
    ),
    case(
        "ImageNotReplicated",
        "not copied",
        _both({"E": REPOSITORY, "C": _replication(THERE)}, {"M": _pod(THERE)}),
        _both({"E": REPOSITORY, "C": _replication(THERE, prefix="other/")}, {"M": _pod(THERE)}),
        "there/M",
        "only in eu-west-1",
    ),
    case(
        "KeyOfAnotherRegion",
        "literal",
        {"Q": resource("SQS::Queue", KmsMasterKeyId=_key_arn(HERE))},
        {"Q": resource("SQS::Queue", KmsMasterKeyId=_key_arn(THERE))},
        "Q",
        "KmsMasterKeyId is a key of us-east-1",
    ),
    case(
        "KeyOfAnotherRegion",
        "of another stack",
        _both(
            {"K": resource("KMS::Key")},
            {"Db": resource("RDS::DBInstance", KmsKeyId=ref("K")), "K": resource("KMS::Key")},
        ),
        _both(
            {"K": resource("KMS::Key")},
            {"Db": resource("RDS::DBInstance", KmsKeyId=output("here", HERE, "K"))},
            K=att("K"),
        ),
        "there/Db",
    ),
    case(
        "KeyOfAnotherRegion",
        "of a copy that lies there",
        {"S": resource("SecretsManager::Secret", ReplicaRegions=[{"Region": THERE, "KmsKeyId": _key_arn(THERE)}])},
        {"S": resource("SecretsManager::Secret", KmsKeyId=_key_arn(THERE))},
        "S",
    ),
    case("CertificateOfAnotherRegion", "listener", _listener(HERE), _listener(THERE), "L", "eu-west-1 is needed"),
    case(
        "CertificateOfAnotherRegion",
        "distribution",
        _distribution(THERE),
        _distribution(HERE),
        "D",
        "us-east-1 is needed",
    ),
    case(
        "ZoneOfAnotherRegion",
        "subnet",
        {"S": resource("EC2::Subnet", AvailabilityZone={"Fn::Sub": "${AWS::Region}a"})},
        {"S": resource("EC2::Subnet", AvailabilityZone="us-east-1a")},
        "S",
    ),
    case("ResourceOfAnotherRegion", "topic of an alarm", _action(HERE), _action(THERE), "A", "AlarmActions"),
]
