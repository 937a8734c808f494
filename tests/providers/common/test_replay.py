"""Where sound is: sent, settled, or to be sent again; and whose clock says what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import SPEECH, AudioFormat, AudioFrame, Encoding
from providers._common.replay import Replay, Timeline

# One byte a sample, and a second is ten of them: what is written is what is seen.
SMALL = AudioFormat(Encoding.MULAW, 10)


@pytest.fixture
def replay() -> Replay:
    return Replay(SMALL, keep=1.0, longest=0.4)


def taken(replay: Replay) -> bytes:
    """Send all that is ready."""
    sent = b""
    while replay.ready:
        sent += replay.take().data
    return sent


def test_what_comes_in_goes_out_in_order(replay: Replay) -> None:
    replay.put(b"abc")
    replay.put(b"def")
    assert replay.take() == AudioFrame(b"abcd", SMALL, 0.0)
    assert replay.take() == AudioFrame(b"ef", SMALL, 0.4)
    assert not replay.ready


def test_a_new_connection_hears_what_no_final_has_acknowledged(replay: Replay) -> None:
    replay.put(b"abcdefgh")
    assert taken(replay) == b"abcdefgh"
    replay.acknowledge(0.3)
    replay.put(b"ij")
    assert replay.unsettled.data == b"defgh"
    replay.rewind()
    assert replay.unsettled.data == b""
    assert replay.take() == AudioFrame(b"defg", SMALL, 0.3)
    assert taken(replay) == b"hij"


def test_nothing_is_acknowledged_that_was_not_sent(replay: Replay) -> None:
    """A vendor's last word may seem to end behind the sound: its clock is its own."""
    replay.put(b"abcdef")
    replay.take()
    replay.acknowledge(99)
    assert (replay.start, replay.all_settled) == (4, True)
    assert taken(replay) == b"ef"


def test_an_acknowledgement_does_not_go_back(replay: Replay) -> None:
    replay.put(b"abcd")
    replay.take()
    replay.acknowledge(0.3)
    replay.acknowledge(0.1)
    assert replay.unsettled.data == b"d"
    replay.acknowledge_all()
    assert replay.all_settled


def test_beyond_the_bound_the_oldest_that_was_sent_goes(replay: Replay) -> None:
    for letter in b"abcdefghijklmno":
        replay.put(bytes([letter]))
        replay.take()
    replay.rewind()
    assert taken(replay) == b"fghijklmno"


def test_what_was_not_sent_does_not_go_but_its_sender_waits(replay: Replay) -> None:
    replay.put(b"x" * 20)
    assert not replay.full
    replay.put(b"y")
    assert replay.full
    assert taken(replay) == b"x" * 20 + b"y"
    assert not replay.full


def test_a_vendor_that_wants_long_frames_gets_them_and_the_short_rest_at_the_end() -> None:
    replay = Replay(SMALL, shortest=0.3, longest=0.5)
    replay.put(b"ab")
    assert not replay.ready
    replay.put(b"cd")
    assert taken(replay) == b"abcd"
    replay.put(b"e")
    assert not replay.ready
    replay.ended = True
    assert taken(replay) == b"e"


def test_compressed_sound_passes_packet_by_packet_and_is_not_kept() -> None:
    replay = Replay(AudioFormat(Encoding.OPUS))
    replay.put(b"one")
    replay.put(b"two")
    assert replay.waiting == 6
    assert [replay.take().data, replay.take().data] == [b"one", b"two"]
    assert not replay.ready
    assert not replay.resumable
    assert not replay.all_settled, "nobody can know"
    replay.acknowledge(1.0)
    replay.put(bytes(1 << 20))
    assert not replay.full
    replay.put(b"x")
    assert replay.full


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(1, 9)),
            st.tuples(st.just("take"), st.integers(1, 3)),
            st.tuples(st.just("acknowledge"), st.floats(0, 12)),
            st.tuples(st.just("rewind"), st.none()),
        )
    )
)
def test_whatever_happens_each_sample_is_settled_kept_or_waiting(steps: list[tuple]) -> None:  # type: ignore[type-arg]  # four kinds
    replay = Replay(AudioFormat(Encoding.LINEAR16, 10, 2), keep=2.0, longest=0.3)
    unit, put = replay.audio.sample_bytes, bytearray()
    for what, value in steps:
        if what == "put":
            data = bytes((len(put) + n) % 251 for n in range(value * unit))
            put += data
            replay.put(data)
        elif what == "take" and replay.ready:
            before = replay.sent
            frame = replay.take()
            assert frame.data == put[before : before + len(frame.data)]
            assert len(frame.data) % unit == 0
        elif what == "acknowledge":
            replay.acknowledge(value)
        elif what == "rewind":
            replay.rewind()
        assert 0 <= replay.start <= replay.sent <= len(put)
        assert replay.start % unit == replay.sent % unit == 0
        assert replay.unsettled.data == put[replay.start : replay.sent]
        assert replay.waiting == len(put) - replay.sent
        assert replay.sent - replay.start <= replay.audio.size(2.0)


def test_where_nothing_is_moved_times_stay_as_they_were_told() -> None:
    line = Timeline(16000)
    line.played(16000)
    assert [line.at(each) for each in (0.1, 0.30000000000000004, 7.7)] == [
        0.1, 0.30000000000000004, 7.7,
    ]  # fmt: skip


def test_a_connection_counts_from_its_own_beginning() -> None:
    line = Timeline(10, 42)
    line.played(20)
    assert line.at(0.5) == pytest.approx(4.7)


def test_silence_that_is_not_of_the_stream_takes_no_time_of_it() -> None:
    """Connection: 1 s of sound, 0.5 s and 0.5 s of filling, sound from 2 s on."""
    line = Timeline(10)
    line.played(10)
    line.filled(5)
    line.filled(5)
    line.played(10)
    told = [0.4, 1.0, 1.5, 1.9, 2.0, 2.3]
    assert [line.at(each) for each in told] == pytest.approx([0.4, 1.0, 1.0, 1.0, 1.0, 1.3])


def test_filling_before_the_first_sound() -> None:
    line = Timeline(10, 30)
    line.filled(20)
    line.played(10)
    assert [line.at(each) for each in (0.5, 2.0, 2.5)] == pytest.approx([3.0, 3.0, 3.5])


def test_a_day_of_pauses_does_not_grow() -> None:
    line = Timeline(SPEECH.sample_rate)
    for _ in range(10_000):
        line.played(160)
        line.filled(160)
    assert line.at(200.0) == pytest.approx(100.0)
    assert line.at(0.0) == pytest.approx(100.0, abs=3), "long settled"


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 50)), max_size=30), st.integers(0, 100))
def test_the_stream_s_clock_never_runs_back(pieces: list[tuple[bool, int]], start: int) -> None:
    line, clock, stream, seen = Timeline(100, start), 0, start, []
    for is_sound, samples in pieces:
        if is_sound:
            seen.append((clock, stream))
            line.played(samples)
            stream += samples
        else:
            line.filled(samples)
        clock += samples
    for at, meant in seen:
        assert line.at(at / 100) == pytest.approx(meant / 100)
    times = [round(line.at(tick / 100), 9) for tick in range(clock + 1)]
    assert times == sorted(times)
