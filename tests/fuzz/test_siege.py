"""The program itself: what it makes of an attack, and a very short one with everything."""

import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from fuzz.cases import Case, Round
from fuzz.report import GROWTH, WARM, growth, lines, verdicts
from fuzz.siege import Outcome, Plan
from fuzz.stage import Look
from waav.bench.histogram import Histogram
from waav.bench.process import Usage
from waav.bench.runs import Run

TESTS = Path(__file__).parents[1]
PLAN = Plan(seed=7, count=1000)


def look(rss: int) -> Look:
    return Look(Usage(cpu=1, waited=0, aside=0, rss=rss, files=9, threads=3), {"waav_tasks": 50})


def run(latency: float, lateness: float = 0.0001) -> Run:
    times = Histogram()
    for _ in range(100):
        times.record(int(latency * 1e9))
    late = Histogram()
    late.record(int(lateness * 1e9))
    return Run(
        system="gateway",
        sessions=2,
        sent=100,
        arrived=100,
        heard=100,
        forward=times,
        around=times,
        lateness=late,
        seconds=2,
        cpu=0.1,
        waited=0,
        rss=1,
        load_cpu=0.1,
        lost=0,
    )


def outcome() -> Outcome:
    looks = [(0, look(50 << 20)), (60_000, look(100 << 20)), (99_000, look(101 << 20))]
    return Outcome(alone=run(0.001), attacked=[run(0.002), run(0.004)], looks=looks, lasted=10)


def test_an_attack_that_did_no_harm() -> None:
    """What the memory grew by at the beginning is no leak."""
    assert verdicts(outcome()) == []
    assert growth(outcome()) == 1 << 20
    assert list(lines(PLAN, outcome()))[-1] == "all is well"


def test_memory_that_goes_up_and_down_does_not_grow() -> None:
    shaky = outcome()
    shaky.looks = [(0, look(50 << 20))]
    shaky.looks += [(WARM + done, look((100 + done * 13 % 20) << 20)) for done in range(400)]
    assert abs(growth(shaky)) < 2 << 20
    leaky = outcome()
    leaky.looks = [(WARM + done, look((100 << 20) + done * 100_000)) for done in range(400)]
    assert growth(leaky) > GROWTH


def test_each_harm_is_told() -> None:
    harmed = outcome()
    harmed.faults.append("3 of 400 places are free")
    harmed.findings.expect(fine=False, what="2 errors", of=Round(7, 0), case=Case(1, b"x"))
    harmed.looks.append((99_000, look((101 << 20) + GROWTH)))
    harmed.attacked.append(run(0.9))
    told = verdicts(harmed)
    assert len(told) == 4
    for part in ("3 of 400", "2 errors", "the memory grew", "p99"):
        assert any(part in each for each in told), part


def test_a_machine_that_was_late_itself_tells_nothing_of_latencies() -> None:
    harmed = attrs.evolve(outcome(), attacked=[run(0.9, lateness=0.1)])
    assert verdicts(harmed) == []
    assert any("the load itself was late" in line for line in lines(PLAN, harmed))


@pytest.mark.timeout(300)
def test_a_short_attack_with_all_that_belongs_to_it() -> None:
    """The gateway is a process of its own, neighbours talk, and nothing is left behind."""
    command = [sys.executable, "-m", "fuzz", "--count", "500", "--seed", "7", "--seconds", "1"]
    told = subprocess.run(
        [*command, "--neighbours", "2"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert "all is well" in told.stdout, told.stdout + told.stderr
    assert told.returncode == 0
    assert "seed 7: 500 cases" in told.stdout
