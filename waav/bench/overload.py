"""``overload``: more clients than there is room for, and what those notice who are in already."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from waav.bench.caller import Caller
from waav.bench.crowd import Crowd
from waav.bench.histogram import Histogram
from waav.bench.loop import Beat
from waav.bench.report import Cell, Report, machine, table
from waav.bench.rig import Rig
from waav.bench.stage import Stage, usage
from waav.bench.systems import System

_WARM = 1.0
_CALM = 10.0
"""Seconds, at most, of the quiet time to compare with."""
_DRAIN = 5.0
"""Seconds, at most, for what was sent to arrive: a frame is late before it is lost."""
_REST = 2.0
"""Seconds after the siege, before memory is looked at."""
_SLACK = 120.0


def besiege(
    stage: Stage,
    address: list[Any],
    *,
    config: Mapping[str, Any],
    sessions: int,
    attempts: float,
    seconds: float,
    pid: int | None,
) -> dict[str, Any]:
    """Let ``sessions`` talk, at first alone and then while others want in: the load's half.

    Args:
        attempts: how many a second want in.
    """
    loop = stage.loop
    crowd = Crowd(loop, (address[0], address[1]), config, stage.count())
    refusals, reasons = Histogram(), Counter[str]()
    visitors: list[Caller] = []

    def changed(caller: Caller) -> None:
        if caller.over is not None and caller.ready is None:
            refusals.record(caller.over - caller.called)
            reasons[caller.refusal or "broken off"] += 1

    crowd.gather(sessions)
    loop.beats.append(crowd.talk(stage.sound, time.monotonic_ns()))
    loop.run(_WARM)
    calm = _count(stage, crowd, min(seconds, _CALM))
    before = usage(pid)
    start, step = time.monotonic_ns(), 1e9 / attempts
    loop.beats.append(Beat(lambda *_: visitors.append(crowd.call(changed)), step, start))
    siege = _count(stage, crowd, seconds)
    during = usage(pid)
    loop.beats.pop()
    loop.run(_REST)
    after = usage(pid)
    accepted = sum(each.ready is not None for each in visitors)
    for each in visitors:
        each.hang_up()
    loop.beats.clear()
    lost = crowd.lost
    crowd.go()
    loop.run(_REST)  # a gateway that has said goodbye may still be tidying up
    return {
        "calm": calm,
        "siege": siege,
        "refusals": refusals.export(),
        "reasons": reasons,
        "attempts": len(visitors),
        "accepted": accepted,
        "lost": lost,
        "cpu": during.cpu - before.cpu if before and during else None,
        "rss": [each.rss for each in (before, during, after) if each],
    }


def _count(stage: Stage, crowd: Crowd, seconds: float) -> dict[str, Any]:
    tally = stage.count()
    crowd.count(tally)
    tally.opened = time.monotonic_ns()
    stage.loop.run(seconds)
    tally.closed = time.monotonic_ns()
    stage.loop.run(_DRAIN, lambda: tally.arrived == tally.sent)
    return tally.export()


def run(rig: Rig, system: System, sessions: int, factor: float, seconds: float) -> dict[str, Any]:
    """Measure it with ``factor`` times as many clients as there is room for.

    Those who are refused come again after a second: that many attempts there are each second.

    Raises:
        BenchFailed: the accepted ones did not come to be, or a process ended.
    """
    attempts = (factor - 1) * sessions
    order = {"sessions": sessions, "attempts": attempts, "seconds": seconds}
    told = rig.order("overload", system, seconds + _CALM + _SLACK, **order)
    refusals = Histogram(told.pop("refusals"))
    figures: dict[str, Any] = {"sessions": sessions, "factor": factor, "seconds": seconds}
    for phase in ("calm", "siege"):
        counts = told.pop(phase)
        forward, late = Histogram(counts["forward"]), Histogram(counts["lateness"])
        figures[f"{phase}_p50_ms"] = forward.percentile(50) * 1e3
        figures[f"{phase}_p99_ms"] = forward.percentile(99) * 1e3
        figures[f"{phase}_frames_lost"] = counts["sent"] - counts["arrived"]
        figures[f"{phase}_load_late_p99_ms"] = late.percentile(99) * 1e3
    rss = told.pop("rss")
    return {
        **figures,
        **told,
        "refusal_p50_ms": refusals.percentile(50) * 1e3,
        "refusal_p99_ms": refusals.percentile(99) * 1e3,
        "refusal_max_ms": refusals.greatest * 1e3,
        "rss_before_bytes": rss[0] if rss else None,
        "rss_during_bytes": rss[1] if rss else None,
        "rss_after_bytes": rss[2] if rss else None,
    }


def report(runs: Sequence[Mapping[str, Any]]) -> Report:
    """Return the figures of all runs."""
    heads = (
        "offered",
        "accepted",
        "p99 ms before",
        "during",
        "load late",
        "lost",
        "frames lost",
        "attempts",
        "let in",
        "refused p50 ms",
        "p99",
        "max",
        "RSS MiB before",
        "during",
        "after",
    )
    reasons = [
        f"x {each['factor']:g}: {many} x {why}"
        for each in runs
        for why, many in each["reasons"].items()
    ]
    text = table(heads, [_row(each) for each in runs])
    note = "\nrefused: from the first byte of the handshake to the end of the connection."
    data = {"benchmark": "overload", "machine": machine(), "runs": list(runs)}
    return Report("\n".join([text, *reasons, note]), data)


def _row(told: Mapping[str, Any]) -> list[Cell]:
    memory = [told[f"rss_{when}_bytes"] for when in ("before", "during", "after")]
    return [
        f"x {told['factor']:g}",
        told["sessions"],
        told["calm_p99_ms"],
        told["siege_p99_ms"],
        told["siege_load_late_p99_ms"],
        sum(told["lost"].values()),
        told["siege_frames_lost"],
        told["attempts"],
        told["accepted"],
        *(told[f"refusal_{name}_ms"] for name in ("p50", "p99", "max")),
        *(None if each is None else each / 2**20 for each in memory),
    ]
