"""What our handlers of ECR's registry do, and refuse as AWS would."""

from ops.emulator import Emulator

from .conftest import ACCOUNT, HERE, THERE, Deploy, one


def test_replication_to_itself(deploy: Deploy) -> None:
    rules = [{"Destinations": [{"Region": HERE, "RegistryId": ACCOUNT}]}]
    stack = deploy(one("AWS::ECR::ReplicationConfiguration", ReplicationConfiguration={"Rules": rules}))
    assert f"replication from {HERE} to itself" in stack.reason


def test_replication_set_through_the_api_can_be_read(emulator: Emulator) -> None:
    rules = [{"destinations": [{"region": THERE, "registryId": ACCOUNT}]}]
    ecr = emulator.client("ecr")
    ecr.put_replication_configuration(replicationConfiguration={"rules": rules})
    assert ecr.describe_registry()["replicationConfiguration"]["rules"] == rules


def test_an_upstream_that_needs_a_credential(deploy: Deploy) -> None:
    stack = deploy(
        one("AWS::ECR::PullThroughCacheRule", EcrRepositoryPrefix="hub", UpstreamRegistry="docker-hub",
             UpstreamRegistryUrl="registry-1.docker.io")
    )  # fmt: skip
    assert "upstream registry docker-hub needs a CredentialArn" in stack.reason
