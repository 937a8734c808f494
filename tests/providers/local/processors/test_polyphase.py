"""Whole multiples of a rate: flat where it must be, and nothing comes back that was not there."""

import numpy as np
import pytest

from providers.local.processors import polyphase


def sine(share: float, size: int = 8000) -> polyphase.Wave:
    """A tone at a share of the rate."""
    return (10000 * np.sin(2 * np.pi * share * np.arange(size))).astype(np.float32)


@pytest.mark.pins("D321")
@pytest.mark.parametrize("times", [1, 2, 3, 6])
@pytest.mark.parametrize("share", [0.01, 0.2, 0.3, 0.4])
def test_up_and_down_again_is_the_same_a_little_later(times: int, share: float) -> None:
    before, wave, late = polyphase.Before.nothing(times), sine(share), polyphase.late(times)
    high, _ = polyphase.up(before, wave)
    assert len(high) == times * len(wave)
    again, _ = polyphase.down(before, high)
    assert np.abs(again[late + 50 :] - wave[50 : len(wave) - late]).max() < 10


@pytest.mark.parametrize("times", [2, 3, 6])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.4])
def test_images_lie_60_db_below(times: int, share: float) -> None:
    high, _ = polyphase.up(polyphase.Before.nothing(times), sine(share))
    part = high[500 * times : 7500 * times]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    edge = len(spectrum) // times
    assert spectrum[edge + 20 :].max() < spectrum[:edge].max() / 1000


@pytest.mark.parametrize("times", [2, 3, 6])
def test_aliases_lie_60_db_below(times: int) -> None:
    low, _ = polyphase.down(polyphase.Before.nothing(times), sine(0.62 / times, 8000 * times))
    assert low[100:].std() < 10000 / np.sqrt(2) / 1000


@pytest.mark.parametrize("times", [1, 2, 3, 6])
def test_it_does_not_matter_how_it_is_cut(times: int) -> None:
    wave = sine(0.1, 960)
    whole, _ = polyphase.up(polyphase.Before.nothing(times), wave)
    lowered, _ = polyphase.down(polyphase.Before.nothing(times), whole)
    before, raised, pieces = polyphase.Before.nothing(times), [], []
    for piece in np.split(wave, 6):
        made, low = polyphase.up(before, piece)
        back, high = polyphase.down(before, made)
        before = polyphase.Before(times, low, high)
        raised.append(made)
        pieces.append(back)
    assert np.allclose(np.concatenate(raised), whole, atol=0.01)
    assert np.allclose(np.concatenate(pieces), lowered, atol=0.01)
