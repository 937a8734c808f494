"""Listening through Deepgram, on real sockets and on the clock."""

import json
from collections.abc import Sequence

import attrs
import pytest
import trio
from support.servers.deepgram import (
    CONNECTED,
    KEY,
    METADATA,
    Nova,
    OpenPlugin,
    admit,
    flux,
    results,
    turn_info,
    vendor,
    word,
)
from support.servers.websocket import (
    Close,
    Hear,
    Peer,
    Say,
    accept,
    open_websocket_server,
)
from support.stt_vendor import Vendor, place, spoken

from capabilities import (
    SPEECH,
    STT,
    Ability,
    AudioFormat,
    AudioFrame,
    Capability,
    Encoding,
    Final,
    Plugin,
    Secret,
    SpeechBegun,
    SpeechFinal,
    STTOptions,
    Transcript,
)
from providers._common.stt_link import open_stt_link
from providers.deepgram import MANIFEST
from providers.deepgram.options import DeepgramSTTOptions
from providers.deepgram.stt import FLUX, KEEPALIVE, NOVA
from providers.deepgram.stt_wire import CLOSE_STREAM, FINALIZE, KEEP_ALIVE, NovaWire
from waav.testing import check_stt, hear

ABILITY: Ability = MANIFEST.abilities[Capability.STT]
EN = STTOptions(model="flux-general-en")


def stt(plugin: Plugin) -> STT:
    assert plugin.stt is not None
    return plugin.stt


def finals(said: Sequence[Transcript]) -> list[str]:
    return [each.text for each in said if isinstance(each, Final)]


def texts(peer: Peer) -> list[str]:
    return [message for message in peer.messages if isinstance(message, str)]


# All is well.


@pytest.mark.parametrize("options", [STTOptions(), EN], ids=["nova", "flux"])
async def test_the_contract_is_kept(opened: OpenPlugin, options: STTOptions) -> None:
    refused = [
        attrs.evolve(options, format=AudioFormat(Encoding.AAC)),
        attrs.evolve(options, model="no-such-model"),
        attrs.evolve(options, api_key=Secret("wrong")),
    ]
    async with open_websocket_server([vendor]) as server, opened(server.url) as plugin:
        await check_stt(
            stt(plugin),
            ABILITY,
            options=options,
            sound=AudioFrame(spoken(3)),
            text="0 1 2",
            refused=refused,
            cancels=25,
        )


async def test_words_come_with_their_places(opened: OpenPlugin) -> None:
    async with open_websocket_server([Nova()]) as server, opened(server.url) as plugin:
        said = await hear(stt(plugin), AudioFrame(spoken(4)))
    words = [each.words[0] for each in said if isinstance(each, Final)]
    assert [(round(each.start, 6), round(each.end, 6)) for each in words] == [
        place(number) for number in range(4)
    ]


async def test_the_last_turn_of_flux_is_not_lost(opened: OpenPlugin) -> None:
    """The vendor ends no turn when it is told to close; it hangs up behind the last update."""
    async with open_websocket_server([flux]) as server, opened(server.url) as plugin:
        said = await hear(stt(plugin), AudioFrame(spoken(2)[: SPEECH.size(0.6)]), EN)
    assert finals(said) == ["0", "1"]
    assert len(server.peers) == 1
    assert texts(server.peers[0]) == [CLOSE_STREAM]


async def test_flux_may_hang_up_without_any_goodbye(opened: OpenPlugin) -> None:
    async def listen(peer: Peer) -> None:
        await admit(peer, "flux")
        await peer.send('{"type":"Connected","request_id":"x","sequence_id":0}')
        while await peer.receive() != CLOSE_STREAM:
            pass
        await peer.stream.aclose()

    async with open_websocket_server([listen]) as server, opened(server.url) as plugin:
        assert await hear(stt(plugin), AudioFrame(spoken(1)), EN) == []
    assert len(server.peers) == 1


async def test_a_last_turn_of_flux_that_is_cut_off_is_heard_again(opened: OpenPlugin) -> None:
    """The connection breaks behind half of the last turn, which is no goodbye."""

    async def breaks(peer: Peer) -> None:
        await admit(peer, "flux")
        await peer.send(CONNECTED)
        while await peer.receive() != CLOSE_STREAM:
            pass
        await peer.send(turn_info("Update", "zer", 0.2, word("zer", 0.0, 0.2)))
        await peer.stream.aclose()

    async with open_websocket_server([breaks], [flux]) as server, opened(server.url) as plugin:
        said = await hear(stt(plugin), AudioFrame(spoken(1)), EN)
    assert finals(said) == ["0"]
    assert len(server.peers) == 2


async def test_sound_goes_to_flux_in_the_pieces_that_it_likes(opened: OpenPlugin) -> None:
    async with open_websocket_server([flux]) as server, opened(server.url) as plugin:
        await hear(stt(plugin), AudioFrame(spoken(1)), EN, step=0.02)
    sizes = [len(each) for each in server.peers[0].messages if isinstance(each, bytes)]
    assert all(size >= SPEECH.size(0.08) for size in sizes[:-1])
    assert sum(sizes) == len(spoken(1))


@pytest.mark.pins("D047")
async def test_the_end_of_an_utterance_reaches_the_session(opened: OpenPlugin) -> None:
    told = results("hi", 0.0, 1.0, word("hi", 0.1, 0.5), is_final=True)
    ended = json.dumps({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 0.5})
    script = [accept, Hear(), Say(told, ended), Hear(), Say(METADATA), Close()]
    async with open_websocket_server(script) as server, opened(server.url) as plugin:
        said = await hear(stt(plugin), AudioFrame(bytes(640)))
    assert [type(each) for each in said] == [Final, SpeechFinal]


@pytest.mark.pins("D047")
async def test_the_beginning_of_speech_reaches_the_session_before_its_words(
    opened: OpenPlugin,
) -> None:
    started = json.dumps({"type": "SpeechStarted", "channel": [0, 1], "timestamp": 0.1})
    told = results("hi", 0.0, 1.0, word("hi", 0.1, 0.5), is_final=True)
    script = [accept, Hear(), Say(started, told), Hear(), Say(METADATA), Close()]
    options = STTOptions(interim_results=False, options=DeepgramSTTOptions(vad_events=True))
    async with open_websocket_server(script) as server, opened(server.url) as plugin:
        said = await hear(stt(plugin), AudioFrame(bytes(640)), options)
    assert "vad_events=true" in server.peers[0].path
    assert [each if isinstance(each, SpeechBegun) else each.text for each in said] == [
        SpeechBegun(0.1),
        "hi",
    ]


@pytest.mark.pins("D013")
async def test_the_options_of_a_session_reach_the_vendor(opened: OpenPlugin) -> None:
    options = STTOptions(options=DeepgramSTTOptions(tag=("a b",), redact=("pci",)), diarize=True)
    async with open_websocket_server([Nova()]) as server, opened(server.url) as plugin:
        await hear(stt(plugin), AudioFrame(b""), options)
    for each in ("tag=a%20b", "redact=pci", "diarize_model=latest"):
        assert each in server.peers[0].path


async def test_the_sessions_own_key_is_used_before_the_operators(opened: OpenPlugin) -> None:
    async with open_websocket_server([Nova()]) as server, opened(server.url, "other") as plugin:
        await hear(stt(plugin), AudioFrame(b""), STTOptions(api_key=Secret(KEY)))
    assert server.peers[0].headers["Authorization"] == f"Token {KEY}"


async def test_a_temporary_token_is_a_bearers(opened: OpenPlugin) -> None:
    script = [accept, Hear(), Say(METADATA), Close()]
    async with open_websocket_server(script) as server, opened(server.url, "eyJ.a.b") as plugin:
        await hear(stt(plugin), AudioFrame(b""))
    assert server.peers[0].headers["Authorization"] == "Bearer eyJ.a.b"


# The clock. The vendor is in memory, and says nothing.


@pytest.mark.pins("D006", "D048")
async def test_two_minutes_of_silence_end_no_stream(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A KeepAlive every five seconds, as long as nobody speaks."""
    vendor = Vendor(misheard=lambda _line, _message: True)
    async with open_stt_link(
        NovaWire, vendor.connect, provider="x", audio=SPEECH, policy=NOVA.policy
    ) as stream:
        await trio.sleep(121)
        await stream.send(AudioFrame(bytes(640)))
    (line,) = vendor.lines
    *quiet, (_, frame) = line.got
    assert [message for _, message in quiet] == [KEEP_ALIVE] * 24
    assert [at for at, _ in quiet] == [KEEPALIVE * (n + 1) for n in range(24)]
    assert frame == bytes(640)


@pytest.mark.pins("D048")
async def test_while_sound_flows_there_is_no_keepalive(
    autojump_clock: trio.testing.MockClock,
) -> None:
    vendor = Vendor(misheard=lambda _line, _message: True)
    async with open_stt_link(
        NovaWire, vendor.connect, provider="x", audio=SPEECH, policy=NOVA.policy
    ) as stream:
        for _ in range(20):
            await stream.send(AudioFrame(bytes(640)))
            await trio.sleep(4.9)
    assert not any(isinstance(message, str) for _, message in vendor.lines[0].got)


async def test_a_button_that_is_let_go_makes_the_words_final(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """No sound comes in which a pause could be found, so it is asked for."""
    vendor = Vendor(misheard=lambda _line, _message: True)
    async with open_stt_link(
        NovaWire, vendor.connect, provider="x", audio=SPEECH, policy=NOVA.policy
    ) as stream:
        await stream.send(AudioFrame(bytes(640)))
        vendor.lines[0].say(results("hel", 0.0, 0.02))
        await trio.sleep(5.1)
    assert [message for _, message in vendor.lines[0].got[1:]] == [FINALIZE, KEEP_ALIVE]


def test_flux_gets_silence_where_nova_gets_a_message() -> None:
    assert FLUX.policy.silence == FLUX.policy.keepalive == 1.0
    assert FLUX.policy.says_ready
    assert NOVA.policy.silence == 0
