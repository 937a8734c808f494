"""What a message settles, what the reader gets of it, and when a speaker pauses."""

from collections.abc import Sequence

import attrs
import pytest

from capabilities import SPEECH, AudioFrame, Final, Interim, SpeechBegun, SpeechFinal, Word
from providers._common.ledger import Ledger
from providers._common.replay import Replay
from providers._common.wire import Acknowledged, Done, Ready, Reply, Signal
from waav.testing import silence, tone

SETTLES: dict[str, tuple[Sequence[Signal], float]] = {
    "an interim": ([Interim("a", words=(Word("a", 0.5, 1.0),))], 0.0),
    "the end of a turn": ([SpeechFinal()], 0.0),
    "a final that says how far it goes": (
        [Final("a", words=(Word("a", 0.5, 1.0),)), Acknowledged(1.5)],
        1.5,
    ),
    "words that say it before they come": ([Acknowledged(1.5), Final("a")], 1.5),
    "the end of the last word": (
        [Final("a b", words=(Word("a", 0.2, 0.4), Word("b", 0.5, 1.0)))],
        1.0,
    ),
    "a final without a time": ([Final("a")], 3.0),
    "silence that was heard": ([Acknowledged(2.0)], 2.0),
    "more than was sent": ([Acknowledged(9.0)], 3.0),
    "somebody who begins": ([SpeechBegun(1.0)], 0.0),
    "what is no word at all": ([Ready(), Reply("x"), Done()], 0.0),
}


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(Replay(SPEECH, longest=10.0))


def send(ledger: Ledger, frame: AudioFrame) -> None:
    ledger.replay.put(frame.data)
    while ledger.replay.ready:
        ledger.take()


@pytest.mark.parametrize(("signals", "until"), SETTLES.values(), ids=SETTLES)
def test_what_a_message_settles(ledger: Ledger, signals: Sequence[Signal], until: float) -> None:
    send(ledger, silence(3.0))
    ledger.receive(signals)
    assert SPEECH.duration(ledger.replay.start) == pytest.approx(until)


def test_words_keep_their_times_on_the_next_connection(ledger: Ledger) -> None:
    """Settled up to 2 s, so that the new connection's clock begins there."""
    send(ledger, silence(3.0))
    ledger.receive([Acknowledged(2.0)])
    ledger.begin()
    send(ledger, silence(1.0))
    final = Final("a b", 0.5, words=(Word("a", 0.25, 0.5), Word("b", 0.75, 1.0)))
    assert ledger.receive([final]) == [
        attrs.evolve(final, words=(Word("a", 2.25, 2.5), Word("b", 2.75, 3.0)))
    ]
    assert ledger.replay.start == SPEECH.size(3.0)


def test_silence_that_fills_a_pause_moves_no_word(ledger: Ledger) -> None:
    send(ledger, silence(1.0))
    assert [frame.duration for frame in ledger.fill(0.5, 0.2)] == pytest.approx([0.2, 0.2, 0.1])
    send(ledger, silence(1.0))
    (said,) = ledger.receive([Interim("a", words=(Word("a", 1.75, 2.0),))])
    assert isinstance(said, Interim)
    assert said.words == (Word("a", 1.25, 1.5),)


def test_a_final_that_comes_twice_is_told_once(ledger: Ledger) -> None:
    send(ledger, silence(3.0))
    first, second = (
        Final(text, words=(Word(text, at, at + 0.5),)) for text, at in (("a", 0), ("b", 1))
    )
    assert ledger.receive([first]) == [first]
    assert ledger.receive([first]) == []
    assert ledger.receive([second]) == [second]
    assert ledger.receive([first, SpeechFinal()]) == [SpeechFinal()]


def test_a_final_that_comes_late_is_none_that_comes_twice(ledger: Ledger) -> None:
    """Out of order is the vendor's mistake; to lose words would be ours."""
    send(ledger, silence(3.0))
    late, early = Final("a", words=(Word("a", 0, 0.5),)), Final("a", words=(Word("a", 1, 1.5),))
    assert ledger.receive([early]) == [early]
    assert ledger.receive([late]) == [late]
    assert ledger.replay.start == SPEECH.size(1.5)


def test_the_same_word_said_twice_is_told_twice(ledger: Ledger) -> None:
    send(ledger, silence(1.0))
    assert ledger.receive([Final("yes")]) == [Final("yes")]
    send(ledger, silence(1.0))
    assert ledger.receive([Final("yes")]) == [Final("yes")]


def test_calm_is_silence_or_what_finals_have_settled(ledger: Ledger) -> None:
    assert ledger.calm
    send(ledger, tone(0.5))
    assert not ledger.calm
    ledger.receive([Acknowledged(0.5)])
    assert ledger.calm
    send(ledger, tone(0.5))
    send(ledger, silence(0.9))
    assert not ledger.calm
    send(ledger, silence(0.1))
    assert ledger.calm


def test_only_loud_sound_wants_an_answer(ledger: Ledger) -> None:
    send(ledger, silence(5.0))
    assert ledger.voiced == 0
    send(ledger, tone(0.5))
    assert ledger.voiced == SPEECH.size(0.5)
    ledger.receive([])
    assert ledger.voiced == 0, "whatever it was, the vendor lives"


def begins(ledger: Ledger, at: float | None) -> list[SpeechBegun]:
    return [each for each in ledger.receive([SpeechBegun(at)]) if isinstance(each, SpeechBegun)]


def test_who_begins_does_so_on_the_clock_of_the_stream(ledger: Ledger) -> None:
    send(ledger, silence(2.0))
    ledger.receive([Acknowledged(2.0)])
    ledger.begin()
    send(ledger, silence(1.0))
    ledger.fill(1.0, 1.0)
    send(ledger, silence(2.0))
    assert begins(ledger, 0.5) == [SpeechBegun(2.5)]
    assert begins(ledger, 2.5) == [SpeechBegun(3.5)]
    assert begins(ledger, None) == [SpeechBegun()]


BEGINNINGS: dict[str, tuple[list[Signal], float | None, bool]] = {
    "the same beginning, noticed a little later": ([SpeechBegun(1.0)], 1.2, False),
    "in the middle of a word": ([SpeechBegun(1.0), Acknowledged(1.5)], 0.0, False),
    "when all of it was settled": ([SpeechBegun(1.0), Acknowledged(3.0)], 0.3, False),
    "nobody knows when": ([SpeechBegun(1.0)], None, False),
    "the connection before had not noticed": ([], 1.0, True),
    "they had finished before": ([SpeechBegun(1.0), SpeechFinal()], 2.0, True),
    "they had finished with the words": (
        [SpeechBegun(1.0), Final("a", speech_final=True), Acknowledged(1.5)],
        1.0,
        True,
    ),
    "long after": ([SpeechBegun(1.0)], 4.5, True),
}


@pytest.mark.parametrize(("before", "at", "told"), BEGINNINGS.values(), ids=BEGINNINGS)
def test_a_beginning_that_the_next_connection_hears_again(
    ledger: Ledger, before: list[Signal], at: float | None, *, told: bool
) -> None:
    """Three seconds were sent when the connection broke."""
    send(ledger, silence(3.0))
    ledger.receive(before)
    ledger.begin()
    ledger.begin()
    send(ledger, AudioFrame(b""))
    if at is not None:
        send(ledger, silence(3.0))
    assert bool(begins(ledger, at)) is told


def test_on_one_connection_whatever_begins_is_told(ledger: Ledger) -> None:
    """A cough has no end of its own, and a word behind it is one all the same."""
    send(ledger, silence(3.0))
    assert [begins(ledger, at) for at in (0.1, 0.4)] == [[SpeechBegun(0.1)], [SpeechBegun(0.4)]]
