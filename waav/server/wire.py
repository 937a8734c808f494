"""WebSocket frames to messages and back, without I/O. ``websocket.py`` gives it a stream."""

from collections import deque

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import CLOSED, OPEN
from websockets.server import ServerProtocol

from waav.server.handshake import QUIET

_MAX_REASON = 123
"""Bytes. RFC 6455, 5.5: a control frame holds 125, and the code is two of them."""


class Wire:
    """One connection's frames: bytes in, whole messages out, and the other way round.

    Whole means: fragments joined, text decoded, nothing beyond ``max_message`` bytes.
    What a peer does against the protocol closes the connection with the right code.
    """

    def __init__(self, max_message: int, now: float) -> None:
        self.messages: deque[str | bytes] = deque()
        """What has come in and waits to be read: at most what one piece of bytes held."""
        self.last_received = now
        """When the last frame came in. A pong does not count: it proves that the peer lives,
        not that anybody uses it."""
        self.last_pong = now
        self.bytes_in = 0
        self.bytes_out = 0
        self._protocol = ServerProtocol(state=OPEN, max_size=max_message, logger=QUIET)
        # A fragmented message as far as it has come. One buffer rather than a list of
        # parts: a peer may send any number of empty fragments.
        self._parts = bytearray()
        self._parts_are_text = False
        self._bad_text = False

    def take_up_to(self, max_message: int) -> None:
        """Let messages be so large from now on, in bytes."""
        self._protocol.max_message_size = max_message

    @property
    def is_open(self) -> bool:
        """Messages may pass: nobody has begun to close."""
        return self._protocol.state is OPEN

    @property
    def is_over(self) -> bool:
        """Nothing is left to wait for: both sides said goodbye, or the connection is gone."""
        protocol = self._protocol
        parted = protocol.close_sent is not None and protocol.close_rcvd is not None
        return parted or protocol.state is CLOSED

    @property
    def has_failed(self) -> bool:
        """The peer broke the protocol: nothing more that it sends will be looked at."""
        return self._protocol.parser_exc is not None or self._bad_text

    @property
    def has_output(self) -> bool:
        """There are bytes to :meth:`take`."""
        return bool(self._protocol.writes)

    @property
    def close_code(self) -> int | None:
        """The code of whoever closed first; 1006 for a connection that just broke; None before."""
        sent, received = self._protocol.close_sent, self._protocol.close_rcvd
        if sent is not None and not self._protocol.close_rcvd_then_sent:
            return sent.code
        if received is not None:
            return received.code
        return CloseCode.ABNORMAL_CLOSURE if self.is_over else None

    def feed(self, data: bytes | bytearray, now: float) -> None:
        """Take in bytes off the network; none at all means that the peer has hung up."""
        if not data or self._protocol.state is CLOSED:
            self._protocol.receive_eof()
            return
        self.bytes_in += len(data)
        self._protocol.receive_data(data)
        for frame in self._protocol.events_received():
            if not isinstance(frame, Frame) or frame.opcode is Opcode.PONG:
                self.last_pong = now  # never a Request: the handshake is behind us
            else:
                self.last_received = now
                self._take_in(frame)

    def take(self) -> bytes:
        """The bytes to send now; they are handed out once."""
        data = b"".join(self._protocol.data_to_send())
        self.bytes_out += len(data)
        return data

    def send(self, message: str | bytes) -> None:
        """Frame a message; only while :attr:`is_open`."""
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)

    def ping(self) -> None:
        """Ask for a sign of life; only while :attr:`is_open`."""
        self._protocol.send_ping(b"")

    def close(self, code: int, reason: str) -> None:
        """Say goodbye, if neither side has done so yet. A long reason is cut."""
        if self.is_open:
            brief = reason.encode()[:_MAX_REASON].decode(errors="ignore")
            self._protocol.send_close(code, brief)

    def cut(self) -> None:
        """The connection is gone: nothing passes any more, in either direction."""
        self._protocol.receive_eof()
        self._protocol.data_to_send()
        # It is held by its parser, and by the frames that what ended the parser has seen, and holds
        # both: only a search for garbage would ever undo that.
        self._protocol.parser.close()
        if (broken := self._protocol.parser_exc) is not None:
            broken.__traceback__ = broken.__context__ = None

    def _take_in(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CONT:
            self._parts += frame.data
            if frame.fin:
                self._complete(bytes(self._parts), text=self._parts_are_text)
                self._parts = bytearray()
        elif frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
            text = frame.opcode is Opcode.TEXT
            if frame.fin:
                self._complete(bytes(frame.data), text=text)
            else:
                self._parts += frame.data
                self._parts_are_text = text

    def _complete(self, data: bytes, *, text: bool) -> None:
        try:
            message = data.decode() if text else data
        except UnicodeDecodeError:
            self._bad_text = True
            self._protocol.fail(CloseCode.INVALID_DATA, "text is not UTF-8")
        else:
            self.messages.append(message)
