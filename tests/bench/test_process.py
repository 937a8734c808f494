"""Processes that are measured: how they are watched, blamed and ended."""

import os
import sys
import threading
import time
from pathlib import Path

import attrs
import pytest

from waav.bench.process import BenchFailed, Usage, cpu_of, split_cores, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="benchmarks need Linux")

ECHO = "import sys\nfor line in sys.stdin: print(line.strip(), flush=True)\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder whose module ``program`` says what it is told."""
    (tmp_path / "program.py").write_text(ECHO)
    return tmp_path


def cores() -> frozenset[int]:
    return frozenset(os.sched_getaffinity(0))


def test_a_child_answers_and_is_gone_afterwards(program: Path) -> None:
    with started("echo", ["program"], program, cores()) as child:
        assert child.ask({"a": 1}, 10) == {"a": 1}
        assert child.process.poll() is None
    assert child.process.poll() is not None


def test_a_child_that_ends_is_named_with_its_last_words(program: Path) -> None:
    (program / "program.py").write_text("raise SystemExit('no more')")
    echo = started("echo", ["program"], program, cores())
    with (
        echo as child,
        pytest.raises(BenchFailed, match=r"echo ended; its last words: no more .*echo\.log"),
    ):
        child.line()


def test_a_child_that_says_nothing_is_not_waited_for_for_ever(program: Path) -> None:
    echo = started("echo", ["program"], program, cores())
    with echo as child, pytest.raises(BenchFailed, match="said nothing for"):
        child.line(0.05)


def test_a_failure_that_is_the_answer_is_raised(program: Path) -> None:
    echo = started("echo", ["program"], program, cores())
    with echo as child, pytest.raises(BenchFailed, match="no room"):
        child.ask({"failed": "no room"}, 10)


def test_a_child_runs_on_its_core(program: Path) -> None:
    measured, others = split_cores(min(cores()))
    assert measured == {min(cores())}
    assert measured.isdisjoint(others) or cores() == measured
    with started("echo", ["program"], program, measured) as child:
        child.ask({}, 10)
        assert os.sched_getaffinity(child.pid) == measured


def test_a_core_that_is_not_there_is_refused() -> None:
    with pytest.raises(BenchFailed, match="core 99999"):
        split_cores(99999)


def test_the_kernel_counts_what_a_process_uses() -> None:
    before, ours = cpu_of(os.getpid()), time.process_time()
    while time.process_time() < ours + 0.02:
        pass
    assert 0.01 < cpu_of(os.getpid()) - before < 5
    usage = Usage.of(os.getpid())
    assert usage.rss > 1 << 20
    assert usage.files >= 3
    assert usage.threads >= 1


def test_its_own_threads_are_no_others() -> None:
    """They have its core as well, but that is what it costs, and no reason to doubt it."""
    before = Usage(cpu=1.0, waited=2.0, aside=0.5, rss=1, files=3, threads=2)
    crowded = attrs.evolve(before, cpu=2.5, waited=2.75, aside=1.25)
    assert crowded.waited_since(before) == 0.0
    assert attrs.evolve(crowded, waited=3.0).waited_since(before) == pytest.approx(0.25)


def test_the_kernel_counts_threads_apart() -> None:
    def work() -> None:
        until = time.thread_time() + 0.1
        while time.thread_time() < until:
            pass

    before = Usage.of(os.getpid())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    after = Usage.of(os.getpid())
    assert after.aside - before.aside == pytest.approx(0.1, abs=0.05)


def test_a_process_that_is_gone_is_told() -> None:
    with pytest.raises(BenchFailed, match="gone"):
        Usage.of(2**22 + 1)
