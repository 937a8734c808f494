"""``soak``: what is left behind by many sessions for a long time, and by very many one after the other."""

import http.client
import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import attrs

from waav.bench import relay, start
from waav.bench.process import Usage
from waav.bench.report import Cell, Report, machine, table
from waav.bench.rig import Rig
from waav.bench.systems import System

_FRAMES = 5
"""That each of the sequential sessions says."""
_TASKS = "waav_tasks"
_FIRST = 50
"""Sessions before the first look: what is loaded and kept for later is not a leak."""


@attrs.frozen
class Look:
    """The process at one time."""

    when: str
    usage: Usage
    tasks: int | None
    """Trio's; None where the gateway does not tell."""

    @classmethod
    def at(cls, system: System, when: str) -> "Look":
        """Look now."""
        assert system.pid is not None  # noqa: S101  # we have started it
        return cls(when, Usage.of(system.pid), _tasks(system))


def _tasks(system: System) -> int | None:
    connection = http.client.HTTPConnection(*system.address, timeout=5)
    try:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    told = [line.split()[-1] for line in lines if line.startswith((_TASKS + " ", _TASKS + "{"))]
    return sum(int(float(each)) for each in told) if told else None


def measure(
    rig: Rig,
    system: System,
    say: Callable[[str], None],
    *,
    sessions: int,
    minutes: float,
    sequential: int,
    rest: float,
) -> Report:
    """Look at the gateway before, between and after, and once more when it has had rest.

    Raises:
        BenchFailed: sessions did not come to be, or a process ended.
    """
    start.run(rig, system, _FIRST, 1, _FRAMES)
    looks = [Look.at(system, "at first")]
    data: dict[str, Any] = {"benchmark": "soak", "machine": machine()}
    lines = []
    if minutes:
        say(f"{sessions} sessions for {minutes:g} minutes")
        run = relay.run(system, rig, sessions, minutes * 60)
        looks.append(Look.at(system, f"after {minutes:g} min of {sessions}"))
        data["talk"] = run.figures()
        p99 = run.forward.percentile(99) * 1e3
        lines.append(
            f"{sessions} sessions: p99 {p99:.2f} ms, {run.sent - run.arrived} of {run.sent} frames"
            f" lost, {run.lost} sessions lost. {run.invalid}"
        )
    if sequential:
        say(f"{sequential} sessions, one after the other")
        told = start.run(rig, system, sequential, 1, _FRAMES)
        looks.append(Look.at(system, f"after {sequential} one by one"))
        data["sequential"] = told
        lines.append(
            f"one by one: {told['ready']} of {sequential} ready, p99 {told['p99_ms']:.2f} ms"
        )
        lines += [f"{many} x {why}" for why, many in told["failures"].items()]
    if rest:
        say(f"nobody for {rest:g} s")
        assert system.child is not None  # noqa: S101  # we have started it
        with suppress(subprocess.TimeoutExpired):
            system.child.process.wait(rest)
        looks.append(Look.at(system, f"after {rest:g} s of rest"))
    if looks[0].tasks is None:
        lines.append("Tasks were not counted: the gateway has no metric waav_tasks.")
    data["looks"] = [
        {"when": each.when, "tasks": each.tasks, **attrs.asdict(each.usage)} for each in looks
    ]
    heads = ("", "RSS MiB", "files", "threads", "tasks", "CPU s")
    return Report("\n".join([table(heads, [_row(each) for each in looks]), *lines]), data)


def _row(look: Look) -> list[Cell]:
    usage = look.usage
    return [look.when, usage.rss / 2**20, usage.files, usage.threads, look.tasks, usage.cpu]
