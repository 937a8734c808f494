"""Looks through all that a test printed or logged for the secrets that were made while it ran."""

from collections.abc import Iterator
from contextlib import contextmanager

from capabilities import Secret

SHORTEST = 8
"""A shorter one may be a part of any word."""


@contextmanager
def made_secrets() -> Iterator[set[str]]:
    """Give the texts of all secrets that are made while the block lasts."""
    made: set[str] = set()
    original = Secret.__init__

    def remember(self: Secret, text: str | Secret) -> None:
        original(self, text)
        made.add(self.reveal())

    Secret.__init__ = remember  # type: ignore[method-assign]
    try:
        yield made
    finally:
        Secret.__init__ = original  # type: ignore[method-assign]


def shown(made: set[str], output: str) -> list[str]:
    """Return the secrets that can be read in an output."""
    return sorted(text for text in made if len(text) >= SHORTEST and text in output)
