"""HTTP/2 as a client lives with it: a server that leaves, that sends too much, that talks nonsense."""

from collections.abc import Iterator

import pytest
from h2.connection import H2Connection
from hypothesis import given
from hypothesis import strategies as st
from support.h2_peer import OK, server_connection

from providers._common.grpc.messages import Unreadable
from providers._common.grpc.wire import (
    CONNECTION_WINDOW,
    MAX_CALLS,
    Answered,
    Ended,
    Event,
    GoingAway,
    Greeted,
    Reset,
    Sent,
    Trailed,
    Wire,
)

REQUEST = [(":method", "POST"), (":scheme", "http"), (":path", "/m"), (":authority", "x")]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def server(wire: Wire) -> H2Connection:
    connection = server_connection()
    talk(wire, connection)
    return connection


def talk(wire: Wire, server: H2Connection) -> list[Event]:
    """Carry bytes both ways until both are silent; return what the client has heard."""
    heard: list[Event] = []
    up, down = wire.take(), server.data_to_send()
    while up or down:
        server.receive_data(up)
        heard += wire.receive(down)
        up, down = wire.take(), server.data_to_send()
    return heard


def frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def go_away(last: int) -> bytes:
    return frame(7, 0, 0, last.to_bytes(4, "big") + bytes(4))


def test_an_answer_is_head_data_and_trailers(wire: Wire, server: H2Connection) -> None:
    stream = wire.open(REQUEST)
    talk(wire, server)
    server.send_headers(stream, OK)
    server.send_data(stream, b"abc", pad_length=6)
    server.send_headers(stream, [("grpc-status", "0")], end_stream=True)
    assert talk(wire, server) == [
        Answered(stream, {b":status": b"200", b"content-type": b"application/grpc"}),
        Sent(stream, b"abc", 10),
        Trailed(stream, {b"grpc-status": b"0"}),
        Ended(stream),
    ]


def test_the_server_introduces_itself(wire: Wire) -> None:
    assert Greeted() in talk(wire, server_connection())


def test_no_more_streams_are_free_than_the_server_allows(wire: Wire) -> None:
    server = server_connection(max_concurrent_streams=2)
    assert wire.free == MAX_CALLS
    talk(wire, server)
    assert wire.free == 2
    streams = [wire.open(REQUEST), wire.open(REQUEST)]
    assert wire.free == 0
    wire.reset(streams[0])
    assert wire.free == 1


@pytest.mark.parametrize("open_before", [True, False])
def test_a_server_that_goes_away_still_finishes_what_it_has_begun(
    wire: Wire, server: H2Connection, *, open_before: bool
) -> None:
    """``h2`` by itself would drop what was to be written, and every stream."""
    stream = wire.open(REQUEST) if open_before else 1
    talk(wire, server)
    wire.ping()
    assert wire.receive(go_away(2**31 - 1)) == [GoingAway(2**31 - 1)]
    assert wire.take(), "what was to be written is still there"
    assert wire.receive(go_away(stream)) == [GoingAway(stream)]
    if open_before:
        wire.send(stream, b"more")
        talk(wire, server)
        server.send_headers(stream, OK, end_stream=True)
        assert Ended(stream) in talk(wire, server)


def test_a_stream_may_be_broken_off_twice(wire: Wire, server: H2Connection) -> None:
    stream = wire.open(REQUEST)
    talk(wire, server)
    server.reset_stream(stream, 7)
    [reset] = talk(wire, server)
    assert reset == Reset(stream, 7)
    assert reset.refused
    assert wire.free == MAX_CALLS
    wire.reset(stream)


def test_data_for_streams_that_are_gone_does_not_close_the_window(
    wire: Wire, server: H2Connection
) -> None:
    """A client that forgets to acknowledge it hangs after hours."""
    for _ in range(CONNECTION_WINDOW // 30_000 * 2):
        stream = wire.open(REQUEST)
        talk(wire, server)
        server.send_headers(stream, OK)
        for _ in range(2):
            server.send_data(stream, bytes(15_000))
        on_the_way = server.data_to_send()
        wire.reset(stream)
        wire.receive(on_the_way)
        talk(wire, server)
        assert server.outbound_flow_control_window > CONNECTION_WINDOW // 3


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another-protocol"),
        pytest.param(b"\xff\xff\xff\0\0\0\0\0\0", id="head-of-a-frame-too-long"),
        pytest.param(frame(0, 0, 1, b"data"), id="data-for-no-stream"),
        pytest.param(frame(5, 4, 1, bytes(4)), id="push"),
        pytest.param(
            frame(1, 0, 1, b"") + b"".join(frame(9, 0, 1, b"") for _ in range(65)),
            id="endless-header-block",
        ),
    ],
)
def test_nonsense_is_noticed_at_once(wire: Wire, server: H2Connection, data: bytes) -> None:
    wire.open(REQUEST)
    wire.take()
    with pytest.raises(Unreadable):
        wire.receive(data)


def test_a_header_block_that_grows_when_unpacked_is_refused(
    wire: Wire, server: H2Connection
) -> None:
    stream = wire.open(REQUEST)
    talk(wire, server)
    # Each of the entries is one byte on the wire, out of the table that both sides keep.
    server.send_headers(stream, [*OK, *[("x-bomb", "b" * 2000)] * 60])
    with pytest.raises(Unreadable, match="header"):
        talk(wire, server)


@given(pieces=st.lists(st.binary(max_size=40), max_size=5), framed=st.booleans())
def test_any_bytes_are_survived(pieces: list[bytes], *, framed: bool) -> None:
    wire = Wire()
    wire.open(REQUEST)
    for data in _framed(pieces) if framed else pieces:
        try:
            wire.receive(data)
        except Unreadable:
            break
    wire.acknowledge(1, 0)
    wire.close()
    assert wire.take()


def _framed(pieces: list[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if len(piece) > 2:
            yield frame(piece[0] % 11, piece[1], piece[2] % 4, piece[3:])
