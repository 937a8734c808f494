"""A recording in pieces."""

from hypothesis import given
from hypothesis import strategies as st

from waav.server.rest.recording import Recording


async def test_it_is_whole_again() -> None:
    recording, sent = Recording("audio_0"), bytes(range(256)) * 1000
    for start in range(0, len(sent), 70001):
        recording.add(sent[start : start + 70001])
    assert await recording.whole() == sent


@given(st.lists(st.integers(1, 3), min_size=1, max_size=5))
def test_single_bytes_are_not_kept_one_by_one(sizes: list[int]) -> None:
    """An object for each would make a small body a large one."""
    recording = Recording("audio_0")
    for _ in range(100):
        for size in sizes:
            recording.add(bytes(size))
    assert len(recording._pieces) == 0
    recording.add(bytes(65536))
    assert len(recording._pieces) == 1
