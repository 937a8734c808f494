"""``idle``: the memory of sessions that are open and do nothing."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import attrs

from waav.bench.crowd import Crowd
from waav.bench.process import Usage
from waav.bench.report import Cell, Report, machine, table
from waav.bench.rig import Rig
from waav.bench.stage import Stage
from waav.bench.systems import LISTENS, System

SILENT: Mapping[str, Any] = {
    "type": "config",
    "tts_config": {"provider": "deepgram", "sample_rate": 24000},
}
"""Of a client that will never be heard: without a connection to a vendor."""
_WISHES = {"listening": LISTENS, "not listening": SILENT}
SETTLE = 2.0
"""Seconds before each look; and, behind them, those in which doing nothing is measured."""
_PATIENCE = 300.0


def stay(
    stage: Stage,
    address: list[Any],
    *,
    config: Mapping[str, Any],
    steps: Sequence[int],
    settle: float,
    pid: int,
) -> dict[str, Any]:
    """Let more and more sessions in, and look at the process each time: the load's half."""
    crowd = Crowd(stage.loop, (address[0], address[1]), config, stage.count())
    # What is loaded with the first sessions is not their price.
    crowd.gather(5)
    crowd.go()
    seen = []
    for many in steps:
        crowd.gather(many - len(crowd.callers))
        stage.loop.run(settle)
        before = Usage.of(pid)
        stage.loop.run(settle)
        after = Usage.of(pid)
        seen.append({"sessions": many, "rss": after.rss, "core": (after.cpu - before.cpu) / settle})
    crowd.go()
    stage.loop.run(settle)
    return {"seen": seen, "left": Usage.of(pid).rss}


def measure(
    rig: Rig,
    opening: Callable[[], AbstractContextManager[System]],
    steps: Sequence[int],
    settle: float = SETTLE,
) -> Report:
    """Measure it with a recogniser, and without; a process for each, as memory is seldom given back.

    Raises:
        BenchFailed: not all could be let in, or a process ended.
    """
    rows: list[list[Cell]] = []
    data: list[dict[str, Any]] = []
    for name, wishes in _WISHES.items():
        with opening() as system:
            asking = attrs.evolve(system, config=wishes)
            told = rig.order("idle", asking, _PATIENCE, steps=[0, *steps], settle=settle)
        empty = told["seen"][0]["rss"]
        for seen in told["seen"]:
            each = (seen["rss"] - empty) / seen["sessions"] if seen["sessions"] else None
            rows.append(
                [name, seen["sessions"], seen["rss"] / 2**20, each and each / 1024, seen["core"]]
            )
            data.append({"kind": name, **seen, "rss_per_session_bytes": each})
        rows.append([name, "gone", told["left"] / 2**20, None, None])
        data.append({"kind": name, "sessions": 0, "rss": told["left"], "after": True})
    heads = ("sessions that are", "open", "RSS MiB", "KiB/session", "core")
    note = (
        "\nListening sessions have a WebSocket to the vendor each, whose memory is in the figure."
    )
    found = {"benchmark": "idle", "machine": machine(), "seen": data}
    return Report(table(heads, rows) + note, found)
