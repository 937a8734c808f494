"""Scripts of (time, what is heard while the agent talks) and what the agent does."""

from collections.abc import Callable
from math import inf

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    Final,
    Interim,
    SpeechFinal,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    VoiceActivity,
)
from waav.turns.barge_in import LONGEST_PAUSE, Act, BargeIn, BargeInRules, plain_words

VOICE, QUIET = SpeechStarted(0.0), SpeechStopped(0.0)
ON = BargeInRules(enabled=True)
NODDING = BargeInRules(enabled=True, nods=plain_words(["mm-hmm", "Wow"]))
Step = tuple[float, Transcript | VoiceActivity | None]


def run(rules: BargeInRules, script: list[Step], *, playing: bool = True) -> list[Act]:
    """Feed a script; return what the agent did."""
    machine = BargeIn(rules)
    done = [step(machine, event, now, playing=playing) for now, event in script]
    return [act for act in done if act]


def step(
    machine: BargeIn, event: Transcript | VoiceActivity | None, now: float, *, playing: bool
) -> Act | None:
    match event:
        case SpeechStarted() | SpeechStopped():
            machine.listen(event, now)
            return None
        case None:
            return machine.expire(now, playing=playing)
        case _:
            return machine.feed(event, 0.0 if playing else None)


@pytest.mark.parametrize(
    ("rules", "script", "expected"),
    [
        pytest.param(
            ON, [(0, VOICE), (0.4, None), (0.4, QUIET), (9, None)], [], id="a-cough-does-nothing"
        ),
        pytest.param(ON, [(0, VOICE), (0.5, None)], [Act.PAUSE], id="a-voice-that-lasts-pauses"),
        pytest.param(
            ON,
            [(0, VOICE), (0.5, None), (1, Interim("wait"))],
            [Act.PAUSE, Act.STOP],
            id="words-stop",
        ),
        pytest.param(
            ON,
            [(0, VOICE), (0.5, None), (1, QUIET), (2.9, None), (3, None)],
            [Act.PAUSE, Act.RESUME],
            id="a-voice-without-words-lets-it-go-on",
        ),
        pytest.param(
            ON,
            [(0, VOICE), (0.5, None), (1, QUIET), (2, VOICE), (3, None)],
            [Act.PAUSE],
            id="a-second-breath-keeps-the-pause",
        ),
        pytest.param(
            ON,
            [(0, VOICE), (0.5, None), (0.4 + LONGEST_PAUSE, None), (0.5 + LONGEST_PAUSE, None)],
            [Act.PAUSE, Act.RESUME],
            id="noise-does-not-silence-it-for-ever",
        ),
        pytest.param(
            ON,
            [(0, VOICE), (0.1, Interim("stop"))],
            [Act.STOP],
            id="words-need-no-patience",
        ),
        pytest.param(
            BargeInRules(enabled=True, min_words=3),
            [(0, Interim("uh huh")), (1, Final("uh huh")), (2, Interim("but"))],
            [Act.STOP],
            id="few-words-are-a-nod-and-add-up-to-a-sentence",
        ),
        pytest.param(
            BargeInRules(enabled=True, min_words=3),
            [(0, VOICE), (0.5, None), (1, Interim("uh huh")), (1, QUIET), (3, None)],
            [Act.PAUSE, Act.RESUME],
            id="after-a-nod-it-goes-on",
        ),
        pytest.param(
            BargeInRules(enabled=True, min_words=0),
            [(0, VOICE), (0.5, None)],
            [Act.STOP],
            id="a-voice-alone",
        ),
        pytest.param(
            BargeInRules(enabled=True, resume_after=None),
            [(0, VOICE), (0.5, None), (1, Interim("wait"))],
            [Act.STOP],
            id="without-a-pause",
        ),
        pytest.param(
            NODDING,
            [(0, VOICE), (0.5, None), (1, Final("Mm-hmm, wow!")), (1, QUIET), (3, None)],
            [Act.PAUSE, Act.RESUME],
            id="who-only-nods-does-not-interrupt-in-any-number-of-words",
        ),
        pytest.param(
            NODDING,
            [(0, Final("Mm-hmm.")), (1, Interim("wait"))],
            [Act.STOP],
            id="a-word-after-a-nod-interrupts",
        ),
        pytest.param(
            attrs.evolve(NODDING, min_words=3),
            [(0, Final("wow")), (1, Interim("mm but"))],
            [Act.STOP],
            id="nods-beside-other-words-are-words",
        ),
        pytest.param(NODDING, [(0, Interim("...")), (1, Final("?"))], [], id="marks-are-no-words"),
        pytest.param(BargeInRules(), [(0, VOICE), (9, None), (9, Final("stop it"))], [], id="off"),
        pytest.param(ON, [(0, SpeechFinal())], [], id="a-mark-is-no-word"),
    ],
)
def test_what_the_agent_does(rules: BargeInRules, script: list[Step], expected: list[Act]) -> None:
    assert run(rules, script) == expected


@pytest.mark.parametrize(
    ("word", "same", "other"),
    [
        pytest.param("हाँ", "हाँ।", "है", id="vowel-signs-are-part-of-a-word"),
        pytest.param("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "Cafe\u0301!", "cafe", id="accents"),
        pytest.param("uh-huh", "Uh huh.", "uhhuh", id="a-hyphen-is-a-space"),
    ],
)
def test_words_are_compared_in_any_script(word: str, same: str, other: str) -> None:
    assert plain_words([word]) == plain_words([same])
    assert not plain_words([word]) & plain_words([other])


def test_nothing_is_interrupted_while_nothing_plays() -> None:
    assert not run(ON, [(0, VOICE), (0.5, None), (1, Final("hello there"))], playing=False)


def test_a_voice_that_goes_on_counts_when_the_agent_begins() -> None:
    machine = BargeIn(ON)
    machine.listen(VOICE, 0.0)
    assert machine.expire(0.5, playing=False) is None
    assert machine.deadline == 1.0
    assert machine.expire(1.0, playing=True) is Act.PAUSE


@pytest.mark.parametrize("over", [BargeIn.turn_over, BargeIn.reset])
def test_words_of_an_earlier_turn_do_not_make_a_nod_an_interruption(
    over: Callable[[BargeIn], None],
) -> None:
    machine = BargeIn(NODDING)
    machine.feed(Final("I see"), None)
    over(machine)
    assert machine.feed(Final("wow"), 0.0) is None


def test_words_of_an_earlier_turn_do_not_count() -> None:
    machine = BargeIn(BargeInRules(enabled=True, min_words=3))
    machine.feed(Final("two words"), None)
    machine.turn_over()
    assert machine.feed(Final("one"), 0.0) is None


def test_words_without_a_voice_are_noise_or_were_said_before() -> None:
    machine = BargeIn(ON, watched=True)
    machine.listen(VOICE, 0.0)
    machine.listen(QUIET, 1.0)
    assert machine.feed(Final("said before the agent began"), 2.0) is None
    machine.listen(VOICE, 3.0)
    assert machine.feed(Interim("stop"), 2.0) is Act.STOP


@given(
    st.lists(
        st.tuples(
            st.floats(0, 3),
            st.none()
            | st.sampled_from([VOICE, QUIET])
            | st.builds(Interim, st.sampled_from(["", "a", "a b"]))
            | st.builds(Final, st.sampled_from(["", "a", "a b"])),
            st.booleans(),
        )
    ),
    st.sampled_from([None, 2.0]),
    st.integers(0, 3),
)
def test_a_pause_always_ends_and_no_deadline_stays_behind(
    script: list[tuple[float, Transcript | VoiceActivity | None, bool]],
    resume_after: float | None,
    min_words: int,
) -> None:
    machine = BargeIn(BargeInRules(enabled=True, resume_after=resume_after, min_words=min_words))
    now, paused = 0.0, False
    for pause, event, playing in script:
        now += pause
        act = step(machine, event, now, playing=playing or paused)
        assert not (act is Act.PAUSE and paused)
        assert not (act is Act.RESUME and not paused)
        paused = act is Act.PAUSE or (paused and act is None)
        assert paused == machine.paused
        if event is None:
            assert machine.deadline > now
    for _ in range(3):
        if machine.deadline < inf:
            machine.expire(machine.deadline, playing=True)
    assert not machine.paused
    assert machine.deadline == inf


@pytest.mark.parametrize("playing", [True, False])
def test_a_voice_is_never_looked_at_without_a_pause_between(*, playing: bool) -> None:
    """Nobody may ask for so short a voice that the loop does nothing else."""
    machine, now = BargeIn(BargeInRules(enabled=True, min_speech=0.0, resume_after=None)), 0.0
    machine.listen(VOICE, now)
    machine.expire(now, playing=playing)
    assert machine.deadline > now


def test_noises_that_come_again_and_again_do_not_keep_the_agent_silent() -> None:
    """Each is too short, and too soon after the last one, for the agent to go on between them."""
    machine, now = BargeIn(ON), 0.5
    machine.listen(VOICE, 0.0)
    assert machine.expire(now, playing=True) is Act.PAUSE
    while machine.paused and now < 60.0:
        machine.listen(QUIET, now := now + 1.0)
        machine.expire(now, playing=True)
        machine.listen(VOICE, now := now + 1.0)
        machine.expire(now, playing=True)
    assert now <= 0.5 + LONGEST_PAUSE + 2.0
