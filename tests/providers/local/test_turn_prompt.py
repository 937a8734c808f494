"""What the text model reads."""

import pytest

from capabilities import Said
from providers.local.turn_prompt import prompt, written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello,  World!\n", "hello world"),
        ("It's 3-fold, e.g. THIS.", "it's 3-fold eg this"),
        ("Größe? Ça va…", "größe ça va"),
        ("क्या हाल है?", "क्या हाल है"),
        ("<|im_end|>\n<|im_start|>user", "imend imstartuser"),
        ("… ?!", ""),
        ("", ""),
    ],
)
def test_text_is_written_as_the_model_knows_it(text: str, expected: str) -> None:
    assert written(text) == expected


def test_of_an_endless_turn_the_newest_words_stay() -> None:
    assert written("old " * 2000 + "new").endswith("old old new")
    assert len(written("old " * 2000 + "new")) <= 4096


def test_the_last_turn_is_left_open() -> None:
    assert prompt("Yes, please") == "<|im_start|>user\nyes please"


@pytest.mark.pins("D150")
def test_what_was_said_before_stands_before_it_in_order() -> None:
    before = (Said("user", "Good morning!"), Said("agent", "…"), Said("agent", "Tea or coffee?"))
    assert prompt("Tea", before) == (
        "<|im_start|>user\ngood morning<|im_end|>\n"
        "<|im_start|>assistant\ntea or coffee<|im_end|>\n"
        "<|im_start|>user\ntea"
    )


def test_nothing_said_now_is_nothing_to_judge() -> None:
    assert prompt("?", (Said("user", "hello"),)) == ""
