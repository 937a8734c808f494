"""``waav bench``: what the gateway costs and how quick it is, on this machine."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from waav.bench import features, idle, interrupt, overload, relay, relay_report, soak, speak, start
from waav.bench.process import BenchFailed
from waav.bench.report import Report
from waav.bench.rig import Rig, open_rig
from waav.bench.runs import Run
from waav.bench.systems import NAMES, ROOM, direct, gateway, running, yardstick

F = TypeVar("F", bound=Callable[..., Any])

EPILOG = """\b
The gateway that is measured runs in a process of its own on a core of its own (--core), the
load and a scripted vendor on the others; nothing leaves this machine, and no key is needed.
For Linux. Figures move with the machine: compare those of one run only.
"""


class _Numbers(click.ParamType[tuple[int, ...]]):
    """``10,25,50``."""

    name = "numbers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(int(each) for each in str(value).split(","))
        except ValueError:
            numbers = ()
        if not numbers or min(numbers) < 1:
            self.fail(f"{value!r} is no list of numbers such as 10,25,50", param, ctx)
        return numbers


def _numbers(name: str, default: tuple[int, ...], about: str) -> Callable[[F], F]:
    shown = ",".join(map(str, default))
    text = f"{about}  [default: {shown}]"
    return click.option(name, type=_Numbers(), default=default, help=text)


def _seconds(default: float, about: str = "Of each run.") -> Callable[[F], F]:
    kind = click.FloatRange(0.1)
    return click.option("--seconds", type=kind, default=default, show_default=True, help=about)


def _count(name: str, default: int, about: str, least: int = 1) -> Callable[[F], F]:
    kind = click.IntRange(least)
    return click.option(name, type=kind, default=default, show_default=True, help=about)


_ROUNDS = _count("--rounds", 2, "In each of them every system has its turn.")
_CORE = click.option(
    "--core", type=click.IntRange(0), default=0, show_default=True, help="Of what is measured."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON and no table.")
_PLOT = click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw an SVG here."
)


@click.group(epilog=EPILOG)
def bench() -> None:
    """Measure the gateway on this machine, beside relays that do the least and the obvious."""


@bench.command("relay")
@_numbers("--sessions", relay.STEPS, "How many, from few to many.")
@_seconds(5.0)
@_ROUNDS
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(NAMES),
    help="Do not measure this one; may be given again.",
)
@click.option("--target", help="Measure the gateway that runs at this http://host:port instead.")
@click.option("--pid", type=int, help="Its process, so that its CPU is known.")
@_count("--far-end-port", 0, "Where the scripted vendor listens; 0: anywhere.", least=0)
@_PLOT
@_CORE
@_JSON
def relay_command(
    sessions: tuple[int, ...],
    seconds: float,
    rounds: int,
    without: tuple[str, ...],
    target: str | None,
    pid: int | None,
    far_end_port: int,
    plot: Path | None,
    core: int,
    *,
    as_json: bool,
) -> None:
    """Voices through the gateway to a vendor, in real time, and words back.

    N sessions send a frame each 20 ms, evenly spread; the vendor answers each 100 ms. More and more
    of them, until the p99 of the way to the vendor is beyond 20 ms. Beside the gateway, in turns,
    `bare` is the least that relays (a WebSocket protocol on each socket, two tasks), `obvious` is
    Quart-Trio with trio-websocket, and `direct` is the load and the vendor with nothing between.

    A gateway of your own (--target) must have the scripted vendor as its Deepgram:
    plugins.providers.deepgram.base_url = "http://127.0.0.1:PORT", with --far-end-port PORT.
    """
    how = relay.How(sessions, seconds, rounds)
    with _told(), open_rig(core, far_end_port) as rig, ExitStack() as stack:
        systems = []
        for name in (name for name in NAMES if name not in without):
            if name == "direct":
                systems.append(direct(rig.far_end))
            elif name != "gateway":
                system = yardstick(name, rig.folder, rig.cores, rig.far_end)
                systems.append(stack.enter_context(system))
            elif target is None:
                systems.append(stack.enter_context(_gateway(rig)))
            else:
                systems.append(running(target, pid))
        _show(
            relay_report.report(relay.compare(rig, systems, how, _say), how), plot, as_json=as_json
        )


def _feature(name: str, about: str) -> click.Command:
    """Make the command of one of the features of a session."""

    @click.command(name, help=about)
    @_numbers("--sessions", features.STEPS, "How many, from few to many.")
    @_seconds(5.0)
    @_ROUNDS
    @_PLOT
    @_CORE
    @_JSON
    def command(
        sessions: tuple[int, ...],
        seconds: float,
        rounds: int,
        plot: Path | None,
        core: int,
        *,
        as_json: bool,
    ) -> None:
        how = relay.How(sessions, seconds, rounds)
        with _told(), open_rig(core) as rig, _gateway(rig) as system:
            _show(features.measure(name, rig, system, how, _say), plot, as_json=as_json)

    return command


bench.add_command(_feature("vad", "What the voice detector adds to the sessions of `relay`."))
bench.add_command(_feature("denoise", "What noise suppression adds to the sessions of `relay`."))


@bench.command("speak")
@_numbers("--sessions", (1, 50), "How many at one time over /ws; POST /speak has one.")
@_seconds(10.0)
@_CORE
@_JSON
def speak_command(sessions: tuple[int, ...], seconds: float, core: int, *, as_json: bool) -> None:
    """From `speak` to the first sound, with a voice that is there at once; and every byte in order."""
    with _told(), open_rig(core) as rig, _gateway(rig) as system:
        _show(speak.measure(rig, system, sessions, seconds), as_json=as_json)


@bench.command("start")
@_count("--count", 300, "Sessions in each run.")
@_numbers("--at-once", (1, 16), "How many are on their way in at one time.")
@_CORE
@_JSON
def start_command(count: int, at_once: tuple[int, ...], core: int, *, as_json: bool) -> None:
    """From a client's first byte to `ready`, with a vendor that answers at once; and its CPU."""
    with _told(), open_rig(core) as rig, _gateway(rig) as system:
        _show(start.measure(rig, system, count, at_once), as_json=as_json)


@bench.command("idle")
@_numbers("--sessions", (100, 500, 1000), "How many are open, from few to many.")
@_CORE
@_JSON
def idle_command(sessions: tuple[int, ...], core: int, *, as_json: bool) -> None:
    """The memory of sessions that are open and do nothing, with a recogniser and without."""
    with _told(), open_rig(core) as rig:
        _show(idle.measure(rig, partial(_gateway, rig), sessions), as_json=as_json)


@bench.command("interrupt")
@_count("--sessions", 100, "That interrupt a voice at random moments.")
@_seconds(20.0, "All in all.")
@_CORE
@_JSON
def interrupt_command(sessions: int, seconds: float, core: int, *, as_json: bool) -> None:
    """From `clear` to silence."""
    with _told(), open_rig(core) as rig:
        plugins = interrupt.write_plugin(rig.folder)
        with _gateway(rig, plugins=plugins) as system, system.blamed():
            _show(interrupt.measure(system, sessions, seconds), as_json=as_json)


@bench.command("overload")
@_count("--sessions", 100, "For so many there is room.")
@_numbers("--offered", (2, 5), "So many times as many want in.")
@_seconds(60.0)
@_CORE
@_JSON
def overload_command(
    sessions: int, offered: tuple[int, ...], seconds: float, core: int, *, as_json: bool
) -> None:
    """More clients than there is room for: what those notice who are in, and how others are refused.

    Who is refused comes again a second later. The gateway has max_websocket_connections = SESSIONS.
    """
    runs = []
    with _told(), open_rig(core) as rig, _gateway(rig, sessions=sessions) as system:
        for factor in offered:
            runs.append(overload.run(rig, system, sessions, factor, seconds))
            _progress(f"{factor} times: p99 {runs[-1]['siege_p99_ms']:.2f} ms")
    _show(overload.report(runs), as_json=as_json)


@bench.command("soak")
@_count("--sessions", 100, "That talk at one time.")
@click.option("--minutes", type=click.FloatRange(0), default=30.0, show_default=True)
@_count("--sequential", 10_000, "Sessions one after the other, behind that.", least=0)
@click.option(
    "--rest",
    type=click.FloatRange(0),
    default=70.0,
    show_default=True,
    help="Seconds without anybody, at the end; the gateway gives memory back once a minute.",
)
@_CORE
@_JSON
def soak_command(
    sessions: int, minutes: float, sequential: int, rest: float, core: int, *, as_json: bool
) -> None:
    """What is left behind: memory, open files, threads and tasks before and after.

    Each part is left out with 0.
    """
    with _told(), open_rig(core) as rig, _gateway(rig) as system:
        report = soak.measure(
            rig,
            system,
            _progress,
            sessions=sessions,
            minutes=minutes,
            sequential=sequential,
            rest=rest,
        )
        _show(report, as_json=as_json)


def _gateway(rig: Rig, *, sessions: int = ROOM, plugins: Path | None = None) -> Any:
    return gateway(rig.folder, rig.cores, rig.far_end, sessions=sessions, plugins=plugins)


def _say(run: Run) -> None:
    p99 = run.forward.percentile(99) * 1e3
    cpu = "" if run.cpu_per_frame is None else f", {run.cpu_per_frame * 1e6:.0f} us a frame"
    _progress(f"{run.sessions:5} {run.system:8} p99 {p99:.2f} ms{cpu}  {run.invalid}")


def _progress(text: str) -> None:
    """Say how far it is, where nobody takes it for the result."""
    click.echo(text.rstrip(), err=True)


def _show(report: Report, plot: Path | None = None, *, as_json: bool) -> None:
    if plot is not None:
        plot.write_text(report.picture)
    click.echo(json.dumps(report.data, indent=2) if as_json else report.text)


@contextmanager
def _told() -> Iterator[None]:
    """Turn failures into a sentence."""
    if sys.platform != "linux":
        raise click.ClickException("benchmarks need Linux: they pin processes and read /proc")
    try:
        yield
    except BenchFailed as exc:
        raise click.ClickException(str(exc)) from None
