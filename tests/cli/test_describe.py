"""What is configured, and what is offered."""

import json
from pathlib import Path
from typing import Any

import pytest

PLUGIN = """
from contextlib import asynccontextmanager
from capabilities import Ability, Capability, Manifest, Plugin

@asynccontextmanager
async def open_plugin(context):
    yield Plugin(stt=object())

MANIFEST = Manifest("keyed", "Keyed", open_plugin, {Capability.STT: Ability()},
                    credentials=("deepgram_api_key",))
"""


def test_every_value_shows_with_its_origin(waav: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("w.toml").write_text("[server]\nport = 4000\n", encoding="utf-8")
    monkeypatch.setenv("DEEPGRAM_API_KEY", "s3cr3t-key")
    result = waav("-c", "w.toml", "check-config", "--json")
    shown = {row["key"]: row for row in json.loads(result.stdout)["config"]}
    assert shown["server.port"]["value"] == 4000
    assert "w.toml:2" in shown["server.port"]["origin"]
    assert shown["providers.deepgram_api_key"]["value"] == "***"
    assert "DEEPGRAM_API_KEY" in shown["providers.deepgram_api_key"]["origin"]
    assert shown["server.host"]["origin"] == "default"
    assert "s3cr3t" not in result.output


def test_all_mistakes_at_once(waav: Any) -> None:
    Path("w.toml").write_text('[server]\nport = 70000\nhots = "x"\n[cache]\nttl_seconds = 0\n')
    result = waav("-c", "w.toml", "--strict", "check-config")
    assert result.exit_code == 1
    for told in ("w.toml:2: server.port", "w.toml:3: server.hots", "host", "w.toml:5: cache.ttl"):
        assert told in result.stderr
    assert not result.stdout


@pytest.mark.pins("D271")
def test_what_cannot_be_used_is_said(waav: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("plugins").mkdir()
    Path("plugins/keyed.py").write_text(PLUGIN, encoding="utf-8")
    Path("w.toml").write_text('[plugins]\nplugin_dir = "plugins"\n', encoding="utf-8")
    lacking = waav("-c", "w.toml", "check-config")
    assert lacking.exit_code == 0
    assert "not usable: keyed: not set: deepgram_api_key" in lacking.stdout
    monkeypatch.setenv("DEEPGRAM_API_KEY", "k")
    assert "not usable: keyed" not in waav("-c", "w.toml", "check-config").stdout


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_the_description_of_the_api(waav: Any, format: str) -> None:
    printed = waav("openapi", "-f", format).stdout
    assert waav("openapi", "-f", format, "-o", f"api.{format}").exit_code == 0
    assert Path(f"api.{format}").read_text(encoding="utf-8") == printed
    assert "/speak" in printed
