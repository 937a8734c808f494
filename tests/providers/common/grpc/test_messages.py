"""Messages come whole out of any pieces, and no sender chooses how much memory they take."""

import gzip
import struct
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers._common.grpc.messages import Unpacker, Unreadable, pack


@given(st.lists(st.binary(max_size=50), max_size=8), st.lists(st.integers(1, 20), max_size=30))
def test_messages_come_out_as_they_went_in(messages: list[bytes], sizes: list[int]) -> None:
    data = b"".join(pack(message) for message in messages)
    unpacker, found = Unpacker(limit=50), []
    for size in sizes:
        found += unpacker.feed(data[:size])
        data = data[size:]
    found += unpacker.feed(data)
    assert found == messages
    assert not unpacker.torn


def test_a_message_that_has_begun_is_noticed() -> None:
    unpacker = Unpacker(limit=50)
    assert unpacker.feed(pack(b"hello")[:-1]) == []
    assert unpacker.torn


def test_a_long_message_is_refused_before_it_has_come() -> None:
    with pytest.raises(Unreadable, match="4000000000 bytes"):
        Unpacker(limit=50).feed(struct.pack(">BI", 0, 4_000_000_000))


def test_a_compressed_message_is_inflated() -> None:
    assert Unpacker(limit=50, gzip=True).feed(_squeezed(b"hello")) == [b"hello"]


def test_a_message_without_the_flag_is_not_compressed() -> None:
    assert Unpacker(limit=50, gzip=True).feed(pack(b"hello")) == [b"hello"]


def test_a_message_may_be_as_long_as_the_limit() -> None:
    message = bytes(5000)
    assert Unpacker(limit=5000, gzip=True).feed(_squeezed(message)) == [message]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(lambda: _squeezed(bytes(5001)), "inflates to more", id="bomb"),
        pytest.param(lambda: _squeezed(bytes(99), cut=4), "cut short", id="cut"),
        pytest.param(lambda: struct.pack(">BI", 1, 3) + b"abc", "cannot be inflated", id="no-gzip"),
        pytest.param(lambda: struct.pack(">BI", 1, 0), "cut short", id="empty"),
    ],
)
def test_what_cannot_be_inflated_is_refused(data: Callable[[], bytes], says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        Unpacker(limit=5000, gzip=True).feed(data())


def test_a_bomb_does_not_go_off() -> None:
    bomb = _squeezed(bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="inflates to more"):
            Unpacker(limit=300_000, gzip=True).feed(bomb)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_nothing_is_compressed_unless_the_stream_says_so() -> None:
    with pytest.raises(Unreadable, match="without compression"):
        Unpacker(limit=5000).feed(_squeezed(b"hello"))


def _squeezed(message: bytes, cut: int = 0) -> bytes:
    body = gzip.compress(message, compresslevel=1)
    body = body[: len(body) - cut]
    return struct.pack(">BI", 1, len(body)) + body
