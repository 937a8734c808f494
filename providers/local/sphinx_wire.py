"""What the gateway and a recogniser process say to each other: bytes and values, no I/O.

A request is one letter, the size of what follows (4 bytes, big-endian), and that much: ``O`` opens
a stream (JSON: the arguments of ``Recogniser.open``), ``A`` is sound (linear16, 16 kHz, mono),
``F`` ends the stream. Each is answered by exactly one reply: a size and a JSON list of transcripts.
A process says its first reply, an empty list, when its model is loaded.
"""

import json
import struct
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from capabilities import Final, Interim, Transcript, Word

Kind: TypeAlias = Literal["O", "A", "F"]

_REQUEST = struct.Struct(">cI")
_REPLY = struct.Struct(">I")
REQUEST_HEAD = _REQUEST.size
REPLY_HEAD = _REPLY.size


def request(kind: Kind, payload: bytes = b"") -> bytes:
    """Encode a request."""
    return _REQUEST.pack(kind.encode(), len(payload)) + payload


def request_head(head: bytes) -> tuple[str, int]:
    """Read the kind of a request and the size of what follows."""
    kind, size = _REQUEST.unpack(head)
    return kind.decode(), size


def reply(heard: list[dict[str, Any]]) -> bytes:
    """Encode a reply."""
    payload = json.dumps(heard).encode()
    return _REPLY.pack(len(payload)) + payload


def reply_size(head: bytes | bytearray) -> int:
    """Read the size of what follows the head of a reply."""
    size: int = _REPLY.unpack(head)[0]
    return size


def transcripts(payload: bytes, language: str) -> list[Transcript]:
    """Read a reply."""
    return [_transcript(one, language) for one in json.loads(payload)]


def _transcript(heard: dict[str, Any], language: str) -> Transcript:
    if not heard.get("final"):
        return Interim(heard["text"], language=language)
    return Final(
        heard["text"],
        confidence=heard["confidence"],
        language=language,
        words=_words(heard["words"]),
        speech_final=heard["speech_final"],
    )


def _words(words: Iterable[dict[str, Any]]) -> tuple[Word, ...]:
    return tuple(Word(**word) for word in words)
