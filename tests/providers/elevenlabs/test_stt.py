"""The recogniser against a scripted vendor on a real socket, well and badly behaved."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import attrs
import pytest
import trio
from support.servers.elevenlabs import KEY, SESSION, Scribe, problem, query_of, started
from support.servers.websocket import (
    Close,
    Hear,
    Refuse,
    Say,
    Script,
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
    AudioFormat,
    AudioFrame,
    Capability,
    Encoding,
    Final,
    Plugin,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    STTOptions,
    Transcript,
)
from providers.elevenlabs import MANIFEST
from providers.elevenlabs.options import ElevenLabsSTTOptions
from providers.elevenlabs.stt import POLICY
from waav.testing import check_stt, hear

Open = Callable[..., AbstractAsyncContextManager[Plugin]]

QUICK = attrs.evolve(POLICY, pace=float("inf"), backoff=attrs.evolve(POLICY.backoff, first=0.01))

ABILITY = MANIFEST.abilities[Capability.STT]
FIVE = AudioFrame(spoken(5))
GREETING = Say(started())
READY: Script = (accept, GREETING)


def sentences(words: int) -> bytes:
    """Words in pairs, with a pause behind each pair."""
    pause = bytes(SPEECH.size(0.2))
    return b"".join(spoken(2, first=number) + pause for number in range(0, words, 2))


def texts(said: Sequence[Transcript]) -> list[str]:
    return [word for each in said if isinstance(each, Final) for word in each.text.split()]


def stt_of(plugin: Plugin) -> STT:
    assert plugin.stt is not None
    return plugin.stt


async def listen(stt: STT, sound: AudioFrame = FIVE, **own: Any) -> list[Transcript]:
    options = STTOptions(options=ElevenLabsSTTOptions(**own))
    with trio.fail_after(20):
        return await hear(stt, sound, options)


@pytest.mark.pins("D063")
@pytest.mark.parametrize("strategy", ["vad", "manual"])
async def test_the_contract_is_kept(open_plugin: Open, strategy: str) -> None:
    own = ElevenLabsSTTOptions(commit_strategy=strategy)  # type: ignore[arg-type]  # of the table
    async with open_websocket_server([Scribe()]) as server, open_plugin(server.url) as plugin:
        await check_stt(
            stt_of(plugin),
            ABILITY,
            options=STTOptions(options=own),
            sound=FIVE,
            text="0 1 2 3 4",
            refused=[
                STTOptions(format=AudioFormat(Encoding.MULAW, 16000)),
                STTOptions(format=AudioFormat(Encoding.FLAC)),
            ],
            cancels=25,
        )


@pytest.mark.parametrize(
    ("strategy", "timed"), [("vad", True), ("manual", True), ("manual", False)]
)
async def test_a_recording_that_is_pushed_at_once_is_heard_to_its_end(
    open_plugin: Open, strategy: str, *, timed: bool
) -> None:
    sound = AudioFrame(sentences(12))
    async with open_websocket_server([Scribe()]) as server, open_plugin(server.url) as plugin:
        said = await listen(
            stt_of(plugin), sound, commit_strategy=strategy, include_timestamps=timed
        )
    assert texts(said) == [str(number) for number in range(12)]


async def test_words_have_their_places(open_plugin: Open) -> None:
    async with open_websocket_server([Scribe()]) as server, open_plugin(server.url) as plugin:
        said = await listen(stt_of(plugin))
    words = [word for each in said if isinstance(each, Final) for word in each.words]
    assert [(round(each.start, 6), round(each.end, 6)) for each in words] == [
        place(number) for number in range(5)
    ]


@pytest.mark.pins("D005")
async def test_the_key_goes_into_a_header_and_values_are_encoded(open_plugin: Open) -> None:
    async with open_websocket_server([Scribe()]) as server, open_plugin(server.url) as plugin:
        await listen(stt_of(plugin), keyterms=("R&D = x",))
        peer = server.peers[0]
        assert peer.headers["xi-api-key"] == KEY
        assert KEY not in peer.path
        assert peer.path.startswith("/v1/speech-to-text/realtime?model_id=scribe_v2_realtime&")
        assert query_of(peer.path)["keyterms"] == ["R&D = x"]


async def test_a_token_goes_instead_of_a_key(open_plugin: Open) -> None:
    async with (
        open_websocket_server([Scribe()]) as server,
        open_plugin(server.url, key=None) as plugin,
    ):
        await listen(stt_of(plugin), token="once")
        assert "xi-api-key" not in server.peers[0].headers
        assert query_of(server.peers[0].path)["token"] == ["once"]


async def test_without_a_key_nobody_is_called(open_plugin: Open) -> None:
    async with (
        open_websocket_server([Scribe()]) as server,
        open_plugin(server.url, key=None) as plugin,
    ):
        with pytest.raises(ProviderRefused, match="ElevenLabs API key not configured in server"):
            await listen(stt_of(plugin))
        options = STTOptions(api_key=Secret(KEY))
        assert texts(await hear(stt_of(plugin), FIVE, options)) == list("01234")
        assert len(server.peers) == 1


# Faults before there is a stream.


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ([Refuse(401, body=b'{"detail": {"message": "bad key"}}')], ProviderRefused, "bad key"),
        ([Refuse(402)], ProviderRefused, "402"),
        ([Refuse(429, {"Retry-After": "7"})], ProviderBusy, "429"),
        ([Refuse(500)], ProviderUnavailable, "500"),
        ([Refuse(503)], ProviderUnavailable, "503"),
        ([hang_up], ProviderUnavailable, ""),
        ([accept, drop], ProviderUnavailable, ""),
        ([accept, drop_in_mid_frame], ProviderUnavailable, ""),
        ([accept, Say(problem("auth_error", "who?"))], ProviderRefused, "who?"),
        ([accept, Say(problem("rate_limited"))], ProviderBusy, "rate limited"),
        ([accept, Close(1008, "unaccepted terms")], ProviderRefused, "unaccepted terms"),
        ([accept, Close(1011)], ProviderUnavailable, "1011"),
        ([accept, Close(1013)], ProviderBusy, "1013"),
        ([accept, Say("{")], ProviderProtocolError, "not JSON"),
        ([accept, Say("x" * 20_000_000)], ProviderProtocolError, "larger"),
        ([accept, fall_silent], ProviderUnavailable, "was not ready"),
    ],
)
async def test_who_cannot_connect_is_told_once(
    open_plugin: Open, script: Script, error: type[ProviderError], words: str
) -> None:
    async with (
        open_websocket_server(script) as server,
        open_plugin(server.url, policy=attrs.evolve(QUICK, open_timeout=1.0)) as plugin,
    ):
        with pytest.raises(error, match=words or None) as caught:
            await listen(stt_of(plugin))
        assert type(caught.value) is error
        assert KEY not in str(caught.value)
        assert len(server.peers) == 1, "it is not tried again"
    if isinstance(caught.value, ProviderBusy) and words == "429":
        assert caught.value.retry_after == 7


# Faults in mid-stream.


@pytest.mark.parametrize("strategy", ["vad", "manual"])
@pytest.mark.parametrize(
    "fault",
    [
        drop,
        drop_in_mid_frame,
        hang_up,
        Close(1000),
        Close(1011),
        Close(1013),
        Say(problem("transcriber_error")),
        Say(problem("session_time_limit_exceeded")),
        Say("garbage"),
    ],
    ids=["drop", "mid-frame", "hang-up", "1000", "1011", "1013", "error", "time-limit", "garbage"],
)
async def test_a_break_in_mid_utterance_costs_no_word_and_repeats_none(
    open_plugin: Open, fault: Step, strategy: str
) -> None:
    """Two words are final, the next one is under way, and the connection is gone."""
    sound = AudioFrame(sentences(12))
    first = [Scribe(words=2), Hear(3), fault]
    async with (
        open_websocket_server(first, [Scribe()]) as server,
        open_plugin(server.url) as plugin,
    ):
        said = await listen(
            stt_of(plugin), sound, commit_strategy=strategy, vad_silence_threshold_secs=0.3
        )
        assert len(server.peers) == 2
    assert texts(said) == [str(number) for number in range(12)]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Close(1008, "policy"), ProviderRefused),
        (Say(problem("quota_exceeded")), ProviderRefused),
        (Close(4401, "expired"), ProviderRefused),
    ],
)
async def test_what_no_retry_helps_ends_the_stream_once(
    open_plugin: Open, fault: Step, error: type[ProviderError]
) -> None:
    async with (
        open_websocket_server([Scribe(words=0), fault]) as server,
        open_plugin(server.url) as plugin,
    ):
        with pytest.raises(error):
            await listen(stt_of(plugin))
        assert len(server.peers) == 1


async def test_silence_on_an_open_socket_is_noticed_and_mended(open_plugin: Open) -> None:
    """The vendor's machine stopped, and its socket stayed."""
    policy = attrs.evolve(QUICK, progress=0.3, losses=2)
    loud = AudioFrame(spoken(1)[: SPEECH.size(0.2)] * 6 + spoken(1, first=7))
    async with (
        open_websocket_server([accept, GREETING, Hear(1), fall_silent], [Scribe()]) as server,
        open_plugin(server.url, policy=policy) as plugin,
        stt_of(plugin).connect(STTOptions()) as stream,
    ):
        await stream.send(loud)
        with trio.fail_after(5):
            await server.peer(1)
            await stream.finish()
            assert texts([each async for each in stream])[-1] == "7"


async def test_a_vendor_that_never_says_a_final_ends_the_stream_in_time(open_plugin: Open) -> None:
    policy = attrs.evolve(QUICK, finish_timeout=0.3)
    async with (
        open_websocket_server(READY) as server,
        open_plugin(server.url, policy=policy) as plugin,
    ):
        with pytest.raises(ProviderClosed, match="no last words"):
            await listen(stt_of(plugin))


async def test_bytes_may_come_one_by_one(open_plugin: Open) -> None:
    async with (
        open_websocket_server([dribble, Scribe()]) as server,
        open_plugin(server.url) as plugin,
    ):
        assert texts(await listen(stt_of(plugin))) == list("01234")


@pytest.mark.pins("D006", "D066")
async def test_a_quiet_line_is_kept_open(open_plugin: Open) -> None:
    policy = attrs.evolve(QUICK, keepalive=0.05)
    async with (
        open_websocket_server(READY) as server,
        open_plugin(server.url, policy=policy) as plugin,
        stt_of(plugin).connect(STTOptions()),
    ):
        peer = await server.peer()
        with trio.fail_after(5):
            while len(peer.messages) < 3:  # noqa: ASYNC110 - the server's end has no event for it
                await trio.sleep(0.01)
    chunks = [json.loads(message) for message in peer.messages]
    assert {(each["audio_base_64"], each["commit"]) for each in chunks} == {("", False)}


async def test_leaving_early_hangs_up(open_plugin: Open) -> None:
    async with open_websocket_server([Scribe()]) as server, open_plugin(server.url) as plugin:
        async with stt_of(plugin).connect(STTOptions()) as stream:
            await stream.send(FIVE)
        with trio.fail_after(5):
            await server.peers[0].gone.wait()
        assert server.peers[0].close_code == 1000


@pytest.mark.pins("D064")
async def test_the_vendors_session_is_in_the_log(
    open_plugin: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with open_websocket_server([Scribe()]) as server, open_plugin(server.url) as plugin:
        await listen(stt_of(plugin))
    assert SESSION in caplog.text
    assert KEY not in caplog.text
