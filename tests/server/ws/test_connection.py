"""Stories of one client's connection, without a network and without real time."""

import json
import logging
from typing import Any

import pytest
import trio
from support.turns_of import counted_turns
from trio.testing import MockClock, lockstep_stream_pair, wait_all_tasks_blocked

from capabilities import AudioFormat, AudioFrame, ProviderBusy
from waav.errors import SlowClient
from waav.observe.stages import Situation, Stage
from waav.session.choices import Choices
from waav.session.commands import Clear, Configure, Speak
from waav.session.events import (
    Failed,
    Paused,
    Ready,
    SpeechBegan,
    SpeechEnded,
    Transcribed,
)
from waav.turns.barge_in import BargeInRules

CONFIG = {"type": "config", "tts_config": {"provider": "espeak"}}
FRAME = AudioFrame(b"\1\2" * 240, AudioFormat(sample_rate=24000))


async def test_commands_reach_the_session_in_the_order_in_which_they_came(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        for message in (CONFIG, {"type": "speak", "text": "a"}, {"type": "clear"}):
            await call.client.send(message)
        await wait_all_tasks_blocked()
        kinds = [type(command) for command in call.session.commands]
        assert kinds == [Configure, Speak, Clear]


async def test_sound_reaches_the_session_as_it_is_whichever_way_it_came(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        await call.client.send(b"abc")
        await call.client.send({"type": "audio", "data": "ZGVm"})
        await call.client.send(b"")
        await call.client.send({"type": "audio"})
        await wait_all_tasks_blocked()
        assert call.session.audio == [b"abc", b"def"]


async def test_events_and_sound_reach_the_client(open_call: Any, autojump_clock: MockClock) -> None:
    async with open_call() as call:
        await call.session.to_events.send(Ready("s", stt=True, tts=True))
        assert (await call.client.receive())["type"] == "ready"
        await call.session.to_events.send(Transcribed("hello", final=True))
        assert (await call.client.receive())["text"] == "hello"
        await call.session.to_audio.send(FRAME)
        assert await call.client.receive() == FRAME.data


def socket_pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    near, far = trio.socket.socketpair()
    return trio.SocketStream(near), trio.SocketStream(far)


async def test_many_events_at_once_are_told_in_few_turns(open_call: Any) -> None:
    """On a core that is full a turn is what everything waits for."""
    async with open_call(streams=socket_pair) as call:
        await wait_all_tasks_blocked()
        with counted_turns() as turns:
            for number in range(50):
                call.session.to_events.send_nowait(Transcribed(str(number)))
            told = [(await call.client.receive())["transcript"] for _ in range(50)]
        assert told == [str(number) for number in range(50)]
        assert turns["ws/events"] <= 3


async def test_sound_never_overtakes_ready(open_call: Any, autojump_clock: MockClock) -> None:
    async with open_call() as call, trio.open_nursery() as nursery:
        nursery.start_soon(call.session.to_audio.send, FRAME)
        await wait_all_tasks_blocked()
        await call.session.to_events.send(Ready("s", stt=False, tts=True))
        assert (await call.client.receive())["type"] == "ready"
        assert await call.client.receive() == FRAME.data


@pytest.mark.pins("D188")
async def test_a_json_ping_gets_a_pong(open_call: Any, autojump_clock: MockClock) -> None:
    async with open_call() as call:
        await call.client.send({"type": "ping", "timestamp": 7})
        answer = await call.client.receive()
        assert answer["type"] == "pong"
        assert answer["timestamp"] == 7
        assert answer["server_time"] > 1_600_000_000_000


async def test_auth_is_answered_at_once_where_none_is_needed(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        await call.client.send({"type": "auth", "token": "secret"})
        assert await call.client.receive() == {"type": "authenticated"}


@pytest.mark.pins("D202")
@pytest.mark.parametrize(
    ("message", "code"),
    [
        pytest.param("{", "invalid_message", id="not-json"),
        pytest.param('"' + "x" * (1 << 20) + '"', "message_too_large", id="text-too-large"),
        pytest.param(b"x" * ((5 << 20) + 1), "audio_too_large", id="audio-too-large"),
        pytest.param({"type": "sing"}, "invalid_message", id="unknown-type"),
        pytest.param({"type": "speak", "text": "x" * 102_401}, "field_too_large", id="long-speak"),
        pytest.param({"type": "config", "livekit": {}}, "not_available", id="livekit"),
        pytest.param(
            {"type": "sip_transfer", "transfer_to": "1"}, "livekit_not_configured", id="sip"
        ),
    ],
)
async def test_a_bad_message_gets_one_error_and_the_connection_goes_on(
    open_call: Any, autojump_clock: MockClock, message: Any, code: str
) -> None:
    async with open_call() as call:
        await call.client.send(message)
        await call.client.send({"type": "ping"})
        answer = await call.client.receive()
        assert answer["type"] in {"error", "sip_transfer_error"}
        assert answer["code"] == code
        assert answer["recoverable"] is True
        assert (await call.client.receive())["type"] == "pong"
        assert call.session.commands == []


async def test_what_cannot_be_had_is_said_and_the_rest_of_a_config_is_done(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        await call.client.send({**CONFIG, "dag_config": {"template": "t"}, "realtime_config": {}})
        answers = [await call.client.receive(), await call.client.receive()]
        assert [answer["code"] for answer in answers] == ["use_realtime_endpoint", "not_available"]
        assert answers[1]["details"] == {"feature": "dag"}
        await wait_all_tasks_blocked()
        assert len(call.session.commands) == 1


@pytest.mark.parametrize("provider", ["flite", "no-such-voice"])
async def test_another_provider_in_speak_is_refused_but_the_text_is_spoken(
    open_call: Any, autojump_clock: MockClock, provider: str
) -> None:
    async with open_call() as call:
        await call.client.send(CONFIG)
        await call.client.send({"type": "speak", "text": "a", "provider": provider})
        answer = await call.client.receive()
        assert answer["code"] == "provider_change_unsupported"
        await wait_all_tasks_blocked()
        assert call.session.commands[1:] == [Speak("a")]


@pytest.mark.parametrize("provider", ["espeak", "local"])
async def test_the_session_provider_may_be_named_in_speak_by_any_name(
    open_call: Any, autojump_clock: MockClock, provider: str
) -> None:
    async with open_call() as call:
        await call.client.send(CONFIG)
        await call.client.send({"type": "speak", "text": "a", "provider": provider})
        await call.client.send({"type": "ping"})
        assert (await call.client.receive())["type"] == "pong"


async def test_speech_events_are_sent_only_to_who_asked(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        began, ended = SpeechBegan("u1"), SpeechEnded("u1", "spoken", 1.0)
        await call.session.to_events.send(began)
        await call.session.to_events.send(ended)
        assert (await call.client.receive())["type"] == "tts_playback_complete"
        await call.client.send({**CONFIG, "features": {"events": True}})
        await call.client.send({**CONFIG})
        await wait_all_tasks_blocked()
        await call.session.to_events.send(began)
        await call.session.to_events.send(ended)
        types = [(await call.client.receive())["type"] for _ in range(3)]
        assert types == ["speaking_started", "speaking_finished", "tts_playback_complete"]


@pytest.mark.parametrize("enabled", [True, False])
async def test_who_may_be_stopped_by_the_user_hears_of_it_without_asking(
    open_call: Any, autojump_clock: MockClock, *, enabled: bool
) -> None:
    """Where the operator lets users interrupt, each client must know when to hold on."""
    choices = Choices(barge_in=BargeInRules(enabled=enabled))
    async with open_call(choices=choices) as call:
        await call.session.to_events.send(Paused())
        await call.session.to_events.send(Transcribed("a"))
        first = (await call.client.receive())["type"]
        assert first == ("speaking_paused" if enabled else "stt_result")


@pytest.mark.pins("D131")
async def test_an_emotion_that_nobody_knows_is_no_reason_to_refuse_a_config(
    open_call: Any, autojump_clock: MockClock
) -> None:
    """The client hears of it, and the session goes on without."""
    config = {"type": "config", "tts_config": {"provider": "espeak", "emotion": "flabbergasted"}}
    async with open_call() as call:
        await call.client.send(config)
        await call.client.send({"type": "speak", "text": "a", "emotion": "flabbergasted"})
        for _ in range(2):
            error = await call.client.receive()
            assert (error["type"], error["code"]) == ("error", "invalid_emotion")
            assert error["recoverable"] is True
        await wait_all_tasks_blocked()
        assert [type(command) for command in call.session.commands] == [Configure, Speak]


async def test_a_field_without_effect_is_logged_once(
    open_call: Any, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_call() as call:
        for _ in range(3):
            await call.client.send({"type": "speak", "text": "a", "pitch": 2})
        await wait_all_tasks_blocked()
        assert call.session.commands == [Speak("a")] * 3
    warnings = [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING and "pitch" in record.getMessage()
    ]
    assert len(warnings) == 1


# How it ends


async def test_a_client_that_leaves_ends_its_session(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        await call.client.leave()
        assert await call.client.everything() == []
        assert call.client.close_code == 1000
        await wait_all_tasks_blocked()
        assert call.gateway.open_now == 0


async def test_a_client_that_vanishes_ends_its_session_quietly(
    open_call: Any, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_call() as call:
        await call.session.to_events.send(Ready("s", stt=True, tts=True))
        await wait_all_tasks_blocked()
        await call.client.stream.aclose()
        await call.session.to_events.send(Transcribed("too late"))
        await wait_all_tasks_blocked()
        assert call.gateway.open_now == 0
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.pins("D172")
async def test_a_client_without_pongs_is_dropped_after_a_minute(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        await trio.sleep(101)
        assert call.gateway.open_now == 0


@pytest.mark.pins("D173", "D189")
@pytest.mark.parametrize("drawn", [-30.0, 7.5, 30.0])
async def test_an_unused_connection_is_closed_at_a_moment_of_its_own(
    open_call: Any, autojump_clock: MockClock, drawn: float
) -> None:
    asked = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return drawn

    async with open_call(uniform=uniform) as call:
        # Reading answers the server's pings; neither these nor the pongs are use.
        messages = await call.client.everything()
        assert trio.current_time() == pytest.approx(300 + drawn, abs=1)
        assert [message["code"] for message in messages] == ["idle_timeout"]
        assert messages[0]["message"] == "Connection closed due to inactivity"
        assert messages[0]["recoverable"] is False
        assert call.client.close_code == 4000
    assert asked == [(-30.0, 30.0)]


async def test_any_message_of_the_client_keeps_the_connection(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call, trio.open_nursery() as nursery:
        nursery.start_soon(call.client.everything)
        for message in (b"sound", {"type": "clear"}, "nonsense"):
            await trio.sleep(290)
            await call.client.send(message)
        await trio.sleep(290)
        assert call.gateway.open_now == 1
        await trio.sleep(20)
        assert call.gateway.open_now == 0


async def test_with_too_much_to_do_whoever_is_not_in_use_goes_first(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as used, open_call() as unused, trio.open_nursery() as nursery:
        load = unused.gateway.load
        used.gateway.load = load
        load.situation = Situation(Stage.EVICT)
        nursery.start_soon(used.client.everything)
        await trio.sleep(load.rules.idle)
        await used.client.send(b"sound")
        await wait_all_tasks_blocked()
        await trio.sleep(1)
        load.judge(1.0, 0.0, trio.current_time())
        assert [message["code"] for message in await unused.client.everything()] == ["overloaded"]
        assert unused.client.close_code == 1013
        load.judge(1.0, 0.0, trio.current_time())
        await trio.sleep(load.rules.idle / 2)
        assert used.gateway.open_now == 1
        await used.client.leave()


@pytest.mark.pins("D174")
async def test_sound_to_the_client_keeps_the_connection(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call, trio.open_nursery() as nursery:
        nursery.start_soon(call.client.everything)
        await call.session.to_events.send(Ready("s", stt=False, tts=True))
        for _ in range(4):
            await trio.sleep(290)
            await call.session.to_audio.send(FRAME)
        assert call.gateway.open_now == 1
        await trio.sleep(310)
        assert call.gateway.open_now == 0


@pytest.mark.pins("D189")
async def test_a_stopping_server_says_so(open_call: Any, autojump_clock: MockClock) -> None:
    """What the session has already said still reaches the client."""
    async with open_call() as call:
        await call.session.to_events.send(Transcribed("last words", final=True))
        call.stopping.set()
        assert [message["text"] for message in await call.client.everything()] == ["last words"]
        assert call.client.close_code == 1001


async def test_a_server_that_has_run_out_of_patience_still_says_1001(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        await wait_all_tasks_blocked()
        call.scope.cancel()
        with trio.CancelScope(shield=True):
            assert await call.client.everything() == []
            assert call.client.close_code == 1001


@pytest.mark.pins("D189")
async def test_a_session_that_dies_of_a_bug_closes_with_1011_and_an_id(
    open_call: Any, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the traceback once; the client learns nothing but where to find it."""
    async with open_call() as call:
        call.session.fail(KeyError("api_key=sk-secret"))
        messages = await call.client.everything()
        assert call.client.close_code == 1011
    assert [message["code"] for message in messages] == ["internal_error"]
    assert "secret" not in json.dumps(messages)
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(records) == 1
    assert records[0].exc_info is not None
    assert str(records[0].args[0]) in messages[0]["message"]


async def test_a_session_that_says_it_is_over_ends_the_connection(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        await call.session.to_events.send(Failed("plugin_failed", "gone", recoverable=False))
        messages = await call.client.everything()
        assert [message["recoverable"] for message in messages] == [False]
        assert call.client.close_code == 1011


async def test_nothing_is_told_behind_a_last_word(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        call.session.to_events.send_nowait(Failed("dead", "It is over", recoverable=False))
        call.session.to_events.send_nowait(Transcribed("too late"))
        assert [message["type"] for message in await call.client.everything()] == ["error"]


async def test_a_gateway_without_room_for_a_session_says_try_again(
    open_call: Any, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_call(refuses=ProviderBusy("sessions", "all in use")) as call:
        messages = await call.client.everything()
        assert [message["code"] for message in messages] == ["provider_busy"]
        assert call.client.close_code == 1013
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.pins("D189")
async def test_a_client_that_does_not_read_is_let_go_after_ten_seconds(
    open_call: Any, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_call(streams=lockstep_stream_pair) as call:
        await call.session.to_events.send(Ready("s", stt=False, tts=True))
        await trio.sleep(9)
        assert call.gateway.open_now == 1
        await trio.sleep(2)
        assert call.gateway.open_now == 0
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_session_whose_events_nobody_reads_closes_with_1013(
    open_call: Any, autojump_clock: MockClock
) -> None:
    async with open_call() as call:
        call.session.fail(SlowClient("the client does not read its messages"))
        assert await call.client.everything() == []
        assert call.client.close_code == 1013


async def test_a_bug_in_the_moment_of_a_hard_stop_is_not_lost(
    open_call: Any, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It comes out in one group with the cancellation, which must pass on its way."""
    async with open_call() as call:
        await wait_all_tasks_blocked()
        call.session.fail(ZeroDivisionError())
        call.scope.cancel()
        with trio.CancelScope(shield=True):
            messages = await call.client.everything()
        assert [message["code"] for message in messages] == ["internal_error"]
        assert call.client.close_code == 1011
    assert len([record for record in caplog.records if record.exc_info]) == 1
