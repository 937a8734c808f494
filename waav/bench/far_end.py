"""The far end: a speech vendor that is there at once, in the load's own process, so that clocks agree.

It speaks what Deepgram speaks at ``/v1/listen``: each hundred milliseconds of sound is answered with a
result, which carries the time stamp of the frame that was its occasion. At ``/v1/speak`` it says the
same for every text, all at once. And it stands in for a whole gateway (``config``, ``ready``), for
relays that only pass on what comes, and for none.
"""

import base64
import hashlib
import select
import socket
import struct
import time

from waav.bench.framing import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Frame,
    Reader,
    Stamps,
    from_server,
    masked,
)
from waav.bench.loop import Address, Line, Loop
from waav.bench.tally import Tally

FRAME = 640
"""Bytes of 20 ms, at 16 kHz."""
FRAME_DURATION = 0.02
"""Seconds."""
MARK = b"~"
"""Stands before the time stamp in a transcript."""
DIGITS = 19

_EVERY = 5
"""Frames for each answer: 100 ms."""
_FINAL_EVERY = 30
"""Answers for each end of an utterance: 3 s."""
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
_READY = b'{"type":"ready"}'
_METADATA = b'{"type":"Metadata","request_id":"bench","duration":1.0,"channels":1}'
_RESULTS = (
    b'{"type":"Results","channel_index":[0,1],"duration":%.2f,"start":%.2f,"is_final":%s,'
    b'"speech_final":%s,"channel":{"alternatives":[{"transcript":"good day ' + MARK + b'%019d",'
    b'"confidence":0.98,"words":[]}]},"metadata":{"request_id":"bench","model_uuid":"bench"},'
    b'"from_finalize":false}'
)


SPOKEN = struct.pack("<24000H", *range(24000))
"""What is said for every text: a second at 24 kHz, in which no two samples are alike."""
_CHUNK = 1920
"""Bytes of it in one message: 40 ms."""
SPEECH = b"".join(
    [
        *(from_server(BINARY, SPOKEN[at : at + _CHUNK]) for at in range(0, len(SPOKEN), _CHUNK)),
        from_server(TEXT, b'{"type":"Flushed","sequence_id":0}'),
    ]
)


def results(first: int, last: int, stamp: int, *, final: bool) -> bytes:
    """Return what is said of the frames from ``first`` to ``last``."""
    word = b"true" if final else b"false"
    start, end = first * FRAME_DURATION, last * FRAME_DURATION
    return _RESULTS % (end - start, start, word, word, stamp)


def marked(stamp: int) -> bytes:
    """Return a time stamp as it stands in a text."""
    return MARK + b"%0*d" % (DIGITS, stamp)


def stamp_in(text: bytes) -> int | None:
    """Return the first time stamp of a text; None if it has none."""
    at = text.find(MARK) + 1
    return int(text[at : at + DIGITS]) if at else None


def accepted(request: bytes) -> bytes:
    """Return the answer to a handshake (RFC 6455, 4.2.2).

    Raises:
        ValueError: it is none.
    """
    for line in request.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"sec-websocket-key":
            digest = hashlib.sha1(value.strip() + _GUID, usedforsecurity=False).digest()
            return (
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
            )
    raise ValueError("no handshake of a WebSocket")


class FarEnd:
    """Listens, and lets everybody in."""

    def __init__(self, loop: Loop, tally: Tally, port: int = 0) -> None:
        self.tally = tally
        """What is counted now; exchanged for each run."""
        self.ears = 0
        """Recognitions so far."""
        self._loop = loop
        self._socket = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._socket.settimeout(0)
        loop.add(self._socket.fileno(), select.EPOLLIN, self._let_in)

    @property
    def address(self) -> Address:
        """Where."""
        host, port = self._socket.getsockname()
        return host, port

    def _let_in(self, _events: int) -> None:
        connection, _ = self._socket.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Ear(self._loop, connection, self)


class Ear:
    """One recognition. Whoever asks for anything but a WebSocket hears that there is nothing."""

    def __init__(self, loop: Loop, connection: socket.socket, home: FarEnd) -> None:
        self._line = Line(loop, connection, self._take, lambda: None)
        self._home = home
        self._request: bytes | None = b""
        self._reader, self._stamps = Reader(), Stamps(FRAME)
        self._frames = self._settled = 0
        # Voices are not in step: otherwise all words would come at once, and then none for a while.
        self._phase = home.ears * 7
        home.ears += 1

    def _take(self, data: bytes) -> None:
        if self._request is not None:
            self._request += data
            if b"\r\n\r\n" not in self._request:
                return
            request, data = self._request.split(b"\r\n\r\n", 1)
            self._request = None
            try:
                self._line.send(accepted(request))
            except ValueError:
                self._line.send(_NOT_FOUND)
                self._line.close()
                return
        now = time.monotonic_ns()
        for frame in self._reader.feed(data):
            if frame[0] == BINARY:
                self._hear(frame, now)
            else:
                self._obey(frame)

    def _hear(self, frame: Frame, now: int) -> None:
        for stamp in self._stamps.read(frame[1], frame[2]):
            self._home.tally.arrive(stamp, now)
            self._frames += 1
            beat = self._frames + self._phase
            if beat % _EVERY == 0:
                final = beat % (_EVERY * _FINAL_EVERY) == 0
                told = results(self._settled, self._frames, stamp, final=final)
                self._line.send(from_server(TEXT, told))
                if final:
                    self._settled = self._frames

    def _obey(self, frame: Frame) -> None:
        opcode, payload, key = frame
        data = masked(payload, key) if key else payload
        if opcode == PING:
            self._line.send(from_server(PONG, data))
        elif opcode == CLOSE:
            self._line.send(from_server(CLOSE, data))
            self._line.close()
        elif opcode == TEXT and b'"CloseStream"' in data:
            self._line.send(from_server(TEXT, _METADATA))
            self._line.send(from_server(CLOSE, (1000).to_bytes(2, "big")))
        elif opcode == TEXT and b'"config"' in data:
            self._line.send(from_server(TEXT, _READY))
        elif opcode == TEXT and b'"Speak"' in data:
            if (stamp := stamp_in(data)) is not None:
                self._home.tally.arrive(stamp, time.monotonic_ns())
        elif opcode == TEXT and b'"Flush"' in data:
            self._line.send(SPEECH)
        elif opcode == TEXT and b'"Close"' in data:
            self._line.send(from_server(CLOSE, (1000).to_bytes(2, "big")))
