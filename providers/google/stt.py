"""Speech to text by Google: a gRPC call for each connection, the wire, and the link over both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from capabilities import ProviderRefused, ProviderUnavailable, STTOptions, STTStream
from providers._common.grpc import Call, connect
from providers._common.network import Network
from providers._common.policy import Policy
from providers._common.stt_link import open_stt_link
from providers._common.wire import Connection, Message
from providers.google.identity import Identities, Identity
from providers.google.options import GoogleSettings, GoogleSTTOptions
from providers.google.stt_request import start_message
from providers.google.stt_wire import METHOD, GoogleWire

LONGEST_SESSION = 300.0
"""Seconds that Google lets one call last."""

POLICY = Policy(
    # Google ends a call on which no sound flows, and words become final only by the silence
    # behind them: the line never pauses.
    keepalive=1.0,
    silence=1.0,
    # A frozen server. Google has nothing to say about music, so this is long and may repeat.
    progress=60.0,
    losses=10,
    longest_session=LONGEST_SESSION,
    margin=60.0,
    # Sound that comes much faster than real time is refused.
    pace=3.0,
)
# Each utterance ends a call, and whoever says "yes" every two seconds does nothing wrong.
_EACH_UTTERANCE = attrs.evolve(POLICY, losses=60, refill=1.0)


@attrs.frozen(eq=False)
class GoogleSTT:
    """The recogniser."""

    _network: Network
    """Of a network with HTTP/2; its address is the operator's, if that names one."""
    _identities: Identities

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[STTStream]:
        """Open a recognition."""
        own = options.options or GoogleSTTOptions()
        identity = await self._identities.of(options.api_key)
        start = start_message(self.recognizer(own, identity), options)
        network = attrs.evolve(self._network, base_url=self.address(own))

        @asynccontextmanager
        async def open_call() -> AsyncIterator[Connection]:
            headers = await self._identities.headers(identity)
            try:
                async with (
                    connect(network) as channel,
                    channel.call(METHOD, metadata=headers) as call,
                ):
                    yield Recognition(call)
            except (ProviderUnavailable, BaseExceptionGroup):
                # Cancelled while it connects, a channel may also say that it was closed: by us.
                await trio.lowlevel.checkpoint_if_cancelled()
                raise

        def wire() -> GoogleWire:
            words = bool(options.word_timestamps or options.diarize)
            return GoogleWire(start, options.interim_results, words)

        timed = own.speech_start_timeout or own.speech_end_timeout
        policy = _EACH_UTTERANCE if own.single_utterance or timed else POLICY
        async with open_stt_link(
            wire, open_call, provider="google", audio=options.format, policy=policy
        ) as stream:
            yield stream

    def recognizer(self, own: GoogleSTTOptions, identity: Identity) -> str:
        """Return the resource name of the recogniser.

        Raises:
            ProviderRefused: no project is known.
        """
        if not identity.project:
            raise ProviderRefused("google", "the credentials name no project, and none is set")
        name = own.recognizer or self._settings.recognizer
        return f"projects/{identity.project}/locations/{self._location(own)}/recognizers/{name}"

    def address(self, own: GoogleSTTOptions) -> str:
        """Return where the recogniser's location is served."""
        location = self._location(own)
        host = "speech" if location == "global" else f"{location}-speech"
        return self._settings.base_url.rstrip("/") or f"https://{host}.googleapis.com"

    def _location(self, own: GoogleSTTOptions) -> str:
        return own.location or self._settings.location

    @property
    def _settings(self) -> GoogleSettings:
        settings = self._network.settings
        assert isinstance(settings, GoogleSettings)  # noqa: S101 - for mypy; plugin.py made it
        return settings


@attrs.frozen(eq=False)
class Recognition:
    """A call as a connection of messages."""

    _call: Call

    def send_now(self, _message: Message) -> bool:
        """Leave it to :meth:`send`: HTTP/2 may always have to wait for room."""
        return False

    async def send(self, message: Message) -> None:
        """Send one; an empty one closes the sending side."""
        if message:
            await self._call.send(message.encode() if isinstance(message, str) else message)
        else:
            await self._call.finish()

    def __aiter__(self) -> AsyncIterator[Message]:
        return self._call
