"""``start``: from a client's first byte to ``ready``, and what a session costs that does nothing else."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from waav.bench.caller import Caller
from waav.bench.crowd import TIDYING, Crowd
from waav.bench.histogram import Histogram
from waav.bench.report import Report, machine, table
from waav.bench.rig import Rig
from waav.bench.stage import Stage, usage
from waav.bench.systems import System

_EACH = 2.0
"""Seconds that a session may take, all in all."""
_SLACK = 30.0


def begin_and_end(
    stage: Stage,
    address: list[Any],
    *,
    config: Mapping[str, Any],
    count: int,
    at_once: int,
    frames: int,
    pid: int | None,
) -> dict[str, Any]:
    """Let sessions begin, each say so many frames at once, and leave: the load's half."""
    crowd = Crowd(stage.loop, (address[0], address[1]), config, stage.count())
    times, failures = Histogram(), Counter[str]()
    begun = ended = 0

    def changed(caller: Caller) -> None:
        nonlocal ended
        if caller.over is not None:
            ended += 1
            if caller.refusal or caller.ready is None:
                failures[caller.refusal or "broken off"] += 1
        elif caller.ready is not None:
            times.record(caller.ready - caller.called)
            for number in range(frames):
                caller.send(stage.sound.frame(number, caller.ready))
            caller.leave()

    def step() -> bool:
        nonlocal begun
        while begun - ended < at_once and begun < count:
            begun += 1
            crowd.call(changed)
        return ended == count

    before = usage(pid)
    stage.loop.run(_SLACK + _EACH * count, step)
    after = usage(pid)
    stage.loop.run(TIDYING)
    return {
        "times": times.export(),
        "ready": times.count,
        "failures": failures,
        "cpu": after.cpu - before.cpu if before and after else None,
    }


def run(rig: Rig, system: System, count: int, at_once: int, frames: int = 0) -> dict[str, Any]:
    """Measure it; the figures have their units in their names.

    Raises:
        BenchFailed: a process ended.
    """
    patience = 2 * _SLACK + _EACH * count
    order = {"count": count, "at_once": at_once, "frames": frames}
    told = rig.order("start", system, patience, **order)
    times = Histogram(told["times"])
    return {
        "sessions": count,
        "at_once": at_once,
        "ready": told["ready"],
        "failures": told["failures"],
        "p50_ms": times.percentile(50) * 1e3,
        "p99_ms": times.percentile(99) * 1e3,
        "max_ms": times.greatest * 1e3,
        "cpu_per_session_ms": None if told["cpu"] is None else told["cpu"] / count * 1e3,
    }


def measure(rig: Rig, system: System, count: int, crowds: tuple[int, ...]) -> Report:
    """Measure it with one session on its way in at a time, and with more."""
    run(rig, system, 10, 1)  # what is loaded with the first session is not its price
    runs = [run(rig, system, count, at_once) for at_once in crowds]
    columns = ("at_once", "ready", "p50_ms", "p99_ms", "max_ms", "cpu_per_session_ms")
    heads = ("at once", "ready", "p50 ms", "p99 ms", "max ms", "CPU ms/session")
    failed = [f"{why}: {many}" for each in runs for why, many in each["failures"].items()]
    note = "\nFrom the first byte of the handshake to `ready`; CPU from there to the goodbye."
    return Report(
        "\n".join(
            [
                table(
                    heads,
                    [
                        [str(row[key]) if key == "at_once" else row[key] for key in columns]
                        for row in runs
                    ],
                ),
                *failed,
                note,
            ]
        ),
        {"benchmark": "start", "machine": machine(), "runs": runs},
    )
