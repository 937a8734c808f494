"""A conversation as a table of steps, and the sound that it makes, with what is true of it. No I/O but files."""

from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import TypeAlias

import attrs
import numpy as np
from support.noise import NOISES, RATE, Wave, as_wave

from waav.testing.audio import read_wav

SOUNDS = Path(__file__).with_name("sounds")
LEAD = 0.5
"""Seconds of silence in front of a conversation."""
TAIL = 3.0
"""Seconds of silence behind it: the last turn must end in it."""
BREATH = 0.25
"""A shorter silence within a sentence is none to a voice detector, whose own is 0.3 s."""


class Filler(Enum):
    """What people do beside words."""

    COUGH = auto()
    HUM = auto()


Part: TypeAlias = str | float | Filler
"""Of a sentence: recorded words, seconds of silence, a noise."""


@attrs.frozen
class Say:
    """The user says one sentence; its parts follow each other."""

    parts: tuple[Part, ...]
    interrupts: bool = False
    """It shall stop the agent."""

    @property
    def text(self) -> str:
        """The words."""
        return " ".join(part for part in self.parts if isinstance(part, str))


@attrs.frozen
class Make:
    """The user makes a noise that is no sentence."""

    filler: Filler


@attrs.frozen
class Pause:
    """The user is silent for so many seconds."""

    seconds: float


@attrs.frozen
class Agent:
    """The agent begins to say this. It takes no time: what follows overlaps it."""

    text: str


Step: TypeAlias = Say | Make | Pause | Agent


@attrs.frozen
class Noise:
    """What is heard all the time, from ``support.noise``."""

    kind: str
    ratio: float
    """Decibels by which speech is louder."""


@attrs.frozen
class Script:
    """One conversation."""

    name: str
    steps: tuple[Step, ...]
    noise: Noise | None = None
    telephone: bool = False
    """Only 300 to 3400 Hz, as 8 kHz mu-law."""
    denoise: bool = False
    """The session asks for less noise."""


@attrs.frozen
class Sentence:
    """What the user really said, in seconds of the sound."""

    text: str
    start: float
    end: float
    interrupts: bool


@attrs.frozen
class Scene:
    """A conversation as sound, 16 kHz, and what is true of it. Times are seconds of the sound."""

    script: Script
    wave: Wave
    sentences: tuple[Sentence, ...]
    cues: tuple[tuple[float, str], ...]
    """When the agent begins to say what."""
    voices: tuple[tuple[float, float], ...]
    """From when to when there are words, with no silence longer than a breath within."""


def assemble(script: Script) -> Scene:
    """Make the sound of a conversation; always the same one."""
    tape = _Tape()
    for step in script.steps:
        match step:
            case Say():
                start = tape.now
                for part in step.parts:
                    tape.add(part)
                tape.sentences.append(Sentence(step.text, start, tape.now, step.interrupts))
            case Make(filler=filler):
                tape.add(filler)
            case Pause(seconds=seconds):
                tape.add(seconds)
            case Agent(text=text):
                tape.cues.append((tape.now, text))
    tape.add(TAIL)
    wave = np.concatenate(tape.pieces)
    if script.noise is not None:
        wave = _noisy(wave, tape.voices, script.noise)
    if script.telephone:
        wave = _narrow(wave)
    return Scene(script, wave, tuple(tape.sentences), tuple(tape.cues), tuple(tape.voices))


@attrs.define(eq=False)
class _Tape:
    pieces: list[Wave] = attrs.Factory(lambda: [np.zeros(round(LEAD * RATE))])
    sentences: list[Sentence] = attrs.Factory(list)
    cues: list[tuple[float, str]] = attrs.Factory(list)
    voices: list[tuple[float, float]] = attrs.Factory(list)

    @property
    def now(self) -> float:
        return sum(map(len, self.pieces)) / RATE

    def add(self, part: Part) -> None:
        start = self.now
        match part:
            case str():
                self.pieces.append(recorded(part))
                self._voice(start, self.now)
            case Filler():
                self.pieces.append(FILLERS[part]())
            case float():
                self.pieces.append(np.zeros(round(part * RATE)))

    def _voice(self, start: float, end: float) -> None:
        if self.voices and start - self.voices[-1][1] < BREATH:
            start = self.voices.pop()[0]
        self.voices.append((start, end))


@cache
def recorded(text: str) -> Wave:
    """Return these words, said by the recorded voice."""
    frame = read_wav(SOUNDS / f"{text.replace(' ', '_')}.wav")
    assert frame.format.sample_rate == RATE
    return as_wave(frame.data)


def cough() -> Wave:
    """A burst of noise that dies down within a quarter of a second."""
    size = RATE // 4
    noise = np.random.default_rng(3).normal(size=size)
    envelope = np.minimum(np.arange(size) / 160, 1.0) * np.exp(-np.arange(size) / (RATE / 16))
    return 9000 * envelope * noise


def hum() -> Wave:
    """A closed mouth that hums for 0.7 s: 110 Hz and what belongs to it, soft at both ends."""
    at = np.arange(round(0.7 * RATE)) / RATE
    pitch = 2 * np.pi * (110 * at - 8 * at**2)
    wave = sum(np.sin(number * pitch) / number**2 for number in range(1, 9))
    return 4000 * np.sin(np.pi * at / at[-1]) ** 0.5 * wave


FILLERS = {Filler.COUGH: cough, Filler.HUM: hum}


def _noisy(wave: Wave, voices: list[tuple[float, float]], noise: Noise) -> Wave:
    """Mix in noise; the pauses do not count when the speech is measured."""
    words = np.concatenate([wave[round(a * RATE) : round(b * RATE)] for a, b in voices])
    other = NOISES[noise.kind](len(wave))
    factor = np.sqrt(np.mean(words**2) / np.mean(other**2) / 10 ** (noise.ratio / 10))
    return (wave + factor * other).clip(-32768, 32767)


def _narrow(wave: Wave) -> Wave:
    """Leave what a telephone lets through."""
    spectrum = np.fft.rfft(wave)
    pitch = np.fft.rfftfreq(len(wave), 1 / RATE)
    return np.fft.irfft(np.where((pitch >= 300) & (pitch <= 3400), spectrum, 0), len(wave))
