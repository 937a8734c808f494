"""What a voice makes of how something shall be said, and what its listener is told."""

import pytest

from capabilities import (
    Ability,
    Delivery,
    Emotion,
    Expression,
    Feeling,
    SpeechRequest,
)
from waav.speech.manner import fit

EXPRESSIVE = Expression(
    emotions=frozenset({Emotion.HAPPY, Emotion.SAD}),
    deliveries=frozenset({Delivery.SOFT}),
    intensity=True,
    description=20,
)
SAD = Feeling(Emotion.SAD, 0.9, Delivery.SOFT, "as if it rained")


def fitted(feeling: Feeling, expression: Expression) -> tuple[Feeling, list[str]]:
    request = SpeechRequest("Hello", feeling=feeling)
    got, lost = fit("voice", Ability(expression=expression), request)
    assert all(each.code == "emotion_unsupported" for each in lost)
    return got.feeling, [each.message for each in lost]


def test_a_voice_that_can_gets_it_as_it_is() -> None:
    assert fitted(SAD, EXPRESSIVE) == (SAD, [])
    assert fitted(Feeling(), Expression()) == (Feeling(), [])


@pytest.mark.pins("D128")
def test_a_voice_that_cannot_is_asked_to_speak_as_ever_and_the_loss_is_told() -> None:
    """One message for all of it; and to the cache the request is the same as one without."""
    wanted = "the emotion sad, the delivery style soft, a description"
    told = f"voice has nothing of its own for {wanted}; it comes as near as it can"
    assert fitted(SAD, Expression()) == (Feeling(), [told])


def test_what_has_no_counterpart_comes_as_near_as_it_can() -> None:
    bored = Feeling(Emotion.BORED, delivery=Delivery.FORMAL)
    told = (
        "voice has nothing of its own for the emotion bored, the delivery style formal; "
        "it comes as near as it can"
    )
    assert fitted(bored, EXPRESSIVE) == (bored, [told])


@pytest.mark.parametrize(
    ("intensity", "told"), [(0.6, False), (0.45, False), (0.3, True), (1.0, True)]
)
def test_a_strength_that_makes_no_difference_is_told_if_it_would(
    intensity: float, *, told: bool
) -> None:
    expression = Expression(emotions=frozenset({Emotion.SAD}))
    feeling, messages = fitted(Feeling(Emotion.SAD, intensity), expression)
    assert feeling == Feeling(Emotion.SAD)
    assert bool(messages) is told


def test_nobody_feels_nothing_strongly() -> None:
    assert fitted(Feeling(intensity=1.0), Expression()) == (Feeling(), [])
    assert fitted(Feeling(intensity=1.0), EXPRESSIVE) == (Feeling(), [])


@pytest.mark.pins("D132")
def test_a_description_is_as_long_as_the_voice_takes() -> None:
    """In characters: bytes would tear one apart."""
    feeling, _ = fitted(Feeling(description="äöü " * 10), EXPRESSIVE)
    assert feeling.description == "äöü äöü äöü äöü äöü"


@pytest.mark.pins("D080", "D127")
@pytest.mark.parametrize(
    ("speeds", "wanted", "speed"),
    [
        ((0.7, 1.2), 1.0, 1.0),
        ((0.7, 1.2), 0.25, 0.7),
        ((0.7, 1.2), 4.0, 1.2),
        ((1.0, 1.0), 1.5, 1.0),
    ],
)
def test_a_speed_is_what_the_voice_can(
    speeds: tuple[float, float], wanted: float, speed: float
) -> None:
    request, lost = fit("voice", Ability(speeds=speeds), SpeechRequest("Hello", speed=wanted))
    assert request.speed == speed
    told = f"voice cannot speak at speed {wanted:g}; it speaks at {speed:g}"
    expected = [] if speed == wanted else [("speed_clamped", told)]
    assert [(each.code, each.message) for each in lost] == expected
