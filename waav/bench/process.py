"""Processes that are measured: started on a core of their own, read from outside, never left behind.

For Linux: pinning, ``/proc`` and a signal at the parent's death have no other form that means the same.
"""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

_CHILD = str(Path(__file__).with_name("child.py"))
_PATIENCE = 60.0
"""Seconds for a process to start or to end."""


class BenchFailed(Exception):
    """A sentence on what went wrong, for whoever started the benchmark."""


@attrs.frozen
class Usage:
    """What a process has and has used."""

    cpu: float
    """Seconds of all of its threads since it began, also of those that have ended."""
    waited: float
    """Seconds in which its first thread could have gone on, but something else had the core."""
    aside: float
    """Seconds of CPU of its other threads."""
    rss: int
    """Bytes of memory that are really there."""
    files: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> "Usage":
        """Read it; of this machine only.

        Raises:
            BenchFailed: there is no such process any more.
        """
        folder = Path(f"/proc/{pid}")
        try:
            lines = (folder / "status").read_text().splitlines()
            told = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
            files = len(os.listdir(folder / "fd"))  # noqa: PTH208  # a count, and no paths
            ran, waited, _ = map(int, (folder / "schedstat").read_text().split())
            rss = int(told["VmRSS"].split()[0]) << 10
            cpu = cpu_of(pid)
            return cls(cpu, waited / 1e9, cpu - ran / 1e9, rss, files, int(told["Threads"]))
        except (OSError, KeyError):
            raise BenchFailed(f"the process {pid} is gone") from None

    def waited_since(self, before: "Usage") -> float:
        """Return for how many seconds, at least, other processes have had its core meanwhile.

        Its own threads had it, too, and for no longer than they have run.
        """
        return max(0.0, self.waited - before.waited - (self.aside - before.aside))


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process has used, to the nanosecond, as the kernel counts them.

    The file ``stat`` has the same in hundredths of a second, too coarse for a few sessions. The clock's
    number is how Linux writes "process ``pid``, time on the CPU" (clock_getcpuclockid(3)).
    """
    return time.clock_gettime((~pid << 3) | 2)


@attrs.define
class Child:
    """A process of ours. What it says on standard error is in a file."""

    name: str
    process: subprocess.Popen[str]
    errors: Path

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    def line(self, patience: float = _PATIENCE) -> str:
        """Wait for a line of its standard output.

        Raises:
            BenchFailed: it ended, or said nothing in time.
        """
        assert self.process.stdout is not None  # noqa: S101  # it is a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(patience):
                raise self.failed(f"said nothing for {patience:g} s")
        line = self.process.stdout.readline()
        if not line:
            raise self.failed("ended")
        return line.strip()

    def ask(self, order: Mapping[str, Any], patience: float) -> Any:
        """Say a line of JSON, and wait for the line of JSON that answers it.

        Raises:
            BenchFailed: as for :meth:`line`, or the answer is a failure.
        """
        assert self.process.stdin is not None  # noqa: S101  # it is a pipe
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
        except OSError:
            raise self.failed("ended") from None
        answer = json.loads(self.line(patience))
        if "failed" in answer:
            raise BenchFailed(answer["failed"])
        return answer

    def failed(self, what: str) -> BenchFailed:
        """Say what it did, and its last words."""
        said = self.errors.read_text(errors="replace").strip().splitlines()
        last = f"; its last words: {said[-1]}" if said else ""
        return BenchFailed(f"{self.name} {what}{last} (all of them: {self.errors})")


@contextlib.contextmanager
def started(
    name: str, command: Sequence[str], folder: Path, cores: frozenset[int]
) -> Iterator[Child]:
    """Run a Python program, ``command`` behind ``python -m``, in ``folder``, on these cores; end it.

    It dies with us, whatever becomes of us: see ``child.py``.
    """
    errors = folder / f"{name.replace(' ', '-')}.log"
    with errors.open("w") as log:
        process = subprocess.Popen(  # noqa: S603  # our own programs
            [sys.executable, "-I", _CHILD, str(os.getpid()), ",".join(map(str, cores)), *command],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        try:
            yield Child(name, process, errors)
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def split_cores(core: int) -> tuple[frozenset[int], frozenset[int]]:
    """Return the core of what is measured, and those of the load: all others, or the same one.

    Raises:
        BenchFailed: this process may not use that core.
    """
    ours = os.sched_getaffinity(0)
    if core not in ours:
        raise BenchFailed(f"core {core} is none of ours: {sorted(ours)}")
    return frozenset({core}), frozenset(ours - {core} or {core})
