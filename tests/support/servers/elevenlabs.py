"""A scripted ElevenLabs: the realtime recogniser, speech over HTTP and WebSocket, voices, cloning.

It recognises the words of :mod:`support.stt_vendor`, and says a text as samples that tell which
they are, so that a piece that is lost, cut or repeated shows.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from types import NoneType
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import attrs
import trio
from websockets.protocol import OPEN

from capabilities import SPEECH
from support.servers.http import Exchange, Received, answer_json
from support.servers.loopback import Dribble
from support.servers.websocket import Peer, Refuse
from support.stt_vendor import Ear
from waav.tasks import open_scoped_nursery

KEY = "made-up-key"
SESSION = "ses-0815"
VOICES = ("alice", "bob", "JBFqnCBsd6RMkjVDRZzb")
CLONE = "VoIcEoFmYoWn00000001"
"""The id of every voice that is made."""
UNAUTHORIZED = {"detail": {"status": "invalid_api_key", "message": "Invalid API key"}}
MISSING = {"detail": {"status": "voice_not_found", "message": "A voice was not found"}}
_BYTES_OF_LETTER = 480
GAP = 0.3
"""Seconds of silence that end a segment for the vendor's voice detection."""

Segment: TypeAlias = list[tuple[str, float, float]]


def query_of(target: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(target).query, keep_blank_values=True)


# The recogniser.


def started(**config: Any) -> str:
    return json.dumps({"message_type": "session_started", "session_id": SESSION, "config": config})


def partial(text: str) -> str:
    return json.dumps({"message_type": "partial_transcript", "text": text})


def committed(*words: tuple[str, float, float], timed: bool = True) -> list[str]:
    """What comes for one commit: the text, and the text with the times of its words."""
    text = " ".join(word for word, _, _ in words)
    told = [json.dumps({"message_type": "committed_transcript", "text": text})]
    if timed:
        entries: list[dict[str, Any]] = []
        for word, start, end in words:
            if entries:
                entries.append({"text": " ", "start": start, "end": start, "type": "spacing"})
            entries.append(
                {"text": word, "start": start, "end": end, "type": "word", "logprob": -0.1}
            )
        told.append(
            json.dumps(
                {
                    "message_type": "committed_transcript_with_timestamps",
                    "text": text,
                    "language_code": "en",
                    "words": entries,
                }
            )
        )
    return told


def problem(kind: str, text: str = "so it is") -> str:
    return json.dumps({"message_type": kind, "error": text})


@attrs.frozen
class Scribe:
    """A step: be the recogniser until the client leaves, or until ``words`` were said."""

    words: int | None = None
    """How many words to answer with a final, before the step ends."""

    async def __call__(self, peer: Peer) -> None:
        request = await peer.handshake()
        query = query_of(request.path)
        if request.headers.get("xi-api-key") != KEY and "token" not in query:
            await Refuse(401, body=json.dumps(UNAUTHORIZED).encode())(peer)
            await peer.until_gone()
        await peer.accept()
        await peer.send(started(commit_strategy=query["commit_strategy"][0]))
        await self._listen(peer, query)

    async def _listen(self, peer: Peer, query: dict[str, list[str]]) -> None:
        ear, said, came = Ear(), 0, 0
        segment: Segment = []
        eager = query["commit_strategy"] == ["vad"]
        timed = query.get("include_timestamps") == ["true"]
        while self.words is None or said < self.words:
            chunk = json.loads(await peer.receive())
            data = b64decode(chunk["audio_base_64"])
            came += len(data)
            for answer in ear.hear(data, last=chunk["commit"]):
                match answer.split():
                    case ["interim", text]:
                        await peer.send(
                            partial(" ".join([*(word for word, _, _ in segment), text]))
                        )
                    case ["final", text, start, end, _]:
                        if eager and segment and float(start) - segment[-1][2] >= GAP:
                            await commit(peer, segment, timed=timed)
                        segment.append((text, float(start), float(end)))
                        said += 1
            paused = segment and not any(data) and SPEECH.duration(came) - segment[-1][2] >= GAP
            if chunk["commit"] or (eager and paused):
                await commit(peer, segment, timed=timed)
        if segment:
            await commit(peer, segment, timed=timed)


async def commit(peer: Peer, segment: Segment, *, timed: bool) -> None:
    """Say what a segment is, and begin the next one."""
    told = committed(*segment, timed=timed) if segment else [problem("commit_throttled")]
    for message in told:
        await peer.send(message)
    segment.clear()


# The voice.


def sound_of(text: str, speed: float = 1.0) -> bytes:
    """What a text sounds like: a count of samples, longer for longer texts and lower speeds."""
    samples = int(len(text.strip()) * _BYTES_OF_LETTER / speed) // 2
    return b"".join((number % 30000).to_bytes(2, "little") for number in range(samples))


def pieces_of(sound: bytes, size: int = 1001) -> Iterator[bytes]:
    """Cut it as networks do, that is, also through samples."""
    return (sound[start : start + size] for start in range(0, len(sound), size))


def _speed(settings: dict[str, Any] | None) -> float:
    return float((settings or {}).get("speed") or 1.0)


async def serve_http(exchange: Exchange) -> None:
    """A reply to any request: speech, voices or cloning."""
    request = exchange.request
    path = urlsplit(request.target).path
    if request.headers.get("xi-api-key") != KEY:
        await answer_json(UNAUTHORIZED, 401)(exchange)
    elif path == "/v2/voices":
        await answer_json(voices_page(query_of(request.target)))(exchange)
    elif path == "/v1/voices/add":
        await answer_json(*new_voice(request))(exchange)
    elif path.startswith("/v1/voices/"):
        await answer_json(*one_voice(request.method, path.split("/")[3]))(exchange)
    elif path.split("/")[3] not in VOICES:
        await answer_json(MISSING, 404)(exchange)
    else:
        told = request.json
        await exchange.head(200, [("Content-Type", "audio/pcm"), ("Transfer-Encoding", "chunked")])
        for piece in pieces_of(sound_of(told["text"], _speed(told.get("voice_settings")))):
            await exchange.body(piece)
        await exchange.end()


def voices_page(query: dict[str, list[str]]) -> dict[str, Any]:
    """One voice on each page."""
    number = int(query.get("next_page_token", ["0"])[0])
    more = number + 1 < len(VOICES)
    return {
        "voices": [voice(VOICES[number])],
        "has_more": more,
        "total_count": len(VOICES),
        "next_page_token": str(number + 1) if more else None,
    }


def voice(voice_id: str, **more: Any) -> dict[str, Any]:
    return {
        "voice_id": voice_id,
        "name": voice_id.title(),
        "category": "premade",
        "labels": {"gender": "female", "accent": "american", "language": "en"},
        "preview_url": f"https://example.com/{voice_id}.mp3",
        "verified_languages": [
            {"language": "en", "locale": "en-US", "model_id": "eleven_flash_v2_5"},
            {"language": "de", "locale": "de-DE", "model_id": "eleven_flash_v2_5"},
        ],
        **more,
    }


# Cloning.


@attrs.frozen
class Part:
    """One part of a form."""

    name: str
    data: bytes
    file: str | None = None
    kind: str = "text/plain"

    @property
    def text(self) -> str:
        return self.data.decode()


def parts_of(request: Received) -> list[Part]:
    """The parts of a multipart form, in their order."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + request.body)
    return [
        Part(
            str(part.get_param("name", header="content-disposition")),
            part.get_payload(decode=True),
            part.get_filename(),
            part.get_content_type(),
        )
        for part in form.iter_parts()
    ]


def new_voice(request: Received) -> tuple[dict[str, Any], int]:
    """The answer to a new voice, and its status."""
    parts = parts_of(request)
    names = [part.text for part in parts if part.name == "name"]
    if not any(names) or not any(part.name == "files" and part.data for part in parts):
        wrong = {"loc": ["body", "files"], "msg": "Field required", "type": "missing"}
        return {"detail": [wrong]}, 422
    # The vendor's own client sends the word for labels that it does not have.
    assert all(
        isinstance(json.loads(part.text), dict | NoneType)
        for part in parts
        if part.name == "labels"
    )
    return {"voice_id": CLONE, "requires_verification": False}, 200


def one_voice(method: str, voice_id: str) -> tuple[dict[str, Any], int]:
    """The answer to a question about one voice, or to its removal, and the status."""
    if voice_id not in {*VOICES, CLONE}:
        return MISSING, 400
    if method == "DELETE":
        return {"status": "ok"}, 200
    mine = {"category": "cloned", "created_at_unix": 1_750_000_000, "is_owner": True}
    return voice(voice_id, **(mine if voice_id == CLONE else {})), 200


class OneByOne(Dribble):
    """A stream on which several tasks may send."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        super().__init__(stream)
        self.lock = trio.Lock()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        async with self.lock:
            await self.stream.send_all(data)


@attrs.frozen
class StreamInput:
    """A step: speak over a WebSocket until all is said, then close."""

    halting: bool = False
    """Say no more behind the first piece of sound."""
    last: bool = True
    """Say ``isFinal`` before closing."""

    async def __call__(self, peer: Peer) -> None:
        request = await peer.handshake()
        if request.headers.get("xi-api-key") != KEY:
            await Refuse(401, body=json.dumps(UNAUTHORIZED).encode())(peer)
            await peer.until_gone()
        await peer.accept()
        if urlsplit(request.path).path.split("/")[3] not in VOICES:
            await self._refuse(peer)
        first = json.loads(await peer.receive())
        assert first["text"] == " "
        text = ""
        while (told := json.loads(await peer.receive()))["text"]:
            text += told["text"]
        sound = sound_of(text, _speed(first.get("voice_settings")))
        peer.stream = OneByOne(peer.stream)
        async with open_scoped_nursery("the text is said") as nursery:
            # Who listens notices that the client hangs up in mid-sentence.
            nursery.start_soon(peer.until_gone)
            await self._speak(peer, sound)

    async def _speak(self, peer: Peer, sound: bytes) -> None:
        last = [json.dumps({"isFinal": True})] if self.last else []
        for message in (*map(audio, pieces_of(sound)), *last):
            if peer.protocol.state is not OPEN:
                return
            await peer.send(message)
            if self.halting:
                await peer.gone.wait()
        if peer.protocol.state is OPEN:
            peer.protocol.send_close(1000)
            await peer.flush()

    async def _refuse(self, peer: Peer) -> None:
        told = {"message": "A voice was not found", "error": "voice_not_found", "code": 1008}
        await peer.send(json.dumps(told))
        peer.protocol.send_close(1008, "A voice was not found")
        await peer.flush()
        await peer.until_gone()


def audio(sound: bytes) -> str:
    return json.dumps(
        {
            "audio": b64encode(sound).decode(),
            "alignment": {"chars": ["a"], "charStartTimesMs": [0], "charDurationsMs": [20]},
            "normalizedAlignment": None,
        }
    )
