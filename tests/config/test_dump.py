"""What ``waav check-config`` shows."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeAlias

import pytest

from capabilities import Secret
from waav.config import Loaded, Row, rows, table
from waav.config.auth import ApiSecret
from waav.config.dump import show
from waav.config.layers import OPTIONS

Read: TypeAlias = Callable[..., Loaded]


def test_every_option_is_shown_with_its_origin(read: Read) -> None:
    loaded = read(
        '[server]\nport = 1\n[plugins.providers.x]\nspeed = 1.5\n[stt.x]\nnames = ["a"]\n',
        {"DEEPGRAM_API_KEY": "k"},
    )
    shown = {row.key: row for row in rows(loaded)}
    assert {option.key for option in OPTIONS.values()} - shown.keys() == {"plugins.providers"}
    for row in (
        Row("server.host", "0.0.0.0", "default"),
        Row("server.port", 1, "waav.toml:2"),
        Row("providers.deepgram_api_key", "***", "DEEPGRAM_API_KEY (environment)"),
        Row("providers.openai_api_key", None, "default"),
        Row("plugins.providers.x.speed", 1.5, "waav.toml:4"),
        Row("plugins.providers.x.stt.names", ["a"], "waav.toml:6"),
    ):
        assert shown[row.key] == row
    json.dumps([row.value for row in shown.values()])


def test_as_text(read: Read) -> None:
    loaded = read("[server]\nport = 1\n", {"CORS_ALLOWED_ORIGINS": "https://a"})
    lines = [line.split() for line in table(rows(loaded)).splitlines()]
    assert ["server.port", "=", "1", "#", "waav.toml:2"] in lines
    assert ["server.tls.enabled", "=", "false", "#", "default"] in lines
    assert ["cache.path", "=", "(not", "set)", "#", "default"] in lines
    assert len(lines) == len(OPTIONS) - 1
    assert table([]) == ""


@pytest.mark.parametrize(
    ("value", "name", "shown"),
    [
        (None, "api_key", None),
        (12345, "api_key", "***"),
        ("x", "stt.authorization", "***"),
        ("x", "voice", "x"),
        (True, "", True),
        (Path("a/b"), "", "a/b"),
        (date(2026, 1, 2), "", "2026-01-02"),
        ((ApiSecret("a", Secret("s")),), "", [{"id": "a", "secret": "***"}]),
        ([{"token": "t", "n": 1}], "", [{"token": "***", "n": 1}]),
        ("wss://me:pw@host/x?a=b@c", "", "wss://***@host/x?a=b@c"),
        ("https://host/a@b", "", "https://host/a@b"),
    ],
)
def test_show(value: object, name: str, shown: object) -> None:
    assert show(value, name) == shown
