"""The plugin's parts, pointed at a scripted vendor."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import attrs
import pytest
from support.servers.elevenlabs import KEY

from capabilities import Plugin, Secret
from providers._common.policy import Policy
from providers.elevenlabs import MANIFEST
from providers.elevenlabs.settings import ElevenLabsSettings
from providers.elevenlabs.stt import POLICY
from waav.testing import open_manifest

QUICK = attrs.evolve(POLICY, pace=float("inf"), backoff=attrs.evolve(POLICY.backoff, first=0.01))

Open = Callable[..., AbstractAsyncContextManager[Plugin]]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may sit behind a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def open_plugin() -> Open:
    """Open the plugin for a base address; its recogniser is in a hurry."""

    @asynccontextmanager
    async def opening(
        url: str, *, policy: Policy = QUICK, key: str | None = KEY, **settings: Any
    ) -> AsyncIterator[Plugin]:
        base = url.replace("ws://", "http://")
        credentials = {"elevenlabs_api_key": Secret(key)} if key else {}
        chosen = ElevenLabsSettings(base_url=base, **settings)
        async with open_manifest(MANIFEST, chosen, credentials=credentials) as plugin:
            stt = attrs.evolve(plugin.stt, policy=policy)  # type: ignore[type-var]  # it is ours
            yield attrs.evolve(plugin, stt=stt)

    return opening
