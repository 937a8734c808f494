"""A link's story told to it with the time, and what it wants done."""

from collections.abc import Sequence
from math import inf
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    SPEECH,
    AudioFormat,
    AudioFrame,
    Encoding,
    Final,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from providers._common.backoff import Backoff
from providers._common.link import Link
from providers._common.link_states import (
    Action,
    Drop,
    Finish,
    KeepAlive,
    Open,
    Play,
    Renew,
    Say,
    State,
    Switch,
)
from providers._common.policy import Policy
from providers._common.wire import Acknowledged, Reply
from waav.testing import silence, tone

X = "x"
GONE = ProviderClosed(X, "reset")


def link(audio: AudioFormat = SPEECH, **policy: Any) -> Link:
    """Return one that is to be opened at 0 s; the pauses between losses are 0, 1, 2, 4 ... s."""
    settings = {"longest_frame": 10.0, "backoff": Backoff(first=1, longest=60), **policy}
    return Link(X, audio, Policy(**settings), chance=lambda: 0.5)


def streaming(audio: AudioFormat = SPEECH, **policy: Any) -> Link:
    """Return one that streams since 0 s."""
    each = link(audio, **policy)
    open_again(each, 0)
    return each


def open_again(each: Link, now: float) -> None:
    assert each.next(now) == Open()
    each.connected()
    each.ready(now)


def actions(each: Link, now: float) -> list[Action]:
    found = []
    while (action := each.next(now)) is not None:
        found.append(action)
    return found


def say(each: Link, frame: AudioFrame, now: float) -> Sequence[Action]:
    each.replay.put(frame.data)
    return actions(each, now)


def test_a_stream_from_its_beginning_to_its_end() -> None:
    each = link()
    assert actions(each, 0) == [Open()]
    assert say(each, tone(0.2), 0.1) == [], "not ready, and kept"
    each.connected()
    assert actions(each, 0.2) == []
    each.ready(0.3)
    assert actions(each, 0.3) == [Play(tone(0.2))]
    each.finish()
    assert actions(each, 0.4) == [Finish()]
    assert each.state is State.FINALIZING
    each.ended(0.5)
    assert (each.state, each.error, each.deadline) == (State.CLOSING, None, inf)


def test_what_a_wire_replies_goes_before_the_sound() -> None:
    each = streaming()
    each.receive([Reply("a"), Reply("b")])
    assert say(each, silence(0.1), 1) == [Say("a"), Say("b"), Play(silence(0.1))]


# Keepalive.


@pytest.mark.pins("D048")
def test_a_keepalive_goes_out_every_five_seconds_and_only_while_no_audio_flows() -> None:
    each = streaming(keepalive=5)
    told = []
    for tick in range(400):  # 20 s of sound in frames of 0.1 s, then 20 s of none
        now = tick / 10
        found = say(each, silence(0.1), now) if now < 20 else actions(each, now)
        told += [now for action in found if action == KeepAlive()]
    assert told == pytest.approx([24.9, 29.9, 34.9, 39.9])


@pytest.mark.pins("D007")
@pytest.mark.parametrize(
    ("audio", "data"),
    [
        (AudioFormat(Encoding.MULAW, 8000), b"\xff" * 800),
        (AudioFormat(Encoding.ALAW, 8000), b"\xd5" * 800),
        (AudioFormat(Encoding.LINEAR16, 16000, 2), bytes(6400)),
    ],
)
def test_a_keepalive_of_silence_is_in_the_encoding_of_the_stream(
    audio: AudioFormat, data: bytes
) -> None:
    each = streaming(audio, keepalive=4, silence=0.1)
    assert each.deadline == 4
    assert actions(each, 4) == [Play(AudioFrame(data, audio))]
    assert each.deadline == 8
    assert each.replay.sent == 0, "it is not of the stream"


def test_silence_too_fits_the_vendor_s_frames_and_sound_waits_until_it_is_out() -> None:
    each = streaming(keepalive=5, silence=1.0, longest_frame=0.4)
    assert each.next(5) == Play(silence(0.4))
    each.replay.put(tone(0.1).data)
    assert actions(each, 5) == [Play(silence(0.4)), Play(silence(0.2)), Play(tone(0.1))]


def test_nobody_can_keep_a_compressed_stream_open_with_silence() -> None:
    assert streaming(AudioFormat(Encoding.OPUS), keepalive=4, silence=0.1).deadline == inf
    assert streaming(AudioFormat(Encoding.OPUS), keepalive=4).deadline == 4


# Losses.


def test_after_a_loss_what_was_not_acknowledged_is_sent_again() -> None:
    each = streaming()
    say(each, AudioFrame(b"ab" * 16000), 0)
    each.receive([Final("x"), Acknowledged(0.5)])
    each.lost(GONE, 0)
    assert say(each, silence(0.1), 0) == [Open()]
    each.connected()
    each.ready(1)
    assert actions(each, 1) == [Play(AudioFrame(b"ab" * 8000 + bytes(3200), SPEECH, 0.5))]


def test_the_pauses_grow_with_the_tokens_that_are_missing() -> None:
    each = streaming(losses=4, refill=10)
    now, pauses = 0.0, []
    for _ in range(4):
        each.lost(GONE, now)
        pauses.append(each.deadline - now)
        now = each.deadline
        open_again(each, now)
    assert pauses == [0, 1, 2, 4]
    each.lost(GONE, now + 100)
    assert each.deadline == now + 100, "100 healthy seconds have made up for them"


def test_a_vendor_that_hangs_up_again_and_again_is_given_up_with_one_error() -> None:
    each = streaming(losses=2)
    now = 0.0
    for _ in range(2):
        each.lost(ProviderUnavailable(X, "503"), now)
        now = each.deadline
        open_again(each, now)
    each.lost(ProviderUnavailable(X, "503"), now)
    assert each.state is State.CLOSING
    assert isinstance(each.error, ProviderClosed)
    assert each.error.message == "503"


def test_speech_that_nobody_answers_is_no_sign_of_health() -> None:
    each = streaming(losses=3, refill=10, progress=20)
    each.lost(GONE, 0)
    open_again(each, 0)
    assert each.budget.used == 1
    say(each, tone(2.0), 5)
    assert actions(each, 25) == [Drop()]
    assert each.budget.used == 2, "of 25 s only the first 5 were healthy: half a token"


HOPELESS = {
    "a key that is refused": (ProviderRefused(X, "401"), ProviderRefused),
    "too busy for the kept sound": (ProviderBusy(X, "429", retry_after=31), ProviderClosed),
}


@pytest.mark.parametrize(("error", "told"), HOPELESS.values(), ids=HOPELESS)
def test_what_is_not_tried_again(error: ProviderError, told: type[ProviderError]) -> None:
    each = streaming()
    each.lost(error, 1)
    assert each.state is State.CLOSING
    assert type(each.error) is told


def test_a_busy_vendor_is_asked_when_it_said() -> None:
    each = streaming()
    each.lost(ProviderBusy(X, "429", retry_after=7), 1)
    assert each.deadline == 8


def test_an_unreadable_message_is_a_loss_in_mid_stream_and_the_end_at_the_start() -> None:
    each = streaming()
    each.lost(ProviderProtocolError(X, "garbled"), 1)
    assert each.next(1) == Open()
    each.connected()
    each.lost(ProviderProtocolError(X, "garbled"), 2)
    assert isinstance(each.error, ProviderProtocolError)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ProviderUnavailable(X, "503"), ProviderUnavailable),
        (ProviderBusy(X, "429"), ProviderBusy),
        (ProviderRefused(X, "401"), ProviderRefused),
        (GONE, ProviderUnavailable),
    ],
)
def test_a_stream_that_was_never_open_is_not_tried_again(
    error: ProviderError, told: type[ProviderError]
) -> None:
    """The gateway asks another provider, or this one again: there is one retry layer, not two."""
    each = link()
    each.next(0)
    each.lost(error, 0)
    assert type(each.error) is told


def test_compressed_sound_is_not_resumed() -> None:
    each = streaming(AudioFormat(Encoding.OGG), longest_session=300)
    assert each.deadline == inf, "nor is its connection changed"
    each.lost(GONE, 1)
    assert isinstance(each.error, ProviderClosed)


# Progress.


def test_silence_is_not_waited_for() -> None:
    each = streaming(progress=5)
    for second in range(120):
        assert say(each, silence(1.0), second) == [Play(attrs.evolve(silence(1.0), start=second))]
    assert each.deadline == inf


def test_speech_without_an_answer_leads_to_another_connection() -> None:
    each = streaming(progress=5)
    say(each, tone(0.9), 0)
    assert each.deadline == inf, "a cough"
    say(each, tone(0.2), 3)
    assert each.deadline == 8
    say(each, silence(0.5), 7)
    assert actions(each, 8) == [Drop(), Open()]


def test_any_answer_will_do() -> None:
    each = streaming(progress=5)
    say(each, tone(2.0), 0)
    each.receive([])
    assert each.deadline == inf


def test_a_vendor_that_cannot_be_heard_is_excused() -> None:
    each = streaming(progress=5)
    say(each, tone(2.0), 0)
    each.excuse()
    assert each.deadline == inf


# Renewal.


def test_a_second_connection_is_made_before_the_longest_session_ends() -> None:
    each = streaming(longest_session=300, margin=30)
    assert each.deadline == 270
    assert actions(each, 270) == [Renew()]
    assert each.deadline == inf
    each.second_ready(270.3)
    assert actions(each, 270.3) == [Switch()], "nobody speaks"
    assert each.deadline == 540.3


def test_a_speaker_is_not_interrupted_until_the_second_connection_cannot_wait() -> None:
    each = streaming(longest_session=300, margin=30, progress=inf)
    actions(each, 270)
    say(each, tone(0.5), 270)
    each.second_ready(271)
    assert say(each, tone(0.5), 272)[-1:] != [Switch()]
    assert each.deadline == 276
    assert actions(each, 276)[0] == Switch()


def test_a_final_is_a_good_moment_and_what_comes_behind_it_goes_to_the_new_connection() -> None:
    each = streaming(longest_session=300, margin=30)
    actions(each, 270)
    say(each, tone(0.5), 270)
    each.second_ready(271)
    each.receive([Final("x"), Acknowledged(0.5)])
    assert actions(each, 272) == [Switch()]
    assert say(each, tone(0.1), 273) == [Play(attrs.evolve(tone(0.1), start=0.5))]


def test_a_second_connection_that_fails_is_tried_again_while_the_first_goes_on() -> None:
    each = streaming(longest_session=300, margin=30)
    assert actions(each, 270) == [Renew()]
    each.second_lost(271)
    assert each.budget.used == 0
    assert actions(each, 276) == [Renew()]
    each.second_ready(277)
    assert actions(each, 277) == [Switch()]


def test_a_day_of_renewals_costs_nothing() -> None:
    each = streaming(longest_session=300, margin=30)
    switches = 0
    while (now := each.deadline) < 24 * 3600:
        assert actions(each, now) == [Renew()]
        each.second_ready(now)
        assert actions(each, now) == [Switch()]
        switches += 1
    assert (switches, each.budget.used) == (319, 0)


# The end.


def test_last_words_are_awaited_but_not_for_ever() -> None:
    each = streaming(finish_timeout=5)
    say(each, tone(0.5), 0)
    each.finish()
    assert actions(each, 1) == [Finish()]
    assert each.deadline == 6
    assert actions(each, 6) == []
    assert isinstance(each.error, ProviderClosed), "somebody spoke, and the words are missing"


def test_a_vendor_that_says_nothing_to_silence_at_the_end_makes_no_error() -> None:
    each = streaming(finish_timeout=5)
    say(each, silence(0.5), 0)
    each.finish()
    actions(each, 1)
    actions(each, 6)
    assert (each.state, each.error) == (State.CLOSING, None)


def test_a_loss_at_the_end_matters_if_words_may_be_missing() -> None:
    each = streaming()
    say(each, tone(0.5), 0)
    each.finish()
    actions(each, 1)
    each.lost(GONE, 2)
    assert each.state is State.OPEN
    open_again(each, 2)
    assert actions(each, 2) == [Play(tone(0.5)), Finish()]
    each.receive([Final("x"), Acknowledged(0.5)])
    each.lost(GONE, 3)
    assert (each.state, each.error) == (State.CLOSING, None)


# Pace and size.


def test_kept_sound_is_sent_again_no_faster_than_the_vendor_takes_it() -> None:
    """Twice as fast as it was spoken, after one second that may always go at once."""
    each = streaming(pace=2, longest_frame=0.5, progress=inf)
    each.replay.put(tone(10.0).data)
    now, sent = 0.0, 0.0
    while each.replay.ready:
        for action in actions(each, now):
            assert isinstance(action, Play)
            sent += action.frame.duration
        assert sent <= 2 * (now + 1) + 0.5
        now = each.deadline
    assert sent == 10
    assert now == inf


def test_frames_fit_the_vendor() -> None:
    each = streaming(shortest_frame=0.05, longest_frame=0.1, progress=inf)
    assert say(each, tone(0.04), 0) == []
    found = say(each, tone(0.2), 0)
    assert [a.frame.duration for a in found if isinstance(a, Play)] == pytest.approx([0.1, 0.1])
    each.finish()
    assert [type(a) for a in actions(each, 0)] == [Play, Finish]


STEPS = st.sampled_from(
    ["speak", "be silent", "final", "lose", "refuse", "finish", "end", "reply", "excuse"]
)


@given(
    steps=st.lists(st.tuples(STEPS, st.floats(0, 40)), max_size=40),
    pace=st.sampled_from([1.0, 4.0, inf]),
    filling=st.sampled_from([0.0, 0.1]),
    second_works=st.booleans(),
)
def test_whatever_happens_it_is_either_busy_or_waits_for_a_time_to_come(
    steps: list[tuple[str, float]], pace: float, filling: float, *, second_works: bool
) -> None:
    """Never both: an action that is never due, or a deadline in the past, would spin for ever."""
    each = link(pace=pace, keepalive=3, silence=filling, longest_session=60, progress=5, losses=50)
    now = 0.0
    for what, pause in steps:
        for _ in range(500):
            obey(each, now, second_works=second_works)
            assert each.deadline > now
            if each.deadline > now + pause:
                break
            pause -= each.deadline - now  # noqa: PLW2901 - the time that is left
            now = each.deadline
        now += pause
        happen(each, what, now)


def obey(each: Link, now: float, *, second_works: bool) -> None:
    for count in range(1000):
        match each.next(now):
            case None:
                return
            case Open():
                each.connected()
                each.ready(now)
            case Renew() if second_works:
                each.second_ready(now)
            case Renew():
                each.second_lost(now)
            case _:
                pass
        assert count < 999


def happen(each: Link, what: str, now: float) -> None:
    listening = each.state in (State.STREAMING, State.FINALIZING)
    match what:
        case "speak":
            each.replay.put(tone(1.5).data)
        case "be silent":
            each.replay.put(silence(1.5).data)
        case "final" if listening:
            each.receive([Final("x")])
        case "reply" if listening:
            each.receive([Reply("x")])
        case "lose" if each.state is not State.CLOSING:
            each.lost(GONE, now)
        case "refuse" if each.state is not State.CLOSING:
            each.lost(ProviderRefused(X, "401"), now)
        case "finish":
            each.finish()
        case "end" if listening:
            each.ended(now)
        case "excuse":
            each.excuse()
