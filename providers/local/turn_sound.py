"""Sound -> the picture that the audio turn detector looks at: a log-mel spectrogram. No I/O.

The features of Whisper (Radford et al. 2022, section 2.1) over the last 8 s: 80 mel bands of 800
steps of 10 ms, windows of 25 ms, the Slaney mel scale, logarithms clamped 8 decades below the
loudest; the waveform is brought to zero mean and unit variance before, as the model
``pipecat-ai/smart-turn-v3`` was trained with.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE, SECONDS = 16_000, 8
BANDS, STEPS = 80, 800
_WINDOW, _HOP = 400, 160
_QUIETEST = 1e-10
_DECADES = 8.0
_HIGHEST = RATE / 2


def features(sound: bytes) -> Floats:
    """Return float32 [80, 800] of 16-bit mono sound at 16 kHz: the last 8 s, silence before if less."""
    size = RATE * SECONDS
    whole = len(sound) // 2
    samples = np.frombuffer(sound, "<i2", whole)[-size:].astype(np.float32) / 32768
    wave = np.concatenate([np.zeros(size - len(samples), np.float32), samples])
    wave = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
    padded = np.pad(wave, _WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][:STEPS]
    power = np.abs(np.fft.rfft(windows * _hann(), axis=1)) ** 2
    mel = np.log10(np.maximum(_filters() @ power.T, _QUIETEST))
    clamped = np.maximum(mel, mel.max() - _DECADES)
    picture: Floats = ((clamped + 4.0) / 4.0).astype(np.float32)
    return picture


@cache
def _hann() -> NDArray[np.float64]:
    return np.hanning(_WINDOW + 1)[:-1]  # periodic


@cache
def _filters() -> NDArray[np.float64]:
    """Return the 80 triangles over the 201 frequencies, each of the same area."""
    edges = _hertz(np.linspace(_mel(0.0), _mel(_HIGHEST), BANDS + 2))
    frequencies = np.linspace(0.0, _HIGHEST, _WINDOW // 2 + 1)
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters: NDArray[np.float64] = triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters


def _mel(hertz: float) -> float:
    """Slaney's scale: linear below 1000 Hz, logarithmic above."""
    return hertz * 3 / 200 if hertz < 1000 else 15 + np.log(hertz / 1000) * 27 / np.log(6.4)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
