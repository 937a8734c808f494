"""The test kit of plugins: contract suites, well-behaved fakes, and sound to try them with."""

from waav.testing.audio import QUESTION_TEXT, cut, question, read_wav, silence, tone, write_wav
from waav.testing.cloning import FakeCloning, check_cloning
from waav.testing.fake_streams import Cue, ScriptedStream
from waav.testing.fakes import FakeSTT, FakeTTS, FakeTurnDetector, FakeVAD, manifest_of
from waav.testing.fault_reasons import why_not
from waav.testing.fault_talks import State
from waav.testing.faults import (
    Cell,
    Matrix,
    Outcome,
    check_llm_faults,
    check_stt_faults,
    check_tts_faults,
)
from waav.testing.llm import FakeLLM, check_llm
from waav.testing.middleware import FakeMiddleware, check_middleware
from waav.testing.plugin import check_manifest, check_plugin
from waav.testing.processor import check_processor
from waav.testing.relay import Relay, open_relay
from waav.testing.relay_wire import Fault, Transport
from waav.testing.stt import check_stt
from waav.testing.talk import hear, open_manifest, push, say
from waav.testing.tts import check_tts
from waav.testing.turn_detector import check_turn_detector
from waav.testing.vad import check_vad
from waav.testing.ws_handler import FakeWSHandler, check_ws_handler

__all__ = [
    "QUESTION_TEXT",
    "Cell",
    "Cue",
    "FakeCloning",
    "FakeLLM",
    "FakeMiddleware",
    "FakeSTT",
    "FakeTTS",
    "FakeTurnDetector",
    "FakeVAD",
    "FakeWSHandler",
    "Fault",
    "Matrix",
    "Outcome",
    "Relay",
    "ScriptedStream",
    "State",
    "Transport",
    "check_cloning",
    "check_llm",
    "check_llm_faults",
    "check_manifest",
    "check_middleware",
    "check_plugin",
    "check_processor",
    "check_stt",
    "check_stt_faults",
    "check_tts",
    "check_tts_faults",
    "check_turn_detector",
    "check_vad",
    "check_ws_handler",
    "cut",
    "hear",
    "manifest_of",
    "open_manifest",
    "open_relay",
    "push",
    "question",
    "read_wav",
    "say",
    "silence",
    "tone",
    "why_not",
    "write_wav",
]
