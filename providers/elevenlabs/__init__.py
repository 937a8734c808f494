"""ElevenLabs: the Scribe recogniser in real time, voices over HTTP and WebSocket, cloning."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from capabilities import Ability, Capability, Limits, Manifest, Plugin, PluginContext
from providers.elevenlabs import cloning_wire, stt_query, tts_wire
from providers.elevenlabs.emotion import EXPRESSION
from providers.elevenlabs.options import ElevenLabsSTTOptions, ElevenLabsTTSOptions
from providers.elevenlabs.settings import ID, KEY, NAME, ElevenLabsSettings


@asynccontextmanager
async def open_elevenlabs(context: PluginContext) -> AsyncIterator[Plugin]:
    """Open the plugin."""
    # Whoever only lists providers need not wait for an HTTP client to be imported.
    from providers.elevenlabs.plugin import open_plugin  # noqa: PLC0415

    async with open_plugin(context) as plugin:
        yield plugin


MANIFEST = Manifest(
    id=ID,
    name=NAME,
    description="Scribe v2 Realtime, and expressive voices in many languages",
    open=open_elevenlabs,
    aliases=("eleven-labs",),
    version="1",
    settings=ElevenLabsSettings,
    credentials=(KEY,),
    abilities={
        Capability.STT: Ability(
            features=(
                "streaming",
                "interim-results",
                "word-timestamps",
                "endpointing",
                "keywords",
                "filler-words",
            ),
            languages=("multi",),
            models=(stt_query.MODEL,),
            encodings=stt_query.ENCODINGS,
            sample_rates=stt_query.RATES,
            options=ElevenLabsSTTOptions,
        ),
        Capability.TTS: Ability(
            features=("streaming", "speed", "word-timestamps"),
            languages=("multi",),
            models=tts_wire.MODELS,
            encodings=tts_wire.ENCODINGS,
            sample_rates=tts_wire.RATES,
            speeds=tts_wire.SPEEDS,
            expression=EXPRESSION,
            limits=Limits(text_bytes=5000),
            options=ElevenLabsTTSOptions,
        ),
        Capability.CLONING: Ability(languages=("multi",), cloning=cloning_wire.LIMITS),
    },
)
