"""The client's side of a WebSocket without I/O: a handshake, then frames to messages and back."""

import logging
from collections import deque
from collections.abc import Mapping

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidMessage, InvalidStatus, InvalidURI
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import CLOSED, CONNECTING, OPEN
from websockets.uri import parse_uri

from capabilities import (
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from providers._common.failures import Failures

# The library's debug records show headers and frames, and with them keys.
QUIET = logging.getLogger("providers.websocket.protocol")
QUIET.setLevel(logging.ERROR)


class Wire:
    """One connection: bytes in, whole messages out, and the other way round.

    Whole means: fragments joined, text decoded, nothing beyond ``max_message`` bytes.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], max_message: int, failures: Failures
    ) -> None:
        """Begin the handshake. No extension is offered: audio does not shrink, and text is short.

        Raises:
            ProviderRefused: the address is none of a WebSocket.
        """
        self.messages: deque[str | bytes] = deque()
        """What has come in and waits to be read: at most what one piece of bytes held."""
        self._failures = failures
        try:
            self.uri = parse_uri(url)
        except (InvalidURI, ValueError):
            # Not chained: it shows the address, in which there may be a key.
            raise ProviderRefused(failures.provider, "its address is none of a WebSocket") from None
        self._protocol = ClientProtocol(self.uri, max_size=max_message, logger=QUIET)
        self._bad_text = False
        # A fragmented message as far as it has come. One buffer rather than a list of
        # parts: a peer may send any number of empty fragments.
        self._parts = bytearray()
        self._parts_are_text = False
        request = self._protocol.connect()
        for name, value in headers.items():
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = value
        self._protocol.send_request(request)

    @property
    def is_connecting(self) -> bool:
        """The answer to the handshake is not here yet."""
        return self._protocol.state is CONNECTING and self._protocol.handshake_exc is None

    @property
    def is_agreed(self) -> bool:
        """The vendor has accepted the handshake, whatever has come since."""
        return self._protocol.state is not CONNECTING and self._protocol.handshake_exc is None

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

    def feed(self, data: bytes | bytearray) -> None:
        """Take in bytes off the network; none at all means that the peer has hung up."""
        if not data or self._protocol.state is CLOSED:
            self._protocol.receive_eof()
            return
        self._protocol.receive_data(data)
        for frame in self._protocol.events_received():
            if isinstance(frame, Frame):  # or the answer to the handshake
                self._take_in(frame)

    def take(self) -> bytes:
        """The bytes to send now; they are handed out once."""
        return b"".join(self._protocol.data_to_send())

    def send(self, message: str | bytes) -> None:
        """Frame a message; only while :attr:`is_open`."""
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)

    def ping(self) -> None:
        """Ask for a sign of life; only while :attr:`is_open`."""
        self._protocol.send_ping(b"")

    def close(self) -> None:
        """Say goodbye, if neither side has done so yet."""
        if self.is_open:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)

    def cut(self) -> None:
        """The connection is gone: nothing passes any more, in either direction."""
        self._protocol.receive_eof()
        self._protocol.data_to_send()
        # It is held by its parser, and by the frames that what ended the parser has seen, and holds
        # both: only a search for garbage would ever undo that.
        self._protocol.parser.close()
        if (broken := self._protocol.parser_exc) is not None:
            broken.__traceback__ = broken.__context__ = None

    def failure(self) -> ProviderError:
        """Why there is no connection, once it was refused or has ended."""
        refusal = self._protocol.handshake_exc
        if refusal is not None:
            return self._refusal(refusal)
        broken = self._protocol.parser_exc
        if self._bad_text or (broken is not None and not isinstance(broken, EOFError)):
            what = _OFFENCES.get(self.close_code, "broke the rules of WebSocket")
            return ProviderProtocolError(self._failures.provider, what)
        received = self._protocol.close_rcvd
        return self._failures.of_close(
            self.close_code or CloseCode.ABNORMAL_CLOSURE, received.reason if received else ""
        )

    def _refusal(self, refusal: Exception) -> ProviderError:
        match refusal:
            case InvalidStatus(response=Response() as answer):
                headers = {name.lower(): value for name, value in answer.headers.raw_items()}
                return self._failures.of_status(answer.status_code, headers, bytes(answer.body))
            case InvalidMessage(__cause__=EOFError()):
                return ProviderUnavailable(
                    self._failures.provider, "hung up instead of answering the handshake"
                )
            case _:
                return ProviderProtocolError(
                    self._failures.provider, "does not answer the handshake as WebSocket demands"
                )

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


_OFFENCES: dict[int | None, str] = {
    CloseCode.MESSAGE_TOO_BIG: "sent a message that is larger than any should be",
    CloseCode.INVALID_DATA: "sent text that is not UTF-8",
}
