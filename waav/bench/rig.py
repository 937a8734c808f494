"""What every benchmark stands on: a folder, cores, and the process of the load with its far end."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from waav.bench.loop import Address
from waav.bench.process import Child, split_cores, started
from waav.bench.systems import System


@attrs.frozen
class Rig:
    """Ready to measure."""

    folder: Path
    cores: frozenset[int]
    """Of what is measured."""
    load: Child
    far_end: Address

    def order(self, do: str, system: System, patience: float, **more: Any) -> dict[str, Any]:
        """Let the load do something to a system; see :data:`waav.bench.load.ORDERS`.

        Raises:
            BenchFailed: it could not be done, or not within ``patience`` seconds, or the system ended.
        """
        about = {"do": do, "address": system.address, "config": system.config, "pid": system.pid}
        with system.blamed():
            answer: dict[str, Any] = self.load.ask({**about, **more}, patience)
            return answer


@contextmanager
def open_rig(core: int, far_end_port: int = 0) -> Iterator[Rig]:
    """Start the load. The folder stays if anything fails, because what children said is in it.

    Raises:
        BenchFailed: it does not start, or there is no such core.
    """
    measured, others = split_cores(core)
    folder = Path(tempfile.mkdtemp(prefix="waav-bench-"))
    with started("load", ["waav.bench.load", str(far_end_port)], folder, others) as load:
        host, port = json.loads(load.line())["far_end"]
        ours = os.sched_getaffinity(0)
        os.sched_setaffinity(0, others)
        try:
            yield Rig(folder, measured, load, (host, port))
        finally:
            os.sched_setaffinity(0, ours)
    shutil.rmtree(folder)
