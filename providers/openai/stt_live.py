"""Recognition by a realtime session that hears all the time."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from capabilities import STTOptions, STTStream
from providers._common.policy import Policy
from providers._common.stt_link import open_stt_link
from providers._common.websocket import connect
from providers._common.wire import Connection
from providers.openai.api import API
from providers.openai.live_wire import LONGEST_TURN, LiveWire
from providers.openai.names import ID

POLICY = Policy(
    says_ready=True,
    # A line that never pauses: their voice detection, and ours, notices an end by hearing silence.
    keepalive=1.0,
    silence=1.0,
    # Theirs says when somebody begins, and nothing until he ends; we end a turn after half of this.
    progress=2 * LONGEST_TURN,
    keep=2 * LONGEST_TURN,
    longest_session=3600.0,
    margin=60.0,
    finish_timeout=10.0,
)


@asynccontextmanager
async def open_live_stream(
    api: API, model: str, options: STTOptions, policy: Policy = POLICY
) -> AsyncIterator[STTStream]:
    """Open a recognition.

    Raises:
        ProviderError: as :meth:`capabilities.STT.connect` says.
    """
    LiveWire(model, options)  # refuses what need not be asked
    headers = api.headers(options.api_key)
    url = api.network.url("realtime", query={"intent": "transcription"})

    def dial() -> AbstractAsyncContextManager[Connection]:
        return connect(api.network, url, headers=headers)

    async with open_stt_link(
        partial(LiveWire, model, options),
        dial,
        provider=ID,
        audio=options.format,
        policy=policy,
    ) as stream:
        yield stream
