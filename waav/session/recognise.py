"""A whole recording -> transcripts, without a session."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager

import trio

from capabilities import STT, AudioFrame, Transcript
from waav.audio.pipeline import Pipeline
from waav.plugins import Guarded
from waav.plugins.hearing import Meter
from waav.session.commands import STTConfig
from waav.session.listening import SEND_TASK, hand_over
from waav.session.resolve import resolve_stt
from waav.tasks import open_scoped_nursery


@asynccontextmanager
async def recognise(
    provider: Guarded[STT], config: STTConfig, frames: AsyncIterable[AudioFrame]
) -> AsyncIterator[trio.MemoryReceiveChannel[Transcript]]:
    """Recognise a recording: iterate what the block gives; nothing is dropped, nothing is paced.

    Raises:
        LimitReached: at once: the provider has as many conversations as it may have.
        ProviderError, WaavError: as for a session's listening, when the block is left.
    """
    options = resolve_stt(provider, config)
    pipeline = Pipeline(config.options.format, options.format)
    said, transcripts = trio.open_memory_channel[Transcript](0)

    async def converse(stt: STT) -> None:
        async with said, stt.connect(options) as stream, trio.open_nursery() as nursery:
            meter = Meter.start(provider.hearing)
            nursery.start_soon(hand_over, frames, pipeline, stream, meter, name=SEND_TASK)
            async for transcript in stream:
                meter.heard(transcript, trio.current_time())
                await said.send(transcript)

    place = provider.turnstile.slot(options)
    async with place, transcripts, open_scoped_nursery("enough was heard") as nursery:
        nursery.start_soon(provider.run, converse, name="recognise")
        yield transcripts
