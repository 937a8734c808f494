"""All sources together: who wins, where a value came from, and every mistake at once."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from capabilities import Secret
from waav.config import Config, Loaded, load, rows, table
from waav.config.layers import OPTIONS
from waav.errors import ConfigError

Write: TypeAlias = Callable[..., Path]
Read: TypeAlias = Callable[..., Loaded]
Mistakes: TypeAlias = Callable[..., list[str]]


def env_mistakes(environ: Mapping[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(environ=environ, dotenv=None)
    return [str(problem) for problem in caught.value.problems]


def test_nothing_configured_is_a_configuration() -> None:
    loaded = load(environ={}, dotenv=None)
    assert loaded.config == Config()
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.warnings == ()


@pytest.mark.pins("D269")
def test_config_precedence(write: Write) -> None:
    """Arguments, file, environment, .env, default: each wins over those behind it."""
    sources: list[tuple[str, int]] = []

    def port() -> tuple[int, str]:
        has = dict(sources)
        path = write(f"[server]\nport = {has['file']}\n") if "file" in has else None
        write(f"PORT={has['dotenv']}\n" if "dotenv" in has else "", ".env")
        environ = {"PORT": str(has["environ"])} if "environ" in has else {}
        arguments = {"server.port": has.get("argument"), "server.host": None}
        loaded = load(path, environ=environ, arguments=arguments)
        return loaded.config.server.port, loaded.origins["server.port"]

    assert port() == (3001, "default")
    sources.append(("dotenv", 1))
    assert port() == (1, "PORT (.env:1)")
    sources.append(("environ", 2))
    assert port() == (2, "PORT (environment)")
    sources.append(("file", 3))
    assert port() == (3, "waav.toml:2")
    sources.append(("argument", 4))
    assert port() == (4, "argument")


def test_each_source_sets_what_it_sets(read: Read, write: Write) -> None:
    """A file and an environment are merged option by option, not section by section."""
    write("CACHE_TTL_SECONDS=60\n", ".env")
    loaded = read(
        "[server]\nport = 1\n[plugins.providers.x]\na = 1\nb = 1\n",
        {"HOST": "::1", "PORT": "2", "DEEPGRAM_API_KEY": "k"},
        arguments={"plugins.providers.x.b": 2, "stt.provider": "x"},
    )
    config = loaded.config
    assert (config.server.host, config.server.port) == ("::1", 1)
    assert config.providers.deepgram_api_key == Secret("k")
    assert (config.cache.ttl_seconds, config.stt.provider) == (60, "x")
    assert config.plugins.providers == {"x": {"a": 1, "b": 2}}
    assert loaded.origins["plugins.providers.x.a"] == "waav.toml:4"
    assert loaded.origins["plugins.providers.x.b"] == "argument"


def test_a_blank_variable_leaves_it_to_dotenv(write: Write) -> None:
    """As containers do: the variable is there, with nothing in it."""
    write("DEEPGRAM_API_KEY=k\n", ".env")
    environ = {"DEEPGRAM_API_KEY": "", "GOOGLE_APPLICATION_CREDENTIALS": "", "HOST": " "}
    providers = load(environ=environ).config.providers
    assert providers.deepgram_api_key == Secret("k")
    assert providers.google_credentials == Secret("")
    assert load(environ=environ).config.server.host == "0.0.0.0"


def test_everything_can_come_from_the_environment() -> None:
    loaded = load(
        environ={
            "TLS_ENABLED": "off",
            "WAAV_SERVER_LOG_LEVEL": "DEBUG",
            "WAAV_WEBSOCKET_PING_INTERVAL_SECONDS": "2.5",
            "MAX_WEBSOCKET_CONNECTIONS": "7",
            "CORS_ALLOWED_ORIGINS": "https://a, https://b",
            "AUTH_API_SECRETS_JSON": '[{"id": "a", "secret": "s"}]',
            "SIP_ROOM_PREFIX": "sip",
            "SIP_ALLOWED_ADDRESSES": "10.0.0.0/8,::1",
            "SIP_HOOKS_JSON": '[{"host": "H", "url": "https://h", "secret": "sixteen letters!"}]',
        },
        dotenv=None,
    )
    config = loaded.config
    assert not config.server.tls.enabled
    assert config.server.log_level == "debug"
    assert config.websocket.ping_interval_seconds == 2.5
    assert config.security.max_websocket_connections == 7
    assert config.security.cors_allowed_origins == ("https://a", "https://b")
    assert config.auth.api_secrets[0].secret == Secret("s")
    assert config.sip.allowed_addresses == ("10.0.0.0/8", "::1")
    assert config.sip.hooks[0].host == "h"


@pytest.mark.pins("D273")
@pytest.mark.parametrize(
    "name",
    [
        "PORT",
        "CACHE_TTL_SECONDS",
        "AUTH_TIMEOUT_SECONDS",
        "RATE_LIMIT_REQUESTS_PER_SECOND",
        "RATE_LIMIT_BURST_SIZE",
        "MAX_WEBSOCKET_CONNECTIONS",
        "MAX_CONNECTIONS_PER_IP",
    ],
)
def test_env_bad_integer(name: str) -> None:
    """A number that is none is a mistake with the variable's name, not silently the default."""
    (problem,) = env_mistakes({name: "12o"})
    assert problem.startswith(f"{name} (environment): ")
    assert "number" in problem
    assert "12o" not in problem


@pytest.mark.pins("D273")
def test_all_bad_variables_at_once() -> None:
    environ = {
        "PORT": "70000",
        "TLS_ENABLED": "maybe",
        "RATE_LIMIT_BURST_SIZE": "0",
        "AUTH_API_SECRETS_JSON": '[{"id": "a", "secret": "sekret"',
        "SIP_HOOKS_JSON": '[{"host": "a", "secret": "sekret"}]',
    }
    found = env_mistakes(environ)
    assert found == [
        "PORT (environment): server.port: expected a whole number from 0 to 65535",
        "TLS_ENABLED (environment): server.tls.enabled: expected true or false",
        (
            "RATE_LIMIT_BURST_SIZE (environment): security.rate_limit_burst_size: "
            "expected a whole number of at least 1"
        ),
        (
            "AUTH_API_SECRETS_JSON (environment): auth.api_secrets: "
            "expected a list of tables with id, secret"
        ),
        "SIP_HOOKS_JSON (environment): sip.hooks[0].url: is missing",
    ]


FROM_FILE = """\
[server]
port = 65536
[server.tls]
enabled = true
cert_path = "none.pem"
[auth]
service_url = "https://auth"
[[auth.api_secrets]]
id = "a"
secret = "x"
[[auth.api_secrets]]
id = "A"
secret = "y"
[sip]
allowed_addresses = "999.1.1.1"
[security]
rate_limit_burst_size = 0
"""
FROM_ENVIRONMENT = {
    "PORT": "65536",
    "TLS_ENABLED": "true",
    "TLS_CERT_PATH": "none.pem",
    "AUTH_SERVICE_URL": "https://auth",
    "AUTH_API_SECRETS_JSON": '[{"id": "a", "secret": "x"}, {"id": "A", "secret": "y"}]',
    "SIP_ALLOWED_ADDRESSES": "999.1.1.1",
    "RATE_LIMIT_BURST_SIZE": "0",
}


@pytest.mark.pins("D272")
def test_validation_same_for_both_sources(mistakes: Mistakes) -> None:
    """The same mistakes give the same messages, each with the place that its source has."""
    from_file = [problem.split(": ", 1) for problem in mistakes(FROM_FILE)]
    from_environment = [problem.split(": ", 1) for problem in env_mistakes(FROM_ENVIRONMENT)]
    assert [text for _, text in from_file] == [text for _, text in from_environment]
    assert {text.split(": ")[0]: where for where, text in from_file} == {
        "server.port": "waav.toml:2",
        "security.rate_limit_burst_size": "waav.toml:17",
        "server.tls.cert_path": "waav.toml:5",
        "server.tls.key_path": "waav.toml:4",  # for the switch that makes it needed
        "auth.signing_key_path": "waav.toml:7",
        "auth.api_secrets[1].id": "waav.toml:12",
        "sip.room_prefix": "waav.toml:15",
        "sip.allowed_addresses[0]": "waav.toml:15",
    }


def test_a_rule_looks_at_what_all_sources_say_together(read: Read, mistakes: Mistakes) -> None:
    """Half of a pair in the file and half in the environment are a pair."""
    text = '[auth]\nservice_url = "https://a"\n'
    assert len(mistakes(text)) == 1
    read(text, {"AUTH_SIGNING_KEY_PATH": "waav.toml"})


def test_a_mistake_is_told_once(mistakes: Mistakes) -> None:
    """A certificate whose path cannot be read is not also "required"."""
    text = "[server.tls]\nenabled = true\ncert_path = 5\nkey_path = 'waav.toml'\n"
    assert mistakes(text) == [
        "waav.toml:3: server.tls.cert_path: expected the path of a file or folder"
    ]


def test_a_typing_error_is_told_together_with_what_it_caused(mistakes: Mistakes) -> None:
    text = "[server.tls]\nenabled = true\ncert_pat = 'waav.toml'\nkey_path = 'waav.toml'\n"
    assert mistakes(text) == [
        "waav.toml:2: server.tls.cert_path: is required when TLS is on",
        (
            "waav.toml:3: server.tls.cert_pat: unknown key; the nearest known one is "
            "server.tls.cert_path"
        ),
    ]


def test_arguments_that_do_not_exist_or_do_not_fit(mistakes: Mistakes) -> None:
    arguments = {"server.prot": 1, "server.port": "many", "server.host": 5}
    assert mistakes(arguments=arguments) == [
        "argument: server.prot: unknown key; the nearest known one is server.port",
        "argument: server.host: expected text",
        "argument: server.port: expected a whole number from 0 to 65535",
    ]


def test_an_unreadable_line_of_dotenv(write: Write) -> None:
    write("what is this\nPORT=x\n", ".env")
    with pytest.raises(ConfigError) as caught:
        load(environ={})
    assert [problem.where for problem in caught.value.problems] == [".env:1", "PORT (.env:2)"]


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        pytest.param(
            '[livekit]\nurl = "ws://x"\napi_key = "k"\n', ["waav.toml:2: livekit"], id="section"
        ),
        pytest.param('[livekit]\nurl = "ws://localhost:7880"\n', [], id="default"),
        pytest.param("[recording]\ns3_bucket = 'b'\n", ["waav.toml:2: recording"], id="recording"),
        pytest.param(
            "[sip]\nroom_prefix = 'a'\nallowed_addresses = '::1'\n", ["waav.toml:2: sip"], id="sip"
        ),
    ],
)
def test_a_switch_without_effect_says_so(text: str, warnings: list[str], read: Read) -> None:
    found = [str(problem) for problem in read(text).warnings]
    assert found == [
        f"{place}: configured, but not available in this version" for place in warnings
    ]


def test_ids_that_look_alike_are_warned_of_where_they_stand(read: Read) -> None:
    text = """\
        [[auth.api_secrets]]
        id = "a"
        secret = "x"
        [[auth.api_secrets]]
        id = "a_b"
        secret = "y"
        """
    doubt = "rooms of a shorter id can begin like this; see scope_separator"
    assert [str(problem) for problem in read(text).warnings] == [
        f"waav.toml:5: auth.api_secrets[1].id: {doubt}"
    ]


def test_auth_that_could_let_nobody_in_is_refused(mistakes: Mistakes) -> None:
    expected = (
        "auth.required: expected api_secrets, service_url, [auth.jwt] or a plugin among strategies"
    )
    assert mistakes("[auth]\nrequired = true\n") == [f"waav.toml:2: {expected}"]
    assert env_mistakes({"AUTH_REQUIRED": "yes"}) == [f"AUTH_REQUIRED (environment): {expected}"]


@pytest.mark.pins("D270")
def test_secrets_masked(write: Write) -> None:
    """No secret from any source, in the right place or a wrong one, can be read off anything."""
    secrets = {
        option.env: f"sekret{number}"
        for number, option in enumerate(OPTIONS.values())
        if option.type == Secret | None and option.env and option.path[0] != "sip"
    }
    assert {"PLAYHT_USER_ID", "GNANI_TOKEN", "LIVEKIT_API_SECRET"} < secrets.keys()
    text = """\
        [[auth.api_secrets]]
        id = "a"
        secret = "sekretA"
        [plugins.providers.x]
        api_key = "sekretB"
        deep = { auth = { user = "sekretC" }, list = [{ password = "sekretD" }] }
        base_url = "https://user:sekretE@host/"
        """
    loaded = load(write(text), environ=secrets, dotenv=None)
    shown = list(rows(loaded))
    told = [repr(loaded), str(loaded), table(shown), json.dumps([row.value for row in shown])]
    assert [text for text in told if "sekret" in text] == []
    assert sum(row.value == "***" for row in shown) == len(secrets) + 2

    wrong = dict.fromkeys((option.env for option in OPTIONS.values() if option.env), "sekret,")
    with pytest.raises(ConfigError) as caught:
        load(write('[server]\nhost = ["sekret"]\nport = "sekret"\n'), environ=wrong, dotenv=None)
    assert "sekret" not in str(caught.value) + repr(caught.value.problems)
