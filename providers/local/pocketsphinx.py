"""Speech to text with pocketsphinx, whose package carries a US-English model."""

import json
import os
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import attrs
import trio

from capabilities import (
    SPEECH,
    Ability,
    AudioFrame,
    Capability,
    Encoding,
    Limits,
    Manifest,
    Plugin,
    PluginContext,
    ProviderClosed,
    ProviderRefused,
    STTOptions,
    STTStream,
    Transcript,
)
from providers.local.slots import Slots
from providers.local.sphinx_pool import Pool, Worker

ID = "pocketsphinx"
_MODEL = "en-us"
_WAITING = SPEECH.size(1.0)
"""Bytes of sound not yet decoded beyond which a sender waits."""
_PIECE = SPEECH.size(0.2)
"""Bytes decoded in one go: what a stream that is left early has still to wait for."""
_END_OF_SPEECH = 0.6


def _default_concurrency() -> int:
    return 2 * (os.cpu_count() or 1)


@attrs.frozen
class PocketsphinxSettings:
    """``[plugins.providers.pocketsphinx]``."""

    concurrency: int = attrs.field(
        factory=_default_concurrency, validator=attrs.validators.in_(range(1, 1025))
    )
    """Streams at one time, each with a process of about 110 MB; twice the cores if not set."""


@attrs.frozen
class PocketsphinxOptions:
    """What a session may set for pocketsphinx."""

    end_of_speech: float | None = attrs.field(
        default=None,
        validator=attrs.validators.optional([attrs.validators.ge(0.1), attrs.validators.le(10.0)]),
    )
    """Seconds of silence that end an utterance, 0.1 to 10. If not set: the session's
    ``endpointing`` or ``utterance_end``, else 0.6."""
    sensitivity: int = attrs.field(default=2, validator=attrs.validators.in_(range(4)))
    """0 to 3: how sure the voice detector must be; more is better among noise, worse for a soft voice."""


@attrs.define(eq=False)
class PocketsphinxStream:
    """One recognition. Whoever iterates drives it: sound is decoded while somebody asks for words."""

    _worker: Worker
    _waiting: bytearray = attrs.field(factory=bytearray, init=False)
    _finished: bool = attrs.field(default=False, init=False)
    _told: bool = attrs.field(default=False, init=False)
    _heard: deque[Transcript] = attrs.field(factory=deque, init=False)

    async def send(self, frame: AudioFrame) -> None:
        """Hand over sound; wait while more than a second of it is not yet decoded."""
        await trio.lowlevel.checkpoint()
        self._check_alive()
        while len(self._waiting) > _WAITING:
            await self._worker.moved.park()
            self._check_alive()
        self._waiting += frame.data
        self._worker.moved.unpark_all()

    async def finish(self) -> None:
        """Say that no frame follows."""
        await trio.lowlevel.checkpoint()
        self._finished = True
        self._worker.moved.unpark_all()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Transcript:
        while not self._heard:
            # A reply may be owed already: somebody was cancelled while waiting for it.
            if not self._worker.owed and not await self._ask():
                raise StopAsyncIteration
            self._heard.extend(await self._worker.hear())
        return self._heard.popleft()

    def _check_alive(self) -> None:
        if not self._worker.alive:
            raise ProviderClosed(ID, "the recogniser process ended")

    async def _ask(self) -> bool:
        """Send the sound that waits, or the end; False if there is nothing more to ask."""
        while not self._waiting and not self._finished:
            self._check_alive()
            await self._worker.moved.park()
        if self._waiting:
            piece = bytes(self._waiting[:_PIECE])
            del self._waiting[:_PIECE]
            self._worker.moved.unpark_all()
            await self._worker.tell("A", piece)
            return True
        if self._told:
            return False
        self._told = True
        await self._worker.tell("F")
        return True


@attrs.frozen
class PocketsphinxSTT:
    """The recogniser; each stream has a process of its own while it lasts."""

    _pool: Pool

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[STTStream]:
        """Open a recognition."""
        opening = json.dumps(_request(options)).encode()
        async with self._pool.worker(opening) as worker:
            yield PocketsphinxStream(worker)


def _request(options: STTOptions) -> dict[str, object]:
    if options.format != SPEECH:
        raise ProviderRefused(ID, f"takes linear16, 16 kHz, mono; not {_shown(options)}")
    if options.language.lower().split("-")[0] != "en":
        raise ProviderRefused(ID, f"knows English (en-US) only, not {options.language!r}")
    if options.model not in (None, _MODEL):
        raise ProviderRefused(ID, f"has the model {_MODEL!r} only, not {options.model!r}")
    own = options.options or PocketsphinxOptions()
    asked = (own.end_of_speech, options.endpointing, options.utterance_end)
    silence = next((wish for wish in asked if wish is not None), _END_OF_SPEECH)
    return {
        "silence": min(max(silence, 0.1), 10.0),
        "sensitivity": own.sensitivity,
        "interims": options.interim_results,
    }


def _shown(options: STTOptions) -> str:
    audio = options.format
    return f"{audio.encoding}, {audio.sample_rate} Hz, {audio.channels} channel(s)"


@asynccontextmanager
async def open_pocketsphinx(context: PluginContext) -> AsyncIterator[Plugin]:
    """Start the first recogniser process, so that the first session need not wait for its model."""
    async with Pool.open(Slots(ID, context.settings.concurrency)) as pool:
        yield Plugin(stt=PocketsphinxSTT(pool))


MANIFEST = Manifest(
    id=ID,
    name="PocketSphinx",
    description="Offline recognition of US English; no key, no network",
    open=open_pocketsphinx,
    aliases=("local", "sphinx"),
    version="1",
    settings=PocketsphinxSettings,
    abilities={
        Capability.STT: Ability(
            features=("streaming", "interim-results", "word-timestamps", "endpointing"),
            languages=("en-US",),
            models=(_MODEL,),
            encodings=(Encoding.LINEAR16,),
            sample_rates=(SPEECH.sample_rate,),
            limits=Limits(concurrency=_default_concurrency()),
            options=PocketsphinxOptions,
        )
    },
)
