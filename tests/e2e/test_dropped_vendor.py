"""A vendor that is cut off in the middle of what is said, and comes back or does not."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from support.clients import STT as HEARING
from support.clients import open_client
from support.gateways import gateway_before
from support.servers.deepgram import KEY, METADATA, admit, results, vendor, word
from support.servers.websocket import Close, Peer, WebSocketServer, open_websocket_server
from support.stt_vendor import spoken

from capabilities import (
    STT,
    AudioFrame,
    Final,
    Secret,
    STTOptions,
    STTStream,
)
from providers._common.settings import VendorSettings
from providers.deepgram import MANIFEST as DEEPGRAM
from providers.local.pocketsphinx import MANIFEST as LOCAL
from waav.tasks import open_scoped_nursery
from waav.testing import (
    QUESTION_TEXT,
    Fault,
    Relay,
    Transport,
    cut,
    open_manifest,
    open_relay,
    question,
    silence,
)
from waav.testing.contract import Belongings

QUESTION = question()
TWICE = AudioFrame(2 * (QUESTION.data + silence(1.0).data))
WORDS = QUESTION_TEXT.split()
STEP = 0.02


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may sit behind a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


# A vendor with Deepgram's protocol and the ears of the local recogniser.


@attrs.frozen
class HearingVendor:
    """Each connection is a recognition of its own, and forgets all when it breaks."""

    stt: STT

    async def __call__(self, peer: Peer) -> None:
        if not await admit(peer, "nova"):
            return
        async with (
            self.stt.connect(STTOptions()) as stream,
            open_scoped_nursery("all is said, or the client has left") as nursery,
        ):
            nursery.start_soon(self._listen, peer, stream)
            async for transcript in stream:
                if isinstance(transcript, Final):
                    await peer.send(told(transcript))
            await peer.send(METADATA)
            nursery.cancel_scope.cancel()
        await Close()(peer)

    async def _listen(self, peer: Peer, stream: STTStream) -> None:
        while isinstance(sound := await peer.receive(), bytes):
            await stream.send(AudioFrame(sound))
        await stream.finish()


def told(final: Final) -> str:
    words = [word(each.text, each.start, each.end) for each in final.words]
    begin, end = final.words[0].start, final.words[-1].end
    return results(final.text, begin, end - begin, *words, is_final=True, speech_final=True)


@asynccontextmanager
async def deepgram_at(url: str) -> AsyncIterator[STT]:
    settings = VendorSettings(base_url=url)
    keys = {"deepgram_api_key": Secret(KEY)}
    async with open_manifest(DEEPGRAM, settings, credentials=keys) as plugin:
        assert plugin.stt is not None
        yield plugin.stt


@asynccontextmanager
async def hearing_vendor() -> AsyncIterator[tuple[WebSocketServer, Relay]]:
    async with open_manifest(LOCAL) as local:
        assert local.stt is not None
        async with (
            open_websocket_server([HearingVendor(local.stt)]) as server,
            open_relay(server.url, Transport.WEBSOCKET) as relay,
        ):
            yield server, relay


async def speak(stream: STTStream, relay: Relay, fault: Fault, places: Sequence[float]) -> None:
    """Say it all, and cut the vendor off at these places (seconds)."""
    missing = list(places)
    for frame in cut(TWICE, TWICE.format.size(STEP)):
        if missing and frame.start >= missing[0]:
            missing.pop(0)
            # What was said so far is under way, or has been heard.
            await trio.sleep(0.3)
            relay.strike(fault)
        await stream.send(frame)
        # The vendor's ears are real and need a while: at the end they should not be far behind.
        await trio.sleep(STEP / 4)
    await stream.finish()


@pytest.mark.parametrize(
    ("fault", "places"),
    [
        (Fault.RESET, [0.9]),
        (Fault.RESET, [4.1]),
        (Fault.RESET, [0.7, 1.5, 3.6]),
        (Fault.END, [4.1]),
        (Fault.HTTP_503, [0.9]),
    ],
    ids=["in-the-first-question", "in-the-second-one", "again-and-again", "without-a-word", "busy"],
)
async def test_a_vendor_that_is_cut_off_and_comes_back_costs_no_word(
    fault: Fault, places: list[float]
) -> None:
    async with (
        hearing_vendor() as (server, relay),
        deepgram_at(relay.url) as stt,
        stt.connect(STTOptions()) as stream,
        open_scoped_nursery("all is heard") as nursery,
    ):
        nursery.start_soon(speak, stream, relay, fault, places)
        with trio.fail_after(30):
            said = [each async for each in stream if isinstance(each, Final)]
        assert len(server.peers) == len(places) + 1
    assert " ".join(final.text for final in said).split() == WORDS + WORDS
    starts = [each.start for final in said for each in final.words]
    assert starts == sorted(starts)
    assert len({round(start, 2) for start in starts}) == len(starts)


# What a client of the gateway is told.


@pytest.mark.parametrize("fault", [Fault.CLOSE_1008, Fault.HTTP_401])
async def test_a_failure_in_mid_stream_is_one_error_and_not_one_for_each_frame(
    fault: Fault,
) -> None:
    """And the session lives on; when it is over, nothing is left."""
    async with (
        open_websocket_server([vendor]) as server,
        open_relay(server.url, Transport.WEBSOCKET) as relay,
        gateway_before(relay.url) as address,
    ):
        before = Belongings.now()
        async with open_client(f"ws://{address}/ws") as client:
            await client.configure(stt_config={**HEARING, "provider": "deepgram"})
            for frame in cut(QUESTION, 640):
                if frame.start >= 0.5 and not relay.has_struck:
                    relay.strike(fault)
                await client.socket.send(frame.data)
                await trio.sleep(STEP / 4)
            # Whatever else there is to say comes before the answer to this.
            await client.send(type="no such command")
            codes: list[str] = []
            while "invalid_message" not in codes:
                message = await client.next()
                if message["type"] == "error":
                    codes.append(message["code"])
            assert codes == ["stt_error", "invalid_message"]
        await before.check_no_more("the session")


async def test_a_reset_in_mid_stream_is_nothing_that_a_client_hears_of() -> None:
    """The vendor is there again at once."""
    sound = AudioFrame(spoken(4))
    async with (
        open_websocket_server([vendor]) as server,
        open_relay(server.url, Transport.WEBSOCKET) as relay,
        gateway_before(relay.url) as address,
        open_client(f"ws://{address}/ws") as client,
    ):
        await client.configure(stt_config={**HEARING, "provider": "deepgram"})
        for frame in cut(sound, 640):
            if frame.start >= 0.5 and not relay.has_struck:
                relay.strike(Fault.RESET)
            await client.socket.send(frame.data)
            await trio.sleep(STEP / 4)
        finals = []
        while len(finals) < 4:
            message = await client.expect("stt_result")
            if message["is_final"]:
                finals.append(message["transcript"])
        assert finals == ["0", "1", "2", "3"]
