"""TLS of the gateway's own port: sane rules, and a certificate that can be renewed while it serves."""

import logging
import ssl
from pathlib import Path
from typing import TypeAlias

import attrs
import trio

from waav.server.signals import Reloads

POLL = 60.0
"""Seconds between two looks at the files: whoever renews them need not tell us."""

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: with forward secrecy, and none that HTTP/2 forbids (RFC 9113, appendix A)."""

Stamp: TypeAlias = tuple[int, int, int] | None
"""Inode, size and time of the last change of a file or of who may read it; None: it is not there."""

logger = logging.getLogger(__name__)


def make_ssl_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 or later, with HTTP/2 for those who ask for it.

    Without compression, which leaks what is compressed, and without renegotiation, with which a client
    could make us compute for ever. Keys of session tickets are the context's own, and go with it.

    Args:
        certificate: PEM, the server's own first, then those that lead to its root.
        key: PEM, without a password.

    Raises:
        OSError: a file cannot be read.
        ssl.SSLError: it does not hold what it should, or the two do not belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_ciphers(_CIPHERS)
    # Without a password to try, OpenSSL would ask for it on the terminal, and wait.
    context.load_cert_chain(certificate, key, password="")
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@attrs.define(eq=False)
class Tls:
    """Made by :meth:`read`."""

    certificate: Path
    key: Path
    context: ssl.SSLContext
    """For the next connection. Those that are open keep the one that they were made with."""
    _seen: tuple[Stamp, Stamp]

    @classmethod
    async def read(cls, certificate: Path, key: Path) -> "Tls":
        """Read the files; errors are those of :func:`make_ssl_context`."""
        seen = await _stamp(certificate), await _stamp(key)
        context = await trio.to_thread.run_sync(make_ssl_context, certificate, key)
        return cls(certificate, key, context, seen)

    async def keep(self, reloads: Reloads) -> None:
        """Read the files again when they change, and when somebody asks; never ends."""
        asked = reloads.asked
        while True:
            with trio.move_on_after(POLL):
                await reloads.after(asked)
            # Before they are read: what is written meanwhile differs at the next look.
            seen = await _stamp(self.certificate), await _stamp(self.key)
            if reloads.asked != asked or seen != self._seen:
                asked, self._seen = reloads.asked, seen
                await self._renew()

    async def _renew(self) -> None:
        try:
            context = await trio.to_thread.run_sync(make_ssl_context, self.certificate, self.key)
        except OSError as error:  # ssl.SSLError is one
            # While the one is written and the other is not yet, they do not belong together.
            logger.error("the certificate stays the old one: %s", error)  # noqa: TRY400  # no bug of ours
            return
        self.context = context
        logger.info("the certificate was read again: %s", self.certificate)


async def _stamp(path: Path) -> Stamp:
    try:
        found = await trio.Path(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_ctime_ns
