import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.control_plane import BinariesMissingError, ControlPlane


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server with the controllers that make service accounts and count quotas."""
    try:
        server = ControlPlane(tmp_path_factory.mktemp("control-plane"), controllers=True)
    except BinariesMissingError as missing:
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture(scope="module")
def crd_directory() -> Path:
    """The folder of custom resource definitions named by HA_CRDS."""
    directory = os.environ.get("HA_CRDS")
    if not directory:
        pytest.skip("HA_CRDS does not name a folder of custom resource definitions")
    return Path(directory)
