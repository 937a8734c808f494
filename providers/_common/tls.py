"""Whom to trust: one TLS context for each set of certificates, made once, in a thread."""

import os
import ssl
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import certifi
import trio

HTTP1 = ("http/1.1",)
"""ALPN: what HTTP and WebSocket connections say that they speak."""

# Several plugins open at once, and all want the same context.
_making = threading.Lock()


async def tls_context(ca_file: Path | None = None, alpn: Sequence[str] = HTTP1) -> ssl.SSLContext:
    """Return the context of this process for these certificates. It is shared: do not change it.

    Reading the certificates takes some 100 ms, which is why it happens in a thread, and once.

    Args:
        ca_file: PEM, instead of what ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` or else the list of
            Mozilla name.

    Raises:
        OSError: the certificates cannot be read; the message says which.
    """
    file = str(ca_file) if ca_file else os.environ.get("SSL_CERT_FILE") or None
    folder = None if ca_file else os.environ.get("SSL_CERT_DIR") or None
    if file is None and folder is None:
        file = certifi.where()
    return await trio.to_thread.run_sync(_shared, file, folder, tuple(alpn))


def _shared(file: str | None, folder: str | None, alpn: tuple[str, ...]) -> ssl.SSLContext:
    with _making:
        return _make(file, folder, alpn)


@lru_cache(maxsize=64)
def _make(file: str | None, folder: str | None, alpn: tuple[str, ...]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=file, capath=folder)
    except OSError as exc:
        raise OSError(f"cannot read the CA certificates in {file or folder}: {exc}") from exc
    context.set_alpn_protocols(list(alpn))
    return context
