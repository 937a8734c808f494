"""``waav demo``: the gateway on a free port, and a client that talks with it."""

import json
from collections.abc import Iterator
from math import inf
from pathlib import Path

import attrs
import click
import trio
from websockets.trio.client import ClientConnection, connect

from capabilities import AudioFormat
from waav.audio.wav import wav_header
from waav.cli.context import Context, run
from waav.config import Config
from waav.gateway import open_gateway
from waav.server.service import serve_gateway
from waav.tasks import open_scoped_nursery
from waav.testing.audio import QUESTION_TEXT, question

FRAME = 0.02
"""Seconds: what a microphone gives at a time."""
REPLY_FORMAT = AudioFormat(sample_rate=24000)
TIMEOUT = 50.0
"""Seconds. The question takes two; whoever is not done by now will not be."""

NEXT = """
Next: waav speak "hello world" -o hello.wav && waav transcribe hello.wav
      waav serve                      the gateway on port 3001; see README.md for a client
      waav providers, waav voices     what is there to listen and speak with"""


@attrs.define
class Times:
    """When things happened, on trio's clock."""

    config_sent: float = inf
    ready: float = inf
    question_ended: float = inf
    final: float = inf
    speak_sent: float = inf
    first_audio: float = inf
    reply_ended: float = inf


@click.command()
@click.option(
    "-o",
    "--output",
    default="demo-reply.wav",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the reply goes.",
)
@click.pass_obj
def demo(context: Context, output: Path) -> None:
    """Ask the gateway a question over its WebSocket, and let it say the words back."""
    config = context.quiet_config()
    server = attrs.evolve(config.server, host="127.0.0.1", port=0, shutdown_grace_seconds=1.0)
    heard, reply = run(_demo, attrs.evolve(config, server=server))
    format = REPLY_FORMAT
    output.write_bytes(wav_header(format, len(reply)) + reply)
    click.echo(f"\nThe reply is in {output} ({format.duration(len(reply)):.1f} s).")
    if heard != QUESTION_TEXT:
        raise click.ClickException(f"heard {heard!r}, but {QUESTION_TEXT!r} was said")
    if not any(reply):
        raise click.ClickException("the reply is silent")
    click.echo(NEXT)


async def _demo(config: Config) -> tuple[str, bytes]:
    times = Times()
    stopping = trio.Event()
    async with open_gateway(config) as gateway, open_scoped_nursery("the demo is over") as nursery:
        [(host, port), *_] = await nursery.start(serve_gateway, gateway, stopping, name="server")
        url = f"ws://{host}:{port}/ws"
        click.echo(f"The gateway listens on {url}")
        try:
            with trio.fail_after(TIMEOUT):
                async with connect(url, proxy=None, compression=None) as socket:
                    heard = await _ask(socket, times)
                    reply = await _listen(socket, heard, times)
        except trio.TooSlowError:
            raise TimeoutError(f"no answer within {TIMEOUT:g} s") from None
        stopping.set()
    _report(times, REPLY_FORMAT.duration(len(reply)))
    return heard, reply


async def _ask(socket: ClientConnection, times: Times) -> str:
    """Configure the session, say the question as it was spoken, return what was understood."""
    sound = question()
    config = {
        "type": "config",
        "stt_config": {"provider": "local", "sample_rate": sound.format.sample_rate},
        "tts_config": {"provider": "local", "sample_rate": REPLY_FORMAT.sample_rate},
    }
    times.config_sent = trio.current_time()
    await socket.send(json.dumps(config))
    await _next(socket, "ready")
    times.ready = trio.current_time()
    click.echo(f"Saying {QUESTION_TEXT!r} ...")
    async with open_scoped_nursery("the question was understood") as nursery:
        nursery.start_soon(_say, socket, times, name="demo/microphone")
        while True:
            result = await _next(socket, "stt_result")
            if result["is_speech_final"]:
                times.final = trio.current_time()
                click.echo(f"  final    {result['transcript']}")
                return str(result["transcript"])
            click.echo(f"  {'final' if result['is_final'] else 'interim':8} {result['transcript']}")


async def _say(socket: ClientConnection, times: Times) -> None:
    """Be a microphone: the question in real time, then silence."""
    start = trio.current_time()
    for n, data in enumerate(_microphone()):
        await trio.sleep_until(start + n * FRAME)
        if data is None:
            times.question_ended = min(times.question_ended, trio.current_time())
        await socket.send(data or bytes(question().format.size(FRAME)))


def _microphone() -> Iterator[bytes | None]:
    """Frames of the question, then None for ever: silence."""
    sound = question()
    size = sound.format.size(FRAME)
    spoken = sound.data.rstrip(b"\0")
    for at in range(0, len(spoken), size):
        yield spoken[at : at + size].ljust(size, b"\0")
    while True:
        yield None


async def _listen(socket: ClientConnection, text: str, times: Times) -> bytes:
    """Let the gateway say ``text``; return the sound."""
    times.speak_sent = trio.current_time()
    await socket.send(json.dumps({"type": "speak", "text": text}))
    reply = bytearray()
    while True:
        message = await socket.recv()
        if isinstance(message, bytes):
            times.first_audio = min(times.first_audio, trio.current_time())
            reply += message
        elif _read(message)["type"] == "tts_playback_complete":
            times.reply_ended = trio.current_time()
            return bytes(reply)


async def _next(socket: ClientConnection, kind: str) -> dict[str, object]:
    """Return the next message of a kind; an error on the way ends the demo."""
    while True:
        message = await socket.recv()
        if isinstance(message, str) and (read := _read(message))["type"] == kind:
            return read


def _read(text: str) -> dict[str, object]:
    message: dict[str, object] = json.loads(text)
    if message["type"] == "error":
        raise click.ClickException(f"the gateway says: {message['message']}")
    return message


def _report(times: Times, duration: float) -> None:
    rows = [
        ("config to ready", f"{1000 * (times.ready - times.config_sent):.0f} ms"),
        ("end of speech to final", f"{1000 * (times.final - times.question_ended):.0f} ms"),
        ("speak to first audio", f"{1000 * (times.first_audio - times.speak_sent):.0f} ms"),
        (
            "real-time factor of the reply",
            f"{(times.reply_ended - times.speak_sent) / duration:.3f}" if duration else "-",
        ),
    ]
    click.echo()
    for name, figure in rows:
        click.echo(f"  {name:30} {figure:>8}")
