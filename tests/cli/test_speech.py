"""Files in and out, with the engines that every installation has."""

import json
from pathlib import Path
from typing import Any

import pytest

from capabilities import AudioFormat
from waav.audio.wav import read_wav

# Two words alone are not always understood: the consonants of espeak are noise.
_COUNTED = "one two three four five six seven eight nine ten"


def test_what_was_spoken_is_understood(waav: Any) -> None:
    spoken = waav("speak", _COUNTED, "-o", "a.wav")
    assert spoken.exit_code == 0, spoken.output
    heard = waav("transcribe", "a.wav")
    assert (heard.exit_code, heard.stdout) == (0, _COUNTED + "\n")


def test_words_and_their_times_for_scripts(waav: Any) -> None:
    waav("speak", _COUNTED, "-o", "a.wav")
    heard = json.loads(waav("transcribe", "--json", "a.wav").stdout)
    assert (heard["file"], heard["text"]) == ("a.wav", _COUNTED)
    words = [word for final in heard["finals"] for word in final["words"]]
    assert [word["text"] for word in words] == _COUNTED.split()
    times = [time for word in words for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert times[-1] <= heard["duration"]


@pytest.mark.parametrize(
    ("options", "format", "seconds"),
    [
        (["--rate", "8000"], AudioFormat(sample_rate=8000), 1.0),
        (["--rate", "48000", "--speed", "2"], AudioFormat(sample_rate=48000), 0.5),
    ],
)
def test_rate_and_speed_are_as_asked(
    waav: Any, options: list[str], format: AudioFormat, seconds: float
) -> None:
    assert waav("speak", "-", "-o", "a.wav", *options, stdin="hello world").exit_code == 0
    told, sound = read_wav(Path("a.wav").read_bytes())
    assert told == format
    assert format.duration(len(sound)) == pytest.approx(seconds, rel=0.4)


def test_the_suffix_says_the_format(waav: Any) -> None:
    waav("speak", "hello", "-o", "a.mulaw", "--rate", "8000")
    waav("speak", "hello", "-o", "a.wav", "--rate", "8000")
    _, sound = read_wav(Path("a.wav").read_bytes())
    assert len(Path("a.mulaw").read_bytes()) == len(sound) // 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["speak", "hello", "-o", "a.wav", "--provider", "espaek"],
            "Unsupported provider: espaek (known for tts: ",
        ),
        (["speak", "hello", "-o", "a.wav", "--voice", "nobody"], "nobody"),
        (["speak", "hello", "-o", "a.wav", "--format", "gsm"], "unknown audio encoding 'gsm'"),
        (["speak", " ", "-o", "a.wav"], "nothing to say"),
        (["transcribe", "note.txt"], "note.txt: not a WAV file"),
        (["transcribe", "none.wav"], "does not exist"),
    ],
)
def test_mistakes_are_told_and_leave_no_file(waav: Any, words: list[str], told: str) -> None:
    Path("note.txt").write_text("hello", encoding="utf-8")
    result = waav(*words)
    assert result.exit_code != 0
    assert told in result.stderr
    assert not Path("a.wav").exists()
