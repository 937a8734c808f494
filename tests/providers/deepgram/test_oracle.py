"""The vendor's own SDK and our client, given the same tasks, say the same to the vendor.

The SDK runs in a process of its own, against the server that also tests our client; it checks what
the server says against its models.
"""

import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from support.servers.deepgram import OpenPlugin, query_of, rest, vendor
from support.servers.http import HTTPServer, Received, open_http_server
from support.servers.websocket import Peer, WebSocketServer, open_websocket_server
from support.stt_vendor import spoken

from capabilities import AudioFrame, Plugin, SpeechRequest, STTOptions
from providers.deepgram.options import DeepgramSTTOptions, DeepgramTTSOptions
from waav.testing import hear, say

SCRIPT = Path(__file__).parents[2] / "support/oracles/deepgram.py"
SOUND = spoken(3)
TERMS = ("Müller & Co", "100%")
TEXT = "Grüße, world."

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("deepgram") is None, reason="the vendor's SDK is not installed"
)


@attrs.frozen
class Said:
    """All that the vendor was told, by whom does not show."""

    nova: Peer
    flux: Peer
    aura: Peer
    flux_voice: Peer
    rest: Received
    models: Received


def said_to(websockets: WebSocketServer, http: HTTPServer) -> Said:
    return Said(*websockets.peers, *http.requests)


@pytest.fixture
async def servers() -> AsyncIterator[tuple[WebSocketServer, HTTPServer]]:
    async with open_websocket_server([vendor]) as websockets, open_http_server(rest) as http:
        yield websockets, http


async def run_sdk(websockets: WebSocketServer, http: HTTPServer) -> list[list[Any]]:
    """Let the SDK do the tasks; return what it made of the answers."""
    # -P: the script has the name of the package that it imports.
    command = [sys.executable, "-P", str(SCRIPT), websockets.url, http.url]
    with trio.fail_after(60):
        run = await trio.run_process(command, stdin=SOUND, capture_stdout=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


async def run_ours(opened: OpenPlugin, websockets: WebSocketServer, http: HTTPServer) -> None:
    nova = STTOptions(
        keywords=TERMS,
        diarize=True,
        utterance_end=1.0,
        options=DeepgramSTTOptions(redact=("pci", "ssn"), mip_opt_out=True),
    )
    flux = STTOptions(
        model="flux-general-multi",
        language="de",
        utterance_end=2.0,
        keywords=TERMS,
        options=DeepgramSTTOptions(eot_threshold=0.8),
    )
    async with opened(websockets.url) as plugin:
        await hear(_stt(plugin), AudioFrame(SOUND), nova)
        await hear(_stt(plugin), AudioFrame(SOUND), flux)
        await say(_tts(plugin), SpeechRequest(TEXT, speed=1.2))
        await say(_tts(plugin), SpeechRequest(TEXT, voice="flux-alexis-en"))
    async with opened(http.url) as plugin:
        by_rest = DeepgramTTSOptions(transport="rest")
        await say(_tts(plugin), SpeechRequest(TEXT, options=by_rest))
        await _tts(plugin).voices()


def _stt(plugin: Plugin) -> Any:
    return plugin.stt


def _tts(plugin: Plugin) -> Any:
    return plugin.tts


async def both(
    opened: OpenPlugin, servers: tuple[WebSocketServer, HTTPServer]
) -> tuple[Said, Said]:
    """Return what the SDK said, and what we said."""
    websockets, http = servers
    await run_sdk(websockets, http)
    sdk = said_to(websockets, http)
    websockets.peers.clear()
    http.requests.clear()
    await run_ours(opened, websockets, http)
    return sdk, said_to(websockets, http)


async def test_the_sdk_understands_the_scripted_vendor(
    servers: tuple[WebSocketServer, HTTPServer],
) -> None:
    """Else the tests of our client would show nothing."""
    told = await run_sdk(*servers)
    kinds = [line[2] for line in told if line[0] == "nova"]
    assert kinds == ["ListenV1Results"] * 3 + ["ListenV1Metadata"]
    kinds = [line[2] for line in told if line[0] == "flux"]
    assert kinds == ["ListenV2Connected"] + ["ListenV2TurnInfo"] * 3
    for voice in ("aura", "flux-voice", "rest"):
        assert sum(line[2] for line in told if line[:2] == [voice, "sound"]) > 0
    assert len([line for line in told if line[0] == "voices"]) == 3


async def test_we_ask_as_the_sdk_asks(
    opened: OpenPlugin, servers: tuple[WebSocketServer, HTTPServer]
) -> None:
    """The same path, the same query, the same key in the same header."""
    sdk, ours = await both(opened, servers)
    for each in ("nova", "flux", "aura", "flux_voice"):
        theirs, own = getattr(sdk, each), getattr(ours, each)
        assert own.path.partition("?")[0] == theirs.path.partition("?")[0]
        assert query_of(own.path) == query_of(theirs.path)
        assert own.headers["Authorization"] == theirs.headers["Authorization"]
    for each in ("rest", "models"):
        theirs, own = getattr(sdk, each), getattr(ours, each)
        assert own.method == theirs.method
        assert own.target.partition("?")[0] == theirs.target.partition("?")[0]
        assert own.headers["authorization"] == theirs.headers["authorization"]
        assert own.body == theirs.body
    assert query_of(ours.rest.target) == query_of(sdk.rest.target)
    assert ours.rest.headers["content-type"] == sdk.rest.headers["content-type"]


async def test_we_say_what_the_sdk_says(
    opened: OpenPlugin, servers: tuple[WebSocketServer, HTTPServer]
) -> None:
    """The same sound as bare bytes, and the same messages."""
    sdk, ours = await both(opened, servers)
    for each in ("nova", "flux"):
        assert _sound(getattr(ours, each)) == _sound(getattr(sdk, each)) == SOUND
    # Both of the two before the end are for streams that pause: the script says them to be compared
    # with ours, and a recording that is sent at once needs neither.
    assert _told(sdk.nova) == [{"type": "KeepAlive"}, {"type": "Finalize"}, *_told(ours.nova)]
    assert _told(ours.nova) == _told(ours.flux) == _told(sdk.flux) == [{"type": "CloseStream"}]
    # The script wants no more where all has been said, as we do when we are interrupted.
    for name, stop in (("aura", "Clear"), ("flux_voice", "Interrupt")):
        theirs = _told(getattr(sdk, name))
        assert theirs[2] == {"type": stop}
        assert _told(getattr(ours, name)) == theirs[:2] + theirs[3:]


def test_the_messages_that_only_a_pause_or_an_interruption_brings_are_the_sdks() -> None:
    from deepgram.listen.v1.types import ListenV1Finalize, ListenV1KeepAlive
    from deepgram.speak.v1.types import SpeakV1Clear
    from deepgram.speak.v2.types import SpeakV2Interrupt

    from providers.deepgram.stt_wire import FINALIZE, KEEP_ALIVE
    from providers.deepgram.tts_wire import plan

    clear, _ = plan(SpeechRequest(TEXT)).end(early=True)
    interrupt, _ = plan(SpeechRequest(TEXT, voice="flux-alexis-en")).end(early=True)
    for message, model in (
        (FINALIZE, ListenV1Finalize(type="Finalize")),
        (KEEP_ALIVE, ListenV1KeepAlive(type="KeepAlive")),
        (clear, SpeakV1Clear(type="Clear")),
        (interrupt, SpeakV2Interrupt()),
    ):
        assert json.loads(str(message)) == model.model_dump(exclude_none=True)


def _sound(peer: Peer) -> bytes:
    return b"".join(each for each in peer.messages if isinstance(each, bytes))


def _told(peer: Peer) -> Sequence[Any]:
    return [json.loads(each) for each in peer.messages if isinstance(each, str)]
