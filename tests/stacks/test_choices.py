"""What a field of the environment file changes in the templates."""

from collections.abc import Callable
from typing import Any

from environments import Environment
from tests.stacks.conftest import Synthesize

Make = Callable[..., Environment]


def resources(synthesize: Synthesize, environment: Environment, kind: str) -> list[dict[str, Any]]:
    template = synthesize(environment).json(environment.stack_name(environment.primary.name))
    return [resource for resource in template["Resources"].values() if resource["Type"] == kind]


def test_one_nat_gateway_a_zone_unless_said_otherwise(synthesize: Synthesize, environment: Make) -> None:
    shared = environment(network={"single_nat_gateway": True})

    assert len(resources(synthesize, environment(), "AWS::EC2::NatGateway")) == 3
    assert len(resources(synthesize, shared, "AWS::EC2::NatGateway")) == 1


def test_the_api_server_is_private_unless_addresses_are_named(synthesize: Synthesize, environment: Make) -> None:
    public = environment(cluster={"api_server": {"public_access_cidrs": ["203.0.113.0/24"]}})

    (private,) = resources(synthesize, environment(), "AWS::EKS::Cluster")
    (opened,) = resources(synthesize, public, "AWS::EKS::Cluster")
    assert private["Properties"]["ResourcesVpcConfig"]["EndpointPublicAccess"] is False
    assert opened["Properties"]["ResourcesVpcConfig"]["PublicAccessCidrs"] == ["203.0.113.0/24"]


def test_what_holds_data_outlives_its_stack(synthesize: Synthesize, environment: Make) -> None:
    for kind in (
        "AWS::RDS::DBInstance",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::KMS::Key",
        "AWS::Backup::BackupVault",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    ):
        for resource in resources(synthesize, environment(), kind):
            assert resource["DeletionPolicy"].startswith("Retain"), kind


def test_without_protection_a_stack_can_go_and_the_database_leaves_a_snapshot(
    synthesize: Synthesize, environment: Make
) -> None:
    unprotected = environment(deletion_protection=False)

    (database,) = resources(synthesize, unprotected, "AWS::RDS::DBInstance")
    assert database["DeletionPolicy"] == "Snapshot"
    assert database["Properties"]["DeletionProtection"] is False
    assert all(key["DeletionPolicy"] == "Delete" for key in resources(synthesize, unprotected, "AWS::KMS::Key"))


def test_protection_covers_every_stack(synthesize: Synthesize, environment: Make) -> None:
    protected = synthesize(environment())
    unprotected = synthesize(environment(deletion_protection=False))

    assert all(stack.termination_protection for stack in protected.assembly.stacks)
    assert not any(stack.termination_protection for stack in unprotected.assembly.stacks)


def test_an_existing_zone_is_used_by_its_id(synthesize: Synthesize, environment: Make) -> None:
    existing = environment(domain={"name": "example.com", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"})

    records = resources(synthesize, existing, "AWS::Route53::RecordSet")
    assert {record["Properties"]["HostedZoneId"] for record in records} == {"Z0123456789ABCDEFGHIJ"}
    assert "AWS::Route53::HostedZone" not in str(synthesize(existing).json("test-global"))


def test_tcp_ports_get_a_listener_at_the_accelerator_and_one_in_the_region(
    synthesize: Synthesize, environment: Make
) -> None:
    made = environment(ingress={"tcp_ports": [5671]})

    synthesize(made).template("test-global").resource_count_is("AWS::GlobalAccelerator::Listener", 2)
    ports = {
        listener["Properties"]["Port"]
        for listener in resources(synthesize, made, "AWS::ElasticLoadBalancingV2::Listener")
        if listener["Properties"]["Protocol"] == "TCP"
    }
    assert ports == {443, 5671}


def test_the_traffic_dial_is_the_regions(synthesize: Synthesize, environment: Make) -> None:
    made = environment(regions=[{"name": "eu-west-1", "traffic_dial": 25}])

    (group,) = resources(synthesize, made, "AWS::GlobalAccelerator::EndpointGroup")
    assert group["Properties"]["TrafficDialPercentage"] == 25


def test_a_queue_is_fed_by_its_topics_and_has_a_dead_letter_queue(synthesize: Synthesize, environment: Make) -> None:
    made = environment(messaging={"topics": ["orders"], "queues": [{"name": "billing", "topics": ["orders"]}]})

    queues = {queue["Properties"]["QueueName"] for queue in resources(synthesize, made, "AWS::SQS::Queue")}
    assert queues == {"test-billing", "test-billing-dead-letter"}
    protocols = [item["Properties"]["Protocol"] for item in resources(synthesize, made, "AWS::SNS::Subscription")]
    assert "sqs" in protocols


def test_chat_is_configured_once_and_every_region_sends_to_it(synthesize: Synthesize, environment: Make) -> None:
    made = environment(
        regions=["eu-west-1", "us-east-1"],
        alerts={"slack": {"workspace_id": "T0123456789", "channel_id": "C0123456789"}},
    )

    synthesized = synthesize(made)
    for region, count in (("eu-west-1", 1), ("us-east-1", 0)):
        template = synthesized.template(f"test-{region}")
        template.resource_count_is("AWS::Chatbot::SlackChannelConfiguration", count)
        targets = [
            target["Arn"]
            for rule in template.find_resources("AWS::Events::Rule").values()
            for target in rule["Properties"]["Targets"]
        ]
        assert "arn:aws:events:eu-west-1:111122223333:event-bus/test-alerts" in targets


def test_the_environments_tags_are_the_stacks(synthesize: Synthesize, environment: Make) -> None:
    made = synthesize(environment(tags={"cost-center": "platform"}))

    for stack in made.assembly.stacks:
        assert stack.tags == {"environment": "test", "cost-center": "platform"}
