"""A form (``multipart/form-data``) with recordings in it, as it comes. No I/O.

The parser is that of the library ``multipart``: it takes chunks, keeps no payload, and bounds the
length and the number of the headers of a part, which the one that our framework brings does not.
"""

import re
from typing import Any

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from waav.errors import InvalidRequest
from waav.server.rest.large_json import DOCUMENT
from waav.server.rest.recording import Recording

FIELDS = 256
"""Parts that there may be beside the recordings."""

_RECORDING = re.compile(r"audio_\d+")
"""A part of such a name is a recording even if it is no file."""


class LargeForm:
    """One body. Every file in it is a recording, whatever it is called."""

    def __init__(self, boundary: str, most: int) -> None:
        self.recordings: list[Recording] = []
        self._most = most
        self._fields: dict[str, list[str]] = {}
        self._size = 0
        self._name = ""
        """Of the field that is open."""
        self._value = bytearray()
        self._recording: Recording | None = None
        """The recording that is open."""
        try:
            self._parser = PushMultipartParser(boundary, max_segment_count=most + FIELDS)
        except MultipartError as exc:
            raise _refusal(exc) from None

    def feed(self, data: bytes) -> None:
        """Take some of the body.

        Raises:
            InvalidRequest: this is no form, or there is too much in it.
        """
        if self._parser.closed:
            return  # what follows the end means nothing
        try:
            for event in self._parser.parse(data):
                self._take(event)
        except MultipartError as exc:
            raise _refusal(exc) from None

    def end(self) -> dict[str, Any]:
        """Return the fields: a text, or a list if there were several of one name.

        Raises:
            InvalidRequest: the end is missing.
        """
        try:
            self._parser.close()
        except MultipartError as exc:
            raise _refusal(exc) from None
        return {
            name: values if len(values) > 1 else values[0] for name, values in self._fields.items()
        }

    def _take(self, event: MultipartSegment | bytes | None) -> None:
        match event:
            case MultipartSegment():
                self._begin(event)
            case None:
                self._finish()
            case data if self._recording is not None:
                self._recording.add(data)
            case data:
                self._count(len(data))
                self._value += data

    def _begin(self, part: MultipartSegment) -> None:
        self._name = part.name or ""
        self._count(len(self._name))
        if part.filename is None and not _RECORDING.fullmatch(self._name):
            return
        if len(self.recordings) == self._most:
            raise InvalidRequest(f"More than {self._most} recordings", code="too_many_files")
        self._recording = Recording(self._name)

    def _finish(self) -> None:
        if self._recording is not None:
            self.recordings.append(self._recording)
            self._recording = None
            return
        value = self._value.decode(errors="replace")
        self._fields.setdefault(self._name, []).append(value)
        self._value.clear()

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > DOCUMENT:
            text = f"More than {DOCUMENT} bytes beside the recordings"
            raise InvalidRequest(text, code="body_too_large")


def _refusal(exc: MultipartError) -> InvalidRequest:
    code = "body_too_large" if isinstance(exc, ParserLimitReached) else "invalid_form"
    return InvalidRequest(f"Invalid form: {exc}", code=code)
