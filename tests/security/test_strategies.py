"""What the configuration names, opened; with real plugins, files and servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from joserfc.jwk import ECKey
from support.servers.http import Answer, answer_json, open_http_server
from support.servers.loopback import closed_port
from support.tokens import signed

from capabilities import (
    Ability,
    Capability,
    Denied,
    Manifest,
    Plugin,
    PluginContext,
    Presented,
    Principal,
    Secret,
)
from waav.config import Config
from waav.config.auth import ApiSecret, Auth, Jwt
from waav.errors import ConfigError
from waav.plugins import Discovery, open_plugins
from waav.security.authenticate import Authenticator, open_authenticator
from waav.security.bearer import Rejection, find_bearer

KEY = ECKey.generate_key("P-256")
SECRETS = (ApiSecret("acme", Secret("first-secret")),)


@attrs.define
class Badges:
    """A plugin's own strategy: it knows who wears a badge."""

    async def authenticate(self, presented: Presented) -> Principal | Denied:
        match presented.token.reveal():
            case "badge-7":
                return Principal("night-shift", {"badge": 7})
            case "breaks":
                raise TypeError("a secret of the plugin")
            case "lies":
                return True  # type: ignore[return-value]  # what a stranger's code may do
            case "forges":
                return Principal("a\nb")
        return Denied("No such badge")


def manifest(*, broken: bool = False) -> Manifest:
    @asynccontextmanager
    async def open_badges(_: PluginContext) -> AsyncIterator[Plugin]:
        if broken:
            raise OSError("no badges here")
        yield Plugin(auth=Badges())

    return Manifest("badges", "Badges", open_badges, {Capability.AUTH: Ability()})


@asynccontextmanager
async def opened(
    *manifests: Manifest, required: bool = True, **auth: Any
) -> AsyncIterator[Authenticator]:
    config = attrs.evolve(Config(), auth=Auth(required=required, **auth))
    async with (
        open_plugins(Discovery.of(*manifests)) as plugins,
        open_authenticator(config, plugins) as authenticator,
    ):
        yield authenticator


async def admit(authenticator: Authenticator, token: str) -> Principal | Rejection | None:
    bearer = find_bearer(f"Bearer {token}")
    return await authenticator.admit(bearer, method="GET", path="/voices", headers={})


def status(outcome: object) -> int:
    assert isinstance(outcome, Rejection)
    return outcome.status


def key_file(tmp_path: Path, *, private: bool) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.as_pem(private=private))
    return path


async def test_without_anything_set_up_everybody_is_nobody() -> None:
    async with opened(required=False) as authenticator:
        assert await admit(authenticator, "anything") is None
        assert not authenticator.required
        assert authenticator.body_limit == 0


async def test_an_api_secret_names_the_tenant_also_where_none_is_required() -> None:
    async with opened(required=False, api_secrets=SECRETS) as authenticator:
        assert await admit(authenticator, "first-secret") == Principal("acme")
        assert await admit(authenticator, "other") is None


async def test_local_tokens_with_a_key_in_a_file(tmp_path: Path) -> None:
    jwt = Jwt(key_path=key_file(tmp_path, private=False), leeway_seconds=0)
    async with opened(jwt=jwt, api_secrets=SECRETS) as authenticator:
        who = await admit(authenticator, signed(KEY, alg="ES256"))
        assert isinstance(who, Principal)
        assert who.id == "acme"
        assert (
            status(await admit(authenticator, signed(KEY, {"sub": "a", "exp": 1}, "ES256"))) == 401
        )
        assert await admit(authenticator, "first-secret") == Principal("acme")


async def test_local_tokens_with_keys_at_an_address() -> None:
    keys = answer_json({"keys": [{**KEY.as_dict(private=False), "kid": "k"}]})
    async with (
        open_http_server(keys) as server,
        opened(jwt=Jwt(jwks_url=server.url)) as authenticator,
    ):
        assert isinstance(await admit(authenticator, signed(KEY, alg="ES256", kid="k")), Principal)
        assert status(await admit(authenticator, signed(KEY, alg="ES256", kid="other"))) == 401
        assert len(server.requests) == 1


async def test_a_gateway_starts_although_nobody_shows_the_keys() -> None:
    jwt = Jwt(jwks_url=f"http://127.0.0.1:{closed_port()}/keys")
    async with opened(jwt=jwt, api_secrets=SECRETS) as authenticator:
        assert status(await admit(authenticator, signed(KEY, alg="ES256"))) == 503
        assert await admit(authenticator, "first-secret") == Principal("acme")


async def test_the_secrets_come_before_the_service_and_the_service_is_the_last_word(
    tmp_path: Path,
) -> None:
    async with open_http_server(answer_json({"id": "globex"}), Answer(401)) as server:
        key = key_file(tmp_path, private=True)
        service = {"service_url": server.url, "signing_key_path": key, "api_secrets": SECRETS}
        async with opened(**service) as authenticator:
            assert authenticator.body_limit == Auth().max_body_bytes
            assert await admit(authenticator, "first-secret") == Principal("acme")
            assert len(server.requests) == 0
            assert await admit(authenticator, "other") == Principal("globex")
            assert status(await admit(authenticator, "other")) == 401
        async with opened(**service, required=False) as authenticator:
            assert await admit(authenticator, "other") is None
            assert len(server.requests) == 2, "an open gateway shows its tokens to nobody"


async def test_a_plugin_brings_a_strategy_of_its_own() -> None:
    async with opened(
        manifest(), strategies=("secrets", "Badges"), api_secrets=SECRETS
    ) as authenticator:
        assert authenticator.body_limit > 0
        assert await admit(authenticator, "badge-7") == Principal("night-shift", {"badge": 7})
        assert await admit(authenticator, "first-secret") == Principal("acme")
        assert await admit(authenticator, "x") == Rejection(401, "unauthorized", "No such badge")


@pytest.mark.parametrize("token", ["breaks", "lies", "forges"])
async def test_a_plugin_that_breaks_lets_nobody_in(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(manifest(), strategies=("badges",)) as authenticator:
        refused = await admit(authenticator, token)
        assert refused == Rejection(502, "auth_service_error", "Authentication failed")
        assert await admit(authenticator, "badge-7") == Principal("night-shift", {"badge": 7})


async def test_a_plugin_that_does_not_run_is_a_503() -> None:
    async with opened(manifest(broken=True), strategies=("badges",)) as authenticator:
        assert status(await admit(authenticator, "badge-7")) == 503


@pytest.mark.pins("D254")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"strategies": ("badges",)}, "auth.strategies: Unsupported provider: badges"),
        (
            {"service_url": "http://127.0.0.1", "signing_key_path": Path("nothing.pem")},
            "auth.signing_key_path: cannot be read: No such file",
        ),
        (
            {"service_url": "http://127.0.0.1", "signing_key_path": Path("wrong.pem")},
            "auth.signing_key_path: wrong.pem: expected a private key in PEM",
        ),
        (
            {"service_url": "http://127.0.0.1"},
            "auth.signing_key_path: is required together with service_url",
        ),
        (
            {"jwt": Jwt(key_path=Path("wrong.pem"))},
            "auth.jwt.key_path: wrong.pem: expected a public key or a certificate",
        ),
        (
            {"jwt": Jwt(jwks_url="https://xn--/keys")},
            "auth.jwt.jwks_url: expected the URL of a host that there can be",
        ),
        (
            {"jwt": Jwt(jwks_url="https://login..example/keys")},
            "auth.jwt.jwks_url: expected the URL of a host that there can be",
        ),
        (
            {"service_url": f"http://{'é' * 70}/", "signing_key_path": Path("right.pem")},
            "auth.service_url: expected the URL of a host that there can be",
        ),
    ],
    ids=[
        "plugin",
        "missing",
        "garbage",
        "alone",
        "jwt",
        "no-host",
        "dots",
        "no-host-of-the-service",
    ],
)
async def test_auth_startup_error(
    wrong: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence that names the option, and nothing of what is in the file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.pem").write_text("-----BEGIN SOMETHING-----\nc2VjcmV0\n")
    (tmp_path / "right.pem").write_bytes(KEY.as_pem(private=True))
    with pytest.raises(ConfigError) as refused:
        async with opened(**wrong):
            pass
    assert said in str(refused.value)
    assert "c2VjcmV0" not in str(refused.value)
