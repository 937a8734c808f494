"""Server-sent events: bytes as they come -> the data of each event. No I/O.

Source: WHATWG HTML, section 9.2; of its fields OpenAI uses ``data`` (seen 2026-11-20).
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import attrs

from capabilities import ProviderProtocolError

MOST = 1 << 20
"""Bytes of one event."""
END = "[DONE]"
"""The data of the event behind the last one of a chat completion."""
_MOST_NUMBER = 1e18

Number = TypeVar("Number", int, float)


@attrs.define
class Events:
    """The reader of one answer."""

    provider: str
    _waits: bytearray = attrs.field(factory=bytearray, init=False)
    _data: list[str] = attrs.field(factory=list, init=False)

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Take bytes, cut anywhere; yield the JSON of each event that is whole.

        Raises:
            ProviderProtocolError: an event is too long, or is no JSON object.
        """
        self._waits += chunk
        if b"\n" in chunk:
            *lines, rest = self._waits.split(b"\n")
            self._waits = bytearray(rest)
            for line in lines:
                yield from self._take(bytes(line.removesuffix(b"\r")))
        if len(self._waits) + sum(map(len, self._data)) > MOST:
            raise ProviderProtocolError(self.provider, "sent an event that is longer than any")

    def _take(self, line: bytes) -> Iterator[Any]:
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" ").decode(errors="replace"))
            return
        data, self._data = "\n".join(self._data), []
        if data and data != END:
            yield read_object(self.provider, data)


def _number(kind: Callable[[str], Number]) -> Callable[[str], Number]:
    """Return what reads a number, and raises ValueError for one that nobody could reckon with."""

    def read(text: str) -> Number:
        value = kind(text)
        if not abs(value) < _MOST_NUMBER:
            raise ValueError("such numbers are none of OpenAI's")
        return value

    return read


def read_object(provider: str, text: str | bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ProviderProtocolError: it is none.
    """
    try:
        value = json.loads(
            text, parse_int=_number(int), parse_float=_number(float), parse_constant=_number(float)
        )
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ProviderProtocolError(provider, "sent something that is not a JSON object")
    return value
