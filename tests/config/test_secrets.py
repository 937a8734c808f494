"""Everything that is secret in a configuration is found, whatever it is called and wherever it stands."""

import json

import attrs

from capabilities import Secret
from waav.config import Config, Providers
from waav.config.auth import ApiSecret, Auth
from waav.config.expected import without_none
from waav.config.layers import OPTIONS
from waav.config.option import Option
from waav.config.schema import Plugins
from waav.config.secrets import secrets_of


def test_every_option_that_is_a_secret_is_found() -> None:
    """Also one that is added tomorrow: its type says it."""
    options = [each for each in OPTIONS.values() if without_none(each.type) is Secret]
    assert len(options) > 20
    for number, option in enumerate(options):
        assert secrets_of(_with(option, f"secret-{number}")) == {f"secret-{number}"}


def _with(option: Option, text: str) -> Config:
    *path, name = option.path
    sections = [Config()]
    for step in path:
        sections.append(getattr(sections[-1], step))
    changed = attrs.evolve(sections.pop(), **{name: Secret(text)})
    for step in reversed(path):
        changed = attrs.evolve(sections.pop(), **{step: changed})
    assert isinstance(changed, Config)
    return changed


def test_lists_and_tables_of_plugins_are_looked_through() -> None:
    tables = {
        "acme": {
            "api_key": "a-key",
            "base_url": "https://acme.example",
            "headers": {"X-Any": "a-header"},
            "stt": {"auth_token": "a-token", "keywords": ["WaaV"]},
        }
    }
    secrets = ApiSecret("acme", Secret("one")), ApiSecret("other", Secret("two"))
    config = Config(plugins=Plugins(providers=tables), auth=Auth(api_secrets=secrets))
    assert secrets_of(config) == {"a-key", "a-header", "a-token", "one", "two"}


def test_of_credentials_in_json_the_parts_count_too() -> None:
    account = {"type": "service_account", "private_key": "pem", "client_email": "me@example.com"}
    text = json.dumps(account)
    config = Config(providers=Providers(google_credentials=Secret(text)))
    assert secrets_of(config) == {text, "pem"}
    broken = Config(providers=Providers(google_credentials=Secret("{broken")))
    assert secrets_of(broken) == {"{broken"}
