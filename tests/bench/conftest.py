"""A rig and a gateway, for who needs the real thing."""

import sys
from collections.abc import Iterator

import pytest

from waav.bench.rig import Rig, open_rig
from waav.bench.systems import System, gateway


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """The load and its far end, in their own process."""
    if sys.platform != "linux":
        pytest.skip("benchmarks need Linux")
    with open_rig(core=min(_cores())) as opened:
        yield opened


@pytest.fixture(scope="session")
def system(rig: Rig) -> Iterator[System]:
    """Our gateway, in its own process."""
    with gateway(rig.folder, rig.cores, rig.far_end) as running:
        yield running


def _cores() -> set[int]:
    import os

    return os.sched_getaffinity(0)
