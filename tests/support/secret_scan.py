"""Looks through all that a test printed or logged for the secrets that were made while it ran."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from capabilities import Secret

SHORTEST = 8
"""A shorter one may be a part of any word."""
MARK = "hush-"
"""How secrets begin that no test may ever show, whether or not they became a :class:`Secret`."""
_MARKED = re.compile(rf"{MARK}[\w.-]+")


def marked(name: str) -> str:
    """Make up a secret that is found wherever it is shown."""
    return MARK + name


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


@contextmanager
def kept_output() -> Iterator[list[str]]:
    """Give all that tests read of what was printed while the block lasts; nobody else sees it again."""
    kept: list[str] = []
    original = pytest.CaptureFixture.readouterr

    def read(self: pytest.CaptureFixture[str]) -> Any:
        captured = original(self)
        kept.extend(map(str, captured))
        return captured

    pytest.CaptureFixture.readouterr = read  # type: ignore[method-assign]
    try:
        yield kept
    finally:
        pytest.CaptureFixture.readouterr = original  # type: ignore[method-assign]


def shown(made: Iterable[str], output: str) -> list[str]:
    """Return the secrets that can be read in an output, as they are or as an address has them."""
    seen = {
        text
        for text in made
        if len(text) >= SHORTEST
        and any(spelled in output for spelled in (text, quote(text, safe=""), quote_plus(text)))
    }
    return sorted(seen | set(_MARKED.findall(output)))
