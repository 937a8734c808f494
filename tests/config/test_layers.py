"""Flat tables, and back."""

import pytest

from waav.config.layers import Given, nest, unknown_key

ROOT = ("plugins", "providers")


def test_nest() -> None:
    given = {
        (*ROOT, "a", "x"): Given(1, ""),
        (*ROOT, "a", "stt", "y"): Given([2], ""),
        ("server", "port"): Given(3, ""),
        (*ROOT, "b", "z"): Given(4, ""),
    }
    assert nest(given, ROOT) == {"a": {"x": 1, "stt": {"y": [2]}}, "b": {"z": 4}}


def test_the_place_of_a_part_is_that_of_the_nearest_part_with_one() -> None:
    given = Given([], "file:1", {(0,): "file:2", (0, "id"): "file:3"})
    assert given.place((0, "id")) == "file:3"
    assert given.place((0, "secret")) == "file:2"
    assert given.place((1, "id")) == "file:1"


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        (("servr", "port"), "server.port"),
        (("websocket", "ping_interval"), "websocket.ping_interval_seconds"),
        (("providers", "deepgram_key"), "providers.deepgram_api_key"),
        (("elevenlabs_api_key",), "providers.elevenlabs_api_key"),
    ],
)
def test_the_nearest_key(path: tuple[str, ...], nearest: str) -> None:
    assert unknown_key(path) == f"unknown key; the nearest known one is {nearest}"


def test_nothing_is_near() -> None:
    assert unknown_key(("xyzzy",)) == "unknown key"
