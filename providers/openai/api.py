"""The account with which OpenAI is talked to, and the way there."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import attrs

from capabilities import PluginContext, Secret
from providers._common.credentials import choose_key
from providers._common.headers import Headers
from providers._common.http import HTTP, Answer, open_http
from providers._common.network import Network
from providers.openai.names import BASE_URL, ID, KEY, NAME
from providers.openai.options import OpenAISettings
from providers.openai.sse import Events


@attrs.frozen
class API:
    """Made once for each plugin; all products share it."""

    network: Network
    http: HTTP
    settings: OpenAISettings
    credentials: Mapping[str, Secret]

    @classmethod
    @asynccontextmanager
    async def open(cls, context: PluginContext) -> AsyncIterator[Self]:
        """Open the pool of connections for as long as the block lasts."""
        settings: OpenAISettings = context.settings
        network = await Network.of(ID, settings, BASE_URL)
        async with open_http(network) as http:
            yield cls(network, http, settings, context.credentials)

    def headers(self, own: Secret | None) -> Headers:
        """Return what authenticates.

        Args:
            own: the key that a session has brought.

        Raises:
            ProviderRefused: there is no key.
        """
        key = choose_key(ID, NAME, own, self.credentials, KEY)
        headers: dict[str, str | Secret] = {"Authorization": Secret(f"Bearer {key.reveal()}")}
        if self.settings.organization:
            headers["OpenAI-Organization"] = self.settings.organization
        if self.settings.project:
            headers["OpenAI-Project"] = self.settings.project
        return headers


async def events_of(answer: Answer) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the events of an answer, as early as each is there."""
    events = Events(ID)
    async for chunk in answer:
        for event in events.feed(chunk):
            yield event
