"""From plain data to values, without guessing and without showing what was there."""

from pathlib import Path
from typing import Any

import pytest

from capabilities import Secret
from waav.config.auth import ApiSecret
from waav.config.layers import OPTIONS
from waav.config.structure import Wrong, structure


def option(key: str, value: Any) -> Any:
    return structure(OPTIONS[tuple(key.split("."))], value)


@pytest.mark.parametrize(
    ("key", "value", "made"),
    [
        ("server.port", 8080, 8080),
        ("server.shutdown_grace_seconds", 5, 5.0),
        ("server.tls.enabled", True, True),
        ("server.log_level", "INFO", "info"),
        ("server.tls.cert_path", "a/b", Path("a/b")),
        ("security.cors_allowed_origins", "a, b,,", ("a", "b")),
        ("security.cors_allowed_origins", ["a"], ("a",)),
        ("security.max_websocket_connections", None, None),
        ("providers.openai_api_key", "k", Secret("k")),
        ("auth.api_secrets", [{"id": "a ", "secret": "s"}], (ApiSecret("a", Secret("s")),)),
    ],
)
def test_values(key: str, value: Any, made: object) -> None:
    result = option(key, value)
    assert result == made
    assert type(result) is type(made)


@pytest.mark.parametrize(
    ("key", "value", "where", "message"),
    [
        ("server.port", "8080", (), "expected a whole number from 0 to 65535"),
        ("server.port", True, (), "expected a whole number from 0 to 65535"),
        ("server.port", 1.0, (), "expected a whole number from 0 to 65535"),
        ("server.port", -1, (), "expected a whole number from 0 to 65535"),
        ("server.shutdown_grace_seconds", float("nan"), (), "expected a number of at least 0"),
        ("server.shutdown_grace_seconds", 10**400, (), "expected a number of at least 0"),
        ("websocket.idle_timeout_seconds", 0, (), "expected a number above 0"),
        ("server.tls.enabled", 1, (), "expected true or false"),
        ("server.tls.enabled", "sekret", (), "expected true or false"),
        ("server.log_level", "sekret", (), "expected one of debug, info, warning, error"),
        ("server.log_level", 5, (), "expected one of debug, info, warning, error"),
        ("server.tls.cert_path", 5, (), "expected the path of a file or folder"),
        ("server.tls.cert_path", "~nobody-of-this-name/x", (), "expected the path of a file or folder"),
        ("providers.openai_api_key", 5, (), "expected text"),
        ("providers.openai_api_key", ["sekret"], (), "expected text"),
        ("security.cors_allowed_origins", {"a": 1}, (), "expected a list of texts"),
        ("security.cors_allowed_origins", ["a", 1], (1,), "expected text"),
        ("livekit.url", "sekret", (), "expected text, a URL that begins with ws:// or wss:// or http:// or https://"),
        ("auth.api_secrets", "sekret", (), "expected a list of tables with id, secret"),
        ("auth.api_secrets", ["sekret"], (0,), "expected a table with id, secret"),
        ("auth.api_secrets", [{"secret": "sekret"}], (0, "id"), "is missing"),
        ("auth.api_secrets", [{"id": 1, "secret": "sekret"}], (0, "id"), "expected text"),
        ("speech_final.providers", [], (), "expected a table"),
        ("speech_final.providers", {"a": 5}, ("a",), "expected a table with wait_ms, hard_timeout_ms"),
        ("speech_final.providers", {"a": {"wait_ms": 0}}, ("a", "wait_ms"), "expected a whole number of at least 1"),
    ],
)  # fmt: skip
def test_mistakes(key: str, value: Any, where: tuple[object, ...], message: str) -> None:
    with pytest.raises(Wrong) as caught:
        option(key, value)
    assert caught.value.mistakes == ((where, message),)
    assert "sekret" not in repr(caught.value)


def test_all_mistakes_of_a_list_at_once() -> None:
    with pytest.raises(Wrong) as caught:
        option("auth.api_secrets", [{"id": 1}, {"id": "a", "secret": []}])
    assert caught.value.mistakes == (
        ((0, "id"), "expected text"),
        ((0, "secret"), "is missing"),
        ((1, "secret"), "expected text"),
    )
