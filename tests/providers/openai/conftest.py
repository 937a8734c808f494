"""What every test around the scripted OpenAI needs."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.servers.openai import OpenAPI

from capabilities import PluginContext, Secret
from providers.openai import MANIFEST
from providers.openai.api import API
from providers.openai.options import OpenAISettings


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may sit behind a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def open_api() -> OpenAPI:
    @asynccontextmanager
    async def opening(
        url: str, key: str | None = "made-up-key", **settings: Any
    ) -> AsyncIterator[API]:
        context = PluginContext(
            id=MANIFEST.id,
            settings=OpenAISettings(base_url=f"{url.replace('ws', 'http', 1)}/v1", **settings),
            credentials={} if key is None else {"openai_api_key": Secret(key)},
            requires={},
            data_dir=None,
            log=logging.getLogger("test"),
        )
        async with API.open(context) as api:
            yield api

    return opening
