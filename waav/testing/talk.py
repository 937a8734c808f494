"""Talk to an implementer without a gateway: open its plugin, hear a recording, say a text."""

import logging
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from capabilities import (
    STT,
    TTS,
    AudioFrame,
    Manifest,
    Plugin,
    PluginContext,
    Secret,
    SpeechRequest,
    STTOptions,
    STTStream,
    Transcript,
    VADStream,
)
from waav.tasks import open_scoped_nursery
from waav.testing.audio import cut


def open_manifest(
    manifest: Manifest,
    settings: Any = None,
    *,
    credentials: Mapping[str, Secret] | None = None,
    requires: Mapping[str, Plugin] | None = None,
) -> AbstractAsyncContextManager[Plugin]:
    """Open a plugin as the gateway would, with its default settings if None are given."""
    return manifest.open(
        PluginContext(
            id=manifest.id,
            settings=manifest.settings() if settings is None else settings,
            credentials=credentials or {},
            requires=requires or {},
            data_dir=None,
            log=logging.getLogger(f"waav.plugin.{manifest.id}"),
        )
    )


async def hear(
    stt: STT, sound: AudioFrame, options: STTOptions | None = None, *, step: float = 0.02
) -> list[Transcript]:
    """Push all of a recording, in frames of ``step`` seconds, and return all transcripts."""
    frames = cut(sound, sound.format.size(step))
    async with (
        stt.connect(options or STTOptions(format=sound.format)) as stream,
        open_scoped_nursery("the recognition has ended") as nursery,
    ):
        nursery.start_soon(push, stream, frames, name="testing/push")
        return [transcript async for transcript in stream]


async def say(tts: TTS, request: SpeechRequest) -> list[AudioFrame]:
    """Return the sound of a text."""
    async with tts.synthesize(request) as frames:
        return [frame async for frame in frames]


async def push(stream: STTStream | VADStream, frames: Iterable[AudioFrame]) -> None:
    """Send frames as fast as they are taken, and finish."""
    for frame in frames:
        await stream.send(frame)
    await stream.finish()
