"""Scripts of (time, what happens) and how the turn ends. The table is that of docs/topics/turns.md."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    Final,
    Interim,
    SpeechBegun,
    SpeechFinal,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    TurnVerdict,
    VoiceActivity,
)
from waav.turns.endpointing import Ask, Echo, Endpointing, TurnEnded, Waits

HELLO, WORLD = Final("hello"), Final("world.")
DONE = Final("hello", speech_final=True)
VOICE, QUIET = SpeechStarted(0.0), SpeechStopped(0.0)
YES, NO = TurnVerdict(0.9, 0.7), TurnVerdict(0.2, 0.7)

Happening = Transcript | VoiceActivity | TurnVerdict | str
Script = list[tuple[float, Happening]]
WAIT = "wait"
"""Nothing happens until then."""


def play(script: Script, *, detector: bool = False) -> list[object]:
    """Let it happen; return what came of each step, without the steps of which nothing came."""
    machine = Endpointing(has_detector=detector)
    came = [step(machine, event, now) for now, event in script]
    return [each for each in came if each is not None]


def step(machine: Endpointing, event: Happening, now: float) -> object:
    match event:
        case SpeechStarted() | SpeechStopped():
            machine.listen(event, now)
            return None
        case TurnVerdict():
            return machine.judged(machine._questions, event, now)
        case "broken":
            return machine.judged(machine._questions, None, now)
        case str():
            return machine.expire(now)
        case _:
            return machine.feed(event, now)


def ended(text: str, by: str, last: str | None = None) -> TurnEnded:
    return TurnEnded(text, text if last is None else last, by)  # type: ignore[arg-type]


# --- without a detector: the provider, silence, the limit ---------------------------------------


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            [(0.0, HELLO), (0.3, SpeechFinal())],
            [ended("hello", "provider")],
            id="the-provider-says-so",
        ),
        pytest.param(
            [(0.0, HELLO), (0.3, Final("world.", speech_final=True))],
            [ended("hello world.", "provider", "world.")],
            id="in-the-breath-of-the-last-words",
        ),
        pytest.param([(0.0, HELLO), (1.8, WAIT)], [ended("hello", "silence")], id="silence"),
        pytest.param([(0.0, HELLO), (1.7, WAIT)], [], id="not-silent-for-long-enough"),
        pytest.param(
            [(0.0, HELLO), (1.7, WORLD), (1.8, WAIT), (3.5, WAIT)],
            [ended("hello world.", "silence", "world.")],
            id="a-final-starts-the-wait-anew",
        ),
        pytest.param(
            [(0.0, HELLO), (1.7, Interim("wor")), (1.8, WAIT)],
            [ended("hello", "silence")],
            id="an-interim-does-not",
        ),
        pytest.param([(0.0, Interim("he")), (9.0, WAIT)], [], id="only-an-interim"),
        pytest.param([(0.0, SpeechBegun(0.0)), (9.0, WAIT)], [], id="only-a-beginning"),
        pytest.param([(0.0, SpeechFinal())], [], id="nothing-said"),
        pytest.param([(0.0, Final("  ")), (9.0, WAIT)], [], id="an-empty-final"),
        pytest.param([(0.0, Final("  ", speech_final=True))], [], id="an-empty-end"),
        pytest.param(
            [(0.0, HELLO), (1.5, HELLO), (3.0, HELLO), (3.9, HELLO), (4.0, WAIT)],
            [ended("hello hello hello hello", "limit", "hello")],
            id="the-limit-counts-from-the-first-final-and-is-never-put-off",
            marks=pytest.mark.pins("D140"),
        ),
        pytest.param(
            [(0.0, HELLO), (3.9, HELLO), (4.0, WAIT), (5.8, WAIT), (9.0, WAIT)],
            [ended("hello hello", "limit", "hello")],
            id="what-has-ended-does-not-end-again",
            marks=pytest.mark.pins("D141"),
        ),
        pytest.param(
            [(0.0, HELLO), (3.0, SpeechFinal()), (3.5, HELLO), (4.0, WAIT), (5.3, WAIT)],
            [ended("hello", "provider"), ended("hello", "silence")],
            id="a-new-turn-has-a-limit-of-its-own",
        ),
    ],
)
def test_time_and_the_provider(script: Script, expected: list[object]) -> None:
    assert play(script) == expected


@pytest.mark.pins("D135")
def test_finals_are_joined_with_one_space_and_none_before_punctuation() -> None:
    script: Script = [(0, Final(" so ")), (0, Final("it is")), (0, Final(", then")), (0, DONE)]
    assert play(script) == [ended("so it is, then hello", "provider", "hello")]


@pytest.mark.parametrize(
    ("at", "echo", "expected"),
    [
        pytest.param(2.3, DONE, Echo(), id="the-same-words-within-the-window"),
        pytest.param(2.4, DONE, ended("hello", "provider"), id="too-late-for-an-echo"),
        pytest.param(
            2.0, Final("help", speech_final=True), ended("help", "provider"), id="other-words"
        ),
        pytest.param(2.0, SpeechFinal(), None, id="the-mark-alone-is-of-nothing"),
    ],
)
def test_the_providers_own_end_after_ours(at: float, echo: Transcript, expected: object) -> None:
    machine = Endpointing()
    machine.feed(HELLO, 0.0)
    assert machine.expire(1.8) == ended("hello", "silence")
    assert machine.feed(echo, at) == expected


# --- a detector ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            [(0.0, HELLO), (1.8, WAIT), (1.9, YES)],
            [Ask(1, "hello"), ended("hello", "detector")],
            id="complete",
        ),
        pytest.param(
            [(0.0, HELLO), (1.8, WAIT), (1.9, NO), (3.9, WAIT), (4.0, WAIT)],
            [Ask(1, "hello"), ended("hello", "limit")],
            id="not-complete-and-the-limit-goes-on",
        ),
        pytest.param(
            [(0.0, HELLO), (1.8, WAIT), (1.9, "broken")],
            [Ask(1, "hello"), ended("hello", "silence")],
            id="broken",
        ),
        pytest.param(
            [(0.0, HELLO), (1.8, WAIT), (2.2, WAIT), (2.3, WAIT), (2.4, YES)],
            [Ask(1, "hello"), ended("hello", "silence")],
            id="too-slow",
        ),
        pytest.param(
            [(0.0, HELLO), (1.8, WAIT), (1.9, WORLD), (2.0, YES), (3.7, WAIT), (3.8, YES)],
            [
                Ask(1, "hello"),
                Ask(2, "hello world."),
                ended("hello world.", "detector", "world."),
            ],
            id="a-verdict-on-words-that-went-on-does-not-count",
        ),
        pytest.param(
            [(0.0, HELLO), (1.8, WAIT), (1.9, NO), (2.0, WORLD), (3.8, WAIT), (3.9, YES)],
            [
                Ask(1, "hello"),
                Ask(2, "hello world."),
                ended("hello world.", "detector", "world."),
            ],
            id="asked-again-about-more-words",
        ),
        pytest.param(
            [(0.0, HELLO), (1.8, WAIT), (1.9, SpeechFinal()), (2.0, YES)],
            [Ask(1, "hello"), ended("hello", "provider")],
            id="the-provider-is-quicker",
        ),
    ],
)
def test_a_detector(script: Script, expected: list[object]) -> None:
    assert play(script, detector=True) == expected


# --- a voice detector ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            [(0.0, HELLO), (1.0, VOICE), (1.8, WAIT), (3.0, QUIET), (3.9, WAIT)],
            [],
            id="while-somebody-talks-there-is-no-silence",
        ),
        pytest.param(
            [(0.0, HELLO), (0.5, VOICE), (1.0, QUIET), (2.7, WAIT), (2.8, WAIT)],
            [ended("hello", "silence")],
            id="a-voice-without-words-only-puts-it-off",
        ),
        pytest.param(
            [(0.0, HELLO), (1.0, VOICE), (4.0, WAIT)],
            [ended("hello", "limit")],
            id="but-not-beyond-the-limit",
        ),
        pytest.param([(0.0, VOICE), (1.0, QUIET), (9.0, WAIT)], [], id="a-voice-is-no-turn"),
    ],
)
def test_a_voice(script: Script, expected: list[object]) -> None:
    assert play(script) == expected


def test_a_question_is_void_when_the_voice_goes_on() -> None:
    script: Script = [(0.0, HELLO), (1.8, WAIT), (1.9, VOICE), (2.0, YES)]
    assert play(script, detector=True) == [Ask(1, "hello")]


# --- in general ------------------------------------------------------------------------------------


@pytest.mark.pins("D136")
def test_there_is_one_set_of_times() -> None:
    assert Waits() == Waits(silence=1.8, detector=0.5, limit=4.0, repeat=0.5)


@pytest.mark.parametrize("wrong", [{"silence": 0}, {"detector": -1.0}, {"limit": 0.0}], ids=str)
def test_a_wait_that_is_none_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        Waits(**wrong)


def test_what_was_forgotten_ends_no_turn() -> None:
    machine = Endpointing()
    machine.feed(HELLO, 0.0)
    machine.forget()
    assert machine.deadline == inf
    assert machine.expire(100.0) is None


TEXTS = st.text("ab .", max_size=3)
HAPPENINGS = st.one_of(
    st.just(WAIT),
    st.just("broken"),
    st.builds(Interim, TEXTS),
    st.builds(Final, TEXTS, speech_final=st.booleans()),
    st.just(SpeechFinal()),
    st.sampled_from([VOICE, QUIET, YES, NO]),
)


@given(st.lists(st.tuples(st.floats(0, 3), HAPPENINGS)), st.booleans())
def test_any_order_loses_no_word_and_says_none_twice(
    script: list[tuple[float, Happening]],
    detector: bool,  # noqa: FBT001 - hypothesis fills it
) -> None:
    machine, now = Endpointing(has_detector=detector), 0.0
    said: list[str] = []
    heard: list[str] = []
    for pause, event in script:
        now += pause
        came = step(machine, event, now)
        if isinstance(event, Final) and not isinstance(came, Echo):
            said += event.text.split()
        if isinstance(came, TurnEnded):
            assert came.text, "a turn without a word"
            heard += came.text.split()
        if event == WAIT:
            assert machine.deadline > now, "a deadline in the past"
    while machine.deadline < inf:
        now = machine.deadline
        came = machine.expire(now)
        assert machine.deadline > now
        if isinstance(came, TurnEnded):
            heard += came.text.split()
    assert "".join(heard) == "".join(said)
