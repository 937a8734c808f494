"""How something shall be said -> how this voice can say it, and what is lost on the way."""

from collections.abc import Iterator

import attrs

from capabilities import Ability, Delivery, Emotion, Expression, Feeling, SpeechRequest
from capabilities.emotion import MEDIUM, cut_description

SLACK = 0.2
"""As far as an intensity may be from the usual one before its loss is worth a word."""


@attrs.frozen(kw_only=True)
class Shortfall:
    """Something that was asked for and cannot be had; what is said is said without it."""

    code: str
    """``emotion_unsupported`` or ``speed_clamped``."""
    message: str


def fit(
    provider: str, ability: Ability, request: SpeechRequest
) -> tuple[SpeechRequest, tuple[Shortfall, ...]]:
    """Return the request as the provider can carry it out, and what it then lacks.

    What a voice makes nothing of is taken out, so that it is also the same to the cache.
    """
    slowest, fastest = ability.speeds
    speed = min(max(request.speed, slowest), fastest)
    feeling, expression = request.feeling, ability.expression
    fitted = attrs.evolve(request, speed=speed, feeling=_within(feeling, expression))
    lost: list[Shortfall] = []
    if speed != request.speed:
        told = f"{provider} cannot speak at speed {request.speed:g}; it speaks at {speed:g}"
        lost.append(Shortfall(code="speed_clamped", message=told))
    if missing := ", ".join(_missing(feeling, expression)):
        told = f"{provider} has nothing of its own for {missing}; it comes as near as it can"
        lost.append(Shortfall(code="emotion_unsupported", message=told))
    return fitted, tuple(lost)


def _within(feeling: Feeling, expression: Expression) -> Feeling:
    emotion = feeling.emotion if expression.emotions else Emotion.NEUTRAL
    felt = expression.intensity and emotion is not Emotion.NEUTRAL
    return Feeling(
        emotion=emotion,
        intensity=feeling.intensity if felt else MEDIUM,
        delivery=feeling.delivery if expression.deliveries else Delivery.NORMAL,
        description=cut_description(feeling.description, expression.description),
    )


def _missing(feeling: Feeling, expression: Expression) -> Iterator[str]:
    unusual = feeling.emotion is not Emotion.NEUTRAL and abs(feeling.intensity - MEDIUM) > SLACK
    if feeling.emotion not in {Emotion.NEUTRAL, *expression.emotions}:
        yield f"the emotion {feeling.emotion}"
    elif unusual and not expression.intensity:
        yield f"the intensity {feeling.intensity:g}"
    if feeling.delivery not in {Delivery.NORMAL, *expression.deliveries}:
        yield f"the delivery style {feeling.delivery}"
    if feeling.description and not expression.description:
        yield "a description"
