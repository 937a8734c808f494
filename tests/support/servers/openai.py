"""OpenAI as tests need it: it really hears what was uploaded or appended, and can fail anywhere.

A word is 0.2 s of samples of one value, which is its number, and 0.2 s of nothing follow. So a word
that is lost, cut in two or sent twice shows in the transcripts.
"""

import io
import json
import wave
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from email.parser import BytesParser
from email.policy import HTTP as HTTP_POLICY
from itertools import groupby
from typing import Any

import attrs
import trio
from websockets.protocol import OPEN

from capabilities import AudioFormat, AudioFrame, Encoding
from providers.openai.api import API
from support.servers.http import Exchange, Received, Reply, answer_json
from support.servers.websocket import Peer, Step

OpenAPI = Callable[..., AbstractAsyncContextManager[API]]
"""Opens the account at a scripted server: ``open_api(server.url, key=..., **settings)``."""

LIVE = AudioFormat(Encoding.LINEAR16, 24000)
PCM = {"Content-Type": "audio/pcm"}
_LOUDEST = 8000
_WORD = 0.2
_VOICES = {"alloy", "marin", "verse", "coral"}


def spoken(words: int, first: int = 0, audio: AudioFormat = LIVE, gap: float = _WORD) -> AudioFrame:
    """Return the sound of some words."""
    sound = b"".join(
        (_LOUDEST - number).to_bytes(2, "little") * (audio.size(_WORD) // 2)
        + bytes(audio.size(gap))
        for number in range(first, first + words)
    )
    return AudioFrame(sound, audio)


def heard(pcm: bytes, rate: int) -> list[tuple[str, float, float]]:
    """Return the words in some sound, each with begin and end."""
    found, at, whole = [], 0, int(_WORD * rate)
    for value, run in groupby(memoryview(pcm[: len(pcm) & ~1]).cast("h").tolist()):
        size = len(list(run))
        if value:
            text = str(_LOUDEST - value) + ("" if size == whole else "-cut")
            found.append((text, at / rate, (at + size) / rate))
        at += size
    return found


# By files, and speech, and chat.


@attrs.frozen
class Part:
    """One part of a form."""

    name: str
    filename: str | None
    kind: str
    body: bytes


def parts_of(request: Received) -> list[Part]:
    """Read a multipart form."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP_POLICY).parsebytes(head + request.body)
    return [
        Part(
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get_content_type(),
            bytes(part.get_payload(decode=True) or b""),
        )
        for part in message.iter_parts()
    ]


def fields_of(request: Received) -> dict[str, list[str]]:
    """Return the form's fields, without the file."""
    fields: dict[str, list[str]] = {}
    for part in parts_of(request):
        if part.filename is None:
            fields.setdefault(part.name, []).append(part.body.decode())
    return fields


def file_of(request: Received) -> Part:
    """Return the file of a form."""
    (file,) = [part for part in parts_of(request) if part.filename is not None]
    return file


def wav_of(request: Received) -> tuple[wave.Wave_read, bytes]:
    """Read the uploaded file as a WAV file, strictly."""
    with wave.open(io.BytesIO(file_of(request).body), "rb") as file:
        return file, file.readframes(file.getnframes())


async def transcribe(exchange: Exchange) -> None:
    """Recognise the words of an uploaded WAV file."""
    fields = fields_of(exchange.request)
    file, pcm = wav_of(exchange.request)
    words = heard(pcm, file.getframerate())
    text = " ".join(word for word, _, _ in words)
    answer: dict[str, Any] = {"text": text}
    if fields.get("response_format") == ["verbose_json"]:
        times = [{"word": word, "start": start, "end": end} for word, start, end in words]
        answer |= {"task": "transcribe", "language": "english", "duration": 1.0, "words": times}
    elif fields.get("response_format") == ["diarized_json"]:
        answer |= {"task": "transcribe", "duration": 1.0, "segments": [segment(text)]}
    if "stream" in fields:
        done = {"type": "transcript.text.done", "text": text, "usage": _USAGE}
        deltas = [{"type": "transcript.text.delta", "delta": f"{word} "} for word, _, _ in words]
        await sse(*deltas, done)(exchange)
        return
    await answer_json(answer)(exchange)


def segment(text: str, speaker: str = "A") -> dict[str, Any]:
    """Part of what a diarizing model says."""
    return {
        "type": "transcript.text.segment",
        "id": "seg_1",
        "text": text,
        "speaker": speaker,
        "start": 0.0,
        "end": 0.5,
    }


_USAGE = {"type": "tokens", "input_tokens": 1, "output_tokens": 1, "total_tokens": 2}


async def speak(exchange: Exchange) -> None:
    """Say a text: 10 ms for each character, at speed 1.0, in chunks that tear samples."""
    body = exchange.request.json
    voice = body["voice"]
    if isinstance(voice, str) and voice not in _VOICES:
        await refuse(400, "Invalid value: 'voice'", code="invalid_value")(exchange)
        return
    size = int(LIVE.size(0.01) * len(body["input"]) / body.get("speed", 1.0)) & ~1
    await exchange.head(200, [("Transfer-Encoding", "chunked"), *PCM.items()])
    for offset in range(0, size, 4001):
        await exchange.body(b"\x01\x02" * (min(4001, size - offset) // 2 + 1))
        await trio.lowlevel.checkpoint()
    await exchange.end()


def sse(*events: Mapping[str, Any], done: bool = False) -> Reply:
    """Answer with events; ``done`` puts the end of a chat completion behind them."""
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    lines += ["data: [DONE]\n\n"] if done else []

    async def reply(exchange: Exchange) -> None:
        head = [("Transfer-Encoding", "chunked"), ("Content-Type", "text/event-stream")]
        await exchange.head(200, head)
        for line in lines:
            await exchange.body(line.encode())
        await exchange.end()

    return reply


def chunk(*choices: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """One event of a chat completion."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-6-luna"}
    return {**head, "choices": list(choices), **more}


def choice(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """What one event adds to an answer."""
    return {"index": 0, "delta": delta, "finish_reason": finish}


CHAT = (
    chunk(choice(role="assistant", content="")),
    chunk(choice(content="Hello")),
    chunk(choice(content=", world.")),
    chunk(choice("stop")),
    # No choices: whoever looks at the first one blindly falls over.
    chunk(
        usage={
            "prompt_tokens": 9,
            "completion_tokens": 4,
            "total_tokens": 13,
            "prompt_tokens_details": {"cached_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 1},
        }
    ),
)


def refuse(status: int, message: str, *, code: str | None = None, **headers: str) -> Reply:
    """Answer with an error as OpenAI does."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return answer_json({"error": error}, status, **headers)


async def openai(exchange: Exchange) -> None:
    """Answer whatever is asked."""
    path = exchange.request.target.partition("?")[0]
    replies: dict[str, Reply] = {
        "/v1/audio/transcriptions": transcribe,
        "/v1/audio/speech": speak,
        "/v1/chat/completions": sse(*CHAT, done=True),
    }
    await replies.get(path, refuse(404, "Invalid URL"))(exchange)


# By sessions.


async def converse(peer: Peer) -> None:
    """Hold a session of its own on each connection."""
    await Session()(peer)


@attrs.define(eq=False)
class Session:
    """A realtime transcription session on one connection, as a step of a script."""

    silence: float = 0.5
    """Seconds of nothing that end a turn, if the session wants voice detection."""
    end_after: int | None = None
    """Messages after which the next step comes."""
    answer: Callable[["Session", Peer, str, str], Any] | None = None
    """Told (item, text) instead of the usual transcription."""
    vad: bool = False
    items: int = 0
    buffer: bytearray = attrs.Factory(bytearray)
    passed: int = 0
    """Bytes of sound before the buffer."""

    async def __call__(self, peer: Peer) -> None:
        await say(peer, "session.created", session={"type": "transcription"})
        count = 0
        while self.end_after is None or count < self.end_after:
            event = json.loads(await peer.receive())
            await self.take(peer, event)
            count += 1

    async def take(self, peer: Peer, event: dict[str, Any]) -> None:
        match event:
            case {"type": "session.update", "session": {"type": "transcription"} as session}:
                self.vad = session["audio"]["input"]["turn_detection"] is not None
                await say(peer, "session.updated", session=session)
            case {"type": "input_audio_buffer.append", "audio": str(audio)}:
                self.buffer += b64decode(audio, validate=True)
                if self.vad:
                    await self.detect(peer)
            case {"type": "input_audio_buffer.clear"}:
                self.take_buffer()
                await say(peer, "input_audio_buffer.cleared")
            case {"type": "input_audio_buffer.commit"}:
                await self.commit(peer, event.get("event_id"))
            case _:
                await error(peer, "Unknown event", code="unknown_event")

    async def detect(self, peer: Peer) -> None:
        quiet = LIVE.size(self.silence)
        if any(self.buffer) and len(self.buffer) > quiet and not any(self.buffer[-quiet:]):
            item = self.next_item()
            begin = LIVE.duration(self.passed)
            end = LIVE.duration(self.passed + len(self.buffer))
            at = {"audio_start_ms": round(1000 * begin), "item_id": item}
            await say(peer, "input_audio_buffer.speech_started", **at)
            at = {"audio_end_ms": round(1000 * end), "item_id": item}
            await say(peer, "input_audio_buffer.speech_stopped", **at)
            await self.transcribe(peer, item)

    async def commit(self, peer: Peer, name: str | None) -> None:
        if len(self.buffer) < LIVE.size(0.1):
            code = "input_audio_buffer_commit_empty"
            await error(peer, "buffer too small", code=code, event_id=name)
            return
        await self.transcribe(peer, self.next_item())

    async def transcribe(self, peer: Peer, item: str) -> None:
        previous = f"item_{self.items - 1}" if self.items > 1 else None
        text = " ".join(word for word, _, _ in heard(self.take_buffer(), LIVE.sample_rate))
        await say(peer, "input_audio_buffer.committed", item_id=item, previous_item_id=previous)
        if self.answer is not None:
            await self.answer(self, peer, item, text)
            return
        await delta(peer, item, text)
        await completed(peer, item, text)

    def next_item(self) -> str:
        self.items += 1
        return f"item_{self.items}"

    def take_buffer(self) -> bytes:
        data = bytes(self.buffer)
        self.passed += len(data)
        self.buffer.clear()
        return data


_TRANSCRIPTION = "conversation.item.input_audio_transcription"


async def delta(peer: Peer, item: str, text: str) -> None:
    await say(peer, f"{_TRANSCRIPTION}.delta", item_id=item, content_index=0, delta=text)


async def completed(peer: Peer, item: str, text: str) -> None:
    told = {"item_id": item, "content_index": 0, "transcript": text}
    await say(peer, f"{_TRANSCRIPTION}.completed", **told, usage=_USAGE)


async def say(peer: Peer, kind: str, **fields: Any) -> None:
    if peer.protocol.state is OPEN:  # who has left hears nothing
        await peer.send(json.dumps({"type": kind, "event_id": f"event_{kind}", **fields}))


async def error(peer: Peer, message: str, **fields: Any) -> None:
    told = {"type": "invalid_request_error", "message": message, "param": None, **fields}
    await say(peer, "error", error=told)


def failing(**fields: Any) -> Step:
    """A step that tells of an error."""

    async def step(peer: Peer) -> None:
        await error(peer, "something is wrong", **fields)

    return step
