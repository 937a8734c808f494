"""What came back, and how it is counted."""

from typing import Any

import pytest

from conversations.score import Score, score
from conversations.script import Agent, Pause, Say, Script, assemble
from conversations.talk import Record

TIME, NAME = "what time is it", "my name is john smith"


def heard(text: str, start: float, end: float, *, final: bool = True) -> dict[str, Any]:
    """A transcript whose words fill this time."""
    words = text.split()
    step = (end - start) / len(words)
    return {
        "type": "stt_result",
        "text": text,
        "is_final": True,
        "is_speech_final": final,
        "words": [
            {"word": word, "start": start + n * step, "end": start + (n + 1) * step}
            for n, word in enumerate(words)
        ],
    }


@pytest.fixture
def record() -> Record:
    """Two sentences, and nothing came back yet."""
    return Record(assemble(Script("a", (Say((TIME,)), Pause(2.0), Say((NAME,))))))


def test_two_turns_of_two_sentences(record: Record) -> None:
    for each in record.scene.sentences:
        record.messages.append((each.end + 0.8, heard(each.text, each.start, each.end)))
    result = score(record)
    assert (result.sentences, result.turns, result.right, result.words) == (2, 2, 9, 9)
    assert (result.cut_offs, result.lost, result.invented, result.extra) == (0, 0, 0, 0)
    assert result.delays == pytest.approx((0.8, 0.8))


def test_a_sentence_in_two_turns_was_cut_off(record: Record) -> None:
    first, second = record.scene.sentences
    middle = (second.start + second.end) / 2
    record.messages += [
        (middle, heard("my name is", second.start, middle)),
        (second.end + 0.5, heard("john myth", middle, second.end)),
    ]
    result = score(record)
    assert (result.turns, result.cut_offs, result.lost) == (2, 1, 1)
    assert (result.right, result.extra) == (4, 1)
    assert result.delays == pytest.approx((0.5,))
    assert first.end < second.start


def test_two_sentences_in_one_turn_and_a_turn_of_nothing(record: Record) -> None:
    first, second = record.scene.sentences
    record.messages += [
        (first.end + 1.3, heard("oh", first.end + 0.5, first.end + 0.6)),
        (second.end, heard(TIME, first.start, first.end, final=False)),
        (second.end + 1.0, heard(f"{TIME} {NAME}", second.start, second.end)),
    ]
    result = score(record)
    assert (result.turns, result.lost, result.invented, result.cut_offs) == (2, 1, 1, 0)


def test_who_stopped_the_agent() -> None:
    steps = (Agent("..."), Pause(3.0), Say((TIME,), interrupts=True))
    record = Record(assemble(Script("a", steps)))
    [sentence] = record.scene.sentences
    stop = {"type": "speaking_interrupted", "by": "user"}
    record.messages += [
        (1.0, stop),
        (1.5, {"type": "speaking_resumed"}),
        (2.0, {**stop, "by": "client"}),
        (sentence.start + 0.4, stop),
    ]
    result = score(record)
    assert (result.interrupting, result.noticed, result.false_alarms, result.held_on) == (
        1,
        1,
        1,
        1,
    )
    assert result.reactions == pytest.approx((0.4,))


def test_how_late_the_voice_detector_is(record: Record) -> None:
    first, _ = record.scene.sentences
    event = {"type": "vad_event", "event": "speech_started"}
    record.messages.append((1.0, {**event, "at_ms": round(1000 * first.start) + 50}))
    result = score(record)
    assert result.voice_starts == pytest.approx((0.05,), abs=0.001)
    assert result.voice_stops == ()


def test_scores_add_up() -> None:
    both = Score(turns=1, delays=(1.0,)) + Score(turns=2, delays=(2.0,))
    assert both == Score(turns=3, delays=(1.0, 2.0))
    assert both.typical(lambda each: each.delays) == 1.5
    assert Score().typical(lambda each: each.delays) is None
