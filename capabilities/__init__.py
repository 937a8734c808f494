"""The contracts between the gateway and what is plugged into it, and the values they speak.

Read in this order: ``audio``, ``errors``, ``stt``, ``emotion``, ``tts``, ``vad``, ``cache``, ``plugin``.
"""

from capabilities.audio import SPEECH, AudioFormat, AudioFrame, Encoding, parse_encoding
from capabilities.cache import CacheBackend
from capabilities.emotion import (
    Delivery,
    Emotion,
    Expression,
    Feeling,
    Level,
    cut_description,
    parse_delivery,
    parse_emotion,
    parse_level,
)
from capabilities.errors import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from capabilities.plugin import (
    Ability,
    Capability,
    Health,
    HealthState,
    Limits,
    Manifest,
    NoSettings,
    OpenPlugin,
    Plugin,
    PluginContext,
)
from capabilities.secret import Secret
from capabilities.stt import (
    STT,
    Final,
    Interim,
    SpeechFinal,
    STTOptions,
    STTStream,
    Transcript,
    Word,
)
from capabilities.tts import TTS, SpeechRequest, Voice
from capabilities.vad import (
    VAD,
    SpeechStarted,
    SpeechStopped,
    VADOptions,
    VADStream,
    VoiceActivity,
)

__all__ = [
    "SPEECH",
    "STT",
    "TTS",
    "VAD",
    "Ability",
    "AudioFormat",
    "AudioFrame",
    "CacheBackend",
    "Capability",
    "Delivery",
    "Emotion",
    "Encoding",
    "Expression",
    "Feeling",
    "Final",
    "Health",
    "HealthState",
    "Interim",
    "Level",
    "Limits",
    "Manifest",
    "NoSettings",
    "OpenPlugin",
    "Plugin",
    "PluginContext",
    "ProviderBusy",
    "ProviderClosed",
    "ProviderError",
    "ProviderProtocolError",
    "ProviderRefused",
    "ProviderUnavailable",
    "STTOptions",
    "STTStream",
    "Secret",
    "SpeechFinal",
    "SpeechRequest",
    "SpeechStarted",
    "SpeechStopped",
    "Transcript",
    "VADOptions",
    "VADStream",
    "Voice",
    "VoiceActivity",
    "Word",
    "cut_description",
    "parse_delivery",
    "parse_emotion",
    "parse_encoding",
    "parse_level",
]
