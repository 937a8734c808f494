"""The vendor's own SDK and our client, given the same tasks, say the same to the vendor.

What the SDK said is in ``tests/oracles/elevenlabs.json``; see "Oracles" in docs/contributing.md.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import attrs
import pytest
from oracles.record.elevenlabs import SOUND, open_servers
from oracles.recordings import recording
from oracles.sessions import Shown, differences

from capabilities import (
    STT,
    TTS,
    AudioFormat,
    AudioFrame,
    CloneRequest,
    Encoding,
    Plugin,
    SpeechRequest,
    STTOptions,
    VoiceCloning,
    VoiceSample,
)
from providers.elevenlabs.options import (
    AudioEffects,
    ElevenLabsSTTOptions,
    ElevenLabsTTSOptions,
    Pronunciations,
)
from waav.testing import hear, say

Open = Callable[..., AbstractAsyncContextManager[Plugin]]

TEXT = "Hello world. How are you today?"
# What the SDK says about itself, and may as well be left out.
SELF = [
    f"- headers: x-fern-{name}"
    for name in ("language", "platform", "runtime", "sdk-name", "sdk-version")
]
# We do not ask for compressed messages: sound in base64 gains little, and waits.
PLAIN = "- headers: sec-websocket-extensions"

LISTENED = {
    "listen": STTOptions(
        keywords=("R&D", "Müller"),
        filler_words=False,
        endpointing=0.5,
        options=ElevenLabsSTTOptions(commit_strategy="manual", include_language_detection=True),
    ),
    "listen with all": STTOptions(
        format=AudioFormat(Encoding.MULAW, 8000),
        language="de-DE",
        options=ElevenLabsSTTOptions(
            secondary_languages=("en", "fr"),
            vad_silence_threshold_secs=0.75,
            vad_threshold=0.4,
            min_speech_duration_ms=100,
            min_silence_duration_ms=200,
            no_verbatim=False,
            entity_detection=("pii", "phi"),
            entity_redaction=("pci",),
            entity_redaction_mode="entity_type",
            filter_background_audio=True,
            enable_logging=False,
        ),
    ),
}
BY_SOCKET = SpeechRequest(
    TEXT,
    options=ElevenLabsTTSOptions(
        transport="websocket", stability=0.4, similarity_boost=0.7, chunk_length_schedule=(50,)
    ),
)
SPOKEN = {
    "speak": SpeechRequest(
        TEXT,
        language="en-US",
        speed=1.1,
        options=ElevenLabsTTSOptions(
            seed=7,
            enable_logging=False,
            stability=0.4,
            similarity_boost=0.7,
            style=0.1,
            use_speaker_boost=True,
        ),
    ),
    "speak with all": SpeechRequest(
        TEXT,
        model="eleven_multilingual_v2",
        format=AudioFormat(Encoding.MP3, 44100),
        options=ElevenLabsTTSOptions(
            output_format="mp3_44100_192",
            optimize_streaming_latency=2,
            pronunciation_dictionary_locators=(
                Pronunciations(pronunciation_dictionary_id="words", version_id="one"),
            ),
            previous_text="So it was.",
            next_text="So it will be.",
            previous_request_ids=("a", "b"),
            next_request_ids=("c",),
            use_pvc_as_ivc=True,
            apply_text_normalization="on",
            apply_language_text_normalization=True,
            audio_effects=AudioEffects(filter_preset_id="radio", distance=0.5, pan=-1.0),
        ),
    ),
}
CLONE = CloneRequest(
    name="Grüße",
    description="A voice.",
    labels={"accent": "none"},
    remove_background_noise=True,
    samples=(VoiceSample(SOUND, "audio/wav"), VoiceSample(SOUND, "audio/mpeg")),
)


@attrs.frozen
class Parts:
    """What the plugin brings."""

    stt: STT
    tts: TTS
    cloning: VoiceCloning

    @classmethod
    def of(cls, plugin: Plugin) -> "Parts":
        assert plugin.stt is not None
        assert plugin.tts is not None
        assert plugin.cloning is not None
        return cls(plugin.stt, plugin.tts, plugin.cloning)


@pytest.fixture(scope="module")
def theirs() -> Shown:
    return recording("elevenlabs")


@pytest.fixture
async def ours(open_plugin: Open) -> Shown:
    """What our client says, given the same tasks."""
    async with open_servers() as servers:
        async with open_plugin(servers.websockets.url) as plugin:
            by_socket = Parts.of(plugin)
            for name, options in LISTENED.items():
                sound = b"" if name.endswith("all") else SOUND
                await hear(by_socket.stt, AudioFrame(sound, options.format), options)
            await say(by_socket.tts, BY_SOCKET)
        async with open_plugin(servers.http.url) as plugin:
            by_http = Parts.of(plugin)
            for request in SPOKEN.values():
                await say(by_http.tts, request)
            await by_http.tts.voices()
            made = await by_http.cloning.clone(CLONE)
            await by_http.cloning.voice(made.id)
            await by_http.cloning.delete(made.id)
        return await servers.shown()


async def test_we_listen_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    chunk = '"audio_base_64": "", "commit": false, "message_type": "input_audio_chunk"'
    size = len(SOUND)
    assert differences(ours["listen"], theirs["listen"]) == sorted(
        [
            PLAIN,
            # The SDK says that there is no text before; we say nothing, as it does in its commit.
            f'+ messages: ["sound", {size}, {{{chunk}, "sample_rate": 16000}}]',
            f'- messages: ["sound", {size}, {{{chunk}, "previous_text": null, "sample_rate": 16000}}]',
        ]
    )
    assert differences(ours["listen with all"], theirs["listen with all"]) == [PLAIN]


async def test_we_speak_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    for name in SPOKEN:
        assert differences(ours[name], theirs[name]) == sorted(SELF), name


async def test_we_speak_by_websocket_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    first = (
        '"text": " "',
        '"voice_settings": {"similarity_boost": 0.7, "stability": 0.4}',
        '"generation_config": {"chunk_length_schedule": [50]}',
    )
    told = differences(ours["speak by socket"], theirs["speak by socket"])
    # The SDK feeds texts that come in pieces, and asks for sound at each piece. We have the whole
    # text, whose end says the same.
    eager = '"try_trigger_generation": true'
    assert told == sorted(
        [
            *SELF,
            PLAIN,
            '+ messages: [1, {"text": "Hello world. How are you today? "}]',
            f'- messages: [1, {{"text": "Hello world. How are you today? ", {eager}}}]',
            f"+ messages: [1, {{{', '.join(sorted(first))}}}]",
            f"- messages: [1, {{{', '.join(sorted((*first, eager)))}}}]",
        ]
    )


async def test_we_list_the_voices_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    for name in ("voices", "more voices", "last voices"):
        assert differences(ours[name], theirs[name]) == sorted(SELF), name


async def test_we_clone_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    for name in ("clone", "cloned voice", "removal of the voice"):
        assert differences(ours[name], theirs[name]) == sorted(SELF), name
