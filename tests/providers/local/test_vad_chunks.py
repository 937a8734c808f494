"""Sound of any rate, cut anywhere, becomes the same chunks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import SPEECH, AudioFormat
from providers.local.vad_chunks import PER_SECOND, Chunks
from waav.testing import silence, tone


def all_chunks(source: int, data: bytes, cuts: list[int] | None = None) -> list[bytes]:
    """Feed ``data`` in pieces of the sizes in ``cuts``, then the rest."""
    chunks = Chunks(source)
    found: list[bytes] = []
    for size in cuts or []:
        found += chunks.feed(data[:size])
        data = data[size:]
    return [*found, *chunks.feed(data), *chunks.flush()]


@pytest.mark.parametrize(("rate", "new", "before"), [(16000, 512, 64), (8000, 256, 32)])
def test_a_chunk_begins_with_the_end_of_the_last_one(rate: int, new: int, before: int) -> None:
    sound = np.arange(1, 3 * new + 1, dtype="<i2")
    found = [np.frombuffer(each, "<i2") for each in all_chunks(rate, sound.tobytes())]
    assert [each.size for each in found] == [before + new] * 3
    assert not found[0][:before].any(), "nothing was before the first"
    for number, each in enumerate(found):
        assert (each[before:] == sound[number * new : (number + 1) * new]).all()
        assert number == 0 or (each[:before] == found[number - 1][-before:]).all()


@given(
    st.binary(max_size=5000),
    st.lists(st.integers(0, 1500), max_size=20),
    st.sampled_from([8000, 16000]),
)
def test_cuts_do_not_matter(data: bytes, cuts: list[int], rate: int) -> None:
    assert all_chunks(rate, data, cuts) == all_chunks(rate, data)


@given(st.binary(max_size=3000), st.lists(st.integers(0, 700), max_size=8))
def test_cuts_do_not_matter_to_a_resampler(data: bytes, cuts: list[int]) -> None:
    """But for the noise of a bit or two with which it rounds."""
    whole, pieces = all_chunks(44100, data), all_chunks(44100, data, cuts)
    assert len(pieces) == len(whole)
    for one, other in zip(whole, pieces, strict=True):
        apart = np.frombuffer(one, "<i2").astype(int) - np.frombuffer(other, "<i2")
        assert np.abs(apart).max() <= 2


@given(st.integers(0, 4000))
def test_no_sound_is_lost_and_the_end_is_filled_with_silence(size: int) -> None:
    data = b"\x01" * size
    joined = b"".join(each[128:] for each in all_chunks(16000, data))
    assert joined == data[: size & ~1] + bytes(len(joined) - (size & ~1))
    assert 0 <= len(joined) - (size & ~1) < 1024


def test_the_duration_is_that_of_what_came_in() -> None:
    chunks = Chunks(48000)
    chunks.feed(bytes(48000))
    assert chunks.duration == 0.5
    chunks.flush()
    assert chunks.duration == 0.5


@pytest.mark.parametrize("rate", [11025, 22050, 24000, 44100, 48000])
def test_a_resampler_moves_nothing(rate: int) -> None:
    """A tone that begins at one second begins in the chunk of that second."""
    audio = AudioFormat(sample_rate=rate)
    found = all_chunks(rate, silence(1.0, audio).data + tone(0.5, audio=audio).data)
    levels = [np.abs(np.frombuffer(each[128:], "<i2").astype(int)).max() for each in found]
    first = next(number for number, level in enumerate(levels) if level > 8000)
    assert first == int(1.0 * PER_SECOND)
    assert Chunks(rate).rate == SPEECH.sample_rate
