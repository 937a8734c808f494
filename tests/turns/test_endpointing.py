"""Scripts of (time, what was heard) and how the turn ends."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import Final, Interim, SpeechFinal, Transcript
from waav.turns.endpointing import Endpointing, TurnEnded, Waits

HELLO = Final("hello")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            [(0.0, HELLO), (0.3, SpeechFinal())],
            TurnEnded("hello", "hello", "provider"),
            id="the-provider-says-so",
        ),
        pytest.param(
            [(0.0, HELLO), (0.3, Final("world.", speech_final=True))],
            TurnEnded("hello world.", "world.", "provider"),
            id="in-the-breath-of-the-last-words",
        ),
        pytest.param(
            [(0.0, HELLO), (1.8, None)], TurnEnded("hello", "hello", "silence"), id="silence"
        ),
        pytest.param([(0.0, HELLO), (1.7, None)], None, id="not-silent-for-long-enough"),
        pytest.param(
            [(0.0, HELLO), (1.7, Final("again")), (1.8, None)], None, id="a-final-starts-anew"
        ),
        pytest.param([(0.0, Interim("he")), (9.0, None)], None, id="only-an-interim"),
        pytest.param([(0.0, SpeechFinal())], None, id="nothing-said"),
        pytest.param([(0.0, Final("  ", speech_final=True))], None, id="an-empty-end"),
    ],
)
def test_ends(script: list[tuple[float, Transcript | None]], expected: TurnEnded | None) -> None:
    machine = Endpointing(Waits(silence=1.8))
    said = [machine.feed(event, now) if event else machine.expire(now) for now, event in script]
    assert said[-1] == expected


@given(
    st.lists(
        st.tuples(
            st.floats(0, 3),
            st.none()
            | st.builds(Interim, st.text(max_size=3))
            | st.builds(Final, st.text(max_size=3), speech_final=st.booleans())
            | st.just(SpeechFinal()),
        )
    )
)
def test_no_word_is_lost_and_none_comes_twice(
    script: list[tuple[float, Transcript | None]],
) -> None:
    machine, now = Endpointing(), 0.0
    said: list[str] = []
    heard: list[str] = []
    for pause, event in script:
        now += pause
        ended = machine.feed(event, now) if event else machine.expire(now)
        if isinstance(event, Final):
            said += event.text.split()
        if ended:
            heard += ended.text.split()
    if ended := machine.expire(inf):
        heard += ended.text.split()
    assert "".join(heard) == "".join(said)


def test_what_was_forgotten_ends_no_turn() -> None:
    machine = Endpointing()
    machine.feed(HELLO, 0.0)
    machine.forget()
    assert machine.deadline == inf
    assert machine.expire(100.0) is None
