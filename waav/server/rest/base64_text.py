"""Base64 as it comes, cut anywhere -> bytes; also as a data URL. No I/O.

Sources: RFC 4648 (both alphabets), RFC 2397 (data URLs).
"""

from binascii import a2b_base64

_STANDARD = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\r\n"
_SCHEME = b"data:"
_MARK = b";base64"
_LONGEST_HEAD = 256
"""Bytes of a data URL in front of its comma."""


class Base64Text:
    """One text. Both alphabets are read, with line breaks or without, padded or not."""

    def __init__(self) -> None:
        self._rest = b""
        """What is not a whole quantum yet, or the beginning of a data URL."""
        self._in_head = True
        self._padded = False

    def feed(self, text: bytes) -> bytes:
        """Take some of the text; return what it says, as far as that is known.

        Raises:
            ValueError: this is no base64; the message says why.
        """
        text = self._rest + text.translate(_STANDARD, _BLANKS)
        if self._in_head:
            text = self._behind_head(text)
        whole = len(text) & ~3 if not self._in_head else 0
        self._rest = text[whole:]
        return self._decode(text[:whole])

    def end(self) -> bytes:
        """Return what is left when the text is complete; raises as :meth:`feed`."""
        return self._decode(self._rest + b"=" * (-len(self._rest) % 4))

    def _behind_head(self, text: bytes) -> bytes:
        """Leave the head of a data URL away, once it is known whether this is one."""
        scheme = text[: len(_SCHEME)].lower()
        if scheme != _SCHEME:
            self._in_head = _SCHEME.startswith(scheme)
            return text
        head, comma, data = text.partition(b",")
        if not comma and len(head) <= _LONGEST_HEAD:
            return text
        if not comma or len(head) > _LONGEST_HEAD or not head.lower().endswith(_MARK):
            raise ValueError("a data URL must be base64")
        self._in_head = False
        return data

    def _decode(self, quanta: bytes) -> bytes:
        if not quanta:
            return b""
        if self._padded:
            raise ValueError("there is more behind its padding")
        self._padded = quanta.endswith(b"=")
        return a2b_base64(quanta, strict_mode=True)
