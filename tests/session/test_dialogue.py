"""A turn detector is told what was heard, which is not always what was to be said."""

import pytest

from capabilities import Said
from waav.session.dialogue import CONTEXT, Dialogue
from waav.session.events import Interrupted

WHOLE = "Good day to you all"


def cut(text: str | None, played: float = 1.0) -> Interrupted:
    return Interrupted("u1", played, 2.0, "user", text)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        pytest.param(cut("Good day "), ["Good day"], id="the-words-that-were-heard"),
        pytest.param(cut(None), [WHOLE], id="nobody-knows-where-the-words-are"),
        pytest.param(cut(""), [], id="not-one-word"),
        pytest.param(cut(None, 0.0), [], id="not-one-sound"),
    ],
)
def test_of_an_utterance_that_was_cut_off_the_rest_was_not_said(
    event: Interrupted, said: list[str]
) -> None:
    dialogue = Dialogue()
    dialogue.user("Hello?")
    dialogue.agent("u1", WHOLE)
    dialogue.user("Wait.")
    dialogue.cut(event)
    agent = [Said("agent", text) for text in said]
    assert dialogue.turns == (Said("user", "Hello?"), *agent, Said("user", "Wait."))


def test_only_the_last_turns_are_remembered() -> None:
    dialogue = Dialogue()
    for number in range(CONTEXT + 2):
        dialogue.user(str(number))
    assert [each.text for each in dialogue.turns] == ["2", "3", "4", "5", "6", "7"]
