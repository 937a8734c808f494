"""The link over a real WebSocket to a vendor whose connections break in the middle of a word."""

from contextlib import AbstractAsyncContextManager

import attrs
from support.servers.reach import reach
from support.servers.websocket import Peer, drop, drop_in_mid_frame, open_websocket_server
from support.stt_vendor import NAME, Ear, TestWire, place, spoken

from capabilities import SPEECH, AudioFrame, Final
from providers._common.policy import Policy
from providers._common.stt_link import open_stt_link
from providers._common.websocket import connect
from providers._common.wire import Connection
from waav.tasks import open_scoped_nursery
from waav.testing.contract import Belongings

WORDS = 12


@attrs.frozen
class Hear:
    """Recognise what comes, until so much of it has come or the stream is finished."""

    most: float = 3600.0
    """Seconds."""

    async def __call__(self, peer: Peer) -> None:
        ear, heard = Ear(), 0
        while heard < SPEECH.size(self.most):
            match await peer.receive():
                case bytes(data):
                    heard += len(data)
                    answers = ear.hear(data)
                case "start":
                    answers = ["ready"]
                case _:
                    answers = [*ear.hear(b"", last=True), "done"]
            for answer in answers:
                await peer.send(answer)


async def accept(peer: Peer) -> None:
    await peer.accept()


async def test_a_vendor_that_is_cut_off_twice_and_comes_back_costs_no_word() -> None:
    network = await reach()
    before = Belongings.now()
    async with open_websocket_server(
        (accept, Hear(1.1), drop), (accept, Hear(2.1), drop_in_mid_frame), (accept, Hear())
    ) as server:

        def open_connection() -> AbstractAsyncContextManager[Connection]:
            return connect(network, server.url)

        async with (
            open_stt_link(
                TestWire,
                open_connection,
                provider=NAME,
                audio=SPEECH,
                policy=Policy(says_ready=True),
            ) as stream,
            open_scoped_nursery("all is heard") as nursery,
        ):

            async def speak() -> None:
                sound = spoken(WORDS)
                for offset in range(0, len(sound), SPEECH.size(0.1)):
                    await stream.send(AudioFrame(sound[offset : offset + SPEECH.size(0.1)]))
                await stream.finish()

            nursery.start_soon(speak)
            finals = [each async for each in stream if isinstance(each, Final)]
        assert len(server.peers) == 3
    assert [final.text for final in finals] == [str(n) for n in range(WORDS)]
    places = [(round(w.start, 6), round(w.end, 6)) for final in finals for w in final.words]
    assert places == [place(n) for n in range(WORDS)]
    await before.check_no_more("a stream over three connections")
