"""How something is to be said -> instructions in plain words, for voices that follow them. No I/O."""

from collections.abc import Mapping

from capabilities import Delivery, Emotion, Expression, Feeling, Level

_TONES: Mapping[Emotion, str] = {
    Emotion.HAPPY: "happy, smiling",
    Emotion.SAD: "sad, heavy-hearted",
    Emotion.ANGRY: "angry, sharp",
    Emotion.FEARFUL: "frightened, trembling",
    Emotion.SURPRISED: "surprised, astonished",
    Emotion.DISGUSTED: "disgusted, repelled",
    Emotion.EXCITED: "excited, full of energy",
    Emotion.CALM: "calm, peaceful",
    Emotion.ANXIOUS: "anxious, worried",
    Emotion.CONFIDENT: "confident, assured",
    Emotion.CONFUSED: "confused, uncertain",
    Emotion.EMPATHETIC: "empathetic, understanding",
    Emotion.SARCASTIC: "sarcastic, dry",
    Emotion.HOPEFUL: "hopeful, optimistic",
    Emotion.DISAPPOINTED: "disappointed, let down",
    Emotion.CURIOUS: "curious, interested",
    Emotion.GRATEFUL: "grateful, warm",
    Emotion.PROUD: "proud, accomplished",
    Emotion.EMBARRASSED: "embarrassed, sheepish",
    Emotion.CONTENT: "content, at peace",
    Emotion.BORED: "bored, uninterested",
}

_WAYS: Mapping[Delivery, str] = {
    Delivery.WHISPERED: "Whisper.",
    Delivery.SHOUTED: "Shout.",
    Delivery.RUSHED: "Speak fast, as if in a hurry.",
    Delivery.MEASURED: "Speak slowly and deliberately.",
    Delivery.MONOTONE: "Speak in a flat monotone.",
    Delivery.EXPRESSIVE: "Speak with lively, varied intonation.",
    Delivery.PROFESSIONAL: "Speak in a professional manner.",
    Delivery.CASUAL: "Speak casually, as among friends.",
    Delivery.STORYTELLING: "Speak like somebody who tells a story.",
    Delivery.SOFT: "Speak softly and gently.",
    Delivery.LOUD: "Speak loudly and clearly.",
    Delivery.CHEERFUL: "Speak in a bright, cheerful manner.",
    Delivery.SERIOUS: "Speak seriously.",
    Delivery.FORMAL: "Speak formally.",
}

_DEGREES: Mapping[Level, str] = {Level.LOW: "slightly ", Level.MEDIUM: "", Level.HIGH: "very "}

EXPRESSION = Expression(
    emotions=frozenset(_TONES),
    deliveries=frozenset(_WAYS),
    intensity=True,
    description=1000,
)


def instructions(feeling: Feeling, own: str | None = None) -> str | None:
    """Return what to tell the voice; None if there is nothing to tell.

    Args:
        own: the session's own instructions, which come first.
    """
    parts = [own or ""]
    if feeling.description:
        parts.append(feeling.description)
    elif tone := _TONES.get(feeling.emotion):
        parts.append(f"Sound {_DEGREES[feeling.level]}{tone}.")
    parts.append(_WAYS.get(feeling.delivery, ""))
    return " ".join(part for part in parts if part) or None
