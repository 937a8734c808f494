"""Recognition; the model decides whether by files or in a session."""

from contextlib import AbstractAsyncContextManager

import attrs

from capabilities import STTOptions, STTStream
from providers.openai.api import API
from providers.openai.guidance import choose_model
from providers.openai.stt_file import open_file_stream
from providers.openai.stt_live import open_live_stream


@attrs.frozen
class OpenAISTT:
    """The recogniser."""

    _api: API

    def connect(self, options: STTOptions) -> AbstractAsyncContextManager[STTStream]:
        """Open a recognition."""
        model, live = choose_model(options)
        opening = open_live_stream if live else open_file_stream
        return opening(self._api, model, options)
