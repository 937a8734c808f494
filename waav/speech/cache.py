"""Speech that was said before: what makes two requests the same, and how their sound is kept."""

import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from hashlib import sha256
from pathlib import PurePath
from typing import Any
from uuid import uuid4

import attrs
import msgspec

from capabilities import AudioFormat, AudioFrame, Secret, SpeechRequest
from capabilities.cache import CacheBackend


@attrs.define(eq=False)
class Recording:
    """The sound of one utterance while it is being said; its memory is bounded.

    It is given up, for good, when it becomes too long or changes its format.
    """

    max_bytes: int = 10 << 20
    format: AudioFormat | None = attrs.field(default=None, init=False)
    """None before the first sound."""
    given_up: bool = attrs.field(default=False, init=False)
    data: bytearray = attrs.field(factory=bytearray, init=False, repr=False)

    def add(self, frame: AudioFrame) -> None:
        """Take the next frame."""
        if self.given_up or not frame.data:
            return
        self.format = self.format or frame.format
        if frame.format == self.format and len(self.data) + len(frame.data) <= self.max_bytes:
            self.data += frame.data
        else:
            self.given_up = True
            self.data = bytearray()


@attrs.frozen
class SpeechCache:
    """Whole utterances in a ``CacheBackend``: a line of JSON with the format, then the sound."""

    backend: CacheBackend
    ttl: float
    """Seconds."""

    def key(self, provider_id: str, request: SpeechRequest) -> str:
        """Return 64 hexadecimal digits that change with anything that changes the sound.

        That is each field of the request (its text as the provider gets it, pronunciations
        replaced), and whose key pays: nobody hears what was made with somebody else's.
        """
        told = json.dumps([provider_id, _canonical(request)])
        return sha256(told.encode()).hexdigest()

    def recording(self) -> Recording:
        """Return a new recording. Nothing of it is kept until :meth:`put`."""
        return Recording()

    async def get(self, key: str) -> AudioFrame | None:
        """Return a whole utterance as one frame, in the format in which it was recorded."""
        value = await self.backend.get(key)
        if value is None:
            return None
        header, _, data = value.partition(b"\n")
        try:
            format = msgspec.json.decode(header, type=AudioFormat)
        except (ValueError, msgspec.DecodeError):
            return None
        return AudioFrame(data, format)

    async def put(self, key: str, recording: Recording) -> None:
        """Keep an utterance that was said to its end; an empty or given-up one is not kept."""
        if recording.data:
            header = msgspec.json.encode(recording.format)
            await self.backend.put(key, b"\n".join((header, recording.data)), self.ttl)


def _canonical(value: Any) -> Any:
    """Return JSON that is equal for equal values, in this process and in the next."""
    match value:
        case Mapping():
            return _in_order([_canonical(key), _canonical(each)] for key, each in value.items())
        case AbstractSet():
            return _in_order(map(_canonical, value))
        case list() | tuple():
            return [_canonical(each) for each in value]
        case _ if attrs.has(type(value)):
            # The class too: the fields of two kinds of option may look the same.
            fields = {each.name: getattr(value, each.name) for each in attrs.fields(type(value))}
            return [type(value).__qualname__, _canonical(fields)]
        case _:
            return _canonical_leaf(value)


def _canonical_leaf(value: Any) -> Any:
    match value:
        case Enum() | PurePath() | bytes():
            return repr(value)
        case None | bool() | int() | float() | str():
            return value
        case Secret():
            return _fingerprint(value)
        case _:
            # Not to be compared: better never found again than found wrongly.
            return uuid4().hex


def _in_order(values: Iterable[Any]) -> list[Any]:
    return sorted(values, key=json.dumps)


def _fingerprint(secret: Secret) -> str:
    """Return what tells two secrets apart and does not lead back to either."""
    return sha256(secret.reveal().encode(errors="surrogatepass")).hexdigest()[:16]
