"""A made-up service account, and Google on loopback for it."""

import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from support.servers.certificates import Authority
from support.servers.google import Google, Play, open_google_server, rest_reply
from support.servers.http import HTTPServer, open_http_server

from capabilities import Plugin, Secret
from providers.google import MANIFEST
from providers.google.options import GoogleSettings
from waav.testing import open_manifest


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever runs the tests may have credentials or a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("GOOGLE_CLOUD_PROJECT", "GCE_METADATA_HOST", "K_SERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path_factory.mktemp("gcloud")))


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def account(private_key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The JSON of a service account, as Google gives it."""
    pem = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": "acme-project",
        "private_key_id": "key-1",
        "private_key": pem.decode(),
        "client_email": "robot@acme-project.iam.gserviceaccount.com",
        "token_uri": "http://127.0.0.1:1/somewhere-else",
    }


@attrs.frozen
class House:
    """Google, and our plugin open to it."""

    google: Google
    rest: HTTPServer
    plugin: Plugin


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority.pem")


OpenHouse = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def open_house(account: dict[str, str]) -> OpenHouse:
    """Open Google and the plugin: ``async with open_house(play, ..., settings...) as house``."""

    @asynccontextmanager
    async def open_(
        *plays: Play,
        rate: int = 24000,
        dribble: bool = False,
        tls: ssl.SSLContext | None = None,
        **settings: Any,
    ) -> AsyncIterator[House]:
        async with (
            open_google_server(*plays, dribble=dribble, tls=tls) as google,
            open_http_server(rest_reply(rate)) as rest,
        ):
            reached = GoogleSettings(
                base_url=google.url,
                tts_base_url=google.url,
                rest_base_url=rest.url,
                token_url=f"{rest.url}/token",
                **settings,
            )
            keys = {"google_credentials": Secret(json.dumps(account))}
            async with open_manifest(MANIFEST, reached, credentials=keys) as plugin:
                yield House(google, rest, plugin)

    return open_
