"""What the emulator tells of a certificate."""

from ops.emulator import Emulator

from .conftest import Deploy, one


def test_the_algorithm_of_a_certificate_is_told(deploy: Deploy, emulator: Emulator) -> None:
    for algorithm, declared in (("EC_prime256v1", {"KeyAlgorithm": "EC_prime256v1"}), ("RSA_2048", {})):
        resources = one("AWS::CertificateManager::Certificate", DomainName="example.com", **declared)
        stack = deploy(resources, {"Arn": {"Ref": "Thing"}})
        found = emulator.client("acm").describe_certificate(CertificateArn=stack.outputs["Arn"])["Certificate"]
        assert found["KeyAlgorithm"] == algorithm
