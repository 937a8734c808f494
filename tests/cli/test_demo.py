"""The demo is the promise of the first page: it must keep it."""

from pathlib import Path
from typing import Any

import pytest

from waav.audio.wav import read_wav
from waav.testing.audio import QUESTION_TEXT


def test_the_words_come_back(waav: Any) -> None:
    result = waav("demo")
    assert result.exit_code == 0, result.output
    assert f"final    {QUESTION_TEXT}" in result.stdout
    assert "interim" in result.stdout
    for figure in ("config to ready", "end of speech to final", "speak to first audio", "factor"):
        assert figure in result.stdout
    format, sound = read_wav(Path("demo-reply.wav").read_bytes())
    assert format.sample_rate == 24000
    assert 1 < format.duration(len(sound)) < 5


def test_wrong_words_are_a_failure(waav: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waav.cli.demo.QUESTION_TEXT", "something else")
    result = waav("demo")
    assert result.exit_code == 1
    assert "'something else' was said" in result.stderr
