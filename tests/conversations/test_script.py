"""A script becomes sound, and what is said of that sound is true."""

import numpy as np
import pytest
from support.noise import RATE

from conversations.script import (
    LEAD,
    TAIL,
    Agent,
    Filler,
    Make,
    Noise,
    Pause,
    Say,
    Scene,
    Script,
    assemble,
    recorded,
)
from conversations.scripts import SCRIPTS
from conversations.talk import encoded

BOOK, TWO = "i would like to book a table", "for two people"


def level(scene: Scene, start: float, end: float) -> float:
    return float(np.sqrt(np.mean(scene.wave[round(start * RATE) : round(end * RATE)] ** 2)))


def test_sentences_lie_where_it_is_said() -> None:
    steps = (Say((BOOK, 0.9, TWO)), Pause(2.0), Agent("Fine."), Make(Filler.COUGH), Say((TWO,)))
    scene = assemble(Script("a", steps))
    first, second = scene.sentences
    long, short = (len(recorded(text)) / RATE for text in (BOOK, TWO))
    assert first.text == f"{BOOK} {TWO}"
    assert (first.start, first.end) == (LEAD, pytest.approx(LEAD + long + 0.9 + short))
    assert scene.cues == ((pytest.approx(first.end + 2.0), "Fine."),)
    assert second.start == pytest.approx(first.end + 2.25)
    assert len(scene.wave) / RATE == pytest.approx(second.end + TAIL)
    assert level(scene, first.start, first.start + long) > 500
    assert level(scene, first.end, first.end + 2.0) == 0.0


def test_a_breath_within_a_sentence_does_not_part_two_voices() -> None:
    parts = (BOOK, 0.2, TWO, 0.3, TWO)
    assert len(assemble(Script("a", (Say(parts),))).voices) == 2


def test_noise_is_as_loud_as_asked() -> None:
    steps = (Say((BOOK,)), Pause(2.0))
    clean, noisy = (assemble(Script("a", steps, noise)) for noise in (None, Noise("white", 10.0)))
    [(start, end)] = clean.voices
    words, noise = level(clean, start, end), level(noisy, end + 0.1, end + 2.0)
    assert 20 * np.log10(words / noise) == pytest.approx(10.0, abs=0.5)


def test_a_telephone_lets_through_what_telephones_do() -> None:
    scene = assemble(Script("a", (Say((BOOK,)),), telephone=True))
    spectrum = np.abs(np.fft.rfft(scene.wave))
    pitch = np.fft.rfftfreq(len(scene.wave), 1 / RATE)
    assert spectrum[(pitch > 3500) | (pitch < 250)].max() < spectrum.max() / 1e6
    sound, format = encoded(scene)
    assert format == {"sample_rate": 8000, "encoding": "mulaw"}
    assert len(sound) == pytest.approx(len(scene.wave) / 2, abs=1)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_makes_the_same_sound_each_time(script: Script) -> None:
    once, again = assemble(script), assemble(script)
    assert np.array_equal(once.wave, again.wave)
    assert once.sentences == again.sentences
