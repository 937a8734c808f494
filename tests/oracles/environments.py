"""One throw-away environment for each vendor's SDK: their pins clash, with each other's and ours."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import trio

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".oracles"
BUILD_TIME = 300.0
"""Seconds."""


async def python_of(vendor: str) -> Path:
    """Return a Python that has a vendor's SDK; build its environment unless there is one."""
    place = ENVIRONMENTS / vendor
    requirements = HERE / f"requirements/{vendor}.txt"
    python = place / "bin/python"
    # A stamp that was written last says that the environment is whole, and of what it was made.
    stamp, wanted = place / "stamp", f"{sys.version}\n{requirements.read_text()}"
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(place, ignore_errors=True)
    with trio.fail_after(BUILD_TIME):
        await _do(sys.executable, "-m", "venv", "--without-pip", place)
        pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
        await _do(*pip, "install", "--quiet", "--no-deps", "--requirement", requirements)
    stamp.write_text(wanted)
    return python


async def _do(*command: str | Path) -> None:
    await trio.run_process([*command])


def bare(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for an SDK: without proxies, keys and options of whoever runs this."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
    return {name: variables[name] for name in kept if name in variables}


async def run(command: Sequence[str | Path], stdin: bytes, seconds: float) -> str:
    """Run a program to its end, and return what it printed.

    Raises:
        subprocess.CalledProcessError: it failed; what it complained of is on our standard error.
        trio.TooSlowError: it took too long, and was ended.
    """
    with trio.fail_after(seconds):
        done: subprocess.CompletedProcess[bytes] = await trio.run_process(
            command, stdin=stdin, capture_stdout=True, env=bare()
        )
    return done.stdout.decode()
