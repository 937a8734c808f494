"""The detector while it is open: places, options, and an engine for each rate."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio

from capabilities import Encoding, Plugin, ProviderRefused, VADOptions, VADStream
from providers.local import silero_model
from providers.local.silero import SileroSettings
from providers.local.silero_engine import Engine
from providers.local.silero_model import ID
from providers.local.silero_stream import SileroStream
from providers.local.slots import Slots
from providers.local.vad_activity import Activity, Rule
from providers.local.vad_chunks import PER_SECOND, Chunks

_LONGEST = 60.0
"""Seconds that a session may ask for, of speech or of silence."""
_HERTZ = range(4000, 384001)


@attrs.frozen
class SileroVAD:
    """Watches streams; all of them share one worker thread."""

    _settings: SileroSettings
    _engines: Mapping[int, Engine]
    _slots: Slots

    @asynccontextmanager
    async def watch(self, options: VADOptions) -> AsyncIterator[VADStream]:
        """Watch one stream."""
        rule, chunks = self._rule(options), _chunks(options)
        with self._slots.take():
            stream = SileroStream(self._engines[chunks.rate], chunks, Activity(rule, PER_SECOND))
            stream.open()
            try:
                yield stream
            finally:
                stream.close()

    def _rule(self, options: VADOptions) -> Rule:
        asked = partial(_asked, options, self._settings)
        return Rule.of(
            asked("threshold", 1.0),
            asked("min_speech", _LONGEST),
            asked("min_silence", _LONGEST),
            per_second=PER_SECOND,
        )


def _asked(options: VADOptions, settings: SileroSettings, name: str, most: float) -> float:
    own: float | None = getattr(options, name)
    value: float = getattr(settings, name) if own is None else own
    if not 0 <= value <= most:
        raise ProviderRefused(ID, f"{name} is 0 to {most:g}, not {value}")
    return value


def _chunks(options: VADOptions) -> Chunks:
    audio = options.format
    if (audio.encoding, audio.channels) != (Encoding.LINEAR16, 1):
        raise ProviderRefused(
            ID, f"takes linear16, mono; not {audio.encoding}, {audio.channels} channel(s)"
        )
    if audio.sample_rate not in _HERTZ:
        raise ProviderRefused(
            ID, f"takes {_HERTZ.start} to {_HERTZ.stop - 1} Hz, not {audio.sample_rate}"
        )
    return Chunks(audio.sample_rate)


@asynccontextmanager
async def open_vad(settings: SileroSettings) -> AsyncIterator[Plugin]:
    """Load the network in a thread; then hear for whoever watches, until the block is left."""
    networks = await trio.to_thread.run_sync(silero_model.load)
    limiter = trio.CapacityLimiter(1)
    engines = {rate: Engine(network, limiter) for rate, network in networks.items()}
    async with trio.open_nursery() as nursery:
        for rate, engine in engines.items():
            nursery.start_soon(engine.run, name=f"silero/{rate}")
        yield Plugin(vad=SileroVAD(settings, engines, Slots(ID, settings.concurrency)))
        nursery.cancel_scope.cancel("the plugin is closed")
