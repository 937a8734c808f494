"""Speech to text: the realtime recogniser over a WebSocket, kept alive by the link."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs

from capabilities import Secret, STTOptions, STTStream
from providers._common.credentials import choose_key
from providers._common.headers import Headers
from providers._common.network import Network
from providers._common.policy import Policy
from providers._common.stt_link import open_stt_link
from providers._common.websocket import WebSocket, connect
from providers.elevenlabs.options import ElevenLabsSTTOptions
from providers.elevenlabs.settings import ID, KEY, NAME
from providers.elevenlabs.stt_query import query
from providers.elevenlabs.stt_wire import ScribeWire

POLICY = Policy(
    says_ready=True,
    # Integrations in the field send an empty chunk each 10 s; pings are said not to count.
    keepalive=8.0,
    # Partial results come all the time; longer than usual because music on hold has none.
    progress=60.0,
    pace=4.0,
)


@attrs.frozen
class ElevenLabsSTT:
    """The recogniser."""

    _network: Network
    _credentials: Mapping[str, Secret]
    _policy: Policy = POLICY

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[STTStream]:
        """Open a recognition."""
        own: ElevenLabsSTTOptions = options.options or ElevenLabsSTTOptions()
        url = self._network.url("v1", "speech-to-text", "realtime", query=query(options, own))
        headers: Headers = {}
        if not own.token:
            # The vendor lets a token count more than a key, so only one of them goes out.
            headers = {"xi-api-key": choose_key(ID, NAME, options.api_key, self._credentials, KEY)}

        def open_connection() -> AbstractAsyncContextManager[WebSocket]:
            return connect(self._network, url, headers=headers)

        async with open_stt_link(
            lambda: ScribeWire(options, own),
            open_connection,
            provider=ID,
            audio=options.format,
            policy=self._policy,
        ) as stream:
            yield stream
