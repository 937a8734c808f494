"""Realtime transcription sessions, on a real socket, against a server that hears what it gets."""

import json
from collections.abc import Sequence

import attrs
import pytest
import trio
from support.servers.openai import (
    LIVE,
    OpenAPI,
    Session,
    completed,
    converse,
    delta,
    error,
    failing,
    say,
    spoken,
)
from support.servers.websocket import (
    Close,
    Peer,
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

from capabilities import (
    SPEECH,
    AudioFormat,
    AudioFrame,
    Encoding,
    Final,
    Interim,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    SpeechBegun,
    STTOptions,
    Transcript,
)
from providers._common.backoff import Backoff
from providers._common.policy import Policy
from providers.openai import MANIFEST
from providers.openai.api import API
from providers.openai.stt import OpenAISTT
from providers.openai.stt_live import POLICY, open_live_stream
from waav.testing import check_stt
from waav.testing.audio import cut
from waav.testing.talk import push

OPTIONS = STTOptions(format=LIVE, model="gpt-live-transcribe")
QUICK = attrs.evolve(POLICY, backoff=Backoff(first=0.01, longest=0.02), finish_timeout=0.5)
TURN = AudioFrame(spoken(3).data + bytes(LIVE.size(0.6)), LIVE)


def told(said: Sequence[Transcript]) -> list[str]:
    return [each.text for each in said if isinstance(each, Final)]


async def listen(
    api: API,
    sound: AudioFrame = TURN,
    options: STTOptions = OPTIONS,
    policy: Policy = QUICK,
    step: float = 0.1,
) -> list[Transcript]:
    model = options.model or "gpt-live-transcribe"
    async with (
        open_live_stream(api, model, options, policy) as stream,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(push, stream, cut(sound, sound.format.size(step)))
        return [each async for each in stream]


@pytest.mark.parametrize("model", ["gpt-live-transcribe", "gpt-realtime-whisper"])
async def test_it_keeps_the_contract(open_api: OpenAPI, model: str) -> None:
    async with open_websocket_server((accept, converse)) as server, open_api(server.url) as api:
        await check_stt(
            OpenAISTT(api),
            MANIFEST.abilities["stt"],
            options=attrs.evolve(OPTIONS, model=model),
            sound=TURN,
            text="0 1 2",
            refused=[
                STTOptions(model=model, format=AudioFormat(Encoding.MP3)),
                STTOptions(model=model, format=AudioFormat(Encoding.MULAW, 16000)),
            ],
            cancels=25,
        )


async def test_what_a_session_begins_with(open_api: OpenAPI) -> None:
    async with (
        open_websocket_server((accept, Session())) as server,
        open_api(server.url, organization="org-1") as api,
    ):
        said = await listen(api)
    assert told(said) == ["0 1 2"]
    assert said == [
        SpeechBegun(0.0),
        Interim("0 1 2"),
        Final("0 1 2", language="en-US", speech_final=True),
    ]
    peer = server.peers[0]
    assert peer.path == "/v1/realtime?intent=transcription"
    assert peer.headers["Authorization"] == "Bearer made-up-key"
    assert peer.headers["OpenAI-Organization"] == "org-1"
    assert "OpenAI-Beta" not in peer.headers
    assert json.loads(peer.messages[0]) == {
        "type": "session.update",
        "session": {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": {"model": "gpt-live-transcribe", "language": "en"},
                    "turn_detection": {"type": "server_vad"},
                }
            },
        },
    }


async def test_sound_of_another_rate_is_converted(open_api: OpenAPI) -> None:
    sound = spoken(3, audio=SPEECH)
    options = attrs.evolve(OPTIONS, format=SPEECH)
    session = Session()
    async with open_websocket_server((accept, session)) as server, open_api(server.url) as api:
        await listen(api, sound, options)
    assert abs(LIVE.duration(session.passed) - sound.duration) < 0.001


async def test_the_last_words_come_without_a_pause_behind_them(open_api: OpenAPI) -> None:
    async with (
        open_websocket_server((accept, Session())) as server,
        open_api(server.url) as api,
    ):
        assert told(await listen(api, spoken(2))) == ["0 1"]


async def test_a_stream_that_ends_in_silence_ends_at_once(open_api: OpenAPI) -> None:
    async with (
        open_websocket_server((accept, Session())) as server,
        open_api(server.url) as api,
    ):
        with trio.fail_after(2):
            assert await listen(api, AudioFrame(bytes(LIVE.size(1.0)), LIVE)) == []
    assert json.loads(server.peers[0].messages[-1])["type"] == "input_audio_buffer.clear"


async def test_where_the_vendor_hears_no_pauses_we_do(open_api: OpenAPI) -> None:
    options = attrs.evolve(OPTIONS, model="gpt-realtime-whisper", endpointing=0.5)
    sound = AudioFrame(bytes(LIVE.size(3)) + TURN.data + spoken(1, 3).data, LIVE)
    session = Session()
    async with open_websocket_server((accept, session)) as server, open_api(server.url) as api:
        said = await listen(api, sound, options)
    finals = [each for each in said if isinstance(each, Final)]
    assert [(each.text, each.speech_final) for each in finals] == [("0 1 2", True), ("3", False)]
    # Three seconds of silence were not worth sending.
    assert LIVE.duration(session.passed) < sound.duration - 2


async def test_turns_that_are_answered_out_of_order_are_told_in_order(open_api: OpenAPI) -> None:
    waiting: list[tuple[str, str]] = []

    async def answer(_: Session, peer: Peer, item: str, text: str) -> None:
        waiting.append((item, text))
        if len(waiting) == 2:
            for each in reversed(waiting):
                await delta(peer, *each)
                await completed(peer, *each)
                await completed(peer, *each)

    two = AudioFrame(TURN.data + spoken(3, 3).data + bytes(LIVE.size(0.6)), LIVE)
    async with (
        open_websocket_server((accept, Session(answer=answer))) as server,
        open_api(server.url) as api,
    ):
        assert told(await listen(api, two)) == ["0 1 2", "3 4 5"]


@pytest.mark.parametrize("break_off", [drop, drop_in_mid_frame, hang_up, Close(1011), Close(1000)])
@pytest.mark.parametrize("after", [1, 4, 9])
async def test_a_connection_that_breaks_costs_no_word(
    open_api: OpenAPI, break_off: Step, after: int
) -> None:
    scripts: list[Script] = [(accept, Session(end_after=after), break_off), (accept, Session())]
    async with open_websocket_server(*scripts) as server, open_api(server.url) as api:
        assert told(await listen(api)) == ["0 1 2"]
    assert len(server.peers) == 2


async def test_a_turn_that_was_told_is_not_told_again(open_api: OpenAPI) -> None:
    two = AudioFrame(TURN.data + spoken(3, 3).data + bytes(LIVE.size(0.6)), LIVE)
    first = 1 + int(TURN.duration / 0.1) + 2
    scripts: list[Script] = [(accept, Session(end_after=first), drop), (accept, Session())]
    async with open_websocket_server(*scripts) as server, open_api(server.url) as api:
        assert told(await listen(api, two)) == ["0 1 2", "3 4 5"]


async def test_a_session_that_expires_is_followed_by_another_one(open_api: OpenAPI) -> None:
    scripts: list[Script] = [
        (accept, Session(end_after=5), failing(code="session_expired")),
        (accept, Session()),
    ]
    async with open_websocket_server(*scripts) as server, open_api(server.url) as api:
        assert told(await listen(api)) == ["0 1 2"]


async def test_a_turn_that_could_not_be_transcribed_is_heard_again(open_api: OpenAPI) -> None:
    async def fail(_: Session, peer: Peer, item: str, text: str) -> None:
        kind = "conversation.item.input_audio_transcription.failed"
        await say(peer, kind, item_id=item, error={"type": "server_error", "message": text})

    scripts: list[Script] = [(accept, Session(answer=fail)), (accept, Session())]
    async with open_websocket_server(*scripts) as server, open_api(server.url) as api:
        assert told(await listen(api)) == ["0 1 2"]


async def test_most_errors_are_not_the_end(open_api: OpenAPI) -> None:
    async def grumble(session: Session, peer: Peer, item: str, text: str) -> None:
        await error(peer, "that was strange", code="unknown_parameter")
        await completed(peer, item, text)

    async with (
        open_websocket_server((accept, Session(answer=grumble))) as server,
        open_api(server.url) as api,
    ):
        assert told(await listen(api)) == ["0 1 2"]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ((Refuse(401, body=b'{"error":{"message":"Incorrect API key"}}'),), ProviderRefused),
        ((Refuse(429, {"Retry-After": "7"}),), ProviderBusy),
        ((Refuse(503),), ProviderUnavailable),
        ((Refuse(402),), ProviderRefused),
        ((accept, Close(1008, "policy")), ProviderRefused),
        ((accept, Close(1013)), ProviderBusy),
        ((accept, hang_up), ProviderUnavailable),
        ((accept, failing(code="invalid_api_key")), ProviderRefused),
        ((accept, failing(type="server_error")), ProviderUnavailable),
        ((accept, Say("no JSON")), ProviderProtocolError),
        ((accept, Say("x" * (17 << 20))), ProviderProtocolError),
        ((accept, fall_silent), ProviderUnavailable),
    ],
)
async def test_a_session_that_does_not_begin_is_one_error(
    open_api: OpenAPI, script: Script, kind: type[ProviderError]
) -> None:
    policy = attrs.evolve(QUICK, open_timeout=0.5)
    async with open_websocket_server(script) as server, open_api(server.url) as api:
        with pytest.raises(kind) as caught:
            await listen(api, policy=policy)
    assert len(server.peers) == 1
    assert type(caught.value) is kind
    if isinstance(caught.value, ProviderBusy) and script[0] != accept:
        assert caught.value.retry_after == 7


async def test_a_policy_in_mid_stream_is_the_end(open_api: OpenAPI) -> None:
    script = (accept, Session(end_after=4), Close(1008, "no"))
    async with open_websocket_server(script) as server, open_api(server.url) as api:
        with pytest.raises(ProviderRefused, match="1008"):
            await listen(api)
    assert len(server.peers) == 1


async def test_never_a_final_is_an_error_in_the_end(open_api: OpenAPI) -> None:
    async def nothing(_: Session, peer: Peer, item: str, text: str) -> None:
        pass

    script = (accept, Session(answer=nothing))
    async with open_websocket_server(script) as server, open_api(server.url) as api:
        with pytest.raises(ProviderClosed, match="last words"):
            await listen(api)


async def test_a_huge_message_of_an_unknown_kind_is_nothing(open_api: OpenAPI) -> None:
    huge = Say(json.dumps({"type": "new.in.2027", "data": "x" * (10 << 20)}))
    async with (
        open_websocket_server((accept, huge, Session())) as server,
        open_api(server.url) as api,
    ):
        assert told(await listen(api)) == ["0 1 2"]


async def test_one_byte_at_a_time(open_api: OpenAPI) -> None:
    async with (
        open_websocket_server((accept, dribble, Session())) as server,
        open_api(server.url) as api,
    ):
        assert told(await listen(api)) == ["0 1 2"]


@pytest.mark.pins("D006", "D007")
async def test_a_silent_line_is_filled_so_that_the_last_words_come(open_api: OpenAPI) -> None:
    policy = attrs.evolve(QUICK, keepalive=0.05, silence=0.3)
    async with (
        open_websocket_server((accept, Session())) as server,
        open_api(server.url) as api,
        open_live_stream(api, "gpt-live-transcribe", OPTIONS, policy) as stream,
    ):
        await stream.send(spoken(1))
        with trio.fail_after(3):
            async for each in stream:
                if isinstance(each, Final):
                    break
    assert each == Final("0", language="en-US", speech_final=True)
