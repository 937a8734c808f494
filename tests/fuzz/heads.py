"""Bytes of a connection that are no request, or one that nobody should send (RFC 9112)."""

from random import Random

_TARGETS = (
    "/", "/ws", "/health", "/speak", "/voices", "/plugins/a", "*", "", "//", "/%", "/%zz", "/%00",
    "/%ff", "/ws?token=%", "/ws?token=" + "a" * 5000, "/voices?" + "a=b&" * 2000, "http://a/ws",
    "ftp://a/", "a:1", "/ws#a", "/\xe9", "/a b", "/ws\t", "/../../etc/passwd", "/voices?token=\x00",
    "/api/api/ws", "/metrics", "/" + "a" * 70_000,
)  # fmt: skip
_METHODS = (
    "GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT", "PATCH", "TRACE", "CONNECT", "PRI", "get",
    "G E T", "", "GET\x00", "G" * 5000, "\xc3\xa9", "GET:", "(GET)", " GET", "\r\nGET", "\tGET",
    "M-SEARCH",
)  # fmt: skip
_VERSIONS = (
    "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2", "HTTP/2.0", "HTTP/3.0", "HTTP/1.2", "HTTP/11",
    "http/1.1", "", "HTTP/", "HTTP/1.", "HTTP/1.1 a", "HTTP/\x00", "HTTP/9.9", "HTTPS/1.1",
    "HTTP/1.10",
)  # fmt: skip
_UPGRADE = (
    *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
_HEADERS = (
    "Host: b", "Host:", "Host", ": a", "A", "A : b", " A: b", "A\x00: b", "A: \x00", "A: b\x00c",
    "A: \xff", "A: b\rC: d", "A: b\nC: d", "A: b\r\n folded", "A: b\r\n\tfolded", "\xe9: a",
    "A(): b", "A: " + "b" * 20_000, "Content-Length: 5", "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: 5, 5", "Content-Length: -1", "Content-Length: +5", "Content-Length: 0x5",
    "Content-Length: 5a", "Content-Length: " + "9" * 30, "Content-Length: " + "1" * 5000,
    "Content-Length: \xb2", "Content-Length:", "Content-Length: 1_0", "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 3", "Transfer-Encoding: gzip",
    "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: identity",
    "Transfer-Encoding:\x0bchunked", "Transfer-Encoding : chunked", "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunked, identity", "Expect: 100-continue", "Expect: a",
    "Connection: close, \x00", "Connection: " + "a," * 3000, "TE: trailers",
    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings",
    "Upgrade: a, b", "Sec-WebSocket-Key: a", "Sec-WebSocket-Key: " + "A" * 5000,
    "Sec-WebSocket-Version: 99999999999999999999", "Sec-WebSocket-Version: a",
    "Sec-WebSocket-Version: 13, 8", "Sec-WebSocket-Protocol: " + "a, " * 2000,
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99",
    "Sec-WebSocket-Extensions: ;;=,", "Authorization: Bearer", "Authorization: Bearer \xff",
    "Authorization: Bearer " + "a" * 9000, "Authorization: \t",
    "X-Forwarded-For: " + "1.2.3.4, " * 500, 'Forwarded: for="[::1', "X-Forwarded-For: \xff",
    'Forwarded: ;;;=="', "Cookie: " + "a=b; " * 2000, "Range: bytes=9-1",
    "Content-Type: multipart/form-data", "Accept: " + "*/*," * 2000,
    "Content-Type: multipart/form-data; boundary=" + "b" * 500, "Content-Encoding: gzip",
    "X-Request-ID: \x7f", "Origin: null", "Origin: \xe9", "Access-Control-Request-Method: \x00",
    'Content-Type: application/json; a="', "\r\n".join(f"A{number}: b" for number in range(300)),
)  # fmt: skip
_ENDS = ("\r\n", "\r\n", "\r\n", "\n", "\r", "\r\n\r\n", "\r\r\n", "\n\r", "")
_BODIES = (
    "", "", "hello", "5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n", "fffffffffffffffff\r\na",
    "-1\r\na\r\n0\r\n\r\n", "5;" + "a" * 20_000 + "\r\nhello", "5\r\nhelloX\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n", "\r\n\r\n\r\n", "5\nhello\n0\n\n",
    "0\r\nA: b\r\nContent-Length: 9\r\n\r\n", "0\r\n" + "A: b\r\n" * 2000 + "\r\n", "\x81\x00",
    "3\r\nabc\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n",
)  # fmt: skip
_NO_REQUESTS = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00", b"\r\n", b"\x00" * 100,
    b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n\r\n", b"SSH-2.0-a\r\n", b"a" * 70_000,
    b"GET / HTTP/1.1", b"GET", b"\xff\xfe\xfd",
    b"\r\n" * 1000 + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"{}\n",
)  # fmt: skip


def head(dice: Random) -> bytes:
    """Return all that a client says on one connection."""
    if dice.random() < 0.1:
        return dice.choice((*_NO_REQUESTS, dice.randbytes(dice.randrange(1, 3000))))
    text = _request(dice)
    if dice.random() < 0.1:
        text += _request(dice)
    data = text.encode("latin-1")
    return _scratched(dice, data) if dice.random() < 0.2 else data


def _request(dice: Random) -> str:
    first = (
        _mostly(dice, ("GET", "POST"), _METHODS),
        _mostly(dice, ("/ws", "/health", "/speak", "/voices/clone"), _TARGETS),
        _mostly(dice, ("HTTP/1.1",), _VERSIONS),
    )
    headers = ["Host: a", *(_UPGRADE if dice.random() < 0.4 else ())]
    for _ in range(dice.randrange(1, 4)):
        headers.insert(dice.randrange(len(headers) + 1), dice.choice(_HEADERS))
    if dice.random() < 0.2:
        del headers[dice.randrange(len(headers))]
    end = _mostly(dice, ("\r\n",), _ENDS)
    return end.join([" ".join(first), *headers, "", ""]) + dice.choice(_BODIES)


def _mostly(dice: Random, honest: tuple[str, ...], others: tuple[str, ...]) -> str:
    return dice.choice(honest if dice.random() < 0.7 else others)


def _scratched(dice: Random, data: bytes) -> bytes:
    """Return it with a few bytes changed, or without its end."""
    scratched = bytearray(data)
    for _ in range(dice.randrange(1, 4)):
        scratched[dice.randrange(len(data))] = dice.randrange(256)
    return (
        bytes(scratched[: dice.randrange(1, len(data) + 1)])
        if dice.random() < 0.3
        else bytes(scratched)
    )
