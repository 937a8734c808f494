"""``interrupt``: from ``clear`` to silence, for many sessions that interrupt at random moments.

The voice is a plugin of the benchmark's own, which gives a frame each 20 ms for a minute, as one does
that is no faster than it speaks.
"""

import json
import random
import statistics
from pathlib import Path
from typing import Any

import attrs
import trio
from websockets.exceptions import WebSocketException
from websockets.trio.client import ClientConnection, connect

from waav.bench.process import BenchFailed
from waav.bench.report import Report, machine, table
from waav.bench.systems import System

FRAME = 0.02
"""Seconds."""
BOUND = 3 * FRAME
"""Seconds after which nothing of an interrupted utterance should come any more."""
_TOLD = 5.0
"""Seconds that the gateway's word of it may take."""
_TALK = (0.2, 1.2)
"""Seconds after which a client interrupts: at least, and at most."""
_CONFIG = {
    "type": "config",
    "features": {"events": True},
    "tts_config": {"provider": "pacer", "sample_rate": 24000},
}

_PLUGIN = '''\
"""A voice that is no faster than it speaks."""

from contextlib import aclosing, asynccontextmanager

import trio
from capabilities import Ability, AudioFrame, Capability, Manifest, Plugin


class Pacer:
    @asynccontextmanager
    async def synthesize(self, request):
        async with aclosing(self._frames(request.format)) as frames:
            yield frames

    async def _frames(self, format):
        start = trio.current_time()
        for number in range(3000):
            await trio.sleep_until(start + number * 0.02)
            yield AudioFrame(bytes(format.size(0.02)), format)

    async def voices(self, api_key=None):
        return []


@asynccontextmanager
async def open_plugin(context):
    yield Plugin(tts=Pacer())


MANIFEST = Manifest("pacer", "Pacer", open_plugin, {Capability.TTS: Ability()})
'''


def write_plugin(folder: Path) -> Path:
    """Write the voice into a folder of plugins; return that."""
    plugins = folder / "plugins"
    plugins.mkdir()
    (plugins / "pacer.py").write_text(_PLUGIN)
    return plugins


@attrs.define
class Tally:
    """What all clients saw."""

    delays: list[float] = attrs.Factory(list)
    """Seconds from ``clear`` to the last sound behind it; 0 where none came."""
    frames: list[int] = attrs.Factory(list)
    """How many came behind it."""
    told: list[float] = attrs.Factory(list)
    """Seconds from ``clear`` to the gateway's word of it."""
    stale: int = 0
    """Frames that came after that word; there must be none."""

    def figures(self) -> dict[str, Any]:
        """Return them with units in their names."""
        return {
            "interruptions": len(self.delays),
            "to_silence_p50_ms": _share(self.delays, 50) * 1000,
            "to_silence_p99_ms": _share(self.delays, 99) * 1000,
            "to_silence_max_ms": max(self.delays) * 1000,
            "told_p50_ms": _share(self.told, 50) * 1000,
            "told_p99_ms": _share(self.told, 99) * 1000,
            "frames_after_clear_mean": statistics.fmean(self.frames),
            "frames_after_clear_max": max(self.frames),
            "stale_frames": self.stale,
        }


def _share(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def measure(system: System, sessions: int, seconds: float) -> Report:
    """Let so many clients interrupt for so long, all of them on one gateway.

    Raises:
        BenchFailed: a client lost its connection, or there was too little time to interrupt.
    """
    try:
        tally = trio.run(_all, system.address, sessions, seconds)
    except* (OSError, WebSocketException) as group:
        raise BenchFailed(f"a client lost the gateway: {group.exceptions[0]}") from None
    if len(tally.told) < 2:
        raise BenchFailed("nobody came to interrupt twice: it needs more seconds")
    figures = tally.figures()
    data = {"benchmark": "interrupt", "machine": machine(), "sessions": sessions, **figures}
    return Report(table(("", ""), [[name, value] for name, value in figures.items()]), data)


async def _all(address: tuple[str, int], sessions: int, seconds: float) -> Tally:
    tally = Tally()
    until = trio.current_time() + seconds
    url = f"ws://{address[0]}:{address[1]}/ws"
    async with trio.open_nursery() as nursery:
        for seed in range(sessions):
            dice = random.Random(seed)  # noqa: S311  # the same moments in each run
            nursery.start_soon(_client, url, dice, until, tally, name="bench/interrupt")
            await trio.sleep(1 / sessions)
    return tally


async def _client(url: str, dice: random.Random, until: float, tally: Tally) -> None:
    """Speak and interrupt until then."""
    async with connect(url, proxy=None, compression=None) as socket:
        await socket.send(json.dumps(_CONFIG))
        await _until(socket, "ready")
        while trio.current_time() < until:
            await socket.send('{"type": "speak", "text": "x"}')
            tally.stale += await _until(socket, "speaking_started")
            with trio.move_on_after(dice.uniform(*_TALK)):
                while True:
                    await socket.recv()
            await _interrupt(socket, tally)


async def _interrupt(socket: ClientConnection, tally: Tally) -> None:
    start = last = trio.current_time()
    await socket.send('{"type": "clear"}')
    frames, told = 0, False
    while True:
        message = None
        with trio.move_on_at(start + BOUND + (0.0 if told else _TOLD)):
            message = await socket.recv()
        if message is None:
            break
        if isinstance(message, bytes):
            last, frames = trio.current_time(), frames + 1
            tally.stale += told
        elif not told:
            told = True
            tally.told.append(trio.current_time() - start)
    tally.delays.append(last - start)
    tally.frames.append(frames)


async def _until(socket: ClientConnection, kind: str) -> int:
    """Wait for a message; return how many frames came before it."""
    frames = 0
    while True:
        message = await socket.recv()
        if isinstance(message, bytes):
            frames += 1
        elif json.loads(message)["type"] == kind:
            return frames
