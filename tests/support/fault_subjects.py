"""Every client that the fault matrix tries, and the scripted vendor that it talks to."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import inf
from typing import Any, TypeAlias

import attrs
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from capabilities import (
    SPEECH,
    STT,
    TTS,
    AudioFrame,
    Plugin,
    Secret,
    SpeechRequest,
    STTOptions,
)
from capabilities.llm import LLM, ChatRequest, Message, Role
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
from providers.google.options import GoogleSettings
from providers.openai import MANIFEST as OPENAI
from providers.openai.options import OpenAISettings
from providers.openai.stt import OpenAISTT
from providers.openai.stt_live import POLICY as LIVE
from support.servers import deepgram, elevenlabs, google, openai
from support.servers.http import Reply, open_http_server
from support.servers.websocket import Step, accept, open_websocket_server
from support.stt_vendor import GAP, spoken
from waav.testing import (
    Fault,
    Matrix,
    Transport,
    check_llm_faults,
    check_stt_faults,
    check_tts_faults,
    open_manifest,
    silence,
)

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


def model(opening: Opening) -> Callable[[str], AbstractAsyncContextManager[LLM]]:
    @asynccontextmanager
    async def open_llm(url: str) -> AsyncIterator[LLM]:
        async with opening(url) as plugin:
            assert plugin.llm is not None
            yield plugin.llm

    return open_llm


@attrs.frozen
class Subject:
    """One client, and the vendor that it talks to."""

    open: Opening
    server: Callable[[], AbstractAsyncContextManager[Any]]
    transport: Transport
    how: STTOptions | SpeechRequest | ChatRequest
    sound: AudioFrame = WORDS

    @property
    def once(self) -> bool:
        """One thing is asked for."""
        return not isinstance(self.how, STTOptions)

    async def try_faults(self, *faults: Fault) -> Matrix:
        more: dict[str, Any] = {"secrets": [KEY], "faults": faults or Fault, "abreast": True}
        async with self.server() as server:
            if isinstance(self.how, SpeechRequest):
                more["request"] = self.how
                return await check_tts_faults(voice(self.open), server.url, self.transport, **more)
            if isinstance(self.how, ChatRequest):
                more["request"] = self.how
                return await check_llm_faults(model(self.open), server.url, self.transport, **more)
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
    "openai-chat": Subject(
        openai_at,
        replying(openai.openai),
        HTTP,
        ChatRequest((Message(Role.USER, "Hello?"),)),
    ),
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
