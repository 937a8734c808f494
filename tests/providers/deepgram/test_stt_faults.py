"""Listening through Deepgram when all goes wrong, on real sockets."""

from collections.abc import Sequence

import attrs
import pytest
import trio
from support.servers.deepgram import (
    KEY,
    METADATA,
    Nova,
    OpenPlugin,
    results,
    vendor,
    word,
)
from support.servers.websocket import (
    Close,
    Hear,
    Peer,
    Refuse,
    Say,
    Step,
    accept,
    dribble,
    drop,
    drop_in_mid_frame,
    fall_silent,
    hang_up,
    open_websocket_server,
)
from support.stt_vendor import place, spoken

from capabilities import (
    SPEECH,
    STT,
    AudioFrame,
    Final,
    Plugin,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    STTOptions,
    Transcript,
)
from providers.deepgram.stt import NOVA
from providers.deepgram.stt_wire import CLOSE_STREAM
from waav.testing import hear

LOUD = AudioFrame(spoken(1)[: SPEECH.size(0.2)] * 6)
EN = STTOptions(model="flux-general-en")


def stt(plugin: Plugin) -> STT:
    assert plugin.stt is not None
    return plugin.stt


def impatient(plugin: Plugin, **policy: float) -> STT:
    nova = attrs.evolve(NOVA, policy=attrs.evolve(NOVA.policy, **policy))
    return attrs.evolve(stt(plugin), nova=nova)  # type: ignore[type-var]  # it is ours


def finals(said: Sequence[Transcript]) -> list[str]:
    return [each.text for each in said if isinstance(each, Final)]


@pytest.mark.parametrize(
    ("refusal", "kind", "told"),
    [
        (Refuse(400), ProviderRefused, "400"),
        (Refuse(401), ProviderRefused, "401"),
        (Refuse(402), ProviderRefused, "402"),
        (Refuse(403), ProviderRefused, "403"),
        (Refuse(500), ProviderUnavailable, "500"),
        (Refuse(503), ProviderUnavailable, "503"),
        (drop, ProviderUnavailable, "deepgram: "),
    ],
)
async def test_a_refusal_is_told_once(
    opened: OpenPlugin, refusal: Step, kind: type[ProviderError], told: str
) -> None:
    async with open_websocket_server([refusal]) as server, opened(server.url) as plugin:
        with pytest.raises(kind, match=told) as caught:
            await hear(stt(plugin), AudioFrame(spoken(1)))
    assert len(server.peers) == 1
    assert KEY not in str(caught.value)


async def test_a_bad_key_is_refused_once(opened: OpenPlugin) -> None:
    async with open_websocket_server([vendor]) as server, opened(server.url, "bad-key") as plugin:
        with pytest.raises(ProviderRefused, match="401"):
            await hear(stt(plugin), AudioFrame(spoken(1)))
    assert len(server.peers) == 1


async def test_no_key_is_told_in_words_that_clients_know(opened: OpenPlugin) -> None:
    told = "Deepgram API key not configured in server environment"
    async with opened("http://127.0.0.1:1", None) as plugin:
        with pytest.raises(ProviderRefused, match=told):
            await hear(stt(plugin), AudioFrame(b""))


async def test_too_many_streams_say_when_to_come_again(opened: OpenPlugin) -> None:
    refusal = Refuse(429, {"Retry-After": "7"})
    async with open_websocket_server([refusal]) as server, opened(server.url) as plugin:
        with pytest.raises(ProviderBusy) as caught:
            await hear(stt(plugin), AudioFrame(b""))
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("words_before", [0, 1, 2])
async def test_a_drop_in_the_middle_costs_no_word(opened: OpenPlugin, words_before: int) -> None:
    """The second connection hears again what no final has settled; and no final comes twice."""
    size = len(spoken(words_before)) + SPEECH.size(0.1)
    scripts = [Nova(drop_after=size)], [Nova()]
    async with open_websocket_server(*scripts) as server, opened(server.url) as plugin:
        said = await hear(stt(plugin), AudioFrame(spoken(4)))
    assert finals(said) == ["0", "1", "2", "3"]
    words = [each.words[0] for each in said if isinstance(each, Final)]
    assert [round(each.start, 6) for each in words] == [place(n)[0] for n in range(4)]
    assert len(server.peers) == 2


@pytest.mark.parametrize(
    "fault",
    [Close(1000), Close(1011, "NET-0001"), Close(1013), drop_in_mid_frame, drop, hang_up],
)
async def test_a_connection_that_breaks_is_replaced(opened: OpenPlugin, fault: Step) -> None:
    scripts = [accept, Hear(), fault], [Nova()]
    async with open_websocket_server(*scripts) as server, opened(server.url) as plugin:
        with trio.fail_after(20):
            assert finals(await hear(stt(plugin), AudioFrame(spoken(2)))) == ["0", "1"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Close(1008, "DATA-0000"), ProviderRefused),
        (Say('{"type":"Error","code":"DATA-0000","description":"no sound"}'), ProviderRefused),
    ],
    ids=["close", "message"],
)
async def test_a_policy_is_no_reason_to_try_again(
    opened: OpenPlugin, fault: Step, kind: type[ProviderError]
) -> None:
    script = [accept, Hear(), fault]
    async with open_websocket_server(script) as server, opened(server.url) as plugin:
        with pytest.raises(kind):
            await hear(stt(plugin), AudioFrame(spoken(2)))
    assert len(server.peers) == 1


async def test_a_vendor_that_never_says_its_last_words_ends_with_an_error(
    opened: OpenPlugin,
) -> None:
    async with open_websocket_server([accept]) as server, opened(server.url) as plugin:
        with pytest.raises(ProviderClosed, match="no last words"):
            await hear(impatient(plugin, finish_timeout=0.2), AudioFrame(spoken(1)))


async def test_a_vendor_that_falls_silent_is_left(opened: OpenPlugin) -> None:
    """It takes sound, answers pings perhaps, and says nothing: the next connection hears it."""
    silent, well = [accept, fall_silent], [accept, Hear(), Say(results("x", is_final=True))]
    async with (
        open_websocket_server(silent, well) as server,
        opened(server.url) as plugin,
        impatient(plugin, progress=0.2).connect(STTOptions()) as stream,
    ):
        await stream.send(LOUD)
        with trio.fail_after(10):
            assert await anext(aiter(stream)) == Final("x", 0.98)
    assert len(server.peers) == 2


async def test_a_message_of_ten_megabytes_is_read(opened: OpenPlugin) -> None:
    text = "word " * 2_000_000
    script = [accept, Say(results(text, is_final=True)), Hear(), Say(METADATA), Close()]
    async with open_websocket_server(script) as server, opened(server.url) as plugin:
        assert finals(await hear(stt(plugin), AudioFrame(b""))) == [text]


async def test_a_vendor_that_sends_one_byte_at_a_time_is_understood(opened: OpenPlugin) -> None:
    script = [dribble, Nova()]
    async with open_websocket_server(script) as server, opened(server.url) as plugin:
        assert finals(await hear(stt(plugin), AudioFrame(spoken(2)))) == ["0", "1"]


async def test_nonsense_in_the_middle_costs_no_word(opened: OpenPlugin) -> None:
    scripts = [accept, Hear(), Say("what?")], [Nova()]
    async with open_websocket_server(*scripts) as server, opened(server.url) as plugin:
        assert finals(await hear(stt(plugin), AudioFrame(spoken(2)))) == ["0", "1"]


async def test_flux_that_does_not_begin_is_not_there(opened: OpenPlugin) -> None:
    script = [accept, Close(1000)]
    async with open_websocket_server(script) as server, opened(server.url) as plugin:
        with pytest.raises((ProviderUnavailable, ProviderProtocolError)):
            await hear(stt(plugin), AudioFrame(b""), EN)


async def test_a_final_that_comes_twice_is_told_once(opened: OpenPlugin) -> None:
    one = results("one", 0.0, 0.5, word("one", 0.1, 0.4), is_final=True)
    two = results("two", 0.5, 0.5, word("two", 0.6, 0.9), is_final=True)

    async def listen(peer: Peer) -> None:
        await peer.accept()
        while await peer.receive() != CLOSE_STREAM:
            pass
        await Say(one, two, one, two, METADATA)(peer)
        await Close()(peer)

    async with open_websocket_server([listen]) as server, opened(server.url) as plugin:
        sound = AudioFrame(bytes(SPEECH.size(1.0)))
        assert finals(await hear(stt(plugin), sound)) == ["one", "two"]
