"""OpenAI: recognition by files and in realtime sessions, and speech."""

from contextlib import AbstractAsyncContextManager

from capabilities import Ability, Capability, Limits, Manifest, Plugin, PluginContext
from providers.openai.emotion import EXPRESSION
from providers.openai.formats import HEARD, SPOKEN, SPOKEN_RATE
from providers.openai.names import ID, KEY, LLM_MODEL, NAME, STT_MODELS, TTS_MODELS
from providers.openai.options import (
    OpenAILLMOptions,
    OpenAISettings,
    OpenAISTTOptions,
    OpenAITTSOptions,
)
from providers.openai.tts_wire import MOST_TEXT, SPEEDS


def _open(context: PluginContext) -> AbstractAsyncContextManager[Plugin]:
    # Whoever lists the providers need not wait for the HTTP library.
    from providers.openai.plugin import open_plugin  # noqa: PLC0415

    return open_plugin(context)


MANIFEST = Manifest(
    id=ID,
    name=NAME,
    description="Recognition with the transcribe models and whisper, by files or in realtime"
    " sessions; speech that follows instructions",
    open=_open,
    aliases=("openai-whisper",),
    version="1",
    settings=OpenAISettings,
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
            ),
            languages=("multi",),
            models=STT_MODELS,
            encodings=HEARD,
            limits=Limits(longest_session=3600.0),
            options=OpenAISTTOptions,
        ),
        Capability.TTS: Ability(
            features=("streaming", "speed"),
            languages=("multi",),
            models=TTS_MODELS,
            encodings=tuple(SPOKEN),
            sample_rates=(SPOKEN_RATE,),
            speeds=SPEEDS,
            expression=EXPRESSION,
            # Characters are what it counts; this many bytes are never more of them.
            limits=Limits(text_bytes=MOST_TEXT),
            options=OpenAITTSOptions,
        ),
        Capability.LLM: Ability(
            features=("streaming",),
            languages=("multi",),
            models=(LLM_MODEL,),
            options=OpenAILLMOptions,
        ),
    },
)
