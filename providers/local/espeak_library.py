"""The face of libespeak-ng through ctypes: synchronous, one call at a time in the whole process."""

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, ClassVar

import attrs
import espeakng_loader

from capabilities import Voice

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: sound goes to the callback, on the calling thread
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: missing data is our error, not the program's end
_CHARACTERS = 1  # POS_CHARACTER
_UTF8 = 1  # espeakCHARS_UTF8
_RATE, _VOLUME, _PITCH = 1, 2, 3
_GENDERS = {1: "Male", 2: "Female"}


class _Voice(ctypes.Structure):
    """``espeak_VOICE`` of speak_lib.h."""

    _fields_: ClassVar[Any] = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@attrs.frozen
class Manner:
    """How a piece of text is said, in the library's own units."""

    voice: str
    """The path of a voice, with ``+`` and the name of a variant if wanted."""
    rate: int = 170
    """Words a minute, 80 to 450."""
    pitch: int = 50
    """0 to 99."""
    volume: int = 100
    """0 to 200."""


@attrs.frozen
class Voices:
    """What the library can speak with."""

    languages: dict[str, tuple[str, Voice]]
    """By id in lower case: the path that the library wants, and the voice."""
    variants: dict[str, str]
    """By name in lower case: the name as the library wants it."""


class EspeakError(Exception):
    """The library could not do what it was asked for."""


class EspeakLibrary:
    """libespeak-ng, initialised. It has one global state, so every call holds the same lock."""

    sample_rate: int
    """Hertz of what :meth:`say` returns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._c = ctypes.CDLL(espeakng_loader.get_library_path())
        self._c.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        data = os.fsencode(espeakng_loader.get_data_path())
        self.sample_rate = self._c.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT)
        if self.sample_rate <= 0:
            raise EspeakError(f"libespeak-ng does not start; its data should be in {data!r}")
        self.voices = self._list_voices()

    def say(self, text: str, manner: Manner, stopped: Callable[[], bool]) -> bytes:
        """Return linear16 mono. ``stopped`` is asked now and then; True ends the work early.

        Raises:
            EspeakError: the library has no such voice, or fails.
        """
        sound = bytearray()

        def take(samples: Any, count: int, _events: object) -> int:
            if samples and count > 0:
                sound.extend(ctypes.string_at(samples, 2 * count))
            return int(stopped())

        callback = _Callback(take)
        encoded = text.encode() + b"\0"
        with self._lock:
            self._c.espeak_SetSynthCallback(callback)
            self._must(self._c.espeak_SetVoiceByName(manner.voice.encode()), "takes no such voice")
            for parameter, value in (
                (_RATE, manner.rate),
                (_PITCH, manner.pitch),
                (_VOLUME, manner.volume),
            ):
                self._c.espeak_SetParameter(parameter, value, 0)
            size = ctypes.c_size_t(len(encoded))
            code = self._c.espeak_Synth(encoded, size, 0, _CHARACTERS, 0, _UTF8, None, None)
            self._must(code, "could not say the text")
        return bytes(sound)

    @staticmethod
    def _must(code: int, message: str) -> None:
        if code:
            raise EspeakError(f"{message} (code {code})")

    def _list_voices(self) -> Voices:
        languages = {
            voice.id.lower(): (path, voice) for path, voice in map(_described, self._listed(None))
        }
        wanted = ctypes.create_string_buffer(b"variant")
        pattern = _Voice(languages=ctypes.addressof(wanted))
        names = [voice.identifier.decode().rpartition("/")[2] for voice in self._listed(pattern)]
        return Voices(languages, {name.lower(): name for name in names})

    def _listed(self, pattern: _Voice | None) -> Iterator[_Voice]:
        found = self._c.espeak_ListVoices(pattern and ctypes.byref(pattern))
        index = 0
        while found[index]:
            yield found[index].contents
            index += 1


def _described(voice: _Voice) -> tuple[str, Voice]:
    path = voice.identifier.decode()
    tags = [_tag(language) for language in _languages(voice.languages)]
    described = Voice(
        id=path.rpartition("/")[2],
        name=voice.name.decode(),
        language=tags[0],
        gender=_GENDERS.get(voice.gender, "Unknown"),
        languages=tuple(tags) if len(tags) > 1 else (),
    )
    return path, described


def _languages(address: int) -> Iterator[str]:
    """Read the list as the library keeps it: a priority, a name, a zero; a zero at the end."""
    while ctypes.string_at(address, 1) != b"\0":
        name = ctypes.string_at(address + 1)
        yield name.decode()
        address += len(name) + 2


def _tag(language: str) -> str:
    """Write ``en-us`` as BCP-47 has it, ``en-US``."""
    first, *rest = language.split("-")
    return "-".join([first, *(part.upper() if len(part) == 2 else part for part in rest)])


@cache
def espeak_library() -> EspeakLibrary:
    """Return the library; the first call initialises it, which takes some 60 ms.

    Raises:
        EspeakError: it does not start.
        OSError: it is not there.
    """
    return EspeakLibrary()
