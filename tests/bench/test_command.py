"""``waav bench`` on the command line, and what is left of it when it is stopped."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from waav.cli.main import main

NAMES = {
    "relay",
    "speak",
    "start",
    "idle",
    "interrupt",
    "vad",
    "denoise",
    "overload",
    "soak",
}


def test_alone_it_lists_what_there_is() -> None:
    result = CliRunner().invoke(main, ["bench"])
    listed = result.output.partition("Commands:")[2].partition("\n\n")[0]
    assert set(re.findall(r"^  (\w+)", listed, re.MULTILINE)) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, ["bench", name, "--help"])
    assert result.exit_code == 0
    assert "--core" in result.output
    assert "--json" in result.output


def test_a_list_of_sessions_must_be_one() -> None:
    result = CliRunner().invoke(main, ["bench", "relay", "--sessions", "10,many"])
    assert result.exit_code == 2
    assert "no list of numbers" in result.output


def test_a_core_that_is_not_there_is_a_sentence() -> None:
    result = CliRunner().invoke(main, ["bench", "start", "--core", "9999"])
    assert result.exit_code == 1
    assert "core 9999 is none of ours" in result.output


@pytest.mark.skipif(sys.platform != "linux", reason="benchmarks need Linux")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_it(number: signal.Signals, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "waav",
        "bench",
        "relay",
        "--seconds",
        "60",
        "--without",
        "bare",
        "--core",
        str(min(os.sched_getaffinity(0))),
    ]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) as bench:
        try:
            children = wait_for(lambda: children_of(bench.pid), 3)
            bench.send_signal(number)
            bench.wait(30)
        finally:
            bench.kill()
    wait_for(lambda: [pid for pid in children if not Path(f"/proc/{pid}").exists()], 3)


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(look: Callable[[], list[int]], many: int) -> list[int]:
    """Look again until there are so many: processes tell nobody else."""
    deadline = time.monotonic() + 40
    while len(found := look()) < many:
        assert time.monotonic() < deadline, found
        os.sched_yield()
    return found
