"""The picture of sound: against a plain computation by hand, and against recorded numbers."""

import cmath
import math
from collections.abc import Sequence

import numpy as np
import pytest

from providers.local.turn_sound import BANDS, RATE, STEPS, features
from waav.testing import question, tone

WINDOW, HOP, SIZE = 400, 160, 8 * RATE

# What the extractor of pipecat-ai 1.14.0 (`audio/turn/smart_turn/_whisper_features.py`) gives for
# `waav.testing.question()` with silence before it, up to 8 s: by band and step.
RECORDED = {
    (0, 606): 0.305581,
    (0, 640): 0.613692,
    (0, 701): 0.700427,
    (0, 760): 0.876422,
    (12, 606): -0.079937,
    (12, 640): 1.383130,
    (12, 701): 1.599235,
    (12, 760): 1.625291,
    (25, 606): -0.079937,
    (25, 640): 0.963736,
    (25, 701): 0.822615,
    (25, 760): 0.825083,
    (40, 606): -0.079937,
    (40, 640): 1.117944,
    (40, 701): 0.349221,
    (40, 760): 0.564898,
    (63, 606): -0.079937,
    (63, 640): 0.780600,
    (63, 701): 0.565107,
    (63, 760): 0.871890,
}
RECORDED_MEAN, RECORDED_MAX = 0.068362422, 1.92006266


def test_a_question_looks_as_it_was_recorded() -> None:
    picture = features(question().data)
    assert picture.shape == (BANDS, STEPS)
    assert picture.dtype == np.float32
    assert {cell: float(picture[cell]) for cell in RECORDED} == pytest.approx(RECORDED, abs=1e-5)
    assert float(picture.mean()) == pytest.approx(RECORDED_MEAN, abs=1e-5)
    assert float(picture.max()) == pytest.approx(RECORDED_MAX, abs=1e-5)


def test_of_a_long_sound_the_last_8_seconds_are_seen() -> None:
    """The same source, for five questions in a row without the first 0.2 s."""
    data = (question().data * 5)[2 * 3201 :]
    picture = features(data)
    assert float(picture.mean()) == pytest.approx(0.346426755, abs=1e-5)
    assert float(picture[20, 100]) == pytest.approx(0.537732005, abs=1e-5)
    assert float(picture[60, 400]) == pytest.approx(-0.230448574, abs=1e-5)
    assert np.array_equal(picture, features(data[-2 * SIZE :]))
    assert not np.array_equal(picture, features(data[: 2 * SIZE]))


def mel(hertz: float) -> float:
    """Slaney's scale: 200/3 Hz for each mel up to 1000 Hz, then 27 mel for each factor of 6.4."""
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * math.log(hertz / 1000, 6.4)


def hertz(mels: float) -> float:
    return mels * 200 / 3 if mels < 15 else 1000 * 6.4 ** ((mels - 15) / 27)


def weight(band: int, frequency: float) -> float:
    """How much a frequency counts in a band: a triangle with the area 1."""
    top = mel(RATE / 2)
    low, middle, high = (hertz(top * (band + each) / (BANDS + 1)) for each in range(3))
    slope = min((frequency - low) / (middle - low), (high - frequency) / (high - middle))
    return max(0.0, slope) * 2 / (high - low)


def energies(wave: Sequence[float], step: int) -> list[float]:
    """One column before its logarithm, by the definition of the Fourier transform."""
    start = step * HOP - WINDOW // 2
    samples = [wave[abs(start + n)] for n in range(WINDOW)]  # mirrored at the beginning
    shaped = [
        each * (0.5 - 0.5 * math.cos(2 * math.pi * n / WINDOW)) for n, each in enumerate(samples)
    ]
    powers = [
        abs(sum(s * cmath.exp(-2j * math.pi * k * n / WINDOW) for n, s in enumerate(shaped))) ** 2
        for k in range(WINDOW // 2 + 1)
    ]
    return [
        sum(weight(band, k * RATE / WINDOW) * power for k, power in enumerate(powers))
        for band in range(BANDS)
    ]


def test_columns_are_what_the_definitions_say() -> None:
    data = question().data
    samples = [each / 32768 for each in np.frombuffer(data, "<i2").tolist()]
    wave = [0.0] * (SIZE - len(samples)) + samples
    mean = sum(wave) / SIZE
    spread = math.sqrt(sum((each - mean) ** 2 for each in wave) / SIZE + 1e-7)
    wave = [(each - mean) / spread for each in wave]
    picture = features(data)
    quietest = float(picture.min())
    for step in (0, 633, 700, 755):
        column = [
            max(quietest, (math.log10(max(each, 1e-10)) + 4) / 4) for each in energies(wave, step)
        ]
        assert picture[:, step].tolist() == pytest.approx(column, abs=2e-4)


def test_the_range_is_eight_decades() -> None:
    picture = features(question().data)
    assert float(picture.max() - picture.min()) == pytest.approx(8 / 4)


def test_a_tone_shows_in_its_band() -> None:
    picture = features(tone(8.0, 1000.0).data)
    middle = picture[:, 400]
    nearest = min(range(BANDS), key=lambda band: abs(hertz(mel(RATE / 2) * (band + 1) / 81) - 1000))
    assert abs(int(middle.argmax()) - nearest) <= 1


@pytest.mark.parametrize("data", [b"", b"\1", bytes(3), bytes(64000)])
def test_silence_is_a_picture_too(data: bytes) -> None:
    picture = features(data)
    assert picture.shape == (BANDS, STEPS)
    assert np.isfinite(picture).all()
    assert float(picture.max()) == float(picture.min())
