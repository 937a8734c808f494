"""What an operator may write for a vendor."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from capabilities import Manifest, Plugin, PluginContext, Secret
from providers._common.settings import VendorSettings
from waav.plugins.settings import SettingsMistake, structure


@attrs.frozen(kw_only=True)
class AcmeSettings(VendorSettings):
    region: str = "eu"


def settings(**table: Any) -> AcmeSettings:
    """The settings as the gateway makes them of a table in a file."""

    def open_(_: PluginContext) -> Any:
        return Plugin()

    own = structure(Manifest("acme", "Acme", open_, settings=AcmeSettings), table).own
    assert isinstance(own, AcmeSettings)
    return own


def test_nothing_has_to_be_set() -> None:
    assert settings() == AcmeSettings()


def test_a_table_becomes_settings() -> None:
    made = settings(
        base_url="https://relay.example:8443/acme/",
        headers={"x-relay-key": "made-up"},
        proxy="http://user:word@proxy:3128",
        ca_file="/etc/ca.pem",
        connect_timeout=3,
        region="us",
    )
    assert made.headers == {"x-relay-key": Secret("made-up")}
    assert made.proxy == Secret("http://user:word@proxy:3128")
    assert made.ca_file == Path("/etc/ca.pem")
    assert made.connect_timeout == 3.0
    assert made.region == "us"


def test_what_may_be_secret_is_not_shown() -> None:
    shown = repr(settings(headers={"x-relay-key": "made-up"}, proxy="http://user:word@proxy"))
    assert "made-up" not in shown
    assert "word" not in shown


@pytest.mark.parametrize(
    "table",
    [
        {"base_url": "relay.example"},
        {"base_url": "wss://relay.example"},
        {"base_url": "https://user:word@relay.example"},
        {"base_url": "https://relay.example?key=1"},
        {"base_url": "https://relay.example:port"},
        {"base_url": "https://"},
        {"proxy": "socks5://user:word@proxy:1080"},
        {"proxy": "user:word@proxy:3128"},
        {"connect_timeout": 0},
        {"read_timeout": -1},
        {"connections": 0},
    ],
)
def test_a_mistake_is_named_by_its_key_and_gives_nothing_away(table: dict[str, Any]) -> None:
    [key] = table
    with pytest.raises(SettingsMistake, match=key) as mistake:
        settings(**table)
    assert "word" not in str(mistake.value)


def test_a_blank_proxy_means_none() -> None:
    assert settings(proxy="").proxy == Secret("")
