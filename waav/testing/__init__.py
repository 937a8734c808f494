"""The test kit of plugins: contract suites, well-behaved fakes, and sound to try them with."""

from waav.testing.audio import QUESTION_TEXT, cut, question, read_wav, silence, tone, write_wav
from waav.testing.fake_streams import Cue, ScriptedStream
from waav.testing.fakes import FakeSTT, FakeTTS, FakeVAD, manifest_of
from waav.testing.plugin import check_manifest, check_plugin
from waav.testing.stt import check_stt
from waav.testing.talk import hear, open_manifest, push, say
from waav.testing.tts import check_tts
from waav.testing.vad import check_vad

__all__ = [
    "QUESTION_TEXT",
    "Cue",
    "FakeSTT",
    "FakeTTS",
    "FakeVAD",
    "ScriptedStream",
    "check_manifest",
    "check_plugin",
    "check_stt",
    "check_tts",
    "check_vad",
    "cut",
    "hear",
    "manifest_of",
    "open_manifest",
    "push",
    "question",
    "read_wav",
    "say",
    "silence",
    "tone",
    "write_wav",
]
