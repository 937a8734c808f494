"""The figures of ``relay``: all rounds together, everything beside one of them, and a picture."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from waav.bench.relay import How
from waav.bench.report import Cell, Curve, Report, machine, picture, table
from waav.bench.runs import STOP, Run

_COLUMNS: Mapping[str, str] = {
    "us/frame": "cpu_per_frame_us",
    "x {}": "cpu_per_frame_ratio",
    "core": "core",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "p99 x {}": "p99_ratio",
    "p99.9 ms": "p99_9_ms",
    "round p50": "round_trip_p50_ms",
    "round p99": "round_trip_p99_ms",
    "load late": "load_late_p99_ms",
    "taken": "core_taken_by_others",
}
_RATIOS = ("cpu_per_frame", "p50", "p99", "p99_9")
_NOTE = """
us/frame: CPU of the system for each frame that came through. p50, p99, p99.9: from the client's send
to the vendor's recv. round: until the vendor's word about the frame was back. load late: the
load's own p99, in ms. taken: the share of the time in which others had the system's core."""


def report(runs: Sequence[Run], how: How, name: str = "relay", yardstick: str = "bare") -> Report:
    """Put the rounds of each system and number of sessions together, beside those of ``yardstick``."""
    keys = dict.fromkeys((each.sessions, each.system) for each in runs)
    whole = {
        key: reduce(Run.__add__, (each for each in runs if (each.sessions, each.system) == key))
        for key in keys
    }
    told = [
        _beside(each.figures(), whole.get((sessions, yardstick)))
        for (sessions, _), each in whole.items()
    ]
    remarks = [
        f"{each.sessions} {each.system}: {each.invalid}" for each in whole.values() if each.invalid
    ]
    heads = (
        "system",
        "sessions",
        *(head.format(yardstick) for head in _COLUMNS),
        "KiB/session",
        "frames lost",
    )
    text = table(heads, [_row(each) for each in told])
    data = {"benchmark": name, "machine": machine(), "seconds": how.seconds}
    return Report(
        "\n".join([text, *remarks, _NOTE]),
        {**data, "rounds": how.rounds, "runs": told},
        _picture(list(whole.values())),
    )


def _beside(told: dict[str, Any], yardstick: Run | None) -> dict[str, Any]:
    """Add the ratios to that system with as many sessions."""
    least = {} if yardstick is None else yardstick.figures()
    for name in _RATIOS:
        key = "cpu_per_frame_us" if name == "cpu_per_frame" else f"{name}_ms"
        ours, theirs = told[key], least.get(key)
        told[f"{name}_ratio"] = ours / theirs if ours and theirs else None
    return told


def _row(told: Mapping[str, Any]) -> list[Cell]:
    rss = told["rss_per_session_bytes"]
    return [
        told["system"],
        told["sessions"],
        *(told[key] for key in _COLUMNS.values()),
        None if rss is None else rss / 1024,
        told["frames_sent"] - told["frames_arrived"],
    ]


def _picture(runs: Sequence[Run]) -> str:
    curves = [
        Curve(
            name,
            [
                (run.sessions, run.forward.percentile(99) * 1e3)
                for run in runs
                if run.system == name
            ],
        )
        for name in dict.fromkeys(run.system for run in runs)
    ]
    limit = {f"{STOP * 1e3:g}": STOP * 1e3}
    return picture("client to vendor, p99", "sessions", "milliseconds", curves, limit)
