"""Deepgram on loopback: hears the words of ``spoken()``, and says a tone for each text."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import attrs
import trio
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.protocol import OPEN

from capabilities import Plugin
from support.servers.http import Answer, Exchange, answer_json
from support.servers.websocket import Close, Peer, Refuse
from support.stt_vendor import Ear

OpenPlugin: TypeAlias = Callable[..., AbstractAsyncContextManager[Plugin]]
"""Opens the plugin at an address, ``ws://`` or ``http://``: a fixture."""

KEY = "made-up-key"
REQUEST = "8c8ebea9-dbec-45fa-a035-e4632cb05b5f"
VOICES = ("aura-2-thalia-en", "aura-asteria-en", "flux-alexis-en")
BYTES_A_LETTER = 200
CHUNK = 1001
"""Bytes of sound in one message: no whole number of samples."""

MODELS: Mapping[str, Any] = {
    "stt": [{"name": "nova-3", "canonical_name": "nova-3", "languages": ["en"]}],
    "tts": [
        {
            "name": name.split("-")[-2],
            "canonical_name": name,
            "architecture": name.split("-")[0],
            "languages": ["en", "en-US"],
            "version": "2026-01-01.0",
            "uuid": REQUEST,
            "metadata": {
                "accent": "American",
                "age": "Adult",
                "color": "#6E5ACF",
                "image": "https://static.example/thalia.jpg",
                "sample": "https://static.example/thalia.wav",
                "tags": ["feminine", "clear"],
                "use_cases": ["IVR"],
            },
        }
        for name in reversed(VOICES)
    ],
}


def query_of(path: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(path).query, keep_blank_values=True, strict_parsing=True)


def word(
    text: str, start: float, end: float, speaker: int | None = None, **more: Any
) -> dict[str, Any]:
    named = {} if speaker is None else {"speaker": speaker}
    return {"word": text, "start": start, "end": end, "confidence": 0.99, **named, **more}


def results(
    text: str,
    start: float = 0.0,
    duration: float = 0.0,
    *words: Mapping[str, Any],
    **more: Any,
) -> str:
    """A message of Nova's."""
    best = {"transcript": text, "confidence": 0.98, "words": list(words)}
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "start": start,
            "duration": duration,
            "is_final": False,
            "speech_final": False,
            "from_finalize": False,
            "channel": {"alternatives": [best]},
            "metadata": {
                "request_id": REQUEST,
                "model_info": {"name": "general-nova-3", "version": "2026", "arch": "nova-3"},
                "model_uuid": REQUEST,
            },
            **more,
        }
    )


METADATA = json.dumps(
    {
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": REQUEST,
        "sha256": "00",
        "created": "2026-07-01T00:00:00.000Z",
        "duration": 1.0,
        "channels": 1,
    }
)
CONNECTED = json.dumps({"type": "Connected", "request_id": REQUEST, "sequence_id": 0})


def turn_info(event: str, text: str, end: float, *words: Mapping[str, Any], **more: Any) -> str:
    """A message of Flux's."""
    return json.dumps(
        {
            "type": "TurnInfo",
            "request_id": REQUEST,
            "sequence_id": 1,
            "event": event,
            "turn_index": 0,
            "audio_window_start": 0.0,
            "audio_window_end": end,
            "transcript": text,
            "words": list(words),
            "end_of_turn_confidence": 0.8,
            **more,
        }
    )


async def _send(peer: Peer, message: str | bytes) -> None:
    """Send it, unless the client has said goodbye meanwhile."""
    if peer.protocol.state is OPEN:
        await peer.send(message)


async def admit(peer: Peer, *models: str) -> bool:
    """Take the client in if its key and its model are known."""
    await peer.handshake()
    (model,) = query_of(peer.path)["model"]
    if peer.headers.get("Authorization") != f"Token {KEY}":
        await Refuse(401, {"dg-error": "Invalid credentials."})(peer)
    elif not model.startswith(models):
        await Refuse(400, body=b'{"err_code":"Bad Request","err_msg":"No such model."}')(peer)
    else:
        await peer.accept()
        return True
    return False


@attrs.frozen
class Nova:
    """``/v1/listen``."""

    drop_after: int | None = None
    """Bytes of sound after which the connection breaks."""

    async def __call__(self, peer: Peer) -> None:
        if not await admit(peer, "nova", "base"):
            return
        ear, heard = Ear(), 0
        while True:
            message = await peer.receive()
            match message:
                case bytes():
                    heard += len(message)
                    await self._say(peer, ear.hear(message))
                case '{"type":"Finalize"}' | '{"type": "Finalize"}':
                    await self._say(peer, ear.hear(b"", last=True))
                case '{"type":"CloseStream"}' | '{"type": "CloseStream"}':
                    await self._say(peer, ear.hear(b"", last=True))
                    await _send(peer, METADATA)
                    await Close()(peer)
                    return
                case _:
                    pass
            if self.drop_after is not None and heard >= self.drop_after:
                await peer.stream.aclose()
                return

    async def _say(self, peer: Peer, answers: list[str]) -> None:
        for answer in answers:
            match answer.split():
                case ["interim", text]:
                    await _send(peer, results(text))
                case ["final", text, start, end, until]:
                    begin, duration = float(start), float(until) - float(start)
                    told = word(text, begin, float(end))
                    await _send(peer, results(text, begin, duration, told, is_final=True))
                case _:
                    raise AssertionError(answer)


async def flux(peer: Peer) -> None:
    """``/v2/listen``: each word is a turn, but for the last, whose end is not heard."""
    if not await admit(peer, "flux-general"):
        return
    await _send(peer, CONNECTED)
    ear = Ear()
    while (message := await peer.receive()) not in (
        '{"type":"CloseStream"}',
        '{"type": "CloseStream"}',
    ):
        await _turns(peer, ear.hear(message) if isinstance(message, bytes) else [], "EndOfTurn")
    await _turns(peer, ear.hear(b"", last=True), "Update")
    await Close(None)(peer)


async def _turns(peer: Peer, answers: list[str], event: str) -> None:
    for answer in answers:
        match answer.split():
            case ["interim", text]:
                await _send(peer, turn_info("Update", text, 0.0))
            case ["final", text, start, end, until]:
                told = word(text, float(start), float(end))
                trigger = {"trigger": "model"} if event == "EndOfTurn" else {}
                await _send(peer, turn_info(event, text, float(until), told, **trigger))
            case _:
                raise AssertionError(answer)


def sound_of(text: str, query: Mapping[str, list[str]]) -> bytes:
    """Return sound as long as the text."""
    speed = float(query.get("speed", ["1"])[0])
    whole = int(len(text) * BYTES_A_LETTER / speed) // 2 * 2
    return bytes(index % 251 for index in range(whole))


@attrs.frozen
class Speak:
    """``/v1/speak`` and ``/v2/speak``, by WebSocket."""

    hold: trio.Event | None = None
    """What is waited for between the first sound and the rest."""
    interrupted: bool = False
    """No more than the first sound comes before the client says something."""

    async def __call__(self, peer: Peer) -> None:
        if not await admit(peer, *VOICES):
            return
        v2, text = "/v2/" in peer.path, ""
        first = "Connected" if v2 else "Metadata"
        uuids = {"model_uuids": [REQUEST]} if v2 else {"model_uuid": REQUEST}
        about = {"request_id": REQUEST, "model_name": "a", "model_version": "1", **uuids}
        await _send(peer, json.dumps({"type": first, **about}))
        while True:
            match json.loads(await peer.receive()):
                case {"type": "Speak", "text": str(more)}:
                    text += more
                case {"type": "Flush"}:
                    await self._say(peer, text, v2=v2)
                    text = ""
                case {"type": "Clear"}:
                    await _send(peer, json.dumps({"type": "Cleared", "sequence_id": 0}))
                case {"type": "Close"}:
                    await Close()(peer)
                    return
                case _:
                    pass

    async def _say(self, peer: Peer, text: str, *, v2: bool) -> None:
        speech = {"speech_id": "dg_sp_0123456789ab"}
        if v2:
            await _send(peer, json.dumps({"type": "SpeechStarted", **speech}))
        sound = sound_of(text, query_of(peer.path))
        for offset in range(0, len(sound), CHUNK):
            await _send(peer, sound[offset : offset + CHUNK])
            if self.hold is not None:
                await self.hold.wait()
            if self.interrupted:
                await peer.receive()
                return
        end = {"type": "Flushed", **speech} if v2 else {"type": "Flushed", "sequence_id": 0}
        await _send(peer, json.dumps(end))
        if v2:
            counts = {"pronunciations_applied": 0, "breaks_applied": 0, "pronunciation_warnings": 0}
            told = {
                "audio_duration_ms": 1,
                "input_character_count": len(text),
                "billable_character_count": len(text),
                "controls_applied": counts,
            }
            await _send(peer, json.dumps({"type": "SpeechMetadata", **speech, **told}))


async def vendor(peer: Peer) -> None:
    """All of it, by what is asked for."""
    match urlsplit((await peer.handshake()).path).path:
        case "/v1/listen":
            await Nova()(peer)
        case "/v2/listen":
            await flux(peer)
        case "/v1/models":
            body = json.dumps(MODELS).encode()
            headers = Headers({"Content-Length": str(len(body)), "Connection": "close"})
            await peer.respond(Response(200, "OK", headers, body))
        case _:
            await Speak()(peer)


async def rest(exchange: Exchange) -> None:
    """The REST side."""
    request = exchange.request
    path, query = (
        urlsplit(request.target).path,
        query_of(request.target) if "?" in request.target else {},
    )
    if request.headers.get("authorization") != f"Token {KEY}":
        told = {
            "err_code": "INVALID_AUTH",
            "err_msg": "Invalid credentials.",
            "request_id": REQUEST,
        }
        await answer_json(told, 401)(exchange)
    elif path == "/v1/models":
        await answer_json(MODELS)(exchange)
    elif query["model"][0] not in VOICES:
        await answer_json({"err_code": "Bad Request", "err_msg": "No such model."}, 400)(exchange)
    else:
        sound = sound_of(request.json["text"], query)
        chunks = tuple(sound[at : at + CHUNK] for at in range(0, len(sound), CHUNK))
        await Answer(200, chunks, {"Content-Type": "audio/l16"})(exchange)
