"""Frames of the load generator, read and written by the reference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from waav.bench.framing import (
    BINARY,
    KEY,
    STAMP,
    TEXT,
    BadFrame,
    Reader,
    Sound,
    Stamps,
    from_client,
    from_server,
    head,
    masked,
)

URI = parse_uri("ws://example.com/")
SIZES = (0, 1, 125, 126, 640, 65535, 65536)


def server() -> ServerProtocol:
    return ServerProtocol(state=OPEN)


def client() -> ClientProtocol:
    return ClientProtocol(URI, state=OPEN)


def read_by(protocol: Protocol, data: bytes) -> list[tuple[int, bytes]]:
    protocol.receive_data(data)
    assert protocol.parser_exc is None
    events = protocol.events_received()
    return [(each.opcode, bytes(each.data)) for each in events if isinstance(each, Frame)]


@pytest.mark.parametrize("size", SIZES)
def test_the_reference_reads_what_we_write(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    assert read_by(server(), from_client(BINARY, data)) == [(BINARY, data)]
    assert read_by(client(), from_server(BINARY, data)) == [(BINARY, data)]


@given(st.lists(st.binary(max_size=700), max_size=5), st.integers(1, 400))
def test_we_read_what_the_reference_writes_however_it_is_cut(
    messages: list[bytes], step: int
) -> None:
    protocol = client()
    for message in messages:
        protocol.send_binary(message)
    protocol.send_text(b"the end")
    data = b"".join(protocol.data_to_send())
    reader, heard = Reader(), []
    for at in range(0, len(data), step):
        heard += [
            (code, masked(body, key)) for code, body, key in reader.feed(data[at : at + step])
        ]
    assert heard == [(BINARY, each) for each in messages] + [(TEXT, b"the end")]


def test_what_a_server_says_is_not_masked() -> None:
    protocol = server()
    protocol.send_text(b"x" * 70000)
    frames = Reader().feed(b"".join(protocol.data_to_send()))
    assert frames == [(TEXT, b"x" * 70000, b"")]


def test_fragments_and_giants_are_said_to_be_too_much() -> None:
    protocol = server()
    protocol.send_text(b"half", fin=False)
    with pytest.raises(BadFrame, match="fragments"):
        Reader().feed(b"".join(protocol.data_to_send()))
    with pytest.raises(BadFrame, match="bytes"):
        Reader().feed(head(BINARY, 1 << 30))


def test_sound_carries_the_time_at_which_it_was_sent() -> None:
    """And is otherwise what it was, over and over."""
    voice = bytes(range(200)) * 10
    sound = Sound(voice, 640)
    for number in range(7):
        [(opcode, data)] = read_by(server(), sound.frame(number, 123456789 + number))
        start = number % 3 * 640
        assert opcode == Opcode.BINARY
        assert int.from_bytes(data[:STAMP], "little") == 123456789 + number
        assert data[STAMP:] == voice[start + STAMP : start + 640]


@given(st.lists(st.integers(1, 2000), min_size=1), st.sampled_from([b"", KEY]))
def test_stamps_are_found_however_messages_are_cut(sizes: list[int], key: bytes) -> None:
    """Whoever relays may join frames, or cut them anew; only a stamp that is torn is lost."""
    stamped = b"".join(number.to_bytes(STAMP, "little") + bytes(632) for number in range(1, 400))
    stamps, found, at = Stamps(640), [], 0
    for size in sizes:
        piece = stamped[at : at + size]
        found += stamps.read(masked(piece, key) if key else piece, key)
        at += len(piece)
    begun = -(-at // 640)
    assert len(found) + stamps.torn == begun
    assert found == sorted(found)
    assert set(found) <= set(range(1, begun + 1))
