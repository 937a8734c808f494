"""The plugin, opened on a scripted vendor."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from support.servers.deepgram import KEY, OpenPlugin

from capabilities import Plugin, Secret
from providers._common.settings import VendorSettings
from providers.deepgram import MANIFEST
from waav.testing import open_manifest


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may sit behind a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def opened() -> OpenPlugin:
    """Open the plugin at an address, ``ws://`` or ``http://``, with the operator's key or another."""

    def opened(
        url: str, key: str | None = KEY, **settings: Any
    ) -> AbstractAsyncContextManager[Plugin]:
        base_url = url.replace("ws://", "http://")
        credentials = {} if key is None else {"deepgram_api_key": Secret(key)}
        return open_manifest(
            MANIFEST, VendorSettings(base_url=base_url, **settings), credentials=credentials
        )

    return opened
