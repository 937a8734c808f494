"""Words for what a value must be, and the check that goes with them."""

from typing import Any

import pytest

from waav.config.expected import Bounds, Expected, is_url
from waav.config.schema import Config, Server


@pytest.mark.parametrize(
    ("bounds", "good", "bad"),
    [
        (Bounds(), [None, 0, -1, "x"], []),
        (Bounds(least=0, most=65535), [0, 65535, None], [-1, 65536]),
        (Bounds(least=1), [1, 1 << 70], [0]),
        (Bounds(above=0), [0.001], [0, -1]),
        (Bounds(schemes=("ws", "wss")), ["ws://a", "WSS://a:1/b?c", None], ["http://a", "ws://", "a"]),
    ],
)  # fmt: skip
def test_bounds(bounds: Bounds, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not bounds.accepts(value)] == []
    assert [value for value in bad if bounds.accepts(value)] == []


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (Bounds(), ""),
        (Bounds(least=0, most=65535), " from 0 to 65535"),
        (Bounds(least=1), " of at least 1"),
        (Bounds(above=0), " above 0"),
        (Bounds(schemes=("ws", "wss")), ", a URL that begins with ws:// or wss://"),
    ],
)
def test_bounds_in_words(bounds: Bounds, words: str) -> None:
    assert str(bounds) == words


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://a:port",
        "http://",
        "//a",
        "javascript:x",
        "http://a\0/",
        "http://a b/",
    ],
)
def test_what_is_no_url(url: str) -> None:
    assert not is_url(url, ("http", "javascript"))


def test_a_class_made_by_hand_keeps_to_the_same_bounds() -> None:
    """Embedders write ``Config(...)`` and get the same check as a file."""
    assert Config(server=Server(port=0)).server.port == 0
    with pytest.raises(Expected, match=r"^port: expected a whole number from 0 to 65535$"):
        Server(port=65536)
