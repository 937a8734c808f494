"""A session on scripted providers."""

from collections.abc import AsyncIterator

import pytest
from support.providers import Ears, Mouth, plugin

from waav.plugins import Discovery, Plugins, open_plugins
from waav.session.choices import Choices
from waav.session.means import Means
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
def means(plugins: Plugins) -> Means:
    return Means(plugins, choices=Choices(stt="ears"))


@pytest.fixture
async def session(means: Means) -> AsyncIterator[Session]:
    async with open_session(means) as opened:
        yield opened
