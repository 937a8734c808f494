"""Text to speech with the program flite, where it is installed: one short process a sentence."""

import io
import shutil
import subprocess
import wave
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial

import attrs
import trio

from capabilities import (
    Ability,
    AudioFormat,
    AudioFrame,
    Capability,
    Encoding,
    Limits,
    Manifest,
    Plugin,
    PluginContext,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    SpeechRequest,
    Voice,
)
from providers.local.sentences import frames_of, split_text
from providers.local.slots import Slots

ID = "flite"
_MANY = 16
_PATIENCE = 20.0
"""Seconds that one sentence may take; usual are 0.05."""
_ABOUT = {  # what `flite -lv` does not say
    "awb": ("Male", "Scottish"),
    "kal": ("Male", "American"),
    "kal16": ("Male", "American"),
    "rms": ("Male", "American"),
    "slt": ("Female", "American"),
}
_CLOCK = "awb_time"  # knows the words of the time of day, and no other


@attrs.frozen
class FliteSettings:
    """``[plugins.providers.flite]``."""

    program: str = "flite"
    """Its name on PATH, or its path."""
    concurrency: int = attrs.field(default=_MANY, validator=attrs.validators.in_(range(1, 1025)))
    """Requests at one time; each runs at most one process."""
    voice: str = "slt"
    """The voice of a request that names none."""


@attrs.frozen
class FliteTTS:
    """The synthesiser."""

    _program: str
    _settings: FliteSettings
    _voices: dict[str, Voice]
    _slots: Slots

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        """Say one text, sentence by sentence."""
        arguments = self._arguments(request)
        with self._slots.take():
            async with aclosing(self._frames(request.text, arguments)) as frames:
                yield frames

    async def voices(self, _api_key: Secret | None = None) -> Sequence[Voice]:
        """List the voices that are built into the program."""
        return sorted(self._voices.values(), key=lambda voice: voice.id)

    def _arguments(self, request: SpeechRequest) -> list[str]:
        voice = request.voice or self._settings.voice
        known = ", ".join(sorted(self._voices))
        if voice not in self._voices:
            raise ProviderRefused(ID, f"no voice {voice!r}; known are {known}")
        if request.model is not None:
            raise ProviderRefused(ID, f"has no models, so not {request.model!r} either")
        if request.language and request.language.lower().split("-")[0] != "en":
            raise ProviderRefused(ID, f"speaks English only, not {request.language!r}")
        stretch = 1 / min(max(request.speed, 0.25), 4.0)
        return ["-voice", voice, "--setf", f"duration_stretch={stretch:.3f}"]

    async def _frames(
        self, text: str, arguments: Sequence[str]
    ) -> AsyncGenerator[AudioFrame, None]:
        start = 0.0
        for sentence in split_text(text):
            audio, pcm = await self._say(sentence, arguments)
            for frame in frames_of(pcm, audio, start):
                yield frame
            start += audio.duration(len(pcm))

    async def _say(self, sentence: str, arguments: Sequence[str]) -> tuple[AudioFormat, bytes]:
        # A text on standard input may become several files in a row; one in `-t` becomes one.
        said = await run(self._program, *arguments, "-t", sentence, "-o", "/dev/stdout")
        try:
            with wave.open(io.BytesIO(said)) as sound:
                audio = AudioFormat(Encoding.LINEAR16, sound.getframerate(), sound.getnchannels())
                return audio, sound.readframes(sound.getnframes())
        except (wave.Error, EOFError):
            raise ProviderUnavailable(ID, "the program gave no sound") from None


async def run(program: str, *arguments: str) -> bytes:
    """Run the program and return what it writes; being cancelled kills it at once.

    Raises:
        ProviderUnavailable: it cannot be started, fails, or takes too long.
    """
    start = partial(
        trio.run_process,
        [program, *arguments],
        capture_stdout=True,
        stderr=subprocess.DEVNULL,
        deliver_cancel=_kill,
    )
    try:
        with trio.fail_after(_PATIENCE):
            return (await start()).stdout
    except subprocess.CalledProcessError as error:
        raise ProviderUnavailable(ID, f"the program ended with {error.returncode}") from None
    except OSError as error:
        raise ProviderUnavailable(ID, f"the program does not start: {error.strerror}") from None
    except trio.TooSlowError:
        raise ProviderUnavailable(ID, f"no sound within {_PATIENCE:.0f} seconds") from None


async def _kill(process: trio.Process) -> None:
    process.kill()


def read_voices(listing: str) -> dict[str, Voice]:
    """Read what ``flite -lv`` prints: ``Voices available: kal awb slt``."""
    names = listing.partition(":")[2].split()
    return {name: _voice(name) for name in names if name != _CLOCK}


def _voice(name: str) -> Voice:
    gender, accent = _ABOUT.get(name, ("Unknown", ""))
    language = "en-GB" if accent == "Scottish" else "en-US"
    return Voice(name, name.upper(), language, gender=gender, accent=accent)


@asynccontextmanager
async def open_flite(context: PluginContext) -> AsyncIterator[Plugin]:
    """Find the program and ask for its voices."""
    settings: FliteSettings = context.settings
    program = shutil.which(settings.program)
    if program is None:
        raise ProviderUnavailable(ID, f"{settings.program} is not installed (apt install flite)")
    voices = read_voices((await run(program, "-lv")).decode(errors="replace"))
    if settings.voice not in voices:
        known = ", ".join(sorted(voices)) or "none"
        raise ProviderRefused(
            ID, f"in the settings: no voice {settings.voice!r}; known are {known}"
        )
    yield Plugin(tts=FliteTTS(program, settings, voices, Slots(ID, settings.concurrency)))


MANIFEST = Manifest(
    id=ID,
    name="Flite",
    description="Offline English speech through the program flite, where it is installed",
    open=open_flite,
    version="1",
    settings=FliteSettings,
    abilities={
        Capability.TTS: Ability(
            features=("streaming", "speed"),
            languages=("en-US", "en-GB"),
            encodings=(Encoding.LINEAR16,),
            sample_rates=(16000, 8000),
            limits=Limits(concurrency=_MANY),
        )
    },
)
