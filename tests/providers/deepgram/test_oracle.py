"""The vendor's own SDK and our client, given the same tasks, say the same to the vendor.

What the SDK said is in ``tests/oracles/deepgram.json``; see "Oracles" in docs/contributing.md.
"""

import json

import pytest
from oracles.record.deepgram import SOUND, open_servers
from oracles.recordings import recording
from oracles.sessions import Shown, differences
from support.servers.deepgram import OpenPlugin

from capabilities import STT, TTS, AudioFormat, AudioFrame, Encoding, SpeechRequest, STTOptions
from providers.deepgram.options import DeepgramSTTOptions, DeepgramTTSOptions
from providers.deepgram.stt_wire import FINALIZE, KEEP_ALIVE
from providers.deepgram.tts_wire import plan
from waav.testing import hear, say

TERMS = ("Müller & Co", "100%")
TEXT = "Grüße, world."
FLUX, FLUX_VOICE = "flux-general-multi", "flux-alexis-en"
# What the SDK says about itself, and may as well be left out.
SELF = [
    f"- headers: {name}"
    for name in (
        "x-deepgram-session-id",
        "x-fern-language",
        "x-fern-platform",
        "x-fern-runtime",
        "x-fern-sdk-name",
        "x-fern-sdk-version",
    )
]
# We do not ask for compressed messages: they are short, and sound does not get smaller.
SOCKET = [*SELF, "- headers: sec-websocket-extensions"]

LISTENED = {
    "nova": STTOptions(
        keywords=TERMS,
        diarize=True,
        utterance_end=1.0,
        options=DeepgramSTTOptions(redact=("pci", "ssn"), mip_opt_out=True),
    ),
    "nova with all": STTOptions(
        format=AudioFormat(Encoding.MULAW, 8000, 2),
        language="multi",
        punctuation=False,
        smart_format=True,
        profanity_filter=True,
        endpointing=0.3,
        keywords=TERMS,
        options=DeepgramSTTOptions(
            version="2026-01-01.0",
            language_hint=("de", "en"),
            multichannel=True,
            numerals=True,
            dictation=True,
            diarize_model="v1",
            vad_events=True,
            keywords=("WaaV:2",),
            redact=("numbers",),
            detect_entities=True,
            replace=("one:1",),
            search=("two",),
            extra=("a:b",),
            tag=("x", "y"),
            mip_opt_out=False,
        ),
    ),
    "flux": STTOptions(
        model=FLUX,
        language="de",
        utterance_end=2.0,
        keywords=TERMS,
        options=DeepgramSTTOptions(eot_threshold=0.8),
    ),
    "flux with all": STTOptions(
        format=AudioFormat(Encoding.ALAW, 8000),
        model=FLUX,
        profanity_filter=True,
        keywords=TERMS,
        options=DeepgramSTTOptions(
            eot_threshold=0.9,
            eager_eot_threshold=0.4,
            eot_timeout_ms=700,
            language_hint=("de", "en"),
            numerals=True,
            redact=("numbers",),
            tag=("x", "y"),
            mip_opt_out=True,
        ),
    ),
}
BY_SOCKET = {
    "aura": SpeechRequest(TEXT, speed=1.2),
    "flux voice": SpeechRequest(
        TEXT,
        voice=FLUX_VOICE,
        speed=1.1,
        options=DeepgramTTSOptions(expressivity=0.5, tag=("x",), mip_opt_out=True),
    ),
}
BY_REST = {
    "rest": SpeechRequest(TEXT, options=DeepgramTTSOptions(transport="rest")),
    "rest with all": SpeechRequest(
        TEXT,
        format=AudioFormat(Encoding.MP3, 22050),
        speed=1.2,
        options=DeepgramTTSOptions(bit_rate=32000, tag=("x", "y"), mip_opt_out=True),
    ),
}


@pytest.fixture(scope="module")
def theirs() -> Shown:
    return recording("deepgram")


@pytest.fixture
async def ours(opened: OpenPlugin) -> Shown:
    """What our client says, given the same tasks."""
    async with open_servers() as servers:
        async with opened(servers.websockets.url) as plugin:
            stt, tts = parts(plugin.stt, plugin.tts)
            for name, options in LISTENED.items():
                sound = b"" if name.endswith("all") else SOUND
                await hear(stt, AudioFrame(sound, options.format), options)
            for request in BY_SOCKET.values():
                await say(tts, request)
        async with opened(servers.http.url) as plugin:
            _, tts = parts(plugin.stt, plugin.tts)
            for request in BY_REST.values():
                await say(tts, request)
            await tts.voices()
        return await servers.shown()


def parts(stt: STT | None, tts: TTS | None) -> tuple[STT, TTS]:
    assert stt is not None
    assert tts is not None
    return stt, tts


async def test_we_listen_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    assert differences(ours["nova"], theirs["nova"]) == sorted(
        [
            *SOCKET,
            # Both are for streams that pause, and a recording that comes at once has no pauses: the
            # program says them so that ours can be compared with them, below.
            '- messages: [1, {"type": "KeepAlive"}]',
            '- messages: [1, {"type": "Finalize"}]',
        ]
    )
    for name in ("nova with all", "flux", "flux with all"):
        assert differences(ours[name], theirs[name]) == sorted(SOCKET), name


async def test_we_speak_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    # What stops a voice is said only where not all was heard; also compared below.
    for name, stop in (("aura", "Clear"), ("flux voice", "Interrupt")):
        unsaid = f'- messages: [1, {{"type": "{stop}"}}]'
        assert differences(ours[name], theirs[name]) == sorted([*SOCKET, unsaid]), name
    for name in BY_REST:
        assert differences(ours[name], theirs[name]) == sorted(SELF), name


async def test_we_list_the_voices_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    assert differences(ours["voices"], theirs["voices"]) == sorted(SELF)


def test_the_messages_that_only_a_pause_or_an_interruption_brings_are_the_sdks(
    theirs: Shown,
) -> None:
    clear, _ = plan(BY_SOCKET["aura"]).end(early=True)
    interrupt, _ = plan(BY_SOCKET["flux voice"]).end(early=True)
    for name, message in (
        ("nova", KEEP_ALIVE),
        ("nova", FINALIZE),
        ("aura", clear),
        ("flux voice", interrupt),
    ):
        assert [1, json.loads(message)] in theirs[name]["messages"]
