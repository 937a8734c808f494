"""``relay``: paced sessions through the gateway to a vendor and back, more and more of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from waav.bench.crowd import Crowd
from waav.bench.rig import Rig
from waav.bench.runs import Run
from waav.bench.stage import Stage, usage
from waav.bench.systems import System

STEPS = (10, 25, 50, 100, 200, 300, 400)
_WARM = 1.0
"""Seconds of talking that are not counted."""
_DRAIN = 1.0
"""Seconds for the last frames to come through."""
_SLACK = 90.0
"""Seconds beside the run itself, for letting all in and sending them home."""


@attrs.frozen
class How:
    """What is run."""

    steps: Sequence[int] = STEPS
    """Sessions, from few to many."""
    seconds: float = 5.0
    """Of each run, counted after a second that is not."""
    rounds: int = 2
    """In each of them every system has its turn."""


def talk(
    stage: Stage,
    address: list[Any],
    *,
    config: Mapping[str, Any],
    sessions: int,
    seconds: float,
    pid: int | None,
    path: str = "/ws",
) -> dict[str, Any]:
    """Let so many sessions talk for so long: the load's half. ``pid`` is the process measured."""
    loop, tally = stage.loop, stage.count()
    crowd = Crowd(loop, (address[0], address[1]), config, tally, path=path)
    empty = stage.empty(pid)
    crowd.gather(sessions)
    loop.beats.append(crowd.talk(stage.sound, time.monotonic_ns()))
    loop.run(_WARM)
    before, ours = usage(pid), time.process_time()
    tally.opened = time.monotonic_ns()
    loop.run(seconds)
    tally.closed = time.monotonic_ns()
    after, ours = usage(pid), time.process_time() - ours
    loop.beats.clear()
    loop.run(_DRAIN, lambda: tally.arrived == tally.sent)
    lost = crowd.lost
    crowd.go()
    return {
        **tally.export(),
        "seconds": (tally.closed - tally.opened) / 1e9,
        "cpu": after.cpu - before.cpu if before and after else None,
        "waited": after.waited_since(before) if before and after else None,
        "rss": after.rss - empty if empty and after else None,
        "load_cpu": ours,
        "lost": lost,
    }


def run(system: System, rig: Rig, sessions: int, seconds: float) -> Run:
    """Measure one system once.

    Raises:
        BenchFailed: the sessions did not come to be, or a process ended.
    """
    patience = seconds + _SLACK
    told = rig.order("talk", system, patience, sessions=sessions, seconds=seconds)
    return Run.read(system.name, sessions, told)


def compare(
    rig: Rig,
    systems: Sequence[System],
    how: How,
    say: Callable[[Run], None],
) -> list[Run]:
    """Measure all systems in turn, each with more and more sessions, until it is exhausted."""
    runs: list[Run] = []
    for sessions in how.steps:
        tired = set()
        for system in [*systems] * how.rounds:
            taken = run(system, rig, sessions, how.seconds)
            say(taken)
            runs.append(taken)
            if taken.exhausted:
                tired.add(system.name)
        systems = [each for each in systems if each.name not in tired]
    return runs
