"""Makes ``sounds/*.wav``: ``PYTHONPATH=tests python -m conversations.make_sounds``. Needs the program flite.

The words are those of the files' names, 16 kHz, 16 bit, mono, without the silence before and behind.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from capabilities import SPEECH, AudioFrame
from waav.testing.audio import read_wav, write_wav

SOUNDS = Path(__file__).with_name("sounds")
VOICE = "kal16"
TEXTS = (
    "what time is it",
    "i would like to book a table",
    "for two people",
    "please call me tomorrow morning",
    "yes that is right",
    "my name is john smith",
    "how are you today",
    "turn on the light in the kitchen",
    "where is the station",
)
QUIET = 450
"""Below this a sample counts as silence, of 32768."""


def spoken(text: str) -> AudioFrame:
    """Let flite say it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        subprocess.run(["flite", "-voice", VOICE, "-t", text, "-o", path], check=True)
        return read_wav(path)


def trimmed(frame: AudioFrame) -> AudioFrame:
    """Cut off the silence at both ends, but for 30 ms: soft consonants lie there."""
    samples = np.frombuffer(frame.data, "<i2")
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    margin = SPEECH.sample_rate * 3 // 100
    start, end = max(loud[0] - margin, 0), loud[-1] + margin
    return AudioFrame(samples[start:end].tobytes(), frame.format)


if __name__ == "__main__":
    for each in TEXTS:
        write_wav(SOUNDS / f"{each.replace(' ', '_')}.wav", trimmed(spoken(each)))
