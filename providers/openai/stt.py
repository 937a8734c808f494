"""Recognition; the model decides whether by files or in a session."""

from contextlib import AbstractAsyncContextManager

import attrs

from capabilities import STTOptions, STTStream
from providers._common.policy import Policy
from providers.openai.api import API
from providers.openai.guidance import choose_model
from providers.openai.stt_file import open_file_stream
from providers.openai.stt_live import POLICY, open_live_stream


@attrs.frozen
class OpenAISTT:
    """The recogniser."""

    _api: API
    _policy: Policy = POLICY
    """For sessions."""

    def connect(self, options: STTOptions) -> AbstractAsyncContextManager[STTStream]:
        """Open a recognition."""
        model, live = choose_model(options)
        if live:
            return open_live_stream(self._api, model, options, self._policy)
        return open_file_stream(self._api, model, options)
