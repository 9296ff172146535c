"""What the mistakes are made of: small stacks, each with one thing that a mistake changes."""

from typing import Any

from tests.ha_checks.support import ACCOUNT, HERE, THERE, Resources, Stack, att, key, ref, resource


def network(zones: str = "abc", region: str = HERE, overlap: bool = False) -> Resources:
    made = {"Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16")}
    for number, zone in enumerate(zones):
        block = "10.0.0.0/20" if overlap else f"10.0.{16 * number}.0/20"
        made[f"Subnet{number}"] = resource(
            "EC2::Subnet", VpcId=ref("Vpc"), AvailabilityZone=f"{region}{zone}", CidrBlock=block
        )
    return made


def subnets(count: int = 3) -> list[Any]:
    return [ref(f"Subnet{number}") for number in range(count)]


def balancer(**properties: Any) -> dict[str, Any]:
    return resource("ElasticLoadBalancingV2::LoadBalancer", **{"Scheme": "internal", "Subnets": subnets()} | properties)


def role(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return resource("IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [statement]})


def cluster() -> Resources:
    placement = {"SubnetIds": subnets()}
    cluster = resource(
        "EKS::Cluster", Name="platform", RoleArn=att("Role"), ResourcesVpcConfig=placement, Version="1.36"
    )
    return {**network(), "Role": role("eks.amazonaws.com"), "Cluster": cluster}


def addon(name: str) -> Resources:
    return {**cluster(), "Addon": resource("EKS::Addon", ClusterName=ref("Cluster"), AddonName=name)}


def nodes(image: str) -> Resources:
    group = resource(
        "EKS::Nodegroup",
        ClusterName=ref("Cluster"),
        NodeRole=att("NodeRole"),
        Subnets=subnets(),
        InstanceTypes=["m7g.large"],
        AmiType=image,
        ScalingConfig={"MinSize": 3, "MaxSize": 6, "DesiredSize": 3},
    )
    return {**cluster(), "NodeRole": role("ec2.amazonaws.com"), "Nodes": group}


def accelerated(*regions: str) -> Resources:
    made = {
        **network(),
        "Balancer": balancer(),
        "Accelerator": resource("GlobalAccelerator::Accelerator", Name="edge"),
        "Listener": resource(
            "GlobalAccelerator::Listener",
            AcceleratorArn=ref("Accelerator"),
            Protocol="TCP",
            PortRanges=[{"FromPort": 443, "ToPort": 443}],
        ),
    }
    for number, region in enumerate(regions):
        made[f"Group{number}"] = resource(
            "GlobalAccelerator::EndpointGroup",
            ListenerArn=ref("Listener"),
            EndpointGroupRegion=region,
            HealthCheckIntervalSeconds=10,
            EndpointConfigurations=[{"EndpointId": ref("Balancer")}] if number == 0 else [],
        )
    return made


def alias(zone: Any) -> Resources:
    record = resource(
        "Route53::RecordSet",
        HostedZoneId=ref("Zone"),
        Name="www.example.com.",
        Type="A",
        AliasTarget={"HostedZoneId": zone, "DNSName": att("Balancer", "DNSName")},
    )
    return {
        **network(),
        "Balancer": balancer(),
        "Zone": resource("Route53::HostedZone", Name="example.com."),
        "Record": record,
    }


def record(name: str) -> Resources:
    record = resource(
        "Route53::RecordSet", HostedZoneId=ref("Zone"), Name=name, Type="A", TTL="60", ResourceRecords=["192.0.2.1"]
    )
    return {"Zone": resource("Route53::HostedZone", Name="example.com."), "Record": record}


def logs(*services: str) -> Resources:
    return {"Key": key(*services), "Logs": resource("Logs::LogGroup", KmsKeyId=att("Key"), RetentionInDays=30)}


def database(**properties: Any) -> dict[str, Any]:
    return resource("RDS::DBInstance", **{"Engine": "postgres", "DBInstanceClass": "db.r7g.large"} | properties)


def replica(**properties: Any) -> list[Stack]:
    own = {
        "AllocatedStorage": "100",
        "BackupRetentionPeriod": 7,
        "StorageEncrypted": True,
        "ManageMasterUserPassword": True,
        "MasterUsername": "app",
    }
    writer = database(DBInstanceIdentifier="main", KmsKeyId=att("Key"), **own)
    source = f"arn:aws:rds:{HERE}:{ACCOUNT}:db:main"
    copy = database(SourceDBInstanceIdentifier=source, **properties)
    return [
        Stack({"Key": key(), "Writer": writer}, HERE, "writer"),
        Stack({"Key": key(), "Replica": copy}, THERE, "replica"),
    ]


def engine(version: str) -> Resources:
    return {
        "Database": database(
            EngineVersion=version, AllocatedStorage="100", ManageMasterUserPassword=True, MasterUsername="app"
        )
    }


def cache(nodes: int = 2, node_type: str = "cache.r7g.large", **more: dict[str, Any]) -> Resources:
    group = resource(
        "ElastiCache::ReplicationGroup",
        ReplicationGroupDescription="cache",
        Engine="valkey",
        EngineVersion="8.0",
        CacheNodeType=node_type,
        NumCacheClusters=nodes,
        AutomaticFailoverEnabled=True,
        TransitEncryptionEnabled=True,
    )
    return {"Cache": group, **more}


def datastore(node_type: str) -> Resources:
    members = [{"ReplicationGroupId": ref("Cache"), "ReplicationGroupRegion": HERE, "Role": "PRIMARY"}]
    return cache(
        node_type=node_type,
        World=resource("ElastiCache::GlobalReplicationGroup", GlobalReplicationGroupIdSuffix="world", Members=members),
    )


def https(certificate: Any) -> Resources:
    listener = resource(
        "ElasticLoadBalancingV2::Listener",
        LoadBalancerArn=ref("Balancer"),
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    return {
        **network(),
        "Balancer": balancer(),
        "Certificate": resource("CertificateManager::Certificate", DomainName="example.com", ValidationMethod="DNS"),
        "Https": listener,
    }


def queues(*names: str) -> list[Stack]:
    return [
        Stack({"Queue": resource("SQS::Queue", QueueName=name)}, HERE, f"queues{number}")
        for number, name in enumerate(names)
    ]


def fifo(dead: bool | None) -> Resources:
    redrive = {"deadLetterTargetArn": att("Dead"), "maxReceiveCount": 5}
    return {
        "Dead": resource("SQS::Queue", **({"FifoQueue": dead} if dead else {})),
        "Queue": resource("SQS::Queue", FifoQueue=True, RedrivePolicy=redrive),
    }


def groups(circular: bool) -> Resources:
    def group(other: str | None) -> dict[str, Any]:
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
        rules = [{**rule, "SourceSecurityGroupId": att(other, "GroupId")}] if other else []
        return resource("EC2::SecurityGroup", VpcId=ref("Vpc"), GroupDescription="x", SecurityGroupIngress=rules)

    return {**network(), "One": group("Two"), "Two": group("One" if circular else None)}


def function(service: str) -> Resources:
    function = resource(
        "Lambda::Function",
        Runtime="python3.13",
        Handler="index.handler",
        Role=att("Role"),
        Code={"ZipFile": "def handler(event, context):\n    return None\n"},
    )
    return {"Role": role(service), "Function": function}
