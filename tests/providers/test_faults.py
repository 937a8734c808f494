"""Every speech client in every fault of its vendor, in every state, through a relay on real sockets."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import inf
from typing import Any, TypeAlias

import attrs
import h11
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from support.servers import deepgram, elevenlabs, google, loopback, openai
from support.servers.http import Reply, open_http_server
from support.servers.websocket import Step, accept, open_websocket_server
from support.stt_vendor import GAP, spoken

from capabilities import (
    SPEECH,
    STT,
    TTS,
    AudioFrame,
    Plugin,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    SpeechRequest,
    STTOptions,
)
from providers._common.policy import Policy
from providers._common.settings import VendorSettings
from providers.deepgram import MANIFEST as DEEPGRAM
from providers.deepgram.options import DeepgramTTSOptions
from providers.deepgram.stt import FLUX, NOVA, DeepgramSTT
from providers.elevenlabs import MANIFEST as ELEVENLABS
from providers.elevenlabs.options import ElevenLabsTTSOptions
from providers.elevenlabs.settings import ElevenLabsSettings
from providers.elevenlabs.stt import POLICY as SCRIBE
from providers.elevenlabs.stt import ElevenLabsSTT
from providers.google import MANIFEST as GOOGLE
from providers.google import stt as google_stt
from providers.google.options import GoogleSettings
from providers.openai import MANIFEST as OPENAI
from providers.openai.options import OpenAISettings
from providers.openai.stt import OpenAISTT
from providers.openai.stt_live import POLICY as LIVE
from waav.testing import (
    Cell,
    Fault,
    Matrix,
    Outcome,
    State,
    Transport,
    check_stt_faults,
    check_tts_faults,
    open_manifest,
    silence,
)
from waav.testing.faults import why_not
from waav.testing.relay_wire import RETRY_AFTER

KEY = "made-up-key"
PATIENCE = 1.0
"""Seconds that any client here waits for anything."""
SETTINGS = {"connect_timeout": PATIENCE, "read_timeout": PATIENCE}
ACCOUNT = {
    "type": "service_account",
    "project_id": "acme-project",
    "private_key_id": "key-1",
    "private_key": rsa.generate_private_key(65537, 2048)
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode(),
    "client_email": "robot@acme-project.iam.gserviceaccount.com",
    "token_uri": "http://127.0.0.1:1/somewhere-else",
}


def hasty(policy: Policy) -> Policy:
    """The vendor's own policy, for tests that shall not wait for it."""
    return attrs.evolve(
        policy,
        open_timeout=PATIENCE,
        progress=PATIENCE,
        send_timeout=PATIENCE,
        finish_timeout=PATIENCE,
        close_timeout=PATIENCE,
        backoff=attrs.evolve(policy.backoff, first=0.02),
    )


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may sit behind a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(autouse=True)
def clients_may_leave_in_mid_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those do that are cancelled, or cut off, while they send; no server fails for that."""
    monkeypatch.setattr(loopback, "GONE", (*loopback.GONE, h11.RemoteProtocolError))


# The vendors, each with its client.


Opening: TypeAlias = Callable[[str], AbstractAsyncContextManager[Plugin]]
"""Opens a plugin whose vendor is at an address."""


def deepgram_at(url: str) -> AbstractAsyncContextManager[Plugin]:
    settings = VendorSettings(base_url=url, **SETTINGS)
    return open_manifest(DEEPGRAM, settings, credentials={"deepgram_api_key": Secret(KEY)})


def elevenlabs_at(url: str) -> AbstractAsyncContextManager[Plugin]:
    settings = ElevenLabsSettings(base_url=url, **SETTINGS)
    return open_manifest(ELEVENLABS, settings, credentials={"elevenlabs_api_key": Secret(KEY)})


def openai_at(url: str) -> AbstractAsyncContextManager[Plugin]:
    settings = OpenAISettings(base_url=f"{url}/v1", **SETTINGS)
    return open_manifest(OPENAI, settings, credentials={"openai_api_key": Secret(KEY)})


@asynccontextmanager
async def google_at(url: str) -> AsyncIterator[Plugin]:
    """Only what is asked for goes through the relay; tokens are made beside it."""
    async with open_http_server(google.rest_reply()) as tokens:
        settings = GoogleSettings(
            base_url=url,
            tts_base_url=url,
            rest_base_url=url,
            token_url=f"{tokens.url}/token",
            **SETTINGS,
        )
        keys = {"google_credentials": Secret(json.dumps(ACCOUNT))}
        async with open_manifest(GOOGLE, settings, credentials=keys) as plugin:
            yield plugin


def hasty_stt(stt: Any) -> STT:
    match stt:
        case DeepgramSTT():
            nova = attrs.evolve(NOVA, policy=hasty(NOVA.policy))
            flux = attrs.evolve(FLUX, policy=hasty(FLUX.policy))
            return attrs.evolve(stt, nova=nova, flux=flux)
        case ElevenLabsSTT():
            return attrs.evolve(stt, policy=attrs.evolve(hasty(SCRIBE), pace=inf))
        case OpenAISTT():
            return attrs.evolve(stt, policy=hasty(LIVE))
        case _:
            return stt


def recogniser(opening: Opening) -> Callable[[str], AbstractAsyncContextManager[STT]]:
    @asynccontextmanager
    async def open_stt(url: str) -> AsyncIterator[STT]:
        async with opening(url) as plugin:
            yield hasty_stt(plugin.stt)

    return open_stt


def voice(opening: Opening) -> Callable[[str], AbstractAsyncContextManager[TTS]]:
    @asynccontextmanager
    async def open_tts(url: str) -> AsyncIterator[TTS]:
        async with opening(url) as plugin:
            assert plugin.tts is not None
            yield plugin.tts

    return open_tts


# They break off with the last word, which therefore is not over before all is.
WORDS = AudioFrame(spoken(6)[: -SPEECH.size(GAP)])
UPLOADS = AudioFrame(
    openai.spoken(3, audio=SPEECH).data
    + silence(1.1).data
    + openai.spoken(3, 3, audio=SPEECH, gap=0.0).data
)
TURNS = openai.spoken(6, gap=0.2)
EN = STTOptions(model="flux-general-en")
LIVE_OPTIONS = STTOptions(format=openai.LIVE, model="gpt-live-transcribe")
GOOGLE_OPTIONS = STTOptions(word_timestamps=True)
TEXT = "Grüße, world. How are you?"


@attrs.frozen
class Subject:
    """One client, and the vendor that it talks to."""

    open: Opening
    server: Callable[[], AbstractAsyncContextManager[Any]]
    transport: Transport
    how: STTOptions | SpeechRequest
    sound: AudioFrame = WORDS

    async def try_faults(self, *faults: Fault) -> Matrix:
        more: dict[str, Any] = {"secrets": [KEY], "faults": faults or Fault, "abreast": True}
        async with self.server() as server:
            if isinstance(self.how, SpeechRequest):
                more["request"] = self.how
                return await check_tts_faults(voice(self.open), server.url, self.transport, **more)
            more |= {"options": self.how, "sound": self.sound}
            return await check_stt_faults(recogniser(self.open), server.url, self.transport, **more)


def scripted(*script: Step) -> Callable[[], AbstractAsyncContextManager[Any]]:
    return lambda: open_websocket_server(script)


def replying(reply: Reply) -> Callable[[], AbstractAsyncContextManager[Any]]:
    return lambda: open_http_server(reply)


WEBSOCKET, HTTP, HTTP2 = Transport
SUBJECTS: Mapping[str, Subject] = {
    "deepgram-nova": Subject(deepgram_at, scripted(deepgram.vendor), WEBSOCKET, STTOptions()),
    "deepgram-flux": Subject(deepgram_at, scripted(deepgram.vendor), WEBSOCKET, EN),
    "deepgram-speak": Subject(
        deepgram_at, scripted(deepgram.vendor), WEBSOCKET, SpeechRequest(TEXT)
    ),
    "deepgram-rest": Subject(
        deepgram_at,
        replying(deepgram.rest),
        HTTP,
        SpeechRequest(TEXT, options=DeepgramTTSOptions(transport="rest")),
    ),
    "elevenlabs-scribe": Subject(
        elevenlabs_at, scripted(elevenlabs.Scribe()), WEBSOCKET, STTOptions()
    ),
    "elevenlabs-http": Subject(
        elevenlabs_at, replying(elevenlabs.serve_http), HTTP, SpeechRequest(TEXT, voice="alice")
    ),
    "elevenlabs-socket": Subject(
        elevenlabs_at,
        scripted(elevenlabs.StreamInput()),
        WEBSOCKET,
        SpeechRequest(TEXT, voice="alice", options=ElevenLabsTTSOptions(transport="websocket")),
    ),
    "openai-file": Subject(openai_at, replying(openai.openai), HTTP, STTOptions(), UPLOADS),
    "openai-live": Subject(
        openai_at, scripted(accept, openai.converse), WEBSOCKET, LIVE_OPTIONS, TURNS
    ),
    "openai-speech": Subject(openai_at, replying(openai.openai), HTTP, SpeechRequest(TEXT)),
    "google-speech": Subject(google_at, google.open_google_server, HTTP2, GOOGLE_OPTIONS),
    "google-streamed": Subject(
        google_at, lambda: google.open_google_server(google.synthesise), HTTP2, SpeechRequest(TEXT)
    ),
    "google-whole": Subject(
        google_at,
        replying(google.rest_reply()),
        HTTP,
        SpeechRequest(TEXT, voice="de-DE-Standard-A"),
    ),
}


# What is expected. A row says it for the state of connecting and for the three that follow; while it
# closes nobody listens to an error. ``None`` is: nothing is told, and all is said.

Ways: TypeAlias = frozenset[type[ProviderError] | None]
Expected: TypeAlias = Mapping[Fault, tuple[Ways, Ways]]


def ways(*kinds: type[ProviderError] | None) -> Ways:
    return frozenset(kinds)


FINE = ways(None)
LOST = ways(ProviderUnavailable)
GONE = ways(ProviderClosed)
BUSY = ways(ProviderBusy)
REFUSED = ways(ProviderRefused)
ILLEGIBLE = ways(ProviderProtocolError)
AS_ASKED = FINE | LOST
"""A client that has to be told that it may speak has not been; others find a new connection."""

ASKING: Expected = {
    Fault.REFUSED: (LOST, FINE),
    Fault.RESET: (LOST, FINE),
    Fault.END: (LOST, FINE),
    Fault.HTTP_401: (REFUSED, REFUSED),
    Fault.HTTP_402: (REFUSED, REFUSED),
    Fault.HTTP_429: (BUSY, FINE),
    Fault.HTTP_500: (LOST, FINE),
    Fault.HTTP_503: (LOST, FINE),
    Fault.TLS: (LOST, FINE),
    Fault.RUBBISH: (ILLEGIBLE, FINE),
    Fault.DRIBBLE: (FINE, FINE),
}
"""Streams of recognition live on when a connection is gone."""
LISTENING: Expected = {
    **ASKING,
    Fault.CLOSE_1000: (AS_ASKED, FINE),
    Fault.CLOSE_1008: (REFUSED, REFUSED),
    Fault.CLOSE_1011: (AS_ASKED, FINE),
    Fault.CLOSE_1013: (FINE | BUSY, FINE),
    # Who is silent to the end is not asked again: the speaker waits for an answer.
    Fault.SILENCE: (LOST, GONE | FINE),
    Fault.SWALLOWED: (LOST | GONE, GONE | FINE),
    Fault.DOUBLED: (FINE, FINE),
    Fault.SWAPPED: (FINE, FINE),
    # Where five at once read ten megabytes, it may take longer than they are patient here.
    Fault.HUGE: (FINE | ILLEGIBLE | LOST, FINE),
}
FLUX_EXPECTED: Expected = {
    **LISTENING,
    # Its vendor hangs up without a goodbye when all is said, and then nobody asks anew.
    Fault.HTTP_401: (REFUSED, REFUSED | FINE),
    Fault.HTTP_402: (REFUSED, REFUSED | FINE),
}
UPLOADING: Expected = {
    # Nothing is asked before there is an utterance, and what may pass is asked twice more.
    **{fault: (later, later) for fault, (_, later) in ASKING.items()},
    Fault.TLS: (GONE, GONE),
    Fault.SILENCE: (FINE, FINE),
    Fault.RUBBISH: (ILLEGIBLE, ILLEGIBLE),
    Fault.HUGE: (ILLEGIBLE, ILLEGIBLE),
}
CALLING: Expected = {
    **ASKING,
    # Until there is a token the refusal may be over.
    Fault.REFUSED: (LOST | FINE, FINE),
    Fault.SILENCE: (LOST, GONE | FINE),
}
DOWNLOADING: Expected = {
    **{fault: (first, first) for fault, (first, _) in ASKING.items()},
    Fault.RESET: (LOST, GONE),
    Fault.END: (LOST, GONE),
    Fault.SILENCE: (LOST, LOST),
    # A long sound.
    Fault.HUGE: (FINE | ILLEGIBLE, FINE),
}
SPEAKING: Expected = {
    **DOWNLOADING,
    Fault.CLOSE_1000: (GONE, GONE),
    Fault.CLOSE_1008: (REFUSED, REFUSED),
    Fault.CLOSE_1011: (GONE, GONE),
    Fault.CLOSE_1013: (BUSY, BUSY),
    Fault.RUBBISH: (ILLEGIBLE, ILLEGIBLE),
    Fault.SWALLOWED: (LOST, LOST),
    Fault.DOUBLED: (FINE, FINE),
    Fault.SWAPPED: (FINE, FINE),
    # Behind the last message nobody reads any more.
    Fault.HUGE: (ILLEGIBLE, ILLEGIBLE | FINE),
}
SOCKET: Expected = {
    **SPEAKING,
    # Its vendor has no other word for the end that can be relied on, but a voice makes a sound.
    Fault.CLOSE_1000: (GONE, GONE | FINE),
}
STREAMED: Expected = {
    **DOWNLOADING,
    # Its head is that of the connection, and the call may still be unanswered then.
    Fault.RESET: (LOST, LOST | GONE),
    Fault.END: (LOST, LOST | GONE),
    # In the middle of a frame it is what the frame holds.
    Fault.RUBBISH: (ILLEGIBLE, ILLEGIBLE | GONE),
}
EXPECTED: Mapping[str, Expected] = {
    "deepgram-nova": LISTENING,
    "deepgram-flux": FLUX_EXPECTED,
    "deepgram-speak": SPEAKING,
    "deepgram-rest": DOWNLOADING,
    "elevenlabs-scribe": LISTENING,
    "elevenlabs-http": DOWNLOADING,
    "elevenlabs-socket": SOCKET,
    "openai-file": UPLOADING,
    "openai-live": LISTENING,
    "openai-speech": DOWNLOADING,
    "google-speech": CALLING,
    "google-streamed": STREAMED,
    "google-whole": DOWNLOADING,
}


LEAVING = frozenset(f"{fault}/{State.CLOSING}" for fault in Fault)
UNMET: Mapping[str, AbstractSet[str]] = {
    # Who leaves before there is an utterance has asked for nothing.
    "openai-file": LEAVING,
    # By then all may have come, or what the relay strikes is gone.
    "google-streamed": LEAVING,
    "google-whole": LEAVING,
}
"""Faults that may come too late to be met."""


@pytest.fixture
def hasty_google(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its recogniser does not take a policy from outside.
    monkeypatch.setattr(google_stt, "POLICY", hasty(google_stt.POLICY))


@pytest.mark.parametrize("name", sorted(SUBJECTS))
async def test_every_fault_in_every_state_is_survived_or_told_once(
    name: str, hasty_google: None
) -> None:
    matrix = await SUBJECTS[name].try_faults()
    matrix.check()
    assert len(matrix.cells) == len(Fault) * len(State)
    unmet = {cell.name for cell in matrix.of(Outcome.NOT_APPLICABLE) if is_there(name, cell)}
    assert unmet <= UNMET.get(name, set())
    unexpected = {
        cell.name: repr(cell.error) for cell in matrix.cells if not fits(cell, EXPECTED[name])
    }
    assert unexpected == {}


def is_there(name: str, cell: Cell) -> bool:
    """Whether the relay could do it to this client, so that it must have met it."""
    subject = SUBJECTS[name]
    voice = isinstance(subject.how, SpeechRequest)
    return not why_not(subject.transport, cell.fault, cell.state, voice=voice)


def fits(cell: Cell, expected: Expected) -> bool:
    """Whether a cell went as its row says."""
    if cell.outcome is Outcome.NOT_APPLICABLE:
        return True
    if cell.state is State.CLOSING:
        return cell.error is None
    connecting, later = expected[cell.fault]
    kinds = connecting if cell.state is State.CONNECTING else later
    return (None if cell.error is None else type(cell.error)) in kinds


@pytest.mark.parametrize("name", sorted(SUBJECTS))
async def test_who_is_too_busy_says_when_to_come_again(name: str) -> None:
    """In the answer to a request that is not made again by itself."""
    if SUBJECTS[name].transport is HTTP2 or name == "openai-file":
        pytest.skip("the relay does not look into HTTP/2, and a file is sent again")
    error = (
        (await SUBJECTS[name].try_faults(Fault.HTTP_429))
        .cell(Fault.HTTP_429, State.CONNECTING)
        .error
    )
    assert isinstance(error, ProviderBusy)
    assert error.retry_after == RETRY_AFTER
    assert error.status == 429
