"""Keeps cores from falling asleep, with processes that give way to everybody at once.

A virtual machine pays for each sleep of a core: the hypervisor has to wake it, and its caches are
somebody else's by then. That can double what a frame costs, and says nothing about whose frame it is.
Run as a program it is one of these processes.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from waav.bench.process import Child, started


@contextmanager
def kept_awake() -> Iterator[list[Child]]:
    """Let all cores that we may use have something to do for the length of the block.

    Raises:
        BenchFailed: a process does not start.
    """
    with tempfile.TemporaryDirectory(prefix="waav-awake-") as folder, ExitStack() as stack:
        children = []
        for core in os.sched_getaffinity(0):
            child = started(f"awake {core}", ["waav.bench.awake"], Path(folder), frozenset({core}))
            children.append(stack.enter_context(child))
            children[-1].line()
            os.sched_setscheduler(children[-1].pid, os.SCHED_IDLE, os.sched_param(0))
        yield children


def spin() -> None:
    """Do nothing for ever."""
    sys.stdout.write("awake\n")
    sys.stdout.flush()
    while True:
        pass


if __name__ == "__main__":
    spin()
