"""What our handlers of load balancers do, and refuse as AWS would."""

from .conftest import ACCOUNT, HERE, THERE, Deploy, Network, one


def test_a_name_over_32_characters(deploy: Deploy, here: Network) -> None:
    stack = deploy(one("AWS::ElasticLoadBalancingV2::LoadBalancer", Name="x" * 33, Subnets=here.subnets))
    assert "has 33 characters, 32 is the most" in stack.reason


def test_an_application_balancer_in_one_zone(deploy: Deploy, here: Network) -> None:
    stack = deploy(one("AWS::ElasticLoadBalancingV2::LoadBalancer", Name="one", Subnets=here.subnets[:1]))
    assert "two availability zones at least" in stack.reason


def test_a_certificate_of_another_region(deploy: Deploy, balancers: dict[str, str]) -> None:
    certificate = f"arn:aws:acm:{THERE}:{ACCOUNT}:certificate/1"
    response = {"StatusCode": "404"}
    stack = deploy(
        one("AWS::ElasticLoadBalancingV2::Listener", LoadBalancerArn=balancers[HERE], Port=443, Protocol="HTTPS",
             Certificates=[{"CertificateArn": certificate}],
             DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": response}])
    )  # fmt: skip
    assert f"a listener of {HERE} needs one of {HERE}" in stack.reason


def test_an_endpoint_service_of_an_application_balancer(deploy: Deploy, balancers: dict[str, str]) -> None:
    stack = deploy(one("AWS::EC2::VPCEndpointService", NetworkLoadBalancerArns=[balancers[HERE]]))
    assert "is no network load balancer" in stack.reason
