"""G.711 by its own tables: levels of the recommendation, and nothing lost on the way and back."""

import numpy as np
import pytest

from waav.audio import g711

ALL_CODES = bytes(range(256))


@pytest.mark.parametrize(
    ("code", "level"),
    [(0xFF, 0), (0x7F, 0), (0x80, 32124), (0x00, -32124), (0xF0, 120), (0x8F, 16764)],
)
def test_levels_of_mulaw(code: int, level: int) -> None:
    assert g711.decode_mulaw(bytes([code]))[0] == level


@pytest.mark.parametrize(
    ("code", "level"), [(0xD5, 8), (0x55, -8), (0xAA, 32256), (0x2A, -32256), (0x80, 5504)]
)
def test_levels_of_alaw(code: int, level: int) -> None:
    assert g711.decode_alaw(bytes([code]))[0] == level


def test_mulaw_comes_back_as_the_same_levels() -> None:
    """Two codes mean zero; all others are one code for one level."""
    levels = g711.decode_mulaw(ALL_CODES)
    assert (g711.decode_mulaw(g711.encode_mulaw(levels)) == levels).all()


def test_alaw_comes_back_as_the_same_codes() -> None:
    assert g711.encode_alaw(g711.decode_alaw(ALL_CODES)) == ALL_CODES


@pytest.mark.parametrize(
    ("encode", "decode"),
    [(g711.encode_mulaw, g711.decode_mulaw), (g711.encode_alaw, g711.decode_alaw)],
)
def test_every_sample_meets_its_nearest_level(encode: object, decode: object) -> None:
    samples = np.arange(-32768, 32768, 7, dtype=np.int16)
    levels = np.unique(decode(ALL_CODES)).astype(np.int32)  # type: ignore[operator]
    got = decode(encode(samples)).astype(np.int32)  # type: ignore[operator]
    nearest = np.abs(levels[:, None] - samples.astype(np.int32)[None, :]).min(axis=0)
    assert (np.abs(got - samples) == nearest).all()
