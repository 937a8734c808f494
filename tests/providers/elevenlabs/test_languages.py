"""One rule turns the tags of sessions into the vendor's codes."""

import pytest

from providers.elevenlabs.languages import language_code


@pytest.mark.pins("D062")
@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en-US", "en"),
        ("en", "en"),
        ("EN_gb", "en"),
        ("zh-Hant-TW", "zh"),
        ("fil", "fil"),
        ("multi", None),
        ("auto", None),
        ("", None),
        (None, None),
    ],
)
def test_a_tag_becomes_the_code_of_its_language(tag: str | None, code: str | None) -> None:
    assert language_code(tag) == code
