"""Feelings become knobs as the table says, for every member of the shared lists."""

from itertools import product

import attrs
import pytest

from capabilities import Delivery, Emotion, Feeling
from providers.elevenlabs.emotion import EXPRESSION, Knobs, choose_knobs


@pytest.mark.pins("D129")
def test_every_feeling_has_knobs_within_bounds() -> None:
    for emotion, delivery, intensity in product(Emotion, Delivery, (0.0, 0.6, 1.0)):
        knobs = choose_knobs(Feeling(emotion, intensity, delivery))
        plain = emotion is Emotion.NEUTRAL and delivery is Delivery.NORMAL
        assert (knobs is None) == plain
        assert knobs is None or all(0 <= each <= 1 for each in attrs.astuple(knobs))


@pytest.mark.parametrize(
    ("feeling", "knobs"),
    [
        (Feeling(Emotion.HAPPY, 0.5), Knobs(0.35, 0.75, 0.30)),
        (Feeling(Emotion.HAPPY, 1.0), Knobs(0.20, 0.75, 0.45)),
        (Feeling(Emotion.HAPPY, 0.3), Knobs(0.41, 0.75, 0.24)),
        (Feeling(Emotion.CALM, 0.5, Delivery.SOFT), Knobs(0.80, 0.85, 0.0)),
        (Feeling(delivery=Delivery.WHISPERED), Knobs(0.60, 0.75, 0.0)),
        (Feeling(Emotion.ANGRY, 1.0, Delivery.MONOTONE), Knobs(0.80, 0.70, 0.0)),
        (Feeling(Emotion.SAD, 0.5, Delivery.PROFESSIONAL), Knobs(0.60, 0.85, 0.10)),
        (Feeling(Emotion.EXCITED, 1.0, Delivery.EXPRESSIVE), Knobs(0.0, 0.65, 0.80)),
    ],
)
def test_emotion_intensity_and_delivery_add_up(feeling: Feeling, knobs: Knobs) -> None:
    assert choose_knobs(feeling) == knobs


def test_the_strength_of_nothing_changes_nothing() -> None:
    """``neutral`` has no intensity: only the delivery counts."""
    weak, strong = (
        choose_knobs(Feeling(Emotion.NEUTRAL, each, Delivery.CASUAL)) for each in (0.0, 1.0)
    )
    assert weak == strong


@pytest.mark.pins("D128")
def test_what_it_only_comes_near_is_not_claimed() -> None:
    assert Emotion.SARCASTIC not in EXPRESSION.emotions
    assert choose_knobs(Feeling(Emotion.SARCASTIC)) is not None
    assert EXPRESSION.description == 0
