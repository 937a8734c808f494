"""Google on loopback: gRPC for recognition and synthesis, REST for voices, whole sound and tokens.

Words of the recogniser are those of ``support.stt_vendor.spoken``, so what is lost or cut shows.
"""

import base64
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import attrs
import h2.events
import trio
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError, StreamClosedError

from providers._common.grpc.messages import Unpacker, pack
from providers.google.protobuf import decode, encode
from providers.google.speech_messages import REQUEST, RESPONSE
from providers.google.tts_messages import STREAMING_REQUEST, STREAMING_RESPONSE
from support.servers.http import Exchange, answer_json
from support.servers.loopback import Dribble, listen, reset
from support.stt_vendor import Ear
from waav.tasks import open_scoped_nursery

OK = (("grpc-status", "0"),)
_HEAD = ((":status", "200"), ("content-type", "application/grpc"))


@attrs.define(eq=False)
class Call:
    """One call, as Google sees it."""

    line: "Line"
    stream: int
    method: str
    metadata: Mapping[str, str]
    sent: list[dict[str, Any]] = attrs.Factory(list)
    """The messages that came, read."""
    sizes: list[int] = attrs.Factory(list)
    gone: trio.Event = attrs.Factory(trio.Event)
    """The client broke it off."""
    left: trio.Event = attrs.Factory(trio.Event)
    _unpacker: Unpacker = attrs.field(factory=lambda: Unpacker(1 << 24))
    _messages: list[bytes] = attrs.Factory(list)
    _ended: bool = False
    _begun: bool = False
    _moved: trio.lowlevel.ParkingLot = attrs.Factory(trio.lowlevel.ParkingLot)

    def hear(self, data: bytes) -> None:
        self._messages += self._unpacker.feed(data)
        self._moved.unpark_all()

    def end(self) -> None:
        self._ended = True
        self._moved.unpark_all()

    def leave(self) -> None:
        self._ended = True
        self.gone.set()
        self.left.set()
        self._moved.unpark_all()

    async def message(self) -> dict[str, Any] | None:
        """Wait for the next message; None when the client sends no more."""
        while not self._messages:
            if self._ended:
                return None
            await self._moved.park()
        raw = self._messages.pop(0)
        read = decode(REQUEST if ".speech.v2." in self.method else STREAMING_REQUEST, raw)
        self.sent.append(read)
        self.sizes.append(len(raw))
        return read

    async def say(self, **response: Any) -> None:
        """Answer one message."""
        fields = RESPONSE if ".speech.v2." in self.method else STREAMING_RESPONSE
        await self.say_raw(encode(fields, response))

    async def say_raw(self, message: bytes) -> None:
        await self._begin()
        data = pack(message)
        while data:
            room = self.line.h2.local_flow_control_window(self.stream)
            size = min(room, len(data), self.line.h2.max_outbound_frame_size)
            if not size:
                await self._moved.park()
                continue
            self.line.h2.send_data(self.stream, data[:size])
            data = data[size:]
            await self.line.flush()

    def room(self) -> None:
        self._moved.unpark_all()

    async def trail(self, *fields: tuple[str, str]) -> None:
        """End with a status."""
        await self._begin()
        self.line.h2.send_headers(self.stream, fields or OK, end_stream=True)
        await self.line.flush()

    async def refuse(self, code: int, message: str, *more: tuple[str, str]) -> None:
        """End with an error, and before any answer in one header block."""
        fields = (("grpc-status", str(code)), ("grpc-message", message), *more)
        if self._begun:
            await self.trail(*fields)
        else:
            self.line.h2.send_headers(self.stream, [*_HEAD, *fields], end_stream=True)
            await self.line.flush()

    async def break_off(self, code: ErrorCodes = ErrorCodes.INTERNAL_ERROR) -> None:
        self.line.h2.reset_stream(self.stream, code)
        await self.line.flush()

    async def drop(self) -> None:
        """Drop the whole connection, the hard way."""
        await reset(self.line.transport)

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self.line.h2.send_headers(self.stream, _HEAD)


Play: TypeAlias = Callable[[Call], Awaitable[None]]


@attrs.define(eq=False)
class Line:
    """One connection."""

    stream: trio.abc.Stream
    transport: trio.abc.Stream
    h2: H2Connection
    _lock: trio.Lock = attrs.Factory(trio.Lock)

    async def flush(self) -> None:
        async with self._lock:
            if data := self.h2.data_to_send():
                await self.stream.send_all(data)


@attrs.define(eq=False)
class Google:
    """A running one. Each call is played by the next play, and all later ones by the last."""

    plays: tuple[Play, ...]
    port: int = 0
    secure: bool = False
    dribble: bool = False
    calls: list[Call] = attrs.Factory(list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}"

    async def serve(self, stream: trio.abc.Stream) -> None:
        self.connections += 1
        far = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        line = Line(Dribble(stream) if self.dribble else stream, stream, far)
        far.initiate_connection()
        await line.flush()
        open_: dict[int, Call] = {}
        try:
            async with open_scoped_nursery("the client has left") as nursery:
                while data := await stream.receive_some(65536):
                    for event in far.receive_data(bytes(data)):
                        self._take(event, line, open_, nursery)
                    await line.flush()
        except ProtocolError:
            pass
        finally:
            for call in open_.values():
                call.leave()

    def _take(
        self, event: h2.events.Event, line: Line, open_: dict[int, Call], nursery: trio.Nursery
    ) -> None:
        match event:
            case h2.events.RequestReceived(stream_id=number, headers=headers):
                fields = {str(name): str(value) for name, value in headers}
                call = open_[number] = Call(line, number, fields[":path"], fields)
                self.calls.append(call)
                play = self.plays[min(len(self.calls), len(self.plays)) - 1]
                nursery.start_soon(_played, play, call, name="google/call")
            case h2.events.DataReceived(stream_id=number, data=data):
                size = event.flow_controlled_length
                line.h2.acknowledge_received_data(size, number)
                open_[number].hear(data)
            case h2.events.StreamReset(stream_id=number):
                open_[number].leave()
            case h2.events.WindowUpdated():
                for call in open_.values():
                    call.room()
            case _:
                pass
        if isinstance(event, h2.events.StreamEnded):
            open_[event.stream_id].end()


async def _played(play: Play, call: Call) -> None:
    try:
        await play(call)
    except (StreamClosedError, ProtocolError, trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    finally:
        call.left.set()


@asynccontextmanager
async def open_google_server(
    *plays: Play, tls: ssl.SSLContext | None = None, dribble: bool = False
) -> AsyncIterator[Google]:
    """Run the gRPC side of Google."""
    if tls is not None:
        tls.set_alpn_protocols(["h2"])
    server = Google(plays or (recognise,), secure=tls is not None, dribble=dribble)
    async with listen(server.serve, tls) as server.port:
        yield server


# How it behaves.


def seconds(value: float) -> dict[str, int]:
    whole, nanos = divmod(round(value * 1e9), 10**9)
    return {"seconds": whole, "nanos": nanos}


def final(text: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    """A final result of one word."""
    word = {"startOffset": seconds(start), "endOffset": seconds(end), "word": text}
    best = {"transcript": text, "confidence": 0.5, "words": [word]}
    return {"alternatives": [best], "isFinal": True, "resultEndOffset": seconds(end), **more}


def interim(text: str) -> dict[str, Any]:
    return {"alternatives": [{"transcript": text}], "stability": 0.5}


async def recognise(call: Call) -> None:
    """Recognise all that comes."""
    ear, told = Ear(), False
    while (message := await call.message()) is not None:
        if "audio" in message:
            told = await _tell(call, ear.hear(message["audio"])) or told
    await _tell(call, ear.hear(b"", last=True))
    await call.trail()


async def _tell(call: Call, answers: list[str]) -> bool:
    for answer in answers:
        match answer.split():
            case ["interim", text]:
                await call.say(results=[interim(text)])
            case ["final", text, start, end, _]:
                await call.say(results=[final(text, float(start), float(end))])
    return bool(answers)


def recognise_until(messages: int, then: Play) -> Play:
    """Recognise, but behave otherwise after so many messages."""

    async def play(call: Call) -> None:
        ear = Ear()
        while (message := await call.message()) is not None:
            if len(call.sent) > messages:
                return await then(call)
            await _tell(call, ear.hear(message.get("audio", b"")))
        await _tell(call, ear.hear(b"", last=True))
        return await call.trail()

    return play


def refusing(code: int, message: str, *more: tuple[str, str]) -> Play:
    """End the call with an error at once."""

    async def play(call: Call) -> None:
        await call.refuse(code, message, *more)

    return play


async def dropping(call: Call) -> None:
    """Drop the connection."""
    await call.drop()


async def silent(call: Call) -> None:
    """Hear all, say nothing, end never."""
    while await call.message() is not None:
        pass
    await trio.sleep_forever()


SPOKEN = bytes(range(256)) * 200
"""The sound of every text."""


async def synthesise(call: Call) -> None:
    """Say the text: a voice that nobody knows is refused, and samples are torn between answers."""
    config = await call.message()
    if config is None:
        return await call.trail()
    voice = config["streamingConfig"]["voice"].get("name", "")
    rate = config["streamingConfig"]["streamingAudioConfig"].get("speakingRate", 1.0)
    while await call.message() is not None:
        if "nobody" in voice:
            return await call.refuse(3, f"Voice '{voice}' does not exist.")
        sound = SPOKEN[: int(len(SPOKEN) / rate) // 2 * 2]
        for at in range(0, len(sound), 9999):
            await call.say(audioContent=sound[at : at + 9999])
    return await call.trail()


# The REST side.

VOICES = [
    {
        "languageCodes": ["en-US"],
        "name": "en-US-Chirp3-HD-Kore",
        "ssmlGender": "FEMALE",
        "naturalSampleRateHertz": 24000,
    },
    {
        "languageCodes": ["de-DE"],
        "name": "de-DE-Standard-A",
        "ssmlGender": "MALE",
        "naturalSampleRateHertz": 24000,
    },
]


def wave(data: bytes, rate: int, kind: int = 1, width: int = 2) -> bytes:
    """A RIFF file as Google makes them, with a chunk that nobody needs."""
    form = struct.pack("<HHIIHH", kind, 1, rate, rate * width, width, 8 * width)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"LIST" + struct.pack("<I", 3) + b"abc\0" + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", len(body) + len(data)) + body + data


def rest_reply(rate: int = 24000) -> Callable[[Exchange], Awaitable[None]]:
    """Answer whatever the plugin may ask over HTTP; sound comes at this rate, whatever is asked."""

    async def reply(exchange: Exchange) -> None:
        await _rest_answer(exchange, rate)(exchange)

    return reply


def _rest_answer(exchange: Exchange, rate: int) -> Callable[[Exchange], Awaitable[None]]:
    path = exchange.request.target.partition("?")[0]
    match path:
        case "/token":
            return answer_json({"access_token": "made-up", "expires_in": 3600})
        case "/v1/voices":
            return answer_json({"voices": VOICES})
        case "/v1/text:synthesize":
            asked = exchange.request.json
            name = asked["voice"].get("name", "")
            if "nobody" in name:
                error = {"code": 400, "message": "no such voice", "status": "INVALID_ARGUMENT"}
                return answer_json({"error": error}, 400)
            speed = asked["audioConfig"].get("speakingRate", 1.0)
            sound = SPOKEN[: int(len(SPOKEN) / speed) // 2 * 2]
            return answer_json({"audioContent": base64.b64encode(wave(sound, rate)).decode()})
        case _:
            return answer_json({"error": {"message": "not found"}}, 404)
