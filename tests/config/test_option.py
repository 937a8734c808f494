"""The table of all options."""

import pytest

from capabilities import Secret
from waav.config.option import Steps, dotted, options, provider_name
from waav.config.schema import Config

OPTIONS = list(options(Config))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("server", "tls", "cert_path"), "server.tls.cert_path"),
        (("auth", "api_secrets", 1, "id"), "auth.api_secrets[1].id"),
        (("a", "b.c", ""), 'a."b.c".""'),
    ],
)
def test_dotted(path: Steps, text: str) -> None:
    assert dotted(path) == text


def test_provider_names() -> None:
    names = ["play.ht", "Play_HT", " play-ht ", "play ht"]
    assert {provider_name(name) for name in names} == {"play-ht"}


def test_every_option_is_documented() -> None:
    assert [row.key for row in OPTIONS if not row.about.doc.endswith(".")] == []
    assert [row.key for row in OPTIONS if "|" in row.about.doc] == []  # it stands in a table


def test_every_option_has_a_variable_of_its_own() -> None:
    names = [row.env for row in OPTIONS if not row.is_table]
    assert None not in names
    assert len(set(names)) == len(names)


def test_the_variables_of_the_gateway_that_we_replace() -> None:
    """Those of its manual, so that an environment works as it is."""
    known = {row.env: row.key for row in OPTIONS}
    assert known["PORT"] == "server.port"
    assert known["CACHE_TTL_SECONDS"] == "cache.ttl_seconds"
    assert known["AUTH_API_SECRETS_JSON"] == "auth.api_secrets"
    assert known["AUTH_API_SECRET_ID"] == "auth.api_secret_id"
    assert known["SIP_HOOKS_JSON"] == "sip.hooks"
    assert known["CORS_ALLOWED_ORIGINS"] == "security.cors_allowed_origins"
    assert known["PLUGINS_DIR"] == "plugins.plugin_dir"
    assert known["GOOGLE_APPLICATION_CREDENTIALS"] == "providers.google_credentials"
    assert known["WAAV_SERVER_LOG_LEVEL"] == "server.log_level"


@pytest.mark.pins("D270")
def test_every_credential_is_a_secret() -> None:
    """What is not: the three regions."""
    plain = [
        row.path[-1] for row in OPTIONS if row.path[0] == "providers" and row.type != Secret | None
    ]
    assert plain == ["azure_speech_region", "ibm_watson_region", "aws_region"]
    suspicious = ("secret", "_key", "token", "password")
    open_keys = {
        row.key
        for row in OPTIONS
        if row.path[-1].endswith(suspicious) and row.type != Secret | None
    }
    assert open_keys == set()


def test_a_blank_text_is_unset_where_blank_cannot_open_a_door() -> None:
    rows = {row.key: row.blank_is_unset for row in OPTIONS}
    assert rows["providers.deepgram_api_key"]
    assert rows["server.tls.cert_path"]
    assert rows["security.max_websocket_connections"]
    assert not rows["providers.google_credentials"]
    assert not rows["auth.required"]
    assert not rows["auth.api_secrets"]
    assert not rows["server.port"]


def test_what_is_not_there_yet_is_marked() -> None:
    assert {row.path[0] for row in OPTIONS if row.pending} == {
        "auth", "livekit", "outbound", "recording", "sip",
    }  # fmt: skip
