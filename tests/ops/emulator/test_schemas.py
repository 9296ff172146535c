"""Properties against published schemas, as CloudFormation would take them."""

import pytest

from ops.emulator.schemas import UnknownTypeError, schema_of

REGION = "eu-west-1"


def test_accepts_numbers_and_booleans_given_as_strings() -> None:
    schema = schema_of("AWS::RDS::DBInstance", REGION)
    assert schema.errors({"MultiAZ": "true", "AllocatedStorage": 100, "MonitoringInterval": "60"}) == []


@pytest.mark.parametrize(
    ("resource_type", "properties", "message"),
    [
        ("AWS::SQS::Queue", {"QueueNam": "orders"}, "unknown property 'QueueNam', did you mean 'QueueName'?"),
        ("AWS::EC2::EIP", {"Domain": "moon"}, "Domain: 'moon' is not one of ['standard', 'vpc']"),
        ("AWS::EKS::Addon", {"AddonName": "coredns"}, "'ClusterName' is a required property"),
        ("AWS::SQS::Queue", {"DelaySeconds": "soon"}, "DelaySeconds: 'soon' is not of type integer"),
        ("AWS::SQS::Queue", {"Tags": {"Key": "a"}}, "Tags: {'Key': 'a'} is not of type array"),
        ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16", "VpcId": "vpc-1"}, "VpcId is read-only and cannot be set"),
        ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16", "Ipv4IpamPoolId": "ipam-1"}, "exactly one of"),
        ("AWS::ECR::Repository", {"RepositoryName": "UPPER"}, "RepositoryName: 'UPPER' does not match"),
        (
            "AWS::GlobalAccelerator::EndpointGroup",
            {"ListenerArn": "a", "EndpointGroupRegion": "b", "TrafficDialPercentage": "120"},
            "TrafficDialPercentage: '120' is greater than the maximum of 100",
        ),
    ],
)
def test_refuses(resource_type: str, properties: dict[str, object], message: str) -> None:
    assert message in "; ".join(schema_of(resource_type, REGION).errors(properties))


def test_tags_that_cloudformation_sets_are_not_held_against_the_template() -> None:
    schema = schema_of("AWS::SSM::Parameter", REGION)
    tags = {"aws:cloudformation:stack-name": "network", "team": "platform"}
    assert schema.errors({"Type": "String", "Value": "1", "Tags": tags}) == []


def test_a_type_without_schema_is_unknown() -> None:
    with pytest.raises(UnknownTypeError, match="AWS::Moon::Base is not a resource type of eu-west-1"):
        schema_of("AWS::Moon::Base", REGION)


def test_names_what_replaces_a_resource_and_what_can_be_read() -> None:
    schema = schema_of("AWS::RDS::DBInstance", REGION)
    assert "DBInstanceIdentifier" in schema.create_only
    assert "Endpoint.Address" in schema.read_only_attributes
    assert schema.tag_property == ("Tags", "list")
