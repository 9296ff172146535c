"""What our handlers of KMS keys do, and refuse as AWS would."""

from ops.emulator import Emulator

from .conftest import HERE, THERE, Deploy, Network, key_policy, one


def test_a_replica_of_a_single_region_key(deploy: Deploy, here: Network) -> None:
    resources = one("AWS::KMS::ReplicaKey", PrimaryKeyArn=here.key, KeyPolicy=key_policy())
    assert "is not a multi-region key" in deploy(resources, region=THERE).reason


def test_a_replica_in_the_primary_region(deploy: Deploy, here: Network) -> None:
    resources = one("AWS::KMS::ReplicaKey", PrimaryKeyArn=here.key, KeyPolicy=key_policy())
    assert "a replica must be in another region" in deploy(resources).reason


def test_a_replica_has_the_id_of_its_primary(deploy: Deploy, emulator: Emulator) -> None:
    primary = deploy(
        one("AWS::KMS::Key", MultiRegion=True, KeyPolicy=key_policy()), {"Arn": {"Fn::GetAtt": ["Thing", "Arn"]}}
    )
    arn = primary.outputs["Arn"]
    resources = one("AWS::KMS::ReplicaKey", PrimaryKeyArn=arn, KeyPolicy=key_policy())
    replica = deploy(resources, {"Id": {"Ref": "Thing"}}, region=THERE)
    found = emulator.client("kms", THERE).describe_key(KeyId=replica.outputs["Id"])["KeyMetadata"]
    assert found["KeyId"] == arn.rsplit("/", 1)[-1]
    assert found["Arn"].split(":")[3] == THERE


def test_logs_with_a_key_that_the_logs_service_may_not_use(deploy: Deploy, here: Network) -> None:
    stack = deploy(one("AWS::Logs::LogGroup", KmsKeyId=here.key))
    assert f"does not let logs.{HERE}.amazonaws.com use it" in stack.reason
