"""What must be true between options, on configurations made by hand: no source is involved."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from capabilities import Secret
from waav.config import Config, check
from waav.config.auth import ApiSecret, Auth, Jwt
from waav.config.option import dotted
from waav.config.pending import Sip, SipHook
from waav.config.rules import cautions
from waav.config.schema import Plugins, Server, Tls, WebSocket
from waav.config.security import Security

LONG = Secret("sixteen letters!")


def broken(**sections: Any) -> list[str]:
    config = attrs.evolve(Config(), **sections)
    return [f"{dotted(mistake.path)}: {mistake.message}" for mistake in check(config)]


def test_the_defaults_break_no_rule() -> None:
    assert broken() == []


def test_tls_needs_both_files(tmp_path: Path) -> None:
    there = tmp_path / "cert.pem"
    there.touch()
    assert broken(server=Server(tls=Tls(enabled=False, cert_path=Path("none")))) == []
    assert broken(server=Server(tls=Tls(enabled=True, cert_path=there, key_path=there))) == []
    assert broken(server=Server(tls=Tls(enabled=True))) == [
        "server.tls.cert_path: is required when TLS is on",
        "server.tls.key_path: is required when TLS is on",
    ]
    tls = Tls(enabled=True, cert_path=tmp_path / "none", key_path=tmp_path)
    assert broken(server=Server(tls=tls)) == [
        "server.tls.cert_path: expected a file that can be read: No such file or directory",
        "server.tls.key_path: expected a file that can be read: Is a directory",
    ]
    tls = Tls(enabled=True, cert_path=there, key_path=Path("a\0b"))
    assert broken(server=Server(tls=tls)) == [
        "server.tls.key_path: expected a file that can be read: not a path"
    ]


def test_nobody_announces_clients_where_no_proxy_is_trusted() -> None:
    server = Server(proxy_protocol=True, trusted_proxies=("10.0.0.0/8",))
    assert broken(server=server) == []
    assert broken(server=Server(proxy_protocol=True)) == [
        "server.trusted_proxies: expected one address at least, or nobody could connect"
    ]


def test_the_idle_time_cannot_be_less_than_nothing() -> None:
    assert broken(websocket=WebSocket(idle_timeout_seconds=30.0, idle_jitter_seconds=29.0)) == []
    assert broken(websocket=WebSocket(idle_timeout_seconds=30.0)) == [
        "websocket.idle_jitter_seconds: expected less than idle_timeout_seconds"
    ]


def test_the_plugin_folder_exists(tmp_path: Path) -> None:
    assert broken(plugins=Plugins(plugin_dir=tmp_path)) == []
    assert broken(plugins=Plugins(plugin_dir=tmp_path / "none")) == [
        "plugins.plugin_dir: expected a folder that exists"
    ]


@pytest.mark.parametrize(
    ("origins", "wrong"),
    [
        (("*",), []),
        (("https://a.example", "http://localhost:3000", "https://[::1]:80", "HTTPS://B"), []),
        (("capacitor://localhost", "chrome-extension://abcdefgh", "https://xn--bcher-kva.de"), []),
        (("*", "https://a"), [0]),
        (("a.example", "https://", "https://a/", "https://a/b", "https://u@a"), [0, 1, 2, 3, 4]),
        (("https://a:port", "ws://a", "https://[::1", "https://*.a"), [0, 1, 2, 3]),
        (("null", "file://", "https://a:443", "http://a:80", "https://bücher.de"), [0, 1, 2, 3, 4]),
        (("https://a b", "https://a?b", "https://a#b", "https://a\n", "//a", "a:b"), [*range(6)]),
    ],
)
def test_origins(origins: tuple[str, ...], wrong: list[int]) -> None:
    found = broken(security=Security(cors_allowed_origins=origins))
    assert [text.split(":")[0] for text in found] == [
        f"security.cors_allowed_origins[{index}]" for index in wrong
    ]


def test_who_lets_nobody_in_must_know_somebody() -> None:
    nobody = (
        "auth.required: expected api_secrets, service_url, [auth.jwt] or a plugin among strategies"
    )
    assert nobody in broken(auth=Auth(required=True))
    assert nobody in broken(auth=Auth(required=True, strategies=("jwt",), api_secret=LONG))
    assert broken(auth=Auth(required=True, api_secret=LONG)) == []
    assert broken(auth=Auth(required=True, strategies=("badges",))) == []


def test_local_tokens_are_checked_with_one_source_of_keys(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.touch()
    assert broken(auth=Auth(jwt=Jwt(key_path=key))) == []
    assert broken(auth=Auth(jwt=Jwt(jwks_url="https://a"))) == []
    assert broken(auth=Auth(jwt=Jwt(key_path=key, jwks_url="https://a"))) == [
        "auth.jwt.key_path: expected either this or jwks_url"
    ]
    assert broken(auth=Auth(jwt=Jwt(key_path=tmp_path / "none"))) == [
        "auth.jwt.key_path: expected a file that can be read: No such file or directory"
    ]


def test_the_auth_service_and_its_key_come_together(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.touch()
    assert broken(auth=Auth(service_url="https://a", signing_key_path=key)) == []
    assert broken(auth=Auth(service_url="https://a")) == [
        "auth.signing_key_path: is required together with service_url"
    ]
    assert broken(auth=Auth(signing_key_path=key)) == [
        "auth.service_url: is required together with signing_key_path"
    ]
    assert broken(auth=Auth(service_url="https://a", signing_key_path=tmp_path / "none")) == [
        "auth.signing_key_path: expected a file that can be read: No such file or directory"
    ]


def test_api_secrets_are_trimmed_unique_and_not_blank() -> None:
    pairs = [("a", "x"), (" A ", "y"), ("b", " x"), (" ", "z"), ("", " ")]
    secrets = tuple(ApiSecret(name, Secret(text)) for name, text in pairs)
    assert broken(auth=Auth(api_secrets=secrets)) == [
        "auth.api_secrets[3].id: expected text that is not blank",
        "auth.api_secrets[4].id: expected text that is not blank",
        "auth.api_secrets[4].secret: expected text that is not blank",
        "auth.api_secrets[1].id: expected another id than those above",
        "auth.api_secrets[2].secret: expected another secret than those above",
    ]


def test_an_id_can_name_a_tenant() -> None:
    secrets = (ApiSecret("a\nb", Secret("x")), ApiSecret("c" * 257, Secret("y")))
    assert broken(auth=Auth(api_secrets=secrets)) == [
        "auth.api_secrets[0].id: expected at most 256 printable characters",
        "auth.api_secrets[1].id: expected at most 256 printable characters",
    ]


@pytest.mark.parametrize("separator", ["_", ":", "--", "/", "~" * 8])
def test_a_separator_is_made_of_signs(separator: str) -> None:
    assert broken(auth=Auth(scope_separator=separator)) == []


@pytest.mark.parametrize("separator", ["", "a", "0", " ", "_ ", "é", "_\n", "~" * 9])
def test_a_separator_that_ids_are_full_of_is_none(separator: str) -> None:
    expected = "expected 1 to 8 characters such as _ or : (no letters, digits or blanks)"
    assert broken(auth=Auth(scope_separator=separator)) == [f"auth.scope_separator: {expected}"]


@pytest.mark.pins("D253")
def test_an_id_that_begins_like_the_rooms_of_another_is_told() -> None:
    ids = ("a_b", "a", "ab", "c_d", "a_b_c")
    auth = Auth(api_secrets=tuple(ApiSecret(each, Secret(each)) for each in ids))

    def told(**changes: Any) -> list[str]:
        config = attrs.evolve(Config(), auth=attrs.evolve(auth, **changes))
        assert list(check(config)) == []
        return [dotted(each.path) for each in cautions(config)]

    assert told() == ["auth.api_secrets[0].id", "auth.api_secrets[4].id"]
    assert told(scope_separator=":") == []
    assert told(room_scope="metadata") == []


def test_a_secret_can_be_shown_as_a_token() -> None:
    texts = ("a b", "é" * 2048, "a\nb", "x" * 4097, "\ud800")
    secrets = tuple(ApiSecret(f"{number}", Secret(text)) for number, text in enumerate(texts))
    assert broken(auth=Auth(api_secrets=secrets)) == [
        f"auth.api_secrets[{index}].secret: expected at most 4096 bytes, all printable"
        for index in (2, 3, 4)
    ]


def test_the_single_secret_is_looked_at_as_well() -> None:
    assert broken(auth=Auth(api_secret=Secret(" "), api_secret_id=" ")) == [
        "auth.api_secret_id: expected text that is not blank",
        "auth.api_secret: expected text that is not blank",
    ]


GOOD = Sip(room_prefix="sip-1_A", allowed_addresses=("192.0.2.1", "10.1.2.3/8", "2001:db8::/32"))


def test_sip_that_is_set_up_well() -> None:
    hooks = (SipHook("a", "https://a"), SipHook("b", "https://b", LONG))
    assert broken(sip=GOOD) == []
    assert broken(sip=attrs.evolve(GOOD, hook_secret=LONG, hooks=hooks)) == []


def test_one_sip_option_makes_the_others_needed() -> None:
    assert broken(sip=Sip(naming_prefix="x")) == [
        "sip.room_prefix: is required as soon as SIP is set up",
        "sip.allowed_addresses: expected one address at least",
    ]


@pytest.mark.parametrize("prefix", ["a b", "a/b", "é", "a\n", ""])
def test_sip_room_prefix(prefix: str) -> None:
    assert broken(sip=attrs.evolve(GOOD, room_prefix=prefix)) == [
        "sip.room_prefix: expected letters, digits, - and _ only"
    ]


@pytest.mark.parametrize("address", ["999.1.1.1", "1.2.3", "1.2.3.4/33", "host", "::1/129", ""])
def test_sip_addresses_are_parsed(address: str) -> None:
    assert broken(sip=attrs.evolve(GOOD, allowed_addresses=("::1", address))) == [
        "sip.allowed_addresses[1]: expected an IP address or a network such as 192.0.2.0/24"
    ]


def test_sip_hooks() -> None:
    hooks = (
        SipHook("a", "http://a", LONG),
        SipHook("A ", "https://a", Secret("short")),
        SipHook(" ", "https://"),
    )
    assert broken(sip=attrs.evolve(GOOD, hook_secret=Secret("short"), hooks=hooks[:1])) == [
        "sip.hook_secret: expected 16 characters or more",
        "sip.hooks[0].url: expected a URL that begins with https://",
    ]
    assert broken(sip=attrs.evolve(GOOD, hooks=hooks, allow_insecure_hooks=True)) == [
        "sip.hooks[1].secret: expected 16 characters or more",
        "sip.hooks[2].host: expected text that is not blank",
        "sip.hooks[2].url: expected a URL that begins with https://",
        "sip.hooks[2].secret: is required where there is no hook_secret",
        "sip.hooks[1].host: expected another host than those above",
    ]


def test_a_trusted_proxy_is_an_address_or_a_network() -> None:
    proxies = "10.0.0.1", "192.0.2.0/24", "2001:db8::/32", "proxy.example", "10.0.0.0/33"
    message = "expected an IP address or a network such as 192.0.2.0/24"
    assert broken(server=Server(trusted_proxies=proxies)) == [
        f"server.trusted_proxies[3]: {message}",
        f"server.trusted_proxies[4]: {message}",
    ]


def test_a_provider_has_at_least_one_place() -> None:
    tables = {"one": {"max_sessions": 5}, "two": {"max_sessions": "5"}, "three": {}}
    assert broken(plugins=Plugins(providers=tables)) == []
    assert broken(plugins=Plugins(providers={"one": {"max_sessions": 0}})) == [
        "plugins.providers.one.max_sessions: expected a whole number of at least 1"
    ]
