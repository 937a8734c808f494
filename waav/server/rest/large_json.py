"""A JSON object as it comes, small but for the recordings in it. No I/O.

The strings of certain arrays are taken out, their base64 read on the way, and the number of each
recording is left in its place. What remains is a small document for the usual decoder, which also
finds what is wrong with it: here only strings and brackets are told apart.
"""

import re
from typing import Any

import msgspec

from waav.errors import InvalidRequest
from waav.server.rest.base64_text import Base64Text
from waav.server.rest.recording import Recording

DOCUMENT = 65536
"""Bytes that may be left, without the recordings."""
SIGNS = 4096
"""Strings, brackets, commas and colons that there may be: what has to be looked at one by one."""

_SIGN = re.compile(rb'["\[\]{}]|[:,][:,\s]*')
_RUN = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
"""The inside of a string, up to its end or to half an escape."""
_HALF_ESCAPE = re.compile(rb"\\u[0-9A-Fa-f]{0,3}\Z")


class LargeJson:
    """One body. ``names`` are the keys of its top level whose arrays hold recordings."""

    def __init__(self, names: frozenset[str], most: int) -> None:
        self.recordings: list[Recording] = []
        self._names = names
        self._most = most
        self._document = bytearray()
        self._signs = 0
        self._carry = b""
        """A backslash whose second half has not come yet."""
        self._depth = 0
        self._after_colon = False
        """At the top level: what comes next is a value."""
        self._key = ""
        self._array = ""
        """The key of the array of recordings that is open, or empty."""
        self._in_array = 0
        self._string: int | None = None
        """Where in the document the string begins that is open, if it is no recording."""
        self._sample: _Sample | None = None
        """The recording that is open."""

    def feed(self, data: bytes) -> None:
        """Take some of the body.

        Raises:
            InvalidRequest: a recording is not base64, there are too many, or what is no recording
                is too large.
        """
        data, self._carry = self._carry + data, b""
        at = 0
        while at < len(data):
            inside = self._string is not None or self._sample is not None
            at = self._read_string(data, at) if inside else self._read_structure(data, at)

    def end(self) -> dict[str, Any]:
        """Return the document; a recording is the text of its number in :attr:`recordings`.

        Raises:
            InvalidRequest: it is not JSON, or no object.
        """
        try:
            return msgspec.json.decode(self._document, type=dict[str, Any])
        except msgspec.ValidationError as exc:
            raise InvalidRequest(str(exc)) from None
        except (ValueError, RecursionError) as exc:
            raise InvalidRequest(f"Invalid JSON: {exc}", code="invalid_json") from None

    def _keep(self, data: bytes) -> None:
        self._document += data
        if len(self._document) > DOCUMENT:
            text = f"More than {DOCUMENT} bytes beside the recordings"
            raise InvalidRequest(text, code="body_too_large")

    def _read_structure(self, data: bytes, at: int) -> int:
        found = _SIGN.search(data, at)
        end = found.end() if found else len(data)
        self._keep(data[at:end])
        if found:
            self._signs += 1
            if self._signs > SIGNS:
                raise InvalidRequest("Too many values beside the recordings", code="body_too_large")
            self._step(found[0])
        return end

    def _step(self, sign: bytes) -> None:
        match sign[:1]:
            case b'"' if self._array and self._depth == 2:
                self._begin_recording()
            case b'"':
                self._string = len(self._document) - 1
            case b"{" | b"[":
                if sign == b"[" and self._depth == 1 and self._after_colon:
                    self._array = self._key if self._key in self._names else ""
                    self._in_array = 0
                self._depth += 1
            case b"}" | b"]":
                self._depth -= 1
                if self._depth == 1:
                    self._array = ""
            case _ if self._depth == 1:
                self._after_colon = sign.rstrip().endswith(b":")

    def _begin_recording(self) -> None:
        if len(self.recordings) == self._most:
            text = f"More than {self._most} recordings"
            raise InvalidRequest(text, code="too_many_files")
        self._sample = _Sample(f"{self._array}[{self._in_array}]")
        self._in_array += 1

    def _read_string(self, data: bytes, at: int) -> int:
        run = _RUN.match(data, at)
        end = run.end() if run else at
        if self._sample is not None:
            self._sample.feed(data[at:end])
        else:
            self._keep(data[at:end])
        if data[end : end + 1] == b'"':
            self._close_string()
        else:
            self._carry = data[end:]
            return len(data)
        return end + 1

    def _close_string(self) -> None:
        if self._sample is not None:
            self._keep(b'%d"' % len(self.recordings))
            self.recordings.append(self._sample.end())
            self._sample = None
            return
        self._keep(b'"')
        if self._depth == 1 and not self._after_colon:
            self._key = _text(bytes(self._document[self._string :]))
        self._string = None


class _Sample:
    """One recording, from the inside of its string."""

    def __init__(self, place: str) -> None:
        self._recording = Recording(place)
        self._base64 = Base64Text()
        self._rest = b""

    def feed(self, raw: bytes) -> None:
        raw = self._rest + raw
        half = _HALF_ESCAPE.search(raw, max(0, len(raw) - 5))
        whole = half.start() if half else len(raw)
        self._rest = raw[whole:]
        self._take(raw[:whole])

    def end(self) -> Recording:
        self._take(self._rest)
        try:
            self._recording.add(self._base64.end())
        except ValueError as exc:
            raise self._refusal(exc) from None
        return self._recording

    def _take(self, raw: bytes) -> None:
        try:
            if b"\\" in raw:
                raw = msgspec.json.decode(b'"%s"' % raw, type=str).encode("ascii")
            self._recording.add(self._base64.feed(raw))
        except ValueError as exc:
            raise self._refusal(exc) from None

    def _refusal(self, exc: ValueError) -> InvalidRequest:
        text = f"Not base64: {exc} - at `$.{self._recording.place}`"
        return InvalidRequest(text, code="invalid_audio")


def _text(string: bytes) -> str:
    try:
        return msgspec.json.decode(string, type=str)
    except ValueError:
        return ""  # whoever reads the document will find it
