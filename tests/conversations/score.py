"""A record -> how the conversation went, compared with what was really said. No I/O."""

import statistics
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher

import attrs

from conversations.script import Sentence
from conversations.talk import Record

REACTION = 2.0
"""Seconds behind a sentence in which an interruption still is its doing."""


@attrs.frozen
class Turn:
    """A turn as the client was told of it."""

    text: str
    at: float
    """When it was told."""
    start: float
    end: float
    """Where the recogniser puts its words; among noise they are as long as the noise."""


@attrs.frozen
class Score:
    """How one conversation went, or several together; times are seconds."""

    sentences: int = 0
    turns: int = 0
    cut_offs: int = 0
    """Turns that ended within a sentence."""
    lost: int = 0
    """Sentences without a turn of their own: nothing was heard, or two became one."""
    invented: int = 0
    """Turns where nobody had said a word."""
    words: int = 0
    right: int = 0
    extra: int = 0
    """Words that nobody had said, or others than were said."""
    delays: tuple[float, ...] = ()
    """From the end of each sentence until the client was told that the speaker has finished."""
    interrupting: int = 0
    """Sentences that should stop the agent."""
    noticed: int = 0
    false_alarms: int = 0
    """The agent stopped for something else."""
    held_on: int = 0
    """It paused, and went on."""
    reactions: tuple[float, ...] = ()
    """From the first word until the agent stopped."""
    voice_starts: tuple[float, ...] = ()
    """By how much the voice detector's times are later than the truth."""
    voice_stops: tuple[float, ...] = ()

    def __add__(self, other: "Score") -> "Score":
        fields = (field.name for field in attrs.fields(Score))
        return Score(*(getattr(self, name) + getattr(other, name) for name in fields))

    def typical(self, values: Callable[["Score"], tuple[float, ...]]) -> float | None:
        """Return the median, or None of nothing."""
        return statistics.median(own) if (own := values(self)) else None


def turns_of(record: Record) -> list[Turn]:
    """Read the turns out of what the client got."""
    turns: list[Turn] = []
    spans: list[float] = []
    for at, message in record.of("stt_result"):
        for word in message.get("words", ()):
            spans += [word["start"], word["end"]]
        if message["is_speech_final"]:
            start, end = (min(spans), max(spans)) if spans else (at, at)
            turns.append(Turn(message["text"], at, start, end))
            spans = []
    return turns


def score(record: Record) -> Score:
    """Compare what came back with what was said."""
    scene = record.scene
    by_sentence: dict[Sentence, list[Turn]] = {each: [] for each in scene.sentences}
    invented = 0
    for turn in turns_of(record):
        if (owner := _owner(turn, scene.sentences)) is None:
            invented += 1
        else:
            by_sentence[owner].append(turn)
    total = _interruptions(record) + _voices(record)
    total += Score(invented=invented, turns=invented)
    for sentence, turns in by_sentence.items():
        total += _sentence(sentence, turns)
    return total


def _owner(turn: Turn, sentences: Iterable[Sentence]) -> Sentence | None:
    def shared(sentence: Sentence) -> float:
        return min(turn.end, sentence.end) - max(turn.start, sentence.start)

    best = max(sentences, key=shared, default=None)
    return best if best is not None and shared(best) > 0 else None


def _sentence(sentence: Sentence, turns: list[Turn]) -> Score:
    said = sentence.text.split()
    heard = " ".join(turn.text for turn in turns).split()
    matches = SequenceMatcher(None, said, heard, autojunk=False).get_matching_blocks()
    right = sum(block.size for block in matches)
    return Score(
        sentences=1,
        turns=len(turns),
        cut_offs=max(len(turns) - 1, 0),
        lost=not turns,
        words=len(said),
        right=right,
        extra=len(heard) - right,
        delays=tuple(turn.at - sentence.end for turn in turns[-1:]),
    )


def _interruptions(record: Record) -> Score:
    stops = [at for at, message in record.of("speaking_interrupted") if message["by"] == "user"]
    wanted = [each for each in record.scene.sentences if each.interrupts]
    reactions = [
        at - each.start
        for at in stops
        for each in wanted
        if each.start <= at <= each.end + REACTION
    ]
    return Score(
        interrupting=len(wanted),
        noticed=len(reactions),
        false_alarms=len(stops) - len(reactions),
        held_on=len(record.of("speaking_resumed")),
        reactions=tuple(reactions),
    )


def _voices(record: Record) -> Score:
    events = [(message["event"], message["at_ms"] / 1000) for _, message in record.of("vad_event")]

    def late(name: str, truths: Iterable[float]) -> tuple[float, ...]:
        told = [at for event, at in events if event == name]
        nearest = [min((at - truth for at in told), key=abs, default=1.0) for truth in truths]
        # Further away it is another voice's, and this one was not found.
        return tuple(each for each in nearest if abs(each) < 0.5)

    starts, stops = zip(*record.scene.voices, strict=True) if record.scene.voices else ((), ())
    return Score(
        voice_starts=late("speech_started", starts), voice_stops=late("speech_stopped", stops)
    )
