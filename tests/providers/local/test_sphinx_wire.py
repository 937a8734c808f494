"""What one side of a recogniser process writes, the other side reads."""

from typing import Any

from capabilities import Final, Interim, Word
from providers.local import sphinx_wire as wire


def test_a_request_comes_through() -> None:
    written = wire.request("A", b"\x01\x02\x03")
    assert wire.request_head(written[: wire.REQUEST_HEAD]) == ("A", 3)
    assert written[wire.REQUEST_HEAD :] == b"\x01\x02\x03"


def test_a_reply_comes_through() -> None:
    word = {"text": "hé", "start": 0.1, "end": 0.4, "confidence": 0.7}
    heard: list[dict[str, Any]] = [
        {"text": "h"},
        {"text": "hé", "final": True, "speech_final": True, "confidence": 0.7, "words": [word]},
    ]
    written = wire.reply(heard)
    payload = written[wire.REPLY_HEAD :]
    assert wire.reply_size(written[: wire.REPLY_HEAD]) == len(payload)
    assert wire.transcripts(payload, "en-US") == [
        Interim("h", language="en-US"),
        Final("hé", 0.7, "en-US", (Word("hé", 0.1, 0.4, 0.7),), speech_final=True),
    ]
