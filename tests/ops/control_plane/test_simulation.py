import pytest

from ops.control_plane.simulation import Pace


@pytest.mark.parametrize("speed", [1, 9.99, 10, 10.01, 20])
def test_the_rate_of_evictions_is_never_exactly_one(speed: float) -> None:
    rates = [flag for flag in Pace(speed).controller_manager_arguments if flag.startswith("--node-eviction-rate=")]

    assert [float(flag.partition("=")[2]) for flag in rates] != [1.0]


def test_at_its_own_pace_kubernetes_waits_as_long_as_it_does() -> None:
    pace = Pace(speed=1)

    assert (pace.lease_seconds, pace.toleration_seconds) == (40, 300)
    assert "--node-monitor-grace-period=50s" in pace.controller_manager_arguments
    assert "--node-eviction-rate=0.10" in pace.controller_manager_arguments
