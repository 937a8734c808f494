"""Voice activity with Silero's network: no key, no network, one worker thread for all streams.

A session's whole watch is one call::

    vad = plugins.vad("silero")

    async def watch(raw: VAD) -> None:
        async with raw.watch(VADOptions(format=SPEECH)) as stream, trio.open_nursery() as nursery:
            nursery.start_soon(send_all, stream, name="session/vad/send")   # send(), then finish()
            async for event in stream:
                ...                          # SpeechStarted(at), SpeechStopped(at), in turn

    await vad.run(watch)

Sound is linear16, mono, at any rate, in frames of any size. ``at`` is in seconds of the sound that
was sent, on a grid of 32 ms. A start comes 0.1 s after the voice began, a stop 0.3 s after it ended
(``min_speech``, ``min_silence``), each up to 0.05 s later for the chunk, the tick and the call.
Somebody must iterate: behind 16 unread events the sender waits.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from capabilities import Ability, Capability, Encoding, Limits, Manifest, Plugin, PluginContext

ID = "silero"
_MANY = 512


@attrs.frozen
class SileroSettings:
    """``[plugins.providers.silero]``; the last three are for sessions that do not choose."""

    concurrency: int = attrs.field(default=_MANY, validator=attrs.validators.in_(range(1, 4097)))
    """Streams at one time. One core hears some 500 that all talk at once; silence costs nothing."""
    threshold: float = attrs.field(
        default=0.5, validator=[attrs.validators.ge(0.0), attrs.validators.le(1.0)]
    )
    """0 to 1: how sure it must be of a voice."""
    min_speech: float = attrs.field(
        default=0.1, validator=[attrs.validators.ge(0.0), attrs.validators.le(60.0)]
    )
    """Seconds of voice that count as speech."""
    min_silence: float = attrs.field(
        default=0.3, validator=[attrs.validators.ge(0.0), attrs.validators.le(60.0)]
    )
    """Seconds of silence that end it."""


@asynccontextmanager
async def open_silero(context: PluginContext) -> AsyncIterator[Plugin]:
    """Load the network; onnxruntime is imported here, not before."""
    from providers.local.silero_vad import open_vad  # noqa: PLC0415 - see above

    async with open_vad(context.settings) as plugin:
        yield plugin


MANIFEST = Manifest(
    id=ID,
    name="Silero VAD",
    description="Tells a voice from silence and noise; no key, no network",
    open=open_silero,
    aliases=("local", "silero-vad"),
    version="1",
    settings=SileroSettings,
    abilities={
        Capability.VAD: Ability(
            features=("streaming",),
            encodings=(Encoding.LINEAR16,),
            limits=Limits(concurrency=_MANY),
        )
    },
)
