"""Google Cloud: Speech v2 and Text-to-Speech v1."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from capabilities import (
    Ability,
    Capability,
    Encoding,
    Limits,
    Manifest,
    Plugin,
    PluginContext,
)
from providers.google.options import GoogleSettings, GoogleSTTOptions, GoogleTTSOptions


@asynccontextmanager
async def _open(context: PluginContext) -> AsyncIterator[Plugin]:
    # HTTP and cryptography take a while to import, which whoever lists plugins need not wait for.
    from providers.google.plugin import open_google  # noqa: PLC0415

    async with open_google(context) as plugin:
        yield plugin


MANIFEST = Manifest(
    id="google",
    name="Google Cloud",
    description="Speech-to-Text v2 and Text-to-Speech v1",
    open=_open,
    version="1",
    settings=GoogleSettings,
    credentials=("google_credentials",),
    abilities={
        Capability.STT: Ability(
            features=(
                "streaming",
                "interim-results",
                "word-timestamps",
                "speech-started",
                "speaker-diarization",
                "profanity-filter",
                "keywords",
            ),
            languages=(
                "en-US",
                "es-ES",
                "fr-FR",
                "de-DE",
                "it-IT",
                "pt-BR",
                "nl-NL",
                "ja-JP",
                "ko-KR",
                "cmn-Hans-CN",
                "multi",
            ),
            models=(
                "latest_long",
                "latest_short",
                "telephony",
                "long",
                "short",
                "chirp_2",
                "chirp_3",
            ),
            encodings=(
                Encoding.LINEAR16,
                Encoding.MULAW,
                Encoding.ALAW,
                Encoding.FLAC,
                Encoding.OGG,
                Encoding.OPUS,
                Encoding.MP3,
                Encoding.WAV,
            ),
            sample_rates=(16000, 8000, 11025, 12000, 22050, 24000, 32000, 44100, 48000),
            limits=Limits(longest_session=300.0, frame_bytes=15 * 1024),
            options=GoogleSTTOptions,
        ),
        Capability.TTS: Ability(
            features=("streaming", "speed", "pitch", "volume", "ssml"),
            languages=("en-US", "multi"),
            encodings=(
                Encoding.LINEAR16,
                Encoding.MULAW,
                Encoding.ALAW,
                Encoding.OGG,
                Encoding.OPUS,
                Encoding.MP3,
            ),
            sample_rates=(24000, 8000, 16000, 22050, 32000, 44100, 48000),
            speeds=(0.25, 2.0),
            limits=Limits(text_bytes=5000),
            options=GoogleTTSOptions,
        ),
    },
)
