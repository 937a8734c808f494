"""The one list of emotions and deliveries, and how clients' names for them are read."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    Delivery,
    Emotion,
    Feeling,
    Level,
    cut_description,
    parse_delivery,
    parse_emotion,
    parse_level,
)


@pytest.mark.pins("D129")
def test_there_are_22_emotions_and_15_deliveries() -> None:
    assert (len(Emotion), len(Delivery)) == (22, 15)
    assert [parse_emotion(str(each)) for each in Emotion] == list(Emotion)
    assert [parse_delivery(str(each)) for each in Delivery] == list(Delivery)
    assert [parse_level(str(each)) for each in Level] == list(Level)


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("joyful", Emotion.HAPPY),
        ("cheerful", Emotion.HAPPY),
        (" Let-Down ", Emotion.DISAPPOINTED),
        ("at peace", Emotion.CONTENT),
        ("AT_PEACE", Emotion.CONTENT),
        ("dry", Emotion.SARCASTIC),
        ("afraid", Emotion.FEARFUL),
    ],
)
def test_an_emotion_has_other_names(name: str, emotion: Emotion) -> None:
    assert parse_emotion(name) is emotion


@pytest.mark.parametrize(
    ("name", "delivery"),
    [
        ("whisper", Delivery.WHISPERED),
        ("slow", Delivery.MEASURED),
        ("cheerful", Delivery.CHEERFUL),
        ("Upbeat", Delivery.CHEERFUL),
        ("strong", Delivery.LOUD),
    ],
)
def test_a_delivery_has_other_names(name: str, delivery: Delivery) -> None:
    assert parse_delivery(name) is delivery


@pytest.mark.parametrize(
    ("name", "level", "intensity"),
    [("subtle", Level.LOW, 0.3), ("normal", Level.MEDIUM, 0.6), ("max", Level.HIGH, 1.0)],
)
def test_a_level_stands_for_a_number(name: str, level: Level, intensity: float) -> None:
    assert parse_level(name) is level
    assert level.intensity == intensity
    assert Feeling(intensity=intensity).level is level


@pytest.mark.parametrize(
    ("intensity", "level"),
    [
        (0, Level.LOW),
        (0.44, Level.LOW),
        (0.45, Level.MEDIUM),
        (0.79, Level.MEDIUM),
        (0.8, Level.HIGH),
    ],
)
def test_a_number_is_at_a_level(intensity: float, level: Level) -> None:
    assert Feeling(intensity=intensity).level is level


@pytest.mark.parametrize(
    ("told", "counts"), [(-1, 0), (7, 1), (0.5, 0.5), (float("nan"), 0), (float("inf"), 1)]
)
def test_an_intensity_is_from_0_to_1(told: float, counts: float) -> None:
    assert Feeling(intensity=told).intensity == counts


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown emotion 'flabbergasted'; known are angry, anx"):
        parse_emotion("flabbergasted")
    with pytest.raises(ValueError, match=f"'{'x' * 40}';"):
        parse_delivery("x" * 10_000)


@pytest.mark.pins("D132")
@given(st.text(), st.integers(0, 30))
def test_a_description_is_cut_by_characters(text: str, limit: int) -> None:
    cut = cut_description(text, limit)
    assert len(cut) <= limit
    assert text.strip().startswith(cut)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("warm, kind", "warm, kind"),
        ("warm, kind and slow", "warm, kind"),
        ("warm, kinder", "warm"),
        ("incomprehensible", "incomprehe"),
        ("très triste été", "très"),
    ],
)
def test_whole_words_stay(text: str, cut: str) -> None:
    assert cut_description(text, 10) == cut


def test_the_names_on_the_page_are_read() -> None:
    page = (Path(__file__).parents[2] / "docs/topics/speech.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\w ,]*?) \|", page, re.MULTILINE)
    names: dict[str, set[str]] = {}
    for name, others in rows:
        names.setdefault(name, set()).update(filter(None, others.split(", ")))
    for members, parse in ((Emotion, parse_emotion), (Delivery, parse_delivery)):
        for member in members:
            others = names[member.value]
            assert {parse(other) for other in others} <= {member}
    assert len(rows) == len(Emotion) + len(Delivery) + len(Level)
