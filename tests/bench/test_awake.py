"""Cores that are kept awake for a benchmark."""

import os
import sys

import pytest

from waav.bench.awake import kept_awake

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="benchmarks need Linux")


def test_each_core_has_company_that_gives_way_to_everybody() -> None:
    with kept_awake() as children:
        cores = [os.sched_getaffinity(child.pid) for child in children]
        policies = {os.sched_getscheduler(child.pid) for child in children}
    assert sorted(cores, key=min) == [{core} for core in sorted(os.sched_getaffinity(0))]
    assert policies == {os.SCHED_IDLE}
    assert all(child.process.poll() is not None for child in children)
