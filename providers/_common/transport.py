"""A connection's bytes, with TLS or without: what can go at once goes without a trip round the scheduler.

That is what most of a call is made of: a frame of 20 ms that the socket takes whole. Through trio's
streams it costs 20 us, and 45 us with TLS between; here it costs the system call, and 4 us for the
encryption (measured with frames of 640 bytes on loopback).
"""

import os
import ssl
from collections.abc import Iterator
from contextlib import suppress
from operator import index

import trio

from providers._common.cipher import Cipher

PIECE = 65536
"""Bytes that are encrypted in one go: what holds the loop."""
_QUICK = os.name == "posix"
"""Sockets are files, so that what is simple can be done simply."""


class Transport(trio.abc.Stream):
    """A connected socket, and what is laid around it by :meth:`secure`.

    One task receives and one sends, at a time; closing may be done by any.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._ciphers: list[Cipher] = []
        """The outermost first: to a proxy, then through it."""
        self._unsent = b""
        """What the socket did not take: it goes before everything else."""
        self._early = b""
        """What came with the last word of the handshake: a server may speak first."""
        self._ended = False
        """Nothing more will come, even if the socket stays open."""

    @property
    def is_clear(self) -> bool:
        """Nothing is left to be sent, so that :meth:`send_now` may be used."""
        return _QUICK and not self._unsent

    def selected_alpn_protocol(self) -> str | None:
        """What was agreed on, as ``h2``; None for nothing, or without TLS."""
        return self._ciphers[-1].protocol if self._ciphers else None

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Speak TLS from now on, within what there is.

        Raises:
            trio.BrokenResourceError: no agreement; the cause says why.
        """
        cipher, received = Cipher(context, host), b""
        try:
            while not cipher.shake(received):
                await self.send_all(cipher.take())
                received = await self.receive_some()
                if not received:
                    raise trio.BrokenResourceError from ssl.SSLEOFError("hung up in the handshake")
        except ssl.SSLError as exc:
            self._write(self._encrypted(cipher.take()))  # it may learn what we do not like
            raise trio.BrokenResourceError from exc
        await self.send_all(cipher.take())
        self._ciphers.append(cipher)
        self._early = self._decrypted(cipher)
        self._ended = self._ended or cipher.ended

    def send_now(self, data: bytes) -> None:
        """Hand over at once what the socket takes; the rest goes before whatever is sent next.

        Only while it :attr:`is_clear`. A connection that is gone shows with the next
        :meth:`send_all`.

        Raises:
            trio.BrokenResourceError: there is no TLS any more.
        """
        self._write(self._encrypted(data))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; raises as every trio stream does."""
        await trio.lowlevel.checkpoint_if_cancelled()
        for piece in _pieces(bytes(data)):
            waiting = self._unsent + self._encrypted(piece)
            self._unsent = b""
            await self._stream.send_all(waiting)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the socket takes something."""
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return what has come, no bytes at the end; with TLS it may be a little more than wanted."""
        size = PIECE if max_bytes is None else index(max_bytes)
        if size < 1:
            raise ValueError(f"max_bytes must be 1 or more, not {size}")
        while not (self._early or self._ended):
            data = await self._receive(size)
            self._ended = not data
            for cipher in self._ciphers:
                if not (data or self._ended):
                    break  # not a whole record
                cipher.put(data)
                data = self._decrypted(cipher)
                self._ended = self._ended or cipher.ended
            if data:
                return data
        await trio.lowlevel.checkpoint()
        if self._stream.socket.fileno() == -1:
            raise trio.ClosedResourceError
        data, self._early = self._early, b""
        return data

    async def aclose(self) -> None:
        """Close, with a goodbye if it goes out at once."""
        if self._stream.socket.fileno() != -1:
            for cipher in reversed(self._ciphers):
                cipher.say_goodbye()
                with suppress(trio.BrokenResourceError):
                    self._write(self._encrypted(b""))
        await self._stream.aclose()

    def _encrypted(self, data: bytes) -> bytes:
        try:
            for cipher in reversed(self._ciphers):
                data = cipher.encrypt(data) if data else cipher.take()
        except ssl.SSLError as exc:
            raise trio.BrokenResourceError from exc
        return data

    def _decrypted(self, cipher: Cipher) -> bytes:
        try:
            return cipher.read()
        except ssl.SSLError as exc:
            raise trio.BrokenResourceError from exc

    def _write(self, data: bytes) -> None:
        self._unsent += data
        if not _QUICK or not self._unsent:
            return
        try:
            sent = os.write(self._stream.socket.fileno(), self._unsent)
        except OSError:
            return  # full, or gone: whoever waits for it will see which
        self._unsent = self._unsent[sent:]

    async def _receive(self, max_bytes: int) -> bytes:
        if not _QUICK:
            return bytes(await self._stream.receive_some(max_bytes))
        sock = self._stream.socket
        # The stream would look first, nearly always in vain, which is dearer than the waiting.
        while sock.fileno() != -1:
            await trio.lowlevel.wait_readable(sock)
            try:
                return os.read(sock.fileno(), max_bytes)
            except BlockingIOError:
                continue
            except OSError as exc:
                raise trio.BrokenResourceError from exc
        raise trio.ClosedResourceError


def _pieces(data: bytes) -> Iterator[bytes]:
    for at in range(0, max(len(data), 1), PIECE):
        yield data[at : at + PIECE]
