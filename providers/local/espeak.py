"""Text to speech with espeak-ng, in some hundred languages, through the library in its wheel."""

import difflib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from itertools import chain

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
from providers.local.espeak_library import (
    EspeakError,
    EspeakLibrary,
    Manner,
    Voices,
    espeak_library,
)
from providers.local.sentences import frames_of, split_text
from providers.local.slots import Slots

ID = "espeak"
_MANY = 256
_SLOWEST, _FASTEST = 80, 450
_PACE = 170
SPEEDS = _SLOWEST / _PACE, _FASTEST / _PACE
"""At the default pace. What an operator's own pace leaves out of them is clamped here."""
_RATES = (22050,)


@attrs.frozen
class EspeakSettings:
    """``[plugins.providers.espeak]``."""

    concurrency: int = attrs.field(default=_MANY, validator=attrs.validators.in_(range(1, 100_001)))
    """Requests at one time. They take turns, a sentence each, and a sentence takes milliseconds."""
    voice: str = "en-US+edward"
    """The voice of a request that names neither voice nor language: the one that pocketsphinx,
    and perhaps people, understand best."""
    words_per_minute: int = attrs.field(
        default=_PACE, validator=attrs.validators.in_(range(_SLOWEST, _FASTEST + 1))
    )
    """The pace at speed 1.0; 80 to 450."""


@attrs.frozen
class EspeakOptions:
    """What a session may set for espeak."""

    variant: str | None = None
    """The colour of the voice: ``m6``, ``f3``, ``edward``, ``whisper`` ..., unless the voice names one."""


@attrs.frozen
class EspeakTTS:
    """The synthesiser."""

    _library: EspeakLibrary
    _settings: EspeakSettings
    _slots: Slots
    _turn: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(1))
    """The library says one thing at a time, so more threads would only wait for its lock."""

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        """Say one text, sentence by sentence."""
        if request.model is not None:
            raise ProviderRefused(ID, f"has no models, so not {request.model!r} either")
        manner = choose_manner(request, self._settings, self._library.voices)
        with self._slots.take():
            async with aclosing(self._frames(request.text, manner)) as frames:
                yield frames

    async def voices(self, _api_key: Secret | None = None) -> Sequence[Voice]:
        """List the voices; a ``+`` and the name of a variant may follow the id of each."""
        listed = [voice for _, voice in self._library.voices.languages.values()]
        return sorted(listed, key=lambda voice: voice.id)

    async def _frames(self, text: str, manner: Manner) -> AsyncGenerator[AudioFrame, None]:
        audio = AudioFormat(Encoding.LINEAR16, self._library.sample_rate)
        size = 0
        for sentence in split_text(text):
            pcm = await trio.to_thread.run_sync(self._say, sentence, manner, limiter=self._turn)
            for frame in frames_of(pcm, audio, audio.duration(size)):
                yield frame
            size += len(pcm)

    def _say(self, sentence: str, manner: Manner) -> bytes:
        try:
            return self._library.say(sentence, manner, _is_cancelled)
        except EspeakError as error:
            raise ProviderUnavailable(ID, str(error)) from error


def _is_cancelled() -> bool:
    """Tell, on a worker thread, whether the task that waits for it has been cancelled."""
    try:
        trio.from_thread.check_cancelled()
    except trio.Cancelled:
        return True
    return False


def choose_manner(request: SpeechRequest, settings: EspeakSettings, voices: Voices) -> Manner:
    """Translate a request into the library's units.

    Raises:
        ProviderRefused: no such voice or language; the message names some near ones.
    """
    asked = request.voice or _voice_of_language(request.language, voices) or settings.voice
    name, _, variant = asked.partition("+")
    options = request.options or EspeakOptions()
    if options.variant and "+" not in (request.voice or ""):
        variant = options.variant
    return Manner(
        voice=_path(name, variant, voices),
        rate=_clamp(settings.words_per_minute * request.speed, _SLOWEST, _FASTEST),
        pitch=_clamp(50 * (1.0 if request.pitch is None else request.pitch), 0, 99),
        volume=_clamp(100 * (1.0 if request.volume is None else request.volume), 0, 200),
    )


def _path(name: str, variant: str, voices: Voices) -> str:
    found = voices.languages.get(name.lower().replace("_", "-"))
    if found is None:
        raise ProviderRefused(ID, f"no voice {name!r}{_near(name, voices.languages)}")
    if not variant:
        return found[0]
    if variant.lower() not in voices.variants:
        raise ProviderRefused(ID, f"no variant {variant!r}{_near(variant, voices.variants)}")
    return f"{found[0]}+{voices.variants[variant.lower()]}"


def _voice_of_language(language: str | None, voices: Voices) -> str | None:
    """Find who speaks a language: exactly this one, or else its main form (``de`` for ``de-AT``)."""
    if language is None or language.lower() in ("en", "en-us"):
        return None
    wanted = language.lower().replace("_", "-")
    listed = [voice for _, voice in voices.languages.values()]
    while wanted:
        first = (voice.id for voice in listed if voice.language.lower() == wanted)
        other = (voice.id for voice in listed if wanted in map(str.lower, voice.languages))
        if (found := next(chain(first, other), None)) is not None:
            return found
        wanted = wanted.rpartition("-")[0]
    raise ProviderRefused(ID, f"no voice speaks {language!r}{_near(language, voices.languages)}")


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.lower(), list(known), n=4, cutoff=0.3)
    return f"; near are {', '.join(sorted(near))}" if near else ""


def _clamp(value: float, lowest: int, highest: int) -> int:
    return round(min(max(value, lowest), highest))


@asynccontextmanager
async def open_espeak(context: PluginContext) -> AsyncIterator[Plugin]:
    """Load the library; it stays for the life of the program, as it has no state worth closing."""
    settings: EspeakSettings = context.settings
    library = await trio.to_thread.run_sync(espeak_library)
    try:
        choose_manner(SpeechRequest(""), settings, library.voices)
    except ProviderRefused as error:
        raise ProviderRefused(ID, f"in the settings: {error.message}") from error
    yield Plugin(tts=EspeakTTS(library, settings, Slots(ID, settings.concurrency)))


MANIFEST = Manifest(
    id=ID,
    name="eSpeak NG",
    description="Offline speech in some hundred languages; no key, no network",
    open=open_espeak,
    aliases=("local", "espeak-ng"),
    version="1",
    settings=EspeakSettings,
    abilities={
        Capability.TTS: Ability(
            features=("streaming", "speed", "pitch", "volume"),
            languages=("en-US", "multi"),
            encodings=(Encoding.LINEAR16,),
            sample_rates=_RATES,
            speeds=SPEEDS,
            limits=Limits(concurrency=_MANY),
            options=EspeakOptions,
        )
    },
)
