"""Settings that the emulator answers with a fixed value of its own, whatever was declared.

Each entry names the one answer that is forgiven: any other value that is not the declared one stays a failure, and as
soon as the emulator keeps the setting the entry has no effect. The report shows such a setting as *untold*.
"""

from collections.abc import Iterable
from dataclasses import replace

from ops.rehearsal.verify.settings import Check

_FIXED_ANSWERS: dict[tuple[str, str], object] = {
    ("AWS::CertificateManager::Certificate", "KeyAlgorithm"): "RSA_2048",
    ("AWS::EKS::Cluster", "KubernetesNetworkConfig.ServiceIpv4Cidr"): "10.100.0.0/16",
    ("AWS::ElasticLoadBalancingV2::Listener", "ListenerAttributes"): [],
    ("AWS::RDS::DBInstance", "EnableCloudwatchLogsExports"): [],
}


def forgive(resource_type: str, checks: Iterable[Check]) -> tuple[Check, ...]:
    """Turn a difference into an untold setting where the emulator answers what it always answers."""
    return tuple(
        replace(check, found=None, outcome="untold")
        if check.outcome == "differs" and _FIXED_ANSWERS.get((resource_type, check.setting), _NOTHING) == check.found
        else check
        for check in checks
    )


_NOTHING = object()
