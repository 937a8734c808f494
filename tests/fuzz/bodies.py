"""Requests of the REST side whose head is all right, and whose body or parameters are not."""

from random import Random
from typing import Any
from urllib.parse import quote

from fuzz.messages import TTS
from fuzz.snippets import spoilt, value

TOKEN = "TOKEN-OF-THE-ATTACKER"
_SPEAK: dict[str, Any] = {
    "text": "good day",
    "tts_config": TTS | {"speaking_rate": 1.0, "audio_format": "linear16", "options": {}},
}
_CLONE: dict[str, Any] = {
    "provider": "elevenlabs",
    "name": "a",
    "description": "b",
    "audio_samples": ["data:audio/wav;base64,UklGRiQAAABXQVZF"],
    "remove_background_noise": False,
    "labels": {"a": "b"},
}
_PARAMETERS = ("provider", "language", "gender", "cloned", "type", "token", "", "a")
_PATHS = ("/voices", "/providers", "/plugins/{}", "/voices/{}", "/health", "/openapi.json", "/{}")
_PARTS = (
    'name="provider"', 'name="name"', 'name="audio_0"; filename="a.wav"', 'name=""', "name",
    'name="\x00"', 'name="labels"', 'filename="a"', 'name="a"; name="b"',
    'name="' + "a" * 9000 + '"', "name=\xff",
)  # fmt: skip
_DATA = (
    b"", b"elevenlabs", b"a", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"\xff" * 300, b"\r\n--b", b"{}",
    b"\x00",
)  # fmt: skip
_TYPES = ("application/json",) * 9 + (
    "",
    "text/plain",
    "application/json; charset=utf-16",
    "multipart/form-data",
)


def request(dice: Random) -> bytes:
    """Return a whole HTTP request with :data:`TOKEN` where the token is to stand."""
    return dice.choice((_json, _json, _form, _query))(dice)


def _json(dice: Random) -> bytes:
    path, message = dice.choice((("/speak", _SPEAK), ("/voices/clone", _CLONE)))
    body = spoilt(dice, message).encode(errors="replace")
    if dice.random() < 0.05:
        body = dice.choice(
            (b"", b"\xff\xfe{}", b"\x00" * 9, dice.randbytes(99), b'"' + b"\xff" * 9 + b'"')
        )
    return _whole("POST", path, body, dice.choice(_TYPES))


def _form(dice: Random) -> bytes:
    parts = [
        f"Content-Disposition: form-data; {dice.choice(_PARTS)}".encode("latin-1")
        + dice.choice((b"\r\n\r\n", b"\r\n\r\n", b"\r\nContent-Type: a/b\r\n\r\n", b"\n\n", b""))
        + dice.choice(_DATA)
        for _ in range(dice.randrange(6))
    ]
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    body += dice.choice((b"--b--\r\n", b"--b--", b"--b", b"", b"--b--\r\nmore"))
    kind = "multipart/form-data" + dice.choice(
        ("; boundary=b", "; boundary=b", "; boundary=c", "", "; boundary=")
    )
    return _whole("POST", "/voices/clone", body, kind)


def _query(dice: Random) -> bytes:
    path = dice.choice(_PATHS).format(quote(value(dice)[:200], safe=""))
    given = "&".join(
        f"{dice.choice(_PARAMETERS)}={quote(value(dice)[:200], safe='')}"
        for _ in range(dice.randrange(5))
    )
    return _whole(dice.choice(("GET", "DELETE")), f"{path}?{given}", b"", "")


def _whole(method: str, target: str, body: bytes, kind: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: a", f"Authorization: Bearer {TOKEN}"]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += [f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
