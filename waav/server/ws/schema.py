"""What a client may say: one class for each message, checked when it is made.

``value()`` turns a message into what the connection acts on: a command for the session, or a
request to the connection itself. A message that cannot be served raises InvalidRequest there.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypeAlias, get_args

import attrs
import msgspec

from capabilities import Secret
from waav.errors import InvalidRequest
from waav.server.errors import NotAvailable
from waav.server.ws.audio_features import AudioFeatures
from waav.server.ws.blocks import Features, FeelingBlock, STTBlock, TTSBlock, pace, understood
from waav.server.ws.fields import Timestamp, at_most, check_depth, check_size, is_storage_key
from waav.session.commands import Clear, Configure, Speak, STTConfig
from waav.speech.ssml import words_of

SPEAK_LIMIT = 102_400
MESSAGE_LIMIT = 51_200
DEEPEST = 128
"""Levels of a payload. Who reads one recurses, plugins too, and may not get through hundreds."""
TOKEN_LIMIT = 4096
NAME_LIMIT = 256

NO_ROOM = "LiveKit client not configured. Send config message with livekit configuration first."


Topic: TypeAlias = Literal["speaking", "interruption", "voice", "dead_air"]
"""What a client hears of only if it has asked for it: when we speak, what the user's talking does
to that, when the user talks, and when we do not speak although we should."""


class TransferRefused(InvalidRequest):
    """A call cannot be handed over; clients hear of it in a message of its own type."""


@attrs.frozen
class Setup:
    """A ``config``: the command, and what concerns the connection."""

    command: Configure
    wanted: Mapping[Topic, bool] = attrs.field(factory=dict)
    """What the client wants to hear of, and what no more; the rest stays as it is."""
    notices: tuple[InvalidRequest, ...] = ()
    """Parts that cannot be had; the rest goes on without them."""

    def topics(self, before: frozenset[Topic]) -> frozenset[Topic]:
        """Return what the client hears of from now on."""
        return frozenset(
            topic for topic in get_args(Topic) if self.wanted.get(topic, topic in before)
        )


@attrs.frozen
class Say:
    """A ``speak``: the command, and the provider that was named with it."""

    command: Speak
    provider: str | None = None
    notices: tuple[InvalidRequest, ...] = ()
    ignored: tuple[str, ...] = ()


@attrs.frozen
class Sound:
    """Audio that came as text."""

    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")


@attrs.frozen
class Ping:
    """A client that asks whether we are there."""

    timestamp: int | None = None
    """Its own clock, in milliseconds."""


@attrs.frozen
class Authenticate:
    """A client that says who it is."""

    token: Secret


@attrs.frozen
class Custom:
    """A message for the handlers of plugins."""

    type: str
    payload: bytes = attrs.field(repr=False)
    """JSON."""


@attrs.frozen
class Nothing:
    """A message that asks for what happens anyway."""


Request: TypeAlias = Setup | Say | Clear | Sound | Ping | Authenticate | Custom | Nothing


class Message(Protocol):
    """What all message classes have in common."""

    def value(self) -> Request:
        """Return what is asked for.

        Raises:
            InvalidRequest: it cannot be had, in this session or in this version.
        """
        ...


@attrs.frozen(kw_only=True)
class ConfigMessage:
    """``config``."""

    stream_id: str | None = attrs.field(
        default=None, validator=[at_most(NAME_LIMIT, "Stream ID"), is_storage_key]
    )
    audio: bool | None = None
    audio_disabled: bool | None = None
    stt_config: STTBlock | None = None
    tts_config: TTSBlock | None = None
    livekit: dict[str, Any] | None = None
    dag_config: dict[str, Any] | None = None
    features: Features = Features()
    audio_features: AudioFeatures = AudioFeatures()
    realtime_config: dict[str, Any] | None = None

    def value(self) -> Setup:
        """Return the command; refuse a room, because the rest would not be what was meant."""
        if self.livekit is not None:
            raise NotAvailable("livekit", "LiveKit rooms are not available in this version")
        tts, notices = understood(self.tts_config) if self.tts_config else (None, ())
        command = Configure(
            stt=self._listening(),
            tts=tts.value() if tts else None,
            audio=not self.audio_disabled if self.audio is None else self.audio,
            stream_id=self.stream_id or None,
            interruption=self.audio_features.interruption.value(),
        )
        return Setup(
            command,
            wanted=self._wanted(),
            notices=(*self._notices(), *notices),
        )

    def _notices(self) -> list[InvalidRequest]:
        notices: list[InvalidRequest] = []
        if self.realtime_config is not None:
            text = "realtime_config belongs to the /realtime endpoint and is ignored here"
            notices.append(InvalidRequest(text, code="use_realtime_endpoint"))
        if self.dag_config is not None:
            text = "DAG initialization failed: DAG routing is not available in this version"
            notices.append(NotAvailable("dag", text))
        return notices

    def _listening(self) -> STTConfig | None:
        if self.stt_config is None:
            return None
        return self.audio_features.adapt(self.stt_config.value(self.features), self.features)

    def _wanted(self) -> dict[Topic, bool]:
        told: dict[Topic, bool | None] = {
            "speaking": self.features.events,
            "interruption": self.audio_features.interruption.enabled,
            "voice": self.audio_features.wants_vad(self.features),
            "dead_air": self.features.dead_air,
        }
        return {topic: wish for topic, wish in told.items() if wish is not None}


@attrs.frozen(kw_only=True)
class SpeakMessage(FeelingBlock):
    """``speak``."""

    text: str | None = attrs.field(default=None, validator=at_most(SPEAK_LIMIT, "Speak text"))
    ssml: str | None = attrs.field(default=None, validator=at_most(SPEAK_LIMIT, "Speak text"))
    flush: bool = True
    allow_interruption: bool = True
    voice_id: str = ""
    model: str = ""
    provider: str = ""
    speed: float | None = None
    pitch: float | None = None

    def value(self) -> Say:
        """Return the command; with SSML alone, its words are the text."""
        if self.text is None and self.ssml is None:
            raise ValueError("Object missing required field `text`")
        block, notices = understood(self)
        command = Speak(
            self.text if self.text is not None else words_of(self.ssml or ""),
            flush=self.flush,
            allow_interruption=self.allow_interruption,
            voice=self.voice_id or None,
            model=self.model or None,
            speed=None if self.speed is None else pace(self.speed),
            ssml=self.ssml,
            **block.feeling(),
        )
        ignored = () if self.pitch is None else ("pitch",)
        return Say(command, self.provider or None, notices, ignored)


@attrs.frozen
class ClearMessage:
    """``clear``, and ``stop`` and ``interrupt``, which mean the same."""

    def value(self) -> Clear:
        """Return the command."""
        return Clear()


@attrs.frozen
class FlushMessage:
    """``flush``: speak what is queued. Nothing ever waits for it here, so there is nothing to do."""

    def value(self) -> Nothing:
        """Return that there is nothing to do."""
        return Nothing()


@attrs.frozen(kw_only=True)
class AudioMessage:
    """``audio``: a binary frame, for clients that can only send text."""

    audio: bytes = b""
    """Base64 on the wire."""

    def value(self) -> Sound:
        """Return the sound."""
        return Sound(self.audio)


@attrs.frozen(kw_only=True)
class PingMessage:
    """``ping``."""

    timestamp: Timestamp | None = None

    def value(self) -> Ping:
        """Return the question."""
        return Ping(self.timestamp)


@attrs.frozen(kw_only=True)
class AuthMessage:
    """``auth``."""

    token: str = attrs.field(repr=False, validator=at_most(TOKEN_LIMIT, "Auth token"))

    def value(self) -> Authenticate:
        """Return the token, hidden."""
        return Authenticate(Secret(self.token))


@attrs.frozen(kw_only=True)
class SendMessage:
    """``send_message``: for the room's other participants."""

    message: str = attrs.field(validator=at_most(MESSAGE_LIMIT, "Message content"))
    role: str | None = None
    topic: str | None = None

    def value(self) -> Request:
        """Refuse: there is no room."""
        raise InvalidRequest(NO_ROOM, code="livekit_not_configured")


@attrs.frozen(kw_only=True)
class SipTransfer:
    """``sip_transfer``: hand the caller over to another number."""

    transfer_to: str = attrs.field(validator=at_most(NAME_LIMIT, "SIP transfer_to"))
    participant_identity: str | None = None

    def value(self) -> Request:
        """Refuse: a bad number first, then that there is no room."""
        if not re.fullmatch(r"\+?[0-9]+", self.transfer_to.strip()):
            text = "Invalid phone number: expected digits, with or without a leading '+'"
            raise TransferRefused(text, code="invalid_phone_number")
        text = "Room name not available. Ensure LiveKit is configured."
        raise TransferRefused(text, code="livekit_not_configured")


@attrs.frozen(kw_only=True)
class CustomMessage:
    """``custom``: for the handlers of plugins."""

    message_type: str = attrs.field(validator=at_most(NAME_LIMIT, "Stream ID"))
    payload: Any

    def value(self) -> Custom:
        """Return the message, and its payload as JSON."""
        payload = msgspec.json.encode(self.payload)
        check_size(len(payload), MESSAGE_LIMIT, "Message content")
        check_depth(payload, DEEPEST)
        return Custom(self.message_type, payload)
