"""What holds for every environment of the configuration matrix."""

import json

from environments import Environment
from tests.configurations import matrix
from tests.stacks.conftest import Synthesize

RESOURCES_PER_TEMPLATE = 500
BYTES_PER_TEMPLATE = 1_000_000
SHARE = 0.6


@matrix
def test_there_is_a_global_stack_and_one_a_region(synthesize: Synthesize, configuration: Environment) -> None:
    name = configuration.name

    assert sorted(synthesize(configuration).stack_names) == sorted(
        [f"{name}-global", *(f"{name}-{region.name}" for region in configuration.regions)]
    )


@matrix
def test_no_template_is_near_the_limits_of_cloudformation(synthesize: Synthesize, configuration: Environment) -> None:
    synthesized = synthesize(configuration)

    for name in synthesized.stack_names:
        template = synthesized.json(name)
        assert len(template["Resources"]) <= SHARE * RESOURCES_PER_TEMPLATE
        assert len(json.dumps(template, indent=1)) <= SHARE * BYTES_PER_TEMPLATE


@matrix
def test_every_zone_is_a_literal(synthesize: Synthesize, configuration: Environment) -> None:
    synthesized = synthesize(configuration)

    for region in configuration.regions:
        subnets = synthesized.template(configuration.stack_name(region.name)).find_resources("AWS::EC2::Subnet")
        zones = {subnet["Properties"]["AvailabilityZone"] for subnet in subnets.values()}
        assert zones == set(region.availability_zones)


@matrix
def test_only_registration_and_what_has_no_type_is_lambda_backed(
    synthesize: Synthesize, configuration: Environment
) -> None:
    synthesized = synthesize(configuration)

    custom = {
        resource["Type"]
        for name in synthesized.stack_names
        for resource in synthesized.json(name)["Resources"].values()
        if resource["Type"].startswith("Custom::")
    }
    assert custom <= {
        "Custom::VpcRestrictDefaultSG",
        "Custom::AWSCDK-EKS-KubernetesResource",
        "Custom::ApiServerTargets",
        "Custom::PeeringRegistration",
        "Custom::SecretReplica",
        "Custom::RegistryReplication",
        "Custom::S3AutoDeleteObjects",
    }


@matrix
def test_no_template_exports_or_imports(synthesize: Synthesize, configuration: Environment) -> None:
    synthesized = synthesize(configuration)

    for name in synthesized.stack_names:
        text = json.dumps(synthesized.json(name))
        assert '"Export"' not in text
        assert "Fn::ImportValue" not in text


@matrix
def test_every_reference_to_another_stack_names_an_output_that_exists(
    synthesize: Synthesize, configuration: Environment
) -> None:
    synthesized = synthesize(configuration)
    regions = {configuration.global_stack_name: configuration.primary.name} | {
        configuration.stack_name(region.name): region.name for region in configuration.regions
    }

    def references(node: object) -> list[dict[str, str]]:
        if isinstance(node, dict):
            own = [node["Fn::GetStackOutput"]] if "Fn::GetStackOutput" in node else []
            return own + [found for value in node.values() for found in references(value)]
        if isinstance(node, list):
            return [found for value in node for found in references(value)]
        return []

    for name in synthesized.stack_names:
        for reference in references(synthesized.json(name)):
            target = reference["StackName"]
            assert reference["Region"] == regions[target]
            assert reference["OutputName"] in synthesized.json(target)["Outputs"]
