"""Deepgram: speech to text with Nova and Flux, text to speech with Aura and Flux voices."""

from contextlib import AbstractAsyncContextManager

from capabilities import Ability, Capability, Encoding, Limits, Manifest, Plugin, PluginContext
from providers._common.settings import VendorSettings
from providers.deepgram.names import ID, KEY, NAME, STT_MODEL, TTS_MODEL
from providers.deepgram.options import DeepgramSTTOptions, DeepgramTTSOptions

__all__ = ["MANIFEST"]


def _open(context: PluginContext) -> AbstractAsyncContextManager[Plugin]:
    # Only now: HTTP and TLS take their time, and whoever lists providers needs neither.
    from providers.deepgram.plugin import open_plugin  # noqa: PLC0415

    return open_plugin(context)


MANIFEST = Manifest(
    id=ID,
    name=NAME,
    description="Streaming recognition with turn detection, and low-latency voices",
    open=_open,
    version="1",
    settings=VendorSettings,
    credentials=(KEY,),
    abilities={
        Capability.STT: Ability(
            features=(
                "streaming",
                "interim-results",
                "word-timestamps",
                "endpointing",
                "utterance-end",
                "speech-started",
                "keywords",
                "speaker-diarization",
                "profanity-filter",
                "smart-format",
                "filler-words",
            ),
            languages=("en", "es", "fr", "de", "it", "pt", "nl", "ja", "ko", "zh", "multi"),
            models=(
                STT_MODEL,
                "nova-3-medical",
                "nova-2",
                "flux-general-en",
                "flux-general-multi",
            ),
            encodings=(
                Encoding.LINEAR16,
                Encoding.MULAW,
                Encoding.ALAW,
                Encoding.OPUS,
                Encoding.OGG,
                Encoding.FLAC,
            ),
            channels=2,
            limits=Limits(idle_timeout=10.0),
            options=DeepgramSTTOptions,
        ),
        Capability.TTS: Ability(
            features=("streaming", "speed"),
            languages=("en", "es", "de", "fr", "nl", "it", "ja"),
            models=(TTS_MODEL,),
            encodings=(
                Encoding.LINEAR16,
                Encoding.MULAW,
                Encoding.ALAW,
                Encoding.MP3,
                Encoding.OGG,
                Encoding.FLAC,
                Encoding.AAC,
            ),
            # 22050 is what mp3 and aac have.
            sample_rates=(24000, 8000, 16000, 22050, 32000, 48000),
            speeds=(0.7, 1.5),
            limits=Limits(longest_session=3600.0, text_bytes=2000),
            options=DeepgramTTSOptions,
        ),
    },
)
