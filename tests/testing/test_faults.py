"""The fault matrix finds out clients that lose words, talk too much, stay for ever or leave things behind."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import attrs
import pytest
import trio
from support.servers.deepgram import KEY, vendor
from support.servers.websocket import open_websocket_server
from support.stt_vendor import spoken

from capabilities import (
    STT,
    AudioFrame,
    ProviderClosed,
    ProviderError,
    Secret,
    STTOptions,
    STTStream,
    Transcript,
)
from providers._common.settings import VendorSettings
from providers.deepgram import MANIFEST
from waav.testing import (
    Cell,
    Fault,
    Matrix,
    Outcome,
    State,
    Transport,
    check_stt_faults,
    open_manifest,
    why_not,
)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may sit behind a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@attrs.frozen
class Spoilt:
    """A client that is good but for one habit."""

    good: STT
    habit: str

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[STTStream]:
        async with self.good.connect(options) as stream:
            yield SpoiltStream(stream, self.habit)


@attrs.frozen
class SpoiltStream:
    good: STTStream
    habit: str

    async def send(self, frame: AudioFrame) -> None:
        await self.good.send(frame)

    async def finish(self) -> None:
        await self.good.finish()

    async def __aiter__(self) -> AsyncIterator[Transcript]:
        try:
            async for transcript in self.good:
                yield transcript
        except ProviderError as error:
            match self.habit:
                case "keeps quiet":
                    return
                case "tells the key":
                    raise ProviderClosed("acme", f"{KEY} is not a key") from None
                case "raises what it got":
                    raise OSError(error.message) from None
                case "waits for ever":
                    await trio.sleep_forever()
            raise


async def try_one(habit: str, fault: Fault, state: State = State.STREAMING) -> Cell:
    async with AsyncExitStack() as left, open_websocket_server([vendor]) as server:

        @asynccontextmanager
        async def opening(url: str) -> AsyncIterator[STT]:
            settings, keys = VendorSettings(base_url=url), {"deepgram_api_key": Secret(KEY)}
            async with open_manifest(MANIFEST, settings, credentials=keys) as plugin:
                assert plugin.stt is not None
                if habit == "leaves a socket":
                    await left.enter_async_context(
                        await trio.open_tcp_stream("127.0.0.1", server.port)
                    )
                yield Spoilt(plugin.stt, habit)

        matrix = await check_stt_faults(
            opening,
            server.url,
            sound=AudioFrame(spoken(4)),
            secrets=[KEY],
            faults=[fault],
            states=[state],
            limit=1.0,
        )
    return matrix.cell(fault, state)


@pytest.mark.parametrize(
    ("habit", "fault", "told"),
    [
        ("keeps quiet", Fault.CLOSE_1008, "heard .* not"),
        ("tells the key", Fault.CLOSE_1008, "gives a secret away"),
        ("raises what it got", Fault.CLOSE_1008, "OSError"),
        ("waits for ever", Fault.CLOSE_1008, "takes more than 1 s"),
        ("leaves a socket", Fault.DRIBBLE, "left behind"),
    ],
)
async def test_a_bad_habit_is_found_out(habit: str, fault: Fault, told: str) -> None:
    cell = await try_one(habit, fault)
    assert cell.outcome is Outcome.BROKEN
    assert re.search(told, cell.detail)
    with pytest.raises(AssertionError, match=cell.name):
        Matrix((cell,)).check()


async def test_a_client_that_goes_on_is_well_and_one_that_says_why_not_is_fine_too() -> None:
    well, told = [await try_one("none", fault) for fault in (Fault.RESET, Fault.HTTP_401)]
    assert (well.outcome, well.error) == (Outcome.WELL, None)
    assert told.outcome is Outcome.REPORTED
    assert told.error is not None
    assert told.error.status == 401
    Matrix((well, told)).check()


async def test_who_fails_without_a_fault_is_not_tried() -> None:
    @asynccontextmanager
    async def opening(_url: str) -> AsyncIterator[STT]:
        async with open_manifest(MANIFEST) as plugin:
            assert plugin.stt is not None
            yield plugin.stt

    with pytest.raises(AssertionError, match="not even without a fault"):
        await check_stt_faults(opening, "http://127.0.0.1:1")


async def test_a_cell_that_cannot_be_says_why() -> None:
    cell = await try_one("none", Fault.TLS)
    assert (cell.outcome, cell.detail) == (
        Outcome.NOT_APPLICABLE,
        "TLS is agreed on while connecting",
    )


@pytest.mark.parametrize(
    ("transport", "once", "fewest"),
    [
        (Transport.WEBSOCKET, False, 14),
        (Transport.WEBSOCKET, True, 14),
        # Without messages there are fewer ways to spoil them.
        (Transport.HTTP, False, 13),
        (Transport.HTTP, True, 13),
        (Transport.HTTP2, False, 7),
        (Transport.HTTP2, True, 7),
    ],
)
def test_there_are_enough_faults_for_each_transport(
    transport: Transport, *, once: bool, fewest: int
) -> None:
    possible = [
        fault for fault in Fault if not why_not(transport, fault, State.CONNECTING, once=once)
    ]
    assert len(possible) >= fewest
