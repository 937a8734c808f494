"""The vendor's own client and ours, given the same task, say the same to the same server.

Where they differ, the reason stands beside the assertion.
"""

import json
import sys
from base64 import b64decode
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import trio
from support.servers.elevenlabs import (
    VOICES,
    Scribe,
    StreamInput,
    audio,
    committed,
    partial,
    problem,
    query_of,
    serve_http,
    sound_of,
    started,
    voice,
    voices_page,
)
from support.servers.http import Received, open_http_server
from support.servers.websocket import Peer, open_websocket_server
from support.stt_vendor import spoken

from capabilities import AudioFrame, Final, Plugin, SpeechRequest, STTOptions
from providers.elevenlabs.options import ElevenLabsSTTOptions, ElevenLabsTTSOptions
from waav.testing import hear, say

Open = Callable[..., AbstractAsyncContextManager[Plugin]]

SCRIPT = Path(__file__).parents[2] / "support/oracles/elevenlabs.py"
TEXT = "Hello world. How are you today?"
SOUND = spoken(2)


async def vendor_does(task: str, url: str = "", stdin: bytes = b"") -> Any:
    """Run the SDK; return what it made of the answers."""
    with trio.fail_after(60):
        done = await trio.run_process(
            [sys.executable, "-P", str(SCRIPT), task, url], stdin=stdin, capture_stdout=True
        )
    return json.loads(done.stdout)


def sound_in(messages: list[str | bytes]) -> bytes:
    return b"".join(b64decode(json.loads(each)["audio_base_64"]) for each in messages)


async def test_the_recogniser(open_plugin: Open) -> None:
    async with (
        open_websocket_server([Scribe()]) as server,
        open_plugin(server.url) as plugin,
    ):
        texts = await vendor_does("listen", server.url, SOUND)
        options = STTOptions(
            keywords=("R&D", "Müller"),
            filler_words=False,
            endpointing=0.5,
            options=ElevenLabsSTTOptions(commit_strategy="manual", include_language_detection=True),
        )
        assert plugin.stt is not None
        said = await hear(plugin.stt, AudioFrame(SOUND), options)
        theirs, ours = server.peers
    assert texts == ["0 1"] == [each.text for each in said if isinstance(each, Final)]
    assert ours.path.partition("?")[0] == theirs.path.partition("?")[0]
    assert query_of(ours.path) == query_of(theirs.path)
    assert ours.headers["xi-api-key"] == theirs.headers["xi-api-key"]
    assert sound_in(ours.messages) == sound_in(theirs.messages) == SOUND
    check_chunks(theirs, ours)
    # The SDK adds a reason to its goodbye, which nobody reads.
    assert ours.close_code == theirs.close_code == 1000


def check_chunks(theirs: Peer, ours: Peer) -> None:
    their_chunks, our_chunks = (
        [json.loads(each) for each in peer.messages] for peer in (theirs, ours)
    )
    assert our_chunks[-1] == their_chunks[-1], "the commit"
    # The SDK sends null where there is no text; we leave it out, as it leaves it out of the commit.
    assert their_chunks[0].pop("previous_text") is None
    for chunk in (our_chunks[0], their_chunks[0]):
        del chunk["audio_base_64"]
    assert our_chunks[0] == their_chunks[0]


async def test_speech_over_http(open_plugin: Open) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        size = await vendor_does("speak", server.url)
        own = ElevenLabsTTSOptions(
            seed=7,
            enable_logging=False,
            stability=0.4,
            similarity_boost=0.7,
            style=0.1,
            use_speaker_boost=True,
        )
        assert plugin.tts is not None
        request = SpeechRequest(TEXT, language="en-US", speed=1.1, options=own)
        frames = await say(plugin.tts, request)
        theirs, ours = server.requests
    assert size == sum(len(frame.data) for frame in frames) == len(sound_of(TEXT, 1.1))
    check_requests(theirs, ours)
    assert ours.json == theirs.json


async def test_the_list_of_voices(open_plugin: Open) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        found = await vendor_does("voices", server.url)
        assert plugin.tts is not None
        assert sorted(found) == [each.id for each in await plugin.tts.voices()]
        half = len(VOICES)
        for theirs, ours in zip(server.requests[:half], server.requests[half:], strict=True):
            check_requests(theirs, ours)


def check_requests(theirs: Received, ours: Received) -> None:
    assert ours.method == theirs.method
    assert ours.target.partition("?")[0] == theirs.target.partition("?")[0]
    assert query_of(ours.target) == query_of(theirs.target)
    for name in ("xi-api-key", "content-type"):
        assert ours.headers.get(name) == theirs.headers.get(name)


async def test_speech_over_websocket(open_plugin: Open) -> None:
    async with (
        open_websocket_server([StreamInput()]) as server,
        open_plugin(server.url) as plugin,
    ):
        size = await vendor_does("speak-on-socket", server.url)
        own = ElevenLabsTTSOptions(
            transport="websocket",
            stability=0.4,
            similarity_boost=0.7,
            chunk_length_schedule=(50,),
        )
        assert plugin.tts is not None
        frames = await say(plugin.tts, SpeechRequest(TEXT, options=own))
        theirs, ours = server.peers
    assert size == sum(len(frame.data) for frame in frames) == len(sound_of(TEXT))
    assert ours.path == theirs.path
    assert ours.headers["xi-api-key"] == theirs.headers["xi-api-key"]
    their_first, *their_text, their_last = [json.loads(each) for each in theirs.messages]
    our_first, our_text, our_last = [json.loads(each) for each in ours.messages]
    # The SDK feeds texts that come in pieces: it asks for sound at each piece, and names the
    # settings that it was not given. We have the whole text, whose end says the same.
    del their_first["try_trigger_generation"]
    given = {name: each for name, each in their_first["voice_settings"].items() if each is not None}
    assert our_first == their_first | {"voice_settings": given}
    assert our_text["text"] == "".join(each["text"] for each in their_text)
    assert our_last == their_last == {"text": ""}


async def test_our_server_says_nothing_that_the_models_do_not_know() -> None:
    """Our imitation of the vendor is held against the vendor's own types."""
    plain, timed = committed(("hello", 0.0, 0.4), ("there", 0.5, 0.9))
    told = [
        ("SessionStartedPayload", started(commit_strategy="vad")),
        ("PartialTranscriptPayload", partial("hel")),
        ("CommittedTranscriptPayload", plain),
        ("CommittedTranscriptWithTimestampsPayload", timed),
        ("ScribeThrottledErrorPayload", problem("commit_throttled")),
        ("ScribeErrorPayload", problem("error")),
        ("AudioOutput", audio(b"\1\2")),
        ("FinalOutput", '{"isFinal": true}'),
        ("GetVoicesV2Response", json.dumps(voices_page({}))),
        ("Voice", json.dumps(voice("a"))),
        *(("TranscriptionWord", json.dumps(each)) for each in json.loads(timed)["words"]),
    ]
    stranger = (
        "PartialTranscriptPayload",
        '{"message_type": "partial_transcript", "text": "", "x": 1}',
    )
    lines = "".join(json.dumps([name, json.loads(text)]) + "\n" for name, text in [*told, stranger])
    assert await vendor_does("check", stdin=lines.encode()) == ["PartialTranscriptPayload: x"]
