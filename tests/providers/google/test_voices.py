"""Lists of voices, also strange ones."""

from typing import Any

import pytest

from capabilities import ProviderProtocolError, Voice
from providers.google.voices import read_voices


def test_what_is_not_understood_is_left_out() -> None:
    entries: list[Any] = [
        {"name": "b", "languageCodes": ["en-US", "en-GB"], "ssmlGender": "NEUTRAL"},
        {"name": "a", "languageCodes": ["de-DE"], "ssmlGender": "SOMETHING"},
        {"name": "c", "languageCodes": []},
        {"name": 5},
        None,
    ]
    assert read_voices({"voices": entries}) == [
        Voice("a", "a", "de-DE"),
        Voice("b", "b", "en-US", gender="Neutral", languages=("en-US", "en-GB")),
    ]


def test_no_voices() -> None:
    assert read_voices({}) == []


@pytest.mark.parametrize("answer", [None, [], "voices", {"voices": 5}])
def test_no_list(answer: object) -> None:
    with pytest.raises(ProviderProtocolError):
        read_voices(answer)
