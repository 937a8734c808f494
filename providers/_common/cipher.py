"""TLS without I/O: plain bytes in, bytes for the network out, and the other way round."""

import ssl
from contextlib import suppress

import attrs

_PIECE = 65536


@attrs.define(eq=False)
class Cipher:
    """The client's side of one TLS connection.

    Whatever is done may leave bytes for the network, which :meth:`take` hands out.

    Raises:
        ssl.SSLError: by every method: the two sides do not agree, or what came is not TLS.
    """

    context: ssl.SSLContext
    host: str
    ended: bool = attrs.field(default=False, init=False)
    """Nothing more will come: the other side said goodbye, or the network ended."""
    _from_network: ssl.MemoryBIO = attrs.field(factory=ssl.MemoryBIO, init=False)
    _to_network: ssl.MemoryBIO = attrs.field(factory=ssl.MemoryBIO, init=False)
    _tls: ssl.SSLObject = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tls = self.context.wrap_bio(
            self._from_network, self._to_network, server_hostname=self.host
        )

    @property
    def protocol(self) -> str | None:
        """What was agreed on by ALPN, as ``h2``; None for nothing."""
        return self._tls.selected_alpn_protocol()

    def shake(self, received: bytes | bytearray = b"") -> bool:
        """Go on with the handshake; return whether it is done."""
        if received:
            self._from_network.write(received)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def encrypt(self, data: bytes) -> bytes:
        """Return what stands for these bytes on the network, and what was left to be sent before."""
        self._tls.write(data)
        return self.take()

    def put(self, received: bytes) -> None:
        """Take bytes off the network; none are its end.

        Many servers end without a goodbye; whether that was too early, the protocol inside knows.
        """
        if received:
            self._from_network.write(received)
        else:
            self._from_network.write_eof()

    def read(self) -> bytes:
        """Return what has come as a whole by now, once."""
        pieces = []
        try:
            while piece := self._tls.read(_PIECE):
                pieces.append(piece)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as exc:
            # What was said before it broke was said.
            if not (pieces or isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError)):
                raise
            self.ended = True
        return b"".join(pieces)

    def say_goodbye(self) -> None:
        """Nothing is sent any more."""
        with suppress(ssl.SSLError):  # it wants to hear the answer, for which nobody waits
            self._tls.unwrap()

    def take(self) -> bytes:
        """The bytes for the network; they are handed out once."""
        return self._to_network.read()
