"""A client of a gateway with one scripted voice."""

from collections.abc import AsyncIterator

import pytest
from support.rest import Client, Reader, open_rest, voice_plugin


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
async def client(reader: Reader) -> AsyncIterator[Client]:
    async with open_rest(voice_plugin("espeak", reader, aliases=("local",))) as opened:
        yield opened
