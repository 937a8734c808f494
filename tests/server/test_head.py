"""A request head as a value: what is read, what is refused, what is hidden."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.server.head import MAX_HEAD, RequestHead, parse_head
from waav.server.refusal import Refused

PEER = ("192.0.2.7", 51000)
HEAD = (
    b"GET /api/%77s?token=a%2Fb%20c&x=&x=2 HTTP/1.1\r\n"
    b"Host: example.org\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"X-Two: one\r\nX-TWO: two\r\n\r\n"
)


def parsed(data: bytes) -> RequestHead:
    head = parse_head(data, peer=PEER)
    assert head is not None
    return head


def test_a_head_is_read() -> None:
    head = parsed(HEAD + b"\x81\x00")
    assert (head.method, head.path, head.http_version) == ("GET", "/api/ws", "1.1")
    assert (head.peer, head.scheme, head.size) == (PEER, "http", len(HEAD))
    assert head.headers["host"] == "example.org"
    assert head.headers["x-two"] == "one, two"
    assert head.wants_websocket


def test_query_parameters_are_decoded() -> None:
    head = parsed(HEAD)
    assert head.parameter("token") == "a/b c"
    assert head.parameter("x") == ""
    assert head.parameter("missing") is None


@pytest.mark.parametrize(
    ("target", "resource"),
    [
        ("/voices", "/voices"),
        ("//voices///", "/voices"),
        ("/%2f%2Fvoices%2f", "/voices"),
        ("http://host:1/voices/a", "/voices/a"),
        ("http://host", "/"),
        ("/http://host/voices", "/http://host/voices"),
        ("voices", "/voices"),
        ("/voices//a", "/voices//a"),
        ("x:/voices", "/x:/voices"),
        ("http://[/voices", "/voices"),
        ("*", "/*"),
        ("/", "/"),
    ],
)
def test_a_path_has_one_spelling_as_a_resource(target: str, resource: str) -> None:
    head = parsed(f"GET {target}?x=/ HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert head.resource == resource


@pytest.mark.parametrize(
    ("upgrade", "wanted"),
    [(b"websocket", True), (b"h2c, WebSocket", True), (b"h2c", False), (b"websockets", False)],
)
def test_who_wants_a_websocket(upgrade: bytes, *, wanted: bool) -> None:
    head = parsed(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: " + upgrade + b"\r\n\r\n")
    assert head.wants_websocket is wanted


def test_secrets_do_not_show() -> None:
    """A head may be printed; the token in its query and its headers may not."""
    head = parsed(b"GET /ws?token=hush HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer hush\r\n\r\n")
    assert "hush" not in repr(head)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00", 400),
        (b"\r\n", 400),
        (b"what is this?\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * MAX_HEAD, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * MAX_HEAD + b"\r\n\r\n", 431),
    ],
    ids=["tls", "empty-line", "prose", "no-host", "no-colon", "endless", "too-large"],
)
def test_what_is_no_request_is_refused(data: bytes, status: int) -> None:
    with pytest.raises(Refused) as caught:
        parse_head(data, peer=PEER)
    assert caught.value.status == status


def test_the_largest_head_is_accepted() -> None:
    start, end = b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"\r\n\r\n"
    data = start + b"x" * (MAX_HEAD - len(start) - len(end)) + end
    assert parsed(data + b"body").size == MAX_HEAD


@given(st.lists(st.integers(0, len(HEAD)), max_size=8).map(sorted))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    """However a head arrives, it is complete with its last byte and not before."""
    seen = 0
    for cut in cuts:
        head = parse_head(HEAD[:cut], peer=PEER, searched=seen)
        assert (head is None) == (cut < len(HEAD))
        if head is not None:
            return
        seen = cut
    assert parse_head(HEAD, peer=PEER, searched=seen) == parsed(HEAD)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\n\n", b"\r\n\r\n"]))
def test_rubbish_is_refused_or_waited_for(rubbish: bytes, end: bytes) -> None:
    """No bytes whatever raise anything but the one exception that has an answer."""
    with suppress(Refused):
        parse_head(rubbish + end, peer=PEER)
