"""ITU-T G.711: mu-law and A-law bytes <-> 16-bit samples, by table.

Source: ITU-T Recommendation G.711 (11/88), tables 1 and 2.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]


@cache
def _mulaw_to_linear() -> Samples:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4).astype(np.int32) & 7
    mantissa = code.astype(np.int32) & 15
    magnitude = ((mantissa * 2 + 33) << (exponent + 2)) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


@cache
def _alaw_to_linear() -> Samples:
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent = (code >> 4).astype(np.int32) & 7
    mantissa = (code.astype(np.int32) & 15) * 16 + 8
    magnitude = np.where(exponent == 0, mantissa, (mantissa + 256) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _nearest(levels: Samples) -> NDArray[np.uint8]:
    """For each 16-bit sample, the code whose level lies nearest: the inverse of a decoding table."""
    order = np.argsort(levels, kind="stable")
    ordered = levels[order].astype(np.int32)
    samples = np.arange(-32768, 32768, dtype=np.int32)
    right = np.clip(np.searchsorted(ordered, samples), 1, 255)
    left = right - 1
    nearer = np.where(samples - ordered[left] <= ordered[right] - samples, left, right)
    # Indexed by the sample's bit pattern, so that encoding is one look-up.
    return np.roll(order[nearer].astype(np.uint8), -32768)


@cache
def _linear_to_mulaw() -> NDArray[np.uint8]:
    return _nearest(_mulaw_to_linear())


@cache
def _linear_to_alaw() -> NDArray[np.uint8]:
    return _nearest(_alaw_to_linear())


def decode_mulaw(data: bytes) -> Samples:
    """Return one 16-bit sample for each byte."""
    return _mulaw_to_linear()[np.frombuffer(data, np.uint8)]


def decode_alaw(data: bytes) -> Samples:
    """Return one 16-bit sample for each byte."""
    return _alaw_to_linear()[np.frombuffer(data, np.uint8)]


def encode_mulaw(samples: Samples) -> bytes:
    """Return one byte for each sample: the code whose level lies nearest."""
    return _linear_to_mulaw()[samples.view(np.uint16)].tobytes()


def encode_alaw(samples: Samples) -> bytes:
    """Return one byte for each sample: the code whose level lies nearest."""
    return _linear_to_alaw()[samples.view(np.uint16)].tobytes()
