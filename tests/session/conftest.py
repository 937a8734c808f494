"""A session on scripted providers."""

from collections.abc import AsyncIterator

import pytest
from support.providers import Ears, Mouth, plugin

from waav.plugins import Discovery, Plugins, open_plugins
from waav.session.session import Session, open_session


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def mouth() -> Mouth:
    return Mouth()


@pytest.fixture
async def plugins(ears: Ears, mouth: Mouth) -> AsyncIterator[Plugins]:
    manifests = plugin("ears", ears), plugin("mouth", mouth=mouth)
    async with open_plugins(Discovery.of(*manifests)) as opened:
        yield opened


@pytest.fixture
async def session(plugins: Plugins) -> AsyncIterator[Session]:
    async with open_session(plugins) as opened:
        yield opened
