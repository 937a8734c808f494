"""The language models: one request for each answer, its text as it comes."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import attrs

from capabilities.llm import ChatEvent, ChatRequest
from providers._common.http import Answer
from providers.openai.api import API, events_of
from providers.openai.llm_wire import ChatReader, chat_body


@attrs.frozen
class OpenAILLM:
    """The answerer."""

    _api: API

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[ChatEvent]]:
        """Ask for one answer. Leaving early drops the connection, which ends it on the far side."""
        headers = self._api.headers(request.api_key)
        url = self._api.network.url("chat", "completions")
        body = chat_body(request)
        async with (
            self._api.http.stream("POST", url, headers=headers, json=body) as answer,
            aclosing(_answer(answer)) as events,
        ):
            yield events


async def _answer(answer: Answer) -> AsyncGenerator[ChatEvent, None]:
    reader = ChatReader()
    async with aclosing(events_of(answer)) as events:
        async for event in events:
            for said in reader.read(event):
                yield said
    for said in reader.end():
        yield said
