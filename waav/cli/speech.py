"""``waav speak`` and ``waav transcribe``: files in and out, without a server."""

import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path

import attrs
import click
import trio

from capabilities import (
    AudioFormat,
    AudioFrame,
    Encoding,
    Final,
    SpeechRequest,
    STTOptions,
    parse_encoding,
)
from waav.audio.wav import read_wav
from waav.cli.context import Context, run, with_gateway
from waav.cli.names import STT_NAME, TTS_NAME
from waav.gateway import Gateway
from waav.session.commands import Speak, STTConfig, TTSConfig
from waav.turns.transcript import join

LOCAL = "local"
STEP = 0.1
"""Seconds of a recording that are handed over at a time: the step of the progress bar."""


@click.command()
@click.argument("text")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--provider", default=LOCAL, show_default=True, type=TTS_NAME)
@click.option("--voice", help="A name from `waav voices`; the provider's own default otherwise.")
@click.option("--language", help="A BCP-47 tag, for example en-GB.")
@click.option("--speed", type=click.FloatRange(0.25, 4), default=1.0, show_default=True)
@click.option("--rate", type=click.IntRange(8000, 48000), default=24000, show_default=True)
@click.option("--format", "encoding", help="wav, linear16, mulaw, alaw; by the file's suffix.")
@click.pass_obj
def speak(
    context: Context,
    text: str,
    output: Path,
    provider: str,
    voice: str | None,
    language: str | None,
    speed: float,
    rate: int,
    encoding: str | None,
) -> None:
    """Say TEXT ("-" reads standard input) into a sound file."""
    words = sys.stdin.read() if text == "-" else text
    if not words.strip():
        raise click.ClickException("nothing to say")
    format = AudioFormat(_encoding(encoding, output), rate)
    request = SpeechRequest("", voice=voice, language=language, speed=speed, format=format)
    config = TTSConfig(provider, request)
    sound = run(with_gateway, context.quiet_config(), partial(_speak, config, words))
    # The whole file or none: what stood there before is not lost half-way.
    beside = output.with_name(f".{output.name}.part")
    beside.write_bytes(sound)
    beside.replace(output)
    click.echo(f"{output}: {len(sound)} bytes")


def _encoding(name: str | None, output: Path) -> Encoding:
    """What the option says, else what the file's name says, else WAV."""
    try:
        return parse_encoding(name or output.suffix.removeprefix(".") or "wav")
    except ValueError as exc:
        if name is None:
            return Encoding.WAV
        raise click.BadParameter(str(exc), param_hint="--format") from None


async def _speak(config: TTSConfig, text: str, gateway: Gateway) -> bytes:
    return await gateway.say(config, Speak(text))


@attrs.frozen
class Heard:
    """What was said in one file."""

    file: str
    text: str
    duration: float
    """Seconds."""
    finals: tuple[Final, ...]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--provider", default=LOCAL, show_default=True, type=STT_NAME)
@click.option("--language", default="en-US", show_default=True, help="A BCP-47 tag.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file, with word times.")
@click.pass_obj
def transcribe(
    context: Context, files: Sequence[Path], provider: str, language: str, *, as_json: bool
) -> None:
    """Write down what is said in WAV FILES."""
    recordings = [(file, *_read(file)) for file in files]

    async def listen(gateway: Gateway) -> None:
        for file, format, sound in recordings:
            config = STTConfig(provider, STTOptions(format=format, language=language))
            heard = await _transcribe(gateway, config, file, sound)
            if as_json:
                click.echo(json.dumps(attrs.asdict(heard), ensure_ascii=False))
            else:
                click.echo(heard.text if len(recordings) == 1 else f"{file}: {heard.text}")

    run(with_gateway, context.quiet_config(), listen)


def _read(file: Path) -> tuple[AudioFormat, bytes]:
    try:
        return read_wav(file.read_bytes())
    except ValueError as exc:
        raise click.BadParameter(f"{file}: {exc}", param_hint="FILES") from None


async def _transcribe(gateway: Gateway, config: STTConfig, file: Path, sound: bytes) -> Heard:
    format = config.options.format
    with click.progressbar(
        list(_frames(format, sound)),
        label=file.name,
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    ) as bar:
        async with gateway.recognise(config, _OneByOne(iter(bar))) as transcripts:
            finals = [
                transcript
                async for transcript in transcripts
                if isinstance(transcript, Final) and transcript.text.strip()
            ]
    text = join([final.text for final in finals])
    return Heard(str(file), text, format.duration(len(sound)), tuple(finals))


def _frames(format: AudioFormat, sound: bytes) -> Iterator[AudioFrame]:
    size = format.size(STEP)
    for at in range(0, len(sound), size):
        yield AudioFrame(sound[at : at + size], format, format.duration(at))


@attrs.define
class _OneByOne:
    """Frames one by one, as fast as they are taken."""

    frames: Iterator[AudioFrame]

    def __aiter__(self) -> "AsyncIterator[AudioFrame]":
        return self

    async def __anext__(self) -> AudioFrame:
        await trio.lowlevel.checkpoint()
        for frame in self.frames:
            return frame
        raise StopAsyncIteration
