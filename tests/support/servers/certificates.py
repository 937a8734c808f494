"""A certificate authority for one test."""

import ssl
from pathlib import Path

import attrs
import trustme


@attrs.frozen
class Authority:
    """Signs for whatever host a test needs."""

    file: Path
    """Its certificate (PEM), for clients to trust."""
    _ca: trustme.CA = attrs.field(factory=trustme.CA, repr=False)

    def __attrs_post_init__(self) -> None:
        self._ca.cert_pem.write_to_path(self.file)

    def server(self, *names: str) -> ssl.SSLContext:
        """The context of a server that goes by these names, 127.0.0.1 if none is given."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._ca.issue_cert(*(names or ("127.0.0.1",))).configure_cert(context)
        return context
