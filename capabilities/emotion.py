"""How something is to be said: the one list of emotions and deliveries, and what a voice can express.

A provider gets the members of these lists and makes of them what its vendor understands. Names as
clients write them are read here and nowhere else.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import attrs


class Emotion(StrEnum):
    """What the speaker feels."""

    NEUTRAL = "neutral"
    HAPPY = "happy"
    SAD = "sad"
    ANGRY = "angry"
    FEARFUL = "fearful"
    SURPRISED = "surprised"
    DISGUSTED = "disgusted"
    EXCITED = "excited"
    CALM = "calm"
    ANXIOUS = "anxious"
    CONFIDENT = "confident"
    CONFUSED = "confused"
    EMPATHETIC = "empathetic"
    SARCASTIC = "sarcastic"
    HOPEFUL = "hopeful"
    DISAPPOINTED = "disappointed"
    CURIOUS = "curious"
    GRATEFUL = "grateful"
    PROUD = "proud"
    EMBARRASSED = "embarrassed"
    CONTENT = "content"
    BORED = "bored"


class Delivery(StrEnum):
    """The way of speaking, whatever is felt."""

    NORMAL = "normal"
    WHISPERED = "whispered"
    SHOUTED = "shouted"
    RUSHED = "rushed"
    MEASURED = "measured"
    MONOTONE = "monotone"
    EXPRESSIVE = "expressive"
    PROFESSIONAL = "professional"
    CASUAL = "casual"
    STORYTELLING = "storytelling"
    SOFT = "soft"
    LOUD = "loud"
    CHEERFUL = "cheerful"
    SERIOUS = "serious"
    FORMAL = "formal"


class Level(StrEnum):
    """How strong a feeling is, for vendors and clients that do not use numbers."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def intensity(self) -> float:
        """The number that it stands for."""
        return _INTENSITIES[self]


_INTENSITIES = {Level.LOW: 0.3, Level.MEDIUM: 0.6, Level.HIGH: 1.0}

MEDIUM = _INTENSITIES[Level.MEDIUM]
"""How strong a feeling is if nobody says."""

DESCRIPTION_LIMIT = 1000
"""Characters of a free description; what is above is cut off. A voice may take less."""


def cut_description(text: str, limit: int = DESCRIPTION_LIMIT) -> str:
    """Return the beginning of a description, whole words in at most ``limit`` characters."""
    text = text.strip()
    if len(text) <= limit:
        return text
    # One more, so that a word which just fits is seen to end.
    end = max(text.rfind(mark, 0, limit + 1) for mark in ", ")
    return text[: end if end > 0 else limit].rstrip(", ")


def _within_bounds(intensity: float) -> float:
    return min(max(0.0, float(intensity)), 1.0)


@attrs.frozen
class Feeling:
    """How something is to be said."""

    emotion: Emotion = Emotion.NEUTRAL
    intensity: float = attrs.field(default=MEDIUM, converter=_within_bounds)
    """0 to 1; what is beyond counts as the nearest. Of the emotion only."""
    delivery: Delivery = Delivery.NORMAL
    description: str = attrs.field(default="", converter=cut_description)
    """In free words, at most 1000 characters. A voice that takes one lets it replace the emotion."""

    @property
    def level(self) -> Level:
        """The intensity in one of three steps."""
        if self.intensity < 0.45:
            return Level.LOW
        return Level.MEDIUM if self.intensity < 0.8 else Level.HIGH


@attrs.frozen
class Expression:
    """What a voice can express. What is not listed is dropped, or said as near as it can be."""

    emotions: frozenset[Emotion] = frozenset()
    """Those that it has something of its own for. If there are any, it may be asked for each of the
    22 and takes the nearest; if there are none, all it gets is ``NEUTRAL``."""
    deliveries: frozenset[Delivery] = frozenset()
    """Likewise; without any, all it gets is ``NORMAL``."""
    intensity: bool = False
    """How strong an emotion is makes a difference."""
    description: int = 0
    """Characters that it takes of a free description; 0 if none."""


Name = TypeVar("Name", bound=StrEnum)


def _table(members: type[Name], synonyms: Mapping[Name, str]) -> Mapping[str, Name]:
    others = {other: member for member, words in synonyms.items() for other in words.split()}
    return others | {member.value: member for member in members}


_EMOTIONS = _table(
    Emotion,
    {
        Emotion.HAPPY: "joyful cheerful",
        Emotion.SAD: "melancholic sorrowful",
        Emotion.ANGRY: "frustrated mad",
        Emotion.FEARFUL: "scared frightened afraid",
        Emotion.SURPRISED: "shocked astonished",
        Emotion.DISGUSTED: "repulsed",
        Emotion.EXCITED: "enthusiastic energetic",
        Emotion.CALM: "peaceful relaxed serene",
        Emotion.ANXIOUS: "nervous worried",
        Emotion.CONFIDENT: "assured assertive",
        Emotion.CONFUSED: "uncertain puzzled",
        Emotion.EMPATHETIC: "compassionate understanding",
        Emotion.SARCASTIC: "ironic dry",
        Emotion.HOPEFUL: "optimistic",
        Emotion.DISAPPOINTED: "let_down",
        Emotion.CURIOUS: "inquisitive interested",
        Emotion.GRATEFUL: "thankful appreciative",
        Emotion.PROUD: "accomplished",
        Emotion.EMBARRASSED: "sheepish",
        Emotion.CONTENT: "satisfied at_peace",
        Emotion.BORED: "uninterested disengaged",
    },
)

_DELIVERIES = _table(
    Delivery,
    {
        Delivery.WHISPERED: "whisper quiet",
        Delivery.SHOUTED: "shout",
        Delivery.RUSHED: "rush fast urgent",
        Delivery.MEASURED: "slow deliberate careful",
        Delivery.MONOTONE: "flat robotic",
        Delivery.EXPRESSIVE: "animated dynamic",
        Delivery.PROFESSIONAL: "business",
        Delivery.CASUAL: "informal conversational",
        Delivery.STORYTELLING: "narrative story",
        Delivery.SOFT: "gentle tender",
        Delivery.LOUD: "strong",
        Delivery.CHEERFUL: "upbeat bright",
        Delivery.SERIOUS: "grave solemn",
        Delivery.FORMAL: "proper polished",
    },
)

_LEVELS = _table(
    Level,
    {
        Level.LOW: "subtle light",
        Level.MEDIUM: "moderate normal",
        Level.HIGH: "strong maximum max",
    },
)


def parse_emotion(name: str) -> Emotion:
    """Read an emotion or a synonym, in any case, with ``-`` or blanks for ``_``.

    Raises:
        ValueError: there is none of this name; the message lists all.
    """
    return _find(name, "emotion", _EMOTIONS)


def parse_delivery(name: str) -> Delivery:
    """Read a delivery style; as :func:`parse_emotion`."""
    return _find(name, "delivery style", _DELIVERIES)


def parse_level(name: str) -> Level:
    """Read one of the three levels of intensity; as :func:`parse_emotion`."""
    return _find(name, "emotion intensity", _LEVELS)


def _find(name: str, what: str, known: Mapping[str, Name]) -> Name:
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    if key not in known:
        names = ", ".join(sorted(set(known.values())))
        raise ValueError(f"unknown {what} {name[:40]!r}; known are {names}")
    return known[key]
