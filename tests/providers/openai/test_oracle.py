"""The vendor's own SDK and our client, given the same tasks, say the same to the vendor.

What the SDK said is in ``tests/oracles/openai.json``; see "Oracles" in docs/contributing.md.
"""

import pytest
from oracles.record.openai import SOUND, Servers, open_servers
from oracles.recordings import recording
from oracles.sessions import Shown, differences
from support.servers.openai import LIVE, OpenAPI

from capabilities import (
    AudioFormat,
    AudioFrame,
    Delivery,
    Encoding,
    Feeling,
    SpeechRequest,
    STTOptions,
)
from capabilities.llm import ChatRequest, Message, Role, Tool, ToolCall
from providers.openai.api import API
from providers.openai.llm import OpenAILLM
from providers.openai.options import OpenAILLMOptions, OpenAISTTOptions
from providers.openai.stt import OpenAISTT
from providers.openai.tts import OpenAITTS
from waav.testing.talk import hear, say

STAINLESS = [
    "arch",
    "async",
    "lang",
    "os",
    "package-version",
    "runtime",
    "runtime-version",
]
# What the SDK says about itself, and may as well be left out.
SESSION_SELF = [f"- headers: x-stainless-{name}" for name in STAINLESS]
SELF = [
    *SESSION_SELF,
    "- headers: x-stainless-read-timeout",
    "- headers: x-stainless-retry-count",
]
WORDS = ("WaaV", "Ada")
WHISPERED = Feeling(delivery=Delivery.WHISPERED)

FILES = {
    "file": STTOptions(
        format=LIVE,
        keywords=WORDS,
        options=OpenAISTTOptions(
            prompt="a report",
            temperature=0.25,
            languages=("en", "fr"),
            logprobs=True,
            chunking_strategy="server_vad",
            vad_threshold=0.4,
            vad_prefix_padding_ms=200,
            silence_duration_ms=300,
            flush="end",
        ),
    ),
    "words": STTOptions(
        format=LIVE,
        model="whisper-1",
        options=OpenAISTTOptions(prompt="a report", timestamp_granularities=("word", "segment")),
    ),
    "events": STTOptions(format=LIVE, options=OpenAISTTOptions(stream=True)),
    "diarized": STTOptions(
        format=LIVE,
        diarize=True,
        options=OpenAISTTOptions(
            known_speaker_names=("Ada", "Bo"),
            known_speaker_references=("data:audio/wav;base64,AA==", "data:audio/wav;base64,AQ=="),
        ),
    ),
}
SESSIONS = {
    "live": STTOptions(format=LIVE, model="gpt-realtime-whisper"),
    "live with all": STTOptions(
        format=AudioFormat(Encoding.MULAW, 8000),
        model="gpt-live-transcribe",
        keywords=WORDS,
        options=OpenAISTTOptions(
            prompt="a report",
            languages=("en", "fr"),
            logprobs=True,
            delay="low",
            noise_reduction="far_field",
            noise_reduction_strength=0.5,
            vad_threshold=0.4,
            vad_prefix_padding_ms=200,
            silence_duration_ms=300,
        ),
    ),
    "live semantic": STTOptions(
        format=AudioFormat(Encoding.ALAW, 8000),
        model="gpt-live-transcribe",
        options=OpenAISTTOptions(turn_detection="semantic_vad", eagerness="high"),
    ),
}
SPOKEN = {
    "speech": SpeechRequest("Hello world.", feeling=WHISPERED, speed=1.5),
    "speech by another voice": SpeechRequest(
        "Hello world.", voice="voice_1234", feeling=WHISPERED, speed=1.5
    ),
}
CHATS = {
    "chat": ChatRequest((Message(Role.USER, "Hello?"),), temperature=0.5, max_tokens=100),
    "chat with all": ChatRequest(
        (
            Message(Role.SYSTEM, "Be short."),
            Message(Role.USER, "What is it?"),
            Message(
                Role.ASSISTANT, tool_calls=(ToolCall("call_1", "look_up", '{"what": "WaaV"}'),)
            ),
            Message(Role.TOOL, "a gateway", tool_call_id="call_1"),
        ),
        tools=(
            Tool(
                "look_up",
                "Find it.",
                {"type": "object", "properties": {"what": {"type": "string"}}},
            ),
        ),
        tool_choice="look_up",
        options=OpenAILLMOptions(
            reasoning_effort="low",
            response_format={"type": "json_object"},
            parallel_tool_calls=False,
            top_p=0.5,
            frequency_penalty=0.5,
            presence_penalty=-0.5,
            seed=7,
            stop=("a", "b"),
            service_tier="flex",
            verbosity="low",
            prompt_cache_key="key-of-a-cache",
            safety_identifier="somebody",
            store=True,
            metadata={"a": "b"},
        ),
    ),
}


@pytest.fixture(scope="module")
def theirs() -> Shown:
    return recording("openai")


@pytest.fixture
async def servers() -> Servers:
    async with open_servers() as servers:
        yield servers


@pytest.fixture
async def ours(servers: Servers, open_api: OpenAPI) -> Shown:
    """What our client says, given the same tasks."""
    payer = {"organization": "org-1", "project": "proj-1"}
    async with open_api(servers.websockets.url, **payer) as api:
        for name, options in SESSIONS.items():
            sound = SOUND if name == "live" else AudioFrame(b"", options.format)
            await hear(OpenAISTT(api), sound, options)
    async with open_api(servers.http.url, **payer) as api:
        for options in FILES.values():
            await hear(OpenAISTT(api), SOUND, options)
        for request in SPOKEN.values():
            await say(OpenAITTS(api), request)
        for question in CHATS.values():
            await chat(api, question)
    return await servers.shown()


async def chat(api: API, question: ChatRequest) -> None:
    async with OpenAILLM(api).chat(question) as events:
        async for _ in events:
            pass


async def test_we_upload_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    for name in FILES:
        assert differences(ours[name], theirs[name]) == sorted(SELF), name


async def test_we_hold_sessions_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    # These two are of a request with a body, and a handshake has none.
    bodily = ["- headers: accept", "- headers: content-type"]
    for name in SESSIONS:
        last = "commit" if name == "live" else "clear"
        # We name these, so that an error can be told to be about one of them.
        id_ = "commit-0.800" if name == "live" else "clear"
        named = [
            f'+ messages: [1, {{"event_id": "{id_}", "type": "input_audio_buffer.{last}"}}]',
            f'- messages: [1, {{"type": "input_audio_buffer.{last}"}}]',
        ]
        expected = sorted([*SESSION_SELF, *bodily, *named])
        assert differences(ours[name], theirs[name]) == expected, name


async def test_we_speak_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    # The SDK says how its caller will read the answer.
    raw = "- headers: x-stainless-raw-response"
    for name in SPOKEN:
        assert differences(ours[name], theirs[name]) == sorted([*SELF, raw]), name


async def test_we_chat_as_the_sdk_does(ours: Shown, theirs: Shown) -> None:
    for name in CHATS:
        assert differences(ours[name], theirs[name]) == sorted(SELF), name


async def test_we_say_who_pays(ours: Shown, servers: Servers) -> None:
    """Of headers the recording has the names only."""
    told = [peer.headers for peer in servers.websockets.peers]
    for headers in (*told, *(request.headers for request in servers.http.requests)):
        assert headers["openai-organization"] == "org-1"
        assert headers["openai-project"] == "proj-1"
