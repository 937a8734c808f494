"""Noise to mix with speech, and how much better a sound has become."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from waav.testing.audio import question

Wave: TypeAlias = NDArray[np.float64]

RATE = 16000


def speech(times: int = 5) -> Wave:
    """The spoken question, again and again, with half a second between."""
    once = np.frombuffer(question().data, "<i2").astype(float)
    return np.tile(np.concatenate([once, np.zeros(RATE // 2)]), times)


def white(size: int) -> Wave:
    """Hiss."""
    return np.random.default_rng(1).normal(size=size)


def pink(size: int) -> Wave:
    """Hiss that falls by 3 dB an octave: wind, a far street."""
    spectrum = np.fft.rfft(white(size)) / np.sqrt(np.arange(size // 2 + 1) + 20.0)
    return np.fft.irfft(spectrum, size)


def hum(size: int) -> Wave:
    """The mains."""
    turn = 2 * np.pi * 50 * np.arange(size) / RATE
    return np.sin(turn) + np.sin(3 * turn) / 2


def babble(size: int) -> Wave:
    """Twelve people at once, half of them backwards, as they all have the same voice."""
    chance, mixed = np.random.default_rng(2), np.zeros(size)
    for number in range(12):
        one = np.resize(speech(), size)
        mixed += np.roll(one[::-1] if number % 2 else one, chance.integers(size))
    return mixed


NOISES = {"white": white, "pink": pink, "hum": hum, "babble": babble}


def at_ratio(clean: Wave, noise: Wave, decibels: float) -> Wave:
    """Mix, so that the speech is so much louder than the noise."""
    factor = np.sqrt((clean @ clean) / (noise @ noise) / 10 ** (decibels / 10))
    return (clean + factor * noise).clip(-32768, 32767)


def ratio_of(clean: Wave, heard: Wave) -> float:
    """SI-SNR: how far what is like ``clean`` stands above all else, in decibels."""
    clean, heard = clean - clean.mean(), heard - heard.mean()
    wanted = (clean @ heard) / (clean @ clean) * clean
    rest = heard - wanted
    return float(10 * np.log10((wanted @ wanted) / (rest @ rest)))


def as_bytes(wave: Wave) -> bytes:
    """In linear16."""
    return np.rint(wave).astype("<i2").tobytes()


def as_wave(data: bytes) -> Wave:
    """Out of linear16."""
    return np.frombuffer(data, "<i2").astype(float)
