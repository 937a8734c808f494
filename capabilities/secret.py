"""A value that must not be seen."""

from hashlib import sha256
from typing import Self


class Secret:
    """A key, token or password; prints as ``***`` wherever it is shown.

    Compared like the text it holds. ``reveal()`` is the only way to the text, so that a search
    for that word finds every place where a secret leaves.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str | Self) -> None:
        self._text: str = text if isinstance(text, str) else text.reveal()

    def reveal(self) -> str:
        """Return the text itself. For the wire only; never for a log or a message."""
        return self._text

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that tell two secrets apart, and do not lead back to either.

        Of a text that could be guessed they are a way to check the guess: for keys of tables in
        this process and for names of what is cached, not for logs.
        """
        return sha256(self._text.encode(errors="surrogatepass")).hexdigest()[:16]

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not pickled")
