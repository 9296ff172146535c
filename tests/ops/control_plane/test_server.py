from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.control_plane import ControlPlane, KubectlError

pytestmark = pytest.mark.cluster


def config_map(**data: str) -> dict[str, Any]:
    metadata = {"name": "settings", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def pod(name: str, namespace: str, **container: Any) -> dict[str, Any]:
    image = {"name": "main", "image": "registry.example/application:1"}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [image | container]}}


@pytest.fixture(scope="module")
def restricted(control_plane: ControlPlane) -> str:
    """A namespace in which the restricted pod security standard is enforced, and two pods at most."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "restricted", "labels": labels}}
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "pods", "namespace": "restricted"},
        "spec": {"hard": {"pods": "2"}},
    }
    control_plane.apply([namespace, quota])
    control_plane.kubectl("wait", "--for=create", "serviceaccount/default", "-n", "restricted", "--timeout=30s")
    filled = "--for=jsonpath={.status.hard.pods}=2"
    control_plane.kubectl("wait", filled, "resourcequota/pods", "-n", "restricted", "--timeout=30s")
    return "restricted"


@pytest.fixture(scope="module")
def installed_crds(control_plane: ControlPlane, crd_directory: Path) -> list[str]:
    return control_plane.install_crds(crd_directory)


@pytest.fixture
def hardened() -> dict[str, Any]:
    """What the restricted standard wants of a container."""
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    }


def test_answers_the_version_that_was_asked_for(control_plane: ControlPlane) -> None:
    assert control_plane.version.startswith("v1.36.")


def test_a_pod_below_the_restricted_standard_is_refused(control_plane: ControlPlane, restricted: str) -> None:
    with pytest.raises(KubectlError, match=r'violates PodSecurity "restricted:latest"'):
        control_plane.apply([pod("weak", restricted)])


def test_a_pod_over_the_quota_is_refused(
    control_plane: ControlPlane, restricted: str, hardened: dict[str, Any]
) -> None:
    with pytest.raises(KubectlError, match=r"exceeded quota: pods"):
        control_plane.apply([pod(name, restricted, **hardened) for name in ("first", "second", "third")])

    assert len(control_plane.get("pods", namespace=restricted)["items"]) == 2


def test_an_unknown_field_is_refused(control_plane: ControlPlane) -> None:
    with pytest.raises(KubectlError, match=r"imagePullPolice"):
        control_plane.apply([pod("misspelt", "default", imagePullPolice="Always")])


def test_a_missing_role_is_felt(control_plane: ControlPlane) -> None:
    with pytest.raises(KubectlError, match=r"forbidden"):
        control_plane.kubectl("get", "secrets", "--as=system:serviceaccount:default:default")


def test_applying_twice_changes_nothing(control_plane: ControlPlane) -> None:
    control_plane.apply([config_map(colour="blue")])
    before = control_plane.get("configmap", "settings", namespace="default")

    control_plane.apply([config_map(colour="blue")])

    assert control_plane.get("configmap", "settings", namespace="default") == before


def test_a_dry_run_keeps_nothing(control_plane: ControlPlane) -> None:
    control_plane.apply([pod("imagined", "default")], dry_run=True)

    with pytest.raises(KubectlError, match=r"NotFound"):
        control_plane.get("pod", "imagined", namespace="default")


def test_a_field_of_another_manager_is_refused(control_plane: ControlPlane) -> None:
    control_plane.apply([config_map(size="small")], field_manager="first", force_conflicts=True)

    with pytest.raises(KubectlError, match=r'conflict with "first": \.data\.size'):
        control_plane.apply([config_map(size="large")], field_manager="second")


def test_custom_resource_definitions_install(
    control_plane: ControlPlane, crd_directory: Path, installed_crds: list[str]
) -> None:
    assert len(installed_crds) >= len(list(crd_directory.glob("*.yaml")))
    served = control_plane.get("customresourcedefinitions")["items"]
    assert set(installed_crds) <= {definition["metadata"]["name"] for definition in served}


@pytest.mark.usefixtures("installed_crds")
def test_a_custom_resource_against_its_schema_is_refused(control_plane: ControlPlane) -> None:
    rollout = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "wrong", "namespace": "default"},
        "spec": {"replicas": "three"},
    }

    with pytest.raises(KubectlError, match=r"spec\.replicas"):
        control_plane.apply([rollout])


@pytest.mark.usefixtures("installed_crds")
def test_a_custom_resource_against_its_rule_is_refused(control_plane: ControlPlane) -> None:
    pool = {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "wrong"},
        "spec": {
            "template": {
                "spec": {
                    "nodeClassRef": {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "platform"},
                    "requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": []}],
                }
            }
        },
    }

    with pytest.raises(KubectlError, match=r"requirements with operator 'In' must have a value defined"):
        control_plane.apply([pool])


@pytest.fixture(scope="module")
def two_regions(tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane) -> Iterator[list[ControlPlane]]:
    with ControlPlane(tmp_path_factory.mktemp("second")) as second:
        yield [control_plane, second]


def test_control_planes_side_by_side_share_nothing(two_regions: list[ControlPlane]) -> None:
    first, second = two_regions
    first.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "only-here"}}])

    names = {namespace["metadata"]["name"] for namespace in second.get("namespaces")["items"]}

    assert "only-here" not in names
    assert first.server_url != second.server_url


def test_no_one_gets_in_without_the_token(control_plane: ControlPlane) -> None:
    with pytest.raises(KubectlError, match=r"must be logged in"):
        control_plane.kubectl("get", "namespaces", "--token=guessed")


def test_a_folder_without_definitions_is_an_error(control_plane: ControlPlane, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no custom resource definitions of argoproj\.io"):
        control_plane.install_crds(tmp_path, groups=["argoproj.io"])
