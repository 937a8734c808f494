"""What the vendor's own SDK says, recorded in ``sdk.json``; and that our client says the same.

``WAAV_ORACLE_OPENAI`` names a Python that has ``openai[realtime]==3.52.0``; with it the SDK is run
again, and must still say what was recorded. With ``WAAV_ORACLE_RECORD`` too it is recorded anew.
"""

import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from support.servers.http import HTTPServer, Received, open_http_server
from support.servers.openai import (
    LIVE,
    OpenAPI,
    converse,
    fields_of,
    file_of,
    openai,
    spoken,
)
from support.servers.websocket import (
    Peer,
    WebSocketServer,
    accept,
    open_websocket_server,
)

from capabilities import Delivery, Feeling, SpeechRequest, STTOptions
from capabilities.llm import ChatRequest, Message, Role
from providers._common.buffered import Utterance, wav_file
from providers.openai.llm import OpenAILLM
from providers.openai.options import OpenAISTTOptions
from providers.openai.stt import OpenAISTT
from providers.openai.tts import OpenAITTS
from waav.testing.talk import hear, say

RECORDING = Path(__file__).with_name("sdk.json")
SCRIPT = Path(__file__).parents[2] / "support" / "oracles" / "openai.py"
SOUND = spoken(2)
KEY = "made-up-key"
_OURS = ("authorization", "openai-organization", "openai-project")
"""Headers that say who pays; the other ones are the SDK's talk about itself."""


@pytest.fixture
def recording() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(RECORDING.read_text())
    return told


@asynccontextmanager
async def both_servers() -> AsyncIterator[tuple[HTTPServer, WebSocketServer]]:
    async with (
        open_http_server(openai) as http,
        open_websocket_server((accept, converse)) as live,
    ):
        yield http, live


def who_pays(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those headers, without the key itself."""
    return {name: headers.get(name, "").replace(KEY, "***") for name in _OURS}


def shown(request: Received) -> dict[str, Any]:
    """Return what matters of a request."""
    told: dict[str, Any] = {
        "request": f"{request.method} {request.target}",
        "headers": who_pays(request.headers),
    }
    if request.headers["content-type"].startswith("multipart/form-data"):
        file = file_of(request)
        told |= {"fields": fields_of(request), "file": [file.name, file.filename, file.kind]}
    else:
        told["json"] = request.json
    return told


def shown_session(peer: Peer) -> dict[str, Any]:
    """Return what matters of a session."""
    messages = [json.loads(message) for message in peer.messages]
    sound = sum(len(each.get("audio", "")) for each in messages)
    others = [each for each in messages if "audio" not in each]
    return {
        "request": peer.path,
        "headers": who_pays(peer.headers),
        "subprotocol": peer.headers.get("Sec-WebSocket-Protocol"),
        "kinds": [each["type"] for each in messages],
        "sound": sound,
        "others": others,
    }


async def test_our_client_says_what_the_sdk_says(
    open_api: OpenAPI, recording: dict[str, Any]
) -> None:
    async with both_servers() as (http, live):
        async with open_api(http.url, organization="org-1", project="proj-1") as api:
            await _by_files(OpenAISTT(api))
            told = Feeling(delivery=Delivery.WHISPERED)
            await say(OpenAITTS(api), SpeechRequest("Hello world.", feeling=told, speed=1.5))
            question = ChatRequest((Message(Role.USER, "Hello?"),), temperature=0.5, max_tokens=100)
            async with OpenAILLM(api).chat(question) as events:
                async for _ in events:
                    pass
        async with open_api(live.url, organization="org-1", project="proj-1") as api:
            options = STTOptions(format=LIVE, model="gpt-realtime-whisper")
            await hear(OpenAISTT(api), SOUND, options, step=1.0)
        ours = [shown(request) for request in http.requests]
        session = shown_session(live.peers[0])
    assert ours == recording["http"]
    _compare_sessions(session, recording["live"])


async def _by_files(stt: OpenAISTT) -> None:
    own = OpenAISTTOptions(
        prompt="a report",
        temperature=0.25,
        languages=("en", "fr"),
        logprobs=True,
        chunking_strategy="server_vad",
        vad_threshold=0.4,
    )
    options = STTOptions(format=LIVE, options=own, keywords=("WaaV", "Ada"))
    await hear(stt, SOUND, options)
    words = attrs.evolve(
        options, model="whisper-1", word_timestamps=True, options=None, keywords=()
    )
    await hear(stt, SOUND, words)
    events = attrs.evolve(options, options=OpenAISTTOptions(stream=True), keywords=())
    await hear(stt, SOUND, events)


def _compare_sessions(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for name in ("request", "headers", "subprotocol", "sound"):
        assert ours[name] == theirs[name], name
    # We name our commits, so that an error can be told to be about one of them.
    update, commit = ours["others"]
    assert commit.pop("event_id") == "commit-0.800"
    assert [update, commit] == theirs["others"]
    # We send sound as it comes, in more than one message.
    assert sorted(set(ours["kinds"])) == sorted(set(theirs["kinds"]))


@pytest.mark.skipif(
    "WAAV_ORACLE_OPENAI" not in os.environ, reason="the SDK has its own environment"
)
async def test_the_sdk_says_what_was_recorded_and_takes_what_our_server_says() -> None:
    wav = wav_file(Utterance(SOUND.data, LIVE, 0.0))
    async with both_servers() as (http, live):
        command = [os.environ["WAAV_ORACLE_OPENAI"], str(SCRIPT), http.url, live.url]
        run = partial(subprocess.run, command, input=wav, capture_output=True, timeout=60)
        done = await trio.to_thread.run_sync(run)
        assert done.returncode == 0, done.stderr.decode()
        told = {
            "sdk": "openai 3.52.0",
            "http": [shown(request) for request in http.requests],
            "live": shown_session(live.peers[0]),
            "made of the answers": [json.loads(line) for line in done.stdout.splitlines()],
        }
    if "WAAV_ORACLE_RECORD" in os.environ:
        RECORDING.write_text(json.dumps(told, indent=1) + "\n")
    assert told == json.loads(RECORDING.read_text())


def test_the_recording_holds_no_key() -> None:
    assert KEY not in RECORDING.read_text()
