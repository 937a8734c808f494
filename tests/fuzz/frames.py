"""Bytes behind a handshake that are no frames, or frames that no client may send (RFC 6455)."""

import zlib
from random import Random

from waav.bench.framing import BINARY, CLOSE, KEY, PING, PONG, TEXT, head, masked

CONTINUATION = 0x0
CODES = (1000, 3000, 4999)
"""With which a client may say goodbye."""
_OPCODES = (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG)
_HELLO = b'{"type":"ping","timestamp":1}'
_NOT_UTF8 = (
    b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\x80",
    b"\xf4\x90\x80\x80",
)  # fmt: skip
_REASON = b"\xce\xba\xe1\xbd\xb9"
_TOO_LONG = (10 << 20) + 1


def frame(opcode: int, data: bytes, *, fin: bool = True, rsv: int = 0) -> bytes:
    """Return a frame as a client sends it, with these bits in its first byte."""
    whole = head(opcode, len(data), KEY) + masked(data)
    return bytes((whole[0] & 0x0F | (0x80 if fin else 0) | rsv << 4,)) + whole[1:]


def raw(dice: Random) -> bytes:
    """Return what a client sends behind its handshake."""
    return dice.choice(_WAYS)(dice)


def _reserved_bits(dice: Random) -> bytes:
    data = dice.choice((_HELLO, zlib.compress(_HELLO), b""))
    return frame(dice.choice(_OPCODES), data, rsv=dice.randrange(1, 8))


def _bad_opcode(dice: Random) -> bytes:
    return frame(dice.choice((*range(3, 8), *range(11, 16))), _HELLO, fin=dice.random() < 0.5)


def _not_masked(dice: Random) -> bytes:
    return head(dice.choice(_OPCODES[1:]), len(_HELLO)) + _HELLO


def _wrongly_masked(dice: Random) -> bytes:
    return head(TEXT, len(_HELLO), dice.randbytes(4)) + _HELLO


def _not_utf8(dice: Random) -> bytes:
    data = _HELLO[: dice.randrange(len(_HELLO))] + dice.choice(_NOT_UTF8)
    cut = dice.randrange(len(data) + 1)
    if dice.random() < 0.5:
        return frame(TEXT, data)
    return frame(TEXT, data[:cut], fin=False) + frame(CONTINUATION, data[cut:])


def _in_fragments(dice: Random) -> bytes:
    """Return fragments in an order that dice chose: mostly one that may not be."""
    many = dice.choice((2, 3, 5, 300))
    parts = [
        frame(dice.choice(_OPCODES), dice.choice((b"", b"a", _HELLO)), fin=dice.random() < 0.5)
        for _ in range(many)
    ]
    return b"".join(parts)


def _endless(dice: Random) -> bytes:
    """Return a message that begins, goes on and on, and never ends."""
    piece = frame(CONTINUATION, dice.choice((b"", b"a" * 100)), fin=False)
    return frame(dice.choice((TEXT, BINARY)), b"", fin=False) + piece * dice.randrange(2000)


def _long_control(dice: Random) -> bytes:
    return frame(dice.choice((CLOSE, PING, PONG)), bytes(dice.choice((126, 127, 65536))))


def _control_in_fragments(dice: Random) -> bytes:
    return frame(dice.choice((CLOSE, PING, PONG)), b"ab", fin=False) + frame(CONTINUATION, b"c")


def _bad_goodbye(dice: Random) -> bytes:
    code = dice.choice((*CODES, 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535))
    data = dice.choice((b"", b"\x03", code.to_bytes(2, "big"), code.to_bytes(2, "big") + _REASON))
    return frame(CLOSE, data + dice.choice((b"", b"\xff"))) + dice.choice(
        (b"", frame(TEXT, _HELLO))
    )


def _lying_length(dice: Random) -> bytes:
    opcode = dice.choice((TEXT, BINARY))
    size = dice.choice(
        (1 << 16, _TOO_LONG, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
    )
    lie = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big") + KEY
    return lie + dice.randbytes(dice.randrange(200))


def _wasteful_length(dice: Random) -> bytes:
    """Return a frame whose length stands in more bytes than it needs."""
    size = len(_HELLO)
    field = bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    if dice.random() < 0.5:
        field = bytes((0x80 | 127,)) + size.to_bytes(8, "big")
    return bytes((0x80 | TEXT,)) + field + KEY + masked(_HELLO)


def _noise(dice: Random) -> bytes:
    return dice.randbytes(dice.choice((1, 2, 5, 14, 200, 5000)))


def _another_protocol(dice: Random) -> bytes:
    return dice.choice(
        (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\x00" * 100, b"\n")
    )


def _flood_of_pings(dice: Random) -> bytes:
    return frame(PING, dice.randbytes(dice.randrange(126))) * dice.randrange(1, 500)


_WAYS = (
    _reserved_bits, _bad_opcode, _not_masked, _wrongly_masked, _not_utf8, _in_fragments, _endless,
    _long_control, _control_in_fragments, _bad_goodbye, _lying_length, _wasteful_length, _noise,
    _another_protocol, _flood_of_pings,
)  # fmt: skip
