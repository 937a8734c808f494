"""A recording on its way in: kept in pieces, so that no copy of it is made on the event loop."""

import trio

_PIECE = 65536
"""Bytes of all pieces but the last; clients may send single ones."""
_MOMENT = 1024 * 1024
"""Bytes that are joined in a moment; more are in a thread, as Python releases its lock for them."""


class Recording:
    """What has come of one recording."""

    def __init__(self, place: str) -> None:
        self.place = place
        """Where in the request it stands, for messages."""
        self._pieces: list[bytes] = []
        self._last = bytearray()

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self._last += data
        if len(self._last) >= _PIECE:
            self._pieces.append(bytes(self._last))
            self._last.clear()

    async def whole(self) -> bytes:
        """Return all of it."""
        pieces = [*self._pieces, bytes(self._last)]
        if len(pieces) * _PIECE <= _MOMENT:
            return b"".join(pieces)
        return await trio.to_thread.run_sync(b"".join, pieces)
