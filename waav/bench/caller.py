"""A client of the gateway, from the handshake to its goodbye."""

import time
from collections.abc import Callable

from waav.bench.far_end import stamp_in
from waav.bench.framing import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Frame,
    Reader,
    from_client,
)
from waav.bench.loop import Address, Line, Loop
from waav.bench.tally import Tally

_UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: d2FhdiBiZW5jaG1hcmsgMQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_GOODBYE = from_client(CLOSE, (1000).to_bytes(2, "big"))


class Caller:
    """One session. It says its ``config`` by itself, and answers pings."""

    def __init__(
        self,
        loop: Loop,
        address: Address,
        config: bytes,
        tally: Tally,
        changed: Callable[["Caller"], None] = lambda _: None,
        *,
        path: str = "/ws",
    ) -> None:
        """``changed`` is called when it is ready, and when it is over; ``path`` may have a query."""
        self.tally = tally
        self.called = time.monotonic_ns()
        self.ready: int | None = None
        """When the gateway was; nanoseconds, as all times here."""
        self.over: int | None = None
        self.refusal = ""
        """Why it was let go by the other side: an HTTP status, a close code, or the words of an error."""
        self.told: Callable[[bytes, int], None] = self._note
        """Given each text that comes once it is ready, and when."""
        self.sounded: Callable[[bytes, int], None] = lambda _, __: None
        """Given all sound."""
        self._config, self._changed = from_client(TEXT, config), changed
        self._head: bytes | None = b""
        self._reader = Reader()
        first = _UPGRADE.format(path=path, host=address[0], port=address[1]).encode()
        self._line = Line.to(loop, address, first, self._take, self._gone)

    def send(self, frame: bytes) -> None:
        """Send a whole frame."""
        self._line.send(frame)

    def leave(self) -> None:
        """Say goodbye; it is over when the gateway has answered."""
        self._line.send(_GOODBYE)

    def hang_up(self) -> None:
        """End it without a word."""
        self._line.close()

    def _take(self, data: bytes) -> None:
        if self._head is not None:
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            head, data = self._head.split(b"\r\n\r\n", 1)
            self._head = None
            status = head[9:12].decode("latin-1")
            if status != "101":
                self.refusal = status
                self._line.close()
                return
            self._line.send(self._config)
        now = time.monotonic_ns()
        for frame in self._reader.feed(data):
            self._hear(frame, now)

    def _hear(self, frame: Frame, now: int) -> None:
        opcode, data, _ = frame
        if opcode == TEXT:
            if self.ready is None:
                self._begin(data, now)
            else:
                self.told(data, now)
        elif opcode == BINARY:
            self.sounded(data, now)
        elif opcode == PING:
            self._line.send(from_client(PONG, data))
        elif opcode == CLOSE:
            code = int.from_bytes(data[:2], "big")
            if code != 1000:
                self.refusal = self.refusal or str(code)
            self._line.send(_GOODBYE)
            self._line.close()

    def _note(self, data: bytes, now: int) -> None:
        """Read the time stamp of a transcript, if it is one."""
        if (stamp := stamp_in(data)) is not None:
            self.tally.answer(stamp, now)

    def _begin(self, data: bytes, now: int) -> None:
        if b'"ready"' in data:
            self.ready = now
            self._changed(self)
        elif b'"error"' in data:
            self.refusal = data.decode(errors="replace")[:300]
            self._line.close()

    def _gone(self) -> None:
        self.over = time.monotonic_ns()
        self._changed(self)
