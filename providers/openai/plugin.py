"""Opens the plugin: one pool of connections for all products."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from capabilities import Plugin, PluginContext
from providers.openai.api import API
from providers.openai.llm import OpenAILLM
from providers.openai.stt import OpenAISTT
from providers.openai.tts import OpenAITTS


@asynccontextmanager
async def open_plugin(context: PluginContext) -> AsyncIterator[Plugin]:
    """Open the plugin. No key is needed for that: sessions may bring their own."""
    async with API.open(context) as api:
        yield Plugin(stt=OpenAISTT(api), tts=OpenAITTS(api), llm=OpenAILLM(api))
