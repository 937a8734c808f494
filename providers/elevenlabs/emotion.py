"""Feelings -> the vendor's three knobs: stability, similarity, style.

The vendor has no names for emotions. A lively voice is an unstable one with much style, a calm one
is stable; that is all that there is to turn, so most emotions are only come near.
"""

from collections.abc import Mapping

import attrs

from capabilities import Delivery, Emotion, Expression, Feeling

_E, _D = Emotion, Delivery


@attrs.frozen
class Knobs:
    """The settings of a voice, each 0 to 1."""

    stability: float
    similarity_boost: float
    style: float


_EMOTIONS: Mapping[Emotion, Knobs] = {
    _E.NEUTRAL:      Knobs(0.50, 0.75, 0.00),
    _E.HAPPY:        Knobs(0.35, 0.75, 0.30),
    _E.SAD:          Knobs(0.65, 0.80, 0.10),
    _E.ANGRY:        Knobs(0.25, 0.70, 0.40),
    _E.FEARFUL:      Knobs(0.30, 0.75, 0.20),
    _E.SURPRISED:    Knobs(0.30, 0.70, 0.35),
    _E.DISGUSTED:    Knobs(0.40, 0.75, 0.25),
    _E.EXCITED:      Knobs(0.25, 0.70, 0.45),
    _E.CALM:         Knobs(0.70, 0.80, 0.00),
    _E.ANXIOUS:      Knobs(0.35, 0.75, 0.25),
    _E.CONFIDENT:    Knobs(0.45, 0.75, 0.35),
    _E.CONFUSED:     Knobs(0.40, 0.75, 0.20),
    _E.EMPATHETIC:   Knobs(0.55, 0.80, 0.15),
    _E.SARCASTIC:    Knobs(0.40, 0.70, 0.40),
    _E.HOPEFUL:      Knobs(0.45, 0.75, 0.25),
    _E.DISAPPOINTED: Knobs(0.55, 0.80, 0.15),
    _E.CURIOUS:      Knobs(0.40, 0.75, 0.30),
    _E.GRATEFUL:     Knobs(0.50, 0.80, 0.20),
    _E.PROUD:        Knobs(0.45, 0.75, 0.35),
    _E.EMBARRASSED:  Knobs(0.50, 0.80, 0.15),
    _E.CONTENT:      Knobs(0.60, 0.80, 0.10),
    _E.BORED:        Knobs(0.70, 0.75, 0.05),
}  # fmt: skip

_DELIVERIES: Mapping[Delivery, Knobs] = {
    _D.NORMAL:       Knobs(0.00, 0.00, 0.00),
    _D.WHISPERED:    Knobs(0.10, 0.00, -0.10),
    _D.SHOUTED:      Knobs(-0.15, -0.05, 0.15),
    _D.RUSHED:       Knobs(-0.10, 0.00, 0.10),
    _D.MEASURED:     Knobs(0.15, 0.05, -0.10),
    _D.MONOTONE:     Knobs(0.00, 0.00, 0.00),
    _D.EXPRESSIVE:   Knobs(-0.20, -0.05, 0.20),
    _D.PROFESSIONAL: Knobs(0.00, 0.05, 0.00),
    _D.CASUAL:       Knobs(-0.10, 0.00, 0.10),
    _D.STORYTELLING: Knobs(-0.15, 0.00, 0.15),
    _D.SOFT:         Knobs(0.10, 0.05, -0.10),
    _D.LOUD:         Knobs(-0.10, -0.05, 0.10),
    _D.CHEERFUL:     Knobs(-0.10, 0.00, 0.15),
    _D.SERIOUS:      Knobs(0.15, 0.05, -0.05),
    _D.FORMAL:       Knobs(0.00, 0.05, 0.00),
}  # fmt: skip
"""What each adds to the knobs of the emotion."""

_FIXED: Mapping[Delivery, Mapping[str, float]] = {
    _D.MONOTONE: {"stability": 0.80, "style": 0.0},
    _D.PROFESSIONAL: {"stability": 0.60},
    _D.FORMAL: {"stability": 0.60},
}
"""Knobs that a delivery sets whatever is felt."""

_MIDDLE = 0.5
_REACH = 0.3
"""How much a feeling is made less stable, and given more style, between no intensity and full."""

EXPRESSION = Expression(
    emotions=frozenset({
        _E.NEUTRAL, _E.HAPPY, _E.SAD, _E.ANGRY, _E.EXCITED, _E.CALM, _E.ANXIOUS, _E.CONFIDENT,
    }),
    deliveries=frozenset(Delivery),
    intensity=True,
)  # fmt: skip
"""What the knobs really express. For the other emotions they are as near as they come."""


def choose_knobs(feeling: Feeling) -> Knobs | None:
    """Return the knobs for a feeling; None leaves the voice as its owner has set it."""
    if feeling.emotion is Emotion.NEUTRAL and feeling.delivery is Delivery.NORMAL:
        return None
    base, more = _EMOTIONS[feeling.emotion], _DELIVERIES[feeling.delivery]
    felt = feeling.emotion is not Emotion.NEUTRAL
    force = (feeling.intensity - _MIDDLE) * _REACH if felt else 0.0
    knobs = {
        "stability": base.stability - force + more.stability,
        "similarity_boost": base.similarity_boost + more.similarity_boost,
        "style": base.style + force + more.style,
    } | dict(_FIXED.get(feeling.delivery, {}))
    return Knobs(**{name: round(min(max(knob, 0.0), 1.0), 3) for name, knob in knobs.items()})
