"""What the voice detector costs for many streams of speech in real time: ``python -m tests.benchmarks.vad``.

Three kinds of run take turns in one process: the pacing alone (what the benchmark itself costs), the
detector as it is, and the detector with each chunk in a call of its own. Beside them stand the calls
without streams. CPU is process time, which counts all threads, as a share of one core; the loop's
share of it is that of its thread. The lag is how late a task wakes that wants to wake every 5 ms.
Every figure is the median of the rounds.
"""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import attrs
import click
import numpy as np
import trio

from capabilities import SPEECH, AudioFrame, VADOptions, VADStream
from providers.local.silero import SileroSettings
from providers.local.silero_engine import LARGEST, TICK, Engine
from providers.local.silero_model import EMPTY, Network, load
from providers.local.silero_vad import SileroVAD
from providers.local.slots import Slots
from providers.local.vad_chunks import PER_SECOND, Chunks
from waav.testing import question

_FRAME = 0.02
_LOOK = 0.005
_WARM = 1.0
"""Seconds that are not counted."""
_TALK = slice(SPEECH.size(0.25), SPEECH.size(1.7))
"""The part of the question in which there is always a voice."""


@attrs.define
class Figures:
    """Of one run."""

    name: str
    cpu: float
    """Share of one core."""
    loop: float
    """The part of it that is the loop's thread."""
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    heard: float = 0.0
    """Chunks heard, as a share of those sent."""
    batch_mean: float = 0.0
    batch_max: float = 0.0


class _Nothing:
    async def send(self, _frame: AudioFrame) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()


def _voice(number: int) -> list[AudioFrame]:
    """One round of speech in frames; each stream is at another place in it, and has another level."""
    samples = np.frombuffer(question().data[_TALK], "<i2")
    turned = np.roll(samples, 997 * number) * (0.5 + (number % 10) / 20)
    data = turned.astype("<i2").tobytes()
    size = SPEECH.size(_FRAME)
    return [AudioFrame(data[at : at + size]) for at in range(0, len(data) - size + 1, size)]


async def _talk(stream: VADStream | _Nothing, number: int, many: int, start: float) -> None:
    frames = _voice(number)
    due = start + _FRAME * number / many
    while True:
        for frame in frames:
            await trio.sleep_until(due)
            await stream.send(frame)
            due += _FRAME


async def _read(stream: VADStream) -> None:
    async for _ in stream:
        pass


async def _look(lags: list[float]) -> None:
    due = trio.current_time()
    while True:
        due += _LOOK
        await trio.sleep_until(due)
        late = trio.current_time() - due
        lags.append(late)
        due += late // _LOOK * _LOOK


async def _run(
    name: str, streams: int, seconds: float, networks: Mapping[int, Network] | None, **how: float
) -> Figures:
    lags: list[float] = []
    async with _open(networks, streams, how) as (watch, engine), trio.open_nursery() as nursery:
        start = trio.current_time() + _WARM / 2
        for number in range(streams):
            nursery.start_soon(_stream, watch, number, streams, start)
        await trio.sleep_until(start + _WARM)
        engine.sizes.clear()
        nursery.start_soon(_look, lags)
        began, cpu, loop = trio.current_time(), time.process_time(), time.thread_time()
        await trio.sleep(seconds)
        cpu, loop = time.process_time() - cpu, time.thread_time() - loop
        took = trio.current_time() - began
        sizes = dict(engine.sizes)
        nursery.cancel_scope.cancel()
    chunks = sum(size * count for size, count in sizes.items())
    lag = np.percentile(lags, [50, 99, 100]) * 1000
    return Figures(
        name,
        cpu / took,
        loop / took,
        *lag.tolist(),
        heard=chunks / (took * streams * PER_SECOND),
        batch_mean=chunks / max(sum(sizes.values()), 1),
        batch_max=max(sizes, default=0),
    )


@asynccontextmanager
async def _open(
    networks: Mapping[int, Network] | None, streams: int, how: Mapping[str, float]
) -> AsyncIterator[tuple[SileroVAD | None, Engine]]:
    """The detector with one engine; without networks there is none to watch with."""
    if networks is None:
        yield None, Engine(None, trio.CapacityLimiter(1))
        return
    engine = Engine(networks[SPEECH.sample_rate], trio.CapacityLimiter(1), **how)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.run)
        slots = Slots("silero", streams)
        yield SileroVAD(SileroSettings(), {SPEECH.sample_rate: engine}, slots), engine
        nursery.cancel_scope.cancel()


async def _stream(vad: SileroVAD | None, number: int, many: int, start: float) -> None:
    if vad is None:
        await _talk(_Nothing(), number, many, start)
        return
    async with vad.watch(VADOptions()) as stream, trio.open_nursery() as nursery:
        nursery.start_soon(_read, stream)
        await _talk(stream, number, many, start)


def _call_cost(network: Network, size: int, seconds: float = 1.0) -> float:
    """Seconds of process time for one chunk in calls of ``size``, in this thread."""
    cutters = [Chunks(SPEECH.sample_rate) for _ in range(size)]
    chunks = [
        next(cutter.feed(b"".join(frame.data for frame in _voice(number))))
        for number, cutter in enumerate(cutters)
    ]
    memories, calls, cpu = [EMPTY] * size, 0, time.process_time()
    while time.process_time() - cpu < seconds:
        memories = [memory for _, memory in network.hear(chunks, memories)]
        calls += 1
    return (time.process_time() - cpu) / calls / size


def _median(runs: list[Figures]) -> Figures:
    """Each figure by itself."""
    rows = [attrs.astuple(figures)[1:] for figures in runs]
    return Figures(runs[0].name, *np.median(rows, axis=0).tolist())


async def _measure(
    streams: int, seconds: float, rounds: int, say: Callable[[str], None]
) -> dict[str, object]:
    networks = load()
    network = networks[SPEECH.sample_rate]
    alone, together = _call_cost(network, 1), _call_cost(network, streams)
    say(f"one call: {alone * 1e6:.0f} us a chunk alone, {together * 1e6:.0f} us among {streams}\n")
    kinds = (
        partial(_run, "pacing alone", streams, seconds, None),
        partial(_run, "batched", streams, seconds, networks, tick=TICK, largest=LARGEST),
        partial(_run, "each its own call", streams, seconds, networks, tick=0.0, largest=1),
    )
    taken = [[await run() for run in kinds] for _ in range(rounds)]
    pacing, batched, single = map(_median, map(list, zip(*taken, strict=True)))
    for figures in (pacing, batched, single):
        say(_shown(figures))
    # Who does not keep up pays for a part only.
    own, unbatched = (
        (figures.cpu - pacing.cpu) / min(figures.heard, 1.0) for figures in (batched, single)
    )
    talk = streams * PER_SECOND
    say(
        f"\nwithout the pacing: {own:.1%} of a core batched; each its own call {unbatched:.1%}"
        f" if it kept up ({unbatched / own:.1f} times)\nthe calls alone, in one thread:"
        f" {together * talk:.1%} and {alone * talk:.1%} ({alone / together:.1f} times)"
    )
    return {
        "streams": streams,
        "seconds": seconds,
        "call_alone_us": alone * 1e6,
        "call_together_us": together * 1e6,
        "medians": [attrs.asdict(figures) for figures in (pacing, batched, single)],
        "rounds": [[attrs.asdict(figures) for figures in each] for each in taken],
        "cpu_batched": own,
        "cpu_unbatched": unbatched,
    }


def _shown(figures: Figures) -> str:
    return (
        f"{figures.name:18} CPU {figures.cpu:6.1%} (loop {figures.loop:5.1%})"
        f"  lag p50 {figures.lag_p50_ms:5.2f} ms  p99 {figures.lag_p99_ms:5.2f}"
        f"  max {figures.lag_max_ms:6.2f}  heard {figures.heard:4.0%}"
        f"  batches of {figures.batch_mean:4.1f}, at most {figures.batch_max:.0f}"
    )


@click.command()
@click.option("--streams", default=100, show_default=True, help="At one time, all talking.")
@click.option("--seconds", default=6.0, show_default=True, help="Of each run.")
@click.option("--rounds", default=5, show_default=True, help="Of three runs each.")
@click.option("--json", "as_json", is_flag=True, help="Print nothing but one JSON object.")
def main(*, streams: int, seconds: float, rounds: int, as_json: bool) -> None:
    """Measure the voice detector with many streams of speech."""
    say: Callable[[str], None] = (lambda _: None) if as_json else click.echo
    result = trio.run(_measure, streams, seconds, rounds, say)
    if as_json:
        click.echo(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
