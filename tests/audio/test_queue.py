"""Live sound to somebody who may be slow."""

import trio
import trio.testing

from capabilities import AudioFormat, AudioFrame, Encoding
from waav.audio.queue import FreshestFrames

FRAME = AudioFrame(bytes(640))  # 20 ms


def test_a_stalled_reader_loses_the_oldest() -> None:
    queue = FreshestFrames(patience=1.0)
    for n in range(100):
        queue.put(FRAME, n * 0.02)
    assert queue.dropped == 100 - len(queue)
    assert len(queue) == 51


def test_a_recording_sent_at_once_loses_nothing() -> None:
    """Its frames are due one after the other, however early they come."""
    queue = FreshestFrames(patience=1.0)
    for _ in range(500):
        queue.put(FRAME, 0.0)
    queue.put(FRAME, 0.9)
    assert queue.dropped == 0


def test_a_pause_of_the_client_does_not_make_its_sound_late() -> None:
    queue = FreshestFrames(patience=1.0)
    queue.put(FRAME, 0.0)
    queue._take()
    queue.put(FRAME, 60.0)
    queue.put(FRAME, 60.02)
    assert (queue.dropped, len(queue)) == (0, 2)


def test_memory_is_bounded_whatever_comes() -> None:
    queue = FreshestFrames(patience=1.0, max_bytes=64_000)
    for _ in range(1000):
        queue.put(FRAME, 0.0)
    assert len(queue) == 64_000 // (640 + 256)


def test_a_million_tiny_frames_are_not_free() -> None:
    queue = FreshestFrames(patience=1.0)
    for _ in range(100_000):
        queue.put(AudioFrame(b"\0\0"), 0.0)
    assert len(queue) < 5 * 1024 * 1024 / 256


def test_the_frame_that_just_came_stays_even_if_it_is_huge() -> None:
    queue = FreshestFrames(patience=1.0, max_bytes=10)
    queue.put(FRAME, 0.0)
    assert len(queue) == 1


async def test_reading_waits_and_ends_with_the_last_frame() -> None:
    queue = FreshestFrames(patience=1.0)
    got: list[AudioFrame] = []

    async def read() -> None:
        async for frame in queue:
            got.append(frame)  # noqa: PERF401 - the test looks at it while it grows

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        queue.put(FRAME, 0.0)
        await trio.testing.wait_all_tasks_blocked()
        assert got == [FRAME]
        queue.put(FRAME, 0.0)
        queue.close()
    assert got == [FRAME, FRAME]


def waited(*frames: AudioFrame) -> FreshestFrames:
    queue = FreshestFrames(patience=1.0)
    for frame in frames:
        queue.put(frame, 0.0)
    queue.close()
    return queue


async def test_what_waited_together_travels_together() -> None:
    """In frames of up to 100 ms, sample for sample, each where its first one began."""
    whole = bytes(n % 251 for n in range(12 * 640))
    came = [AudioFrame(whole[at : at + 640], start=at / 32000) for at in range(0, len(whole), 640)]
    frames = [frame async for frame in waited(*came)]
    assert [round(frame.duration, 3) for frame in frames] == [0.1, 0.1, 0.04]
    assert [frame.start for frame in frames] == [0.0, 0.1, 0.2]
    assert b"".join(frame.data for frame in frames) == whole


async def test_a_long_frame_stays_as_it_came() -> None:
    long = AudioFrame(bytes(32000))
    behind = [AudioFrame(bytes(640), start=start) for start in (1.0, 1.02)]
    assert [frame async for frame in waited(long, *behind)] == [
        long,
        AudioFrame(bytes(1280), start=1.0),
    ]


async def test_sound_from_before_and_behind_a_gap_is_never_joined() -> None:
    """Whoever says where in the stream something was would be wrong by the gap."""
    before, behind = AudioFrame(bytes(640), start=1.0), AudioFrame(bytes(640), start=5.0)
    assert [frame async for frame in waited(before, behind)] == [before, behind]


async def test_packets_of_compressed_sound_are_never_joined() -> None:
    packet = AudioFrame(b"packet", AudioFormat(Encoding.OPUS))
    assert [frame async for frame in waited(packet, packet)] == [packet, packet]
