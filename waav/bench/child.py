"""Becomes another Python program, pinned to cores and bound to its parent: run as a script.

``child.py PARENT CORES MODULE ...`` is ``python -m MODULE ...`` in a process that the kernel ends with
its parent, on these cores, with as many open files as it may have. A program in between, rather than
a function between fork and exec, because that would run what others have registered to run there.
"""

import ctypes
import os
import resource
import signal
import sys

_SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG; it lives through exec."""


def main(parent: str, cores: str, *command: str) -> None:
    """Prepare this process, and become the program."""
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != int(parent):
        sys.exit("the benchmark is gone")
    os.sched_setaffinity(0, {int(each) for each in cores.split(",")})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606  # our own programs


if __name__ == "__main__":
    main(*sys.argv[1:])
