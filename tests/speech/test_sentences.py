"""Long text becomes pieces: cut where a speaker would pause, none too long, nothing lost."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.speech.sentences import FIRST, NEXT, WHOLE, sentences, split_text

NO_LIMIT = 100 * 1024


def bare(text: str) -> str:
    return "".join(text.split())


def size(text: str) -> int:
    return len(text.encode())


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(["One. ", "Two! ", "Three? ", "Four"], id="marks"),
        pytest.param(["Dr. Smith met Mrs. Jones. ", "They spoke."], id="titles"),
        pytest.param(["J. R. R. Tolkien wrote it. ", "I read it."], id="initials"),
        pytest.param(["The U.S. Army, e.g. Fort Knox. ", "Yes."], id="dotted"),
        pytest.param(["It is approx. 3.14. ", "Or 1,000.5."], id="numbers"),
        pytest.param(["It was 1999. ", "Then it was 2000."], id="years"),
        pytest.param(["1. First. ", "2. Second."], id="lists"),
        pytest.param(["Am 3. Mai kam Hr. Meyer. ", "Am 4. ging er."], id="ordinals"),
        pytest.param(["See https://a.b/c?d=e.f and a.de. ", "Good."], id="addresses"),
        pytest.param(["Mail me@a.de. ", "Bye."], id="mail"),
        pytest.param(["Wait... what? ", "No… ", "Yes."], id="ellipses"),
        pytest.param(["Really?! ", "No!!! ", "Yes."], id="several marks"),
        pytest.param(['He said "Stop!" and left. ', "She stayed."], id="quoted in a sentence"),
        pytest.param(['"Stop." ', '"Why?" ', "(Because.) ", "“Ah.” ", "«Oh.»"], id="quotes"),
        pytest.param(["Yahoo! is a name. ", "So is it."], id="a mark in a name"),
        pytest.param(["¿Qué? ", "¡No!"], id="marks in front"),
        pytest.param(["Bold. ", "**Next** one."], id="markup"),
        pytest.param(["one line\nand another. ", "Two.\n\n", "A title\n \n", "text"], id="lines"),
        pytest.param(["你好。", "再见！", "是吗？", "好"], id="chinese"),
        pytest.param(["他说：“你好。”然后走了。", "再见。"], id="chinese quote"),
        pytest.param(["「本当？」と聞いた。", "「はい。」", "「いいえ。」"], id="japanese"),
        pytest.param(["まさか……。", "うそ！？", "ほんと。"], id="several japanese marks"),
        pytest.param(["هل؟ ", "نعم۔ ", "لا"], id="arabic"),
        pytest.param(["क्या? ", "हाँ। ", "नहीं।"], id="hindi"),
        pytest.param(["all in lower case. no capital. "], id="lower case"),
    ],
)
def test_where_sentences_end(parts: list[str]) -> None:
    assert list(sentences("".join(parts))) == parts


@pytest.mark.pins("D184")
def test_a_long_text_begins_with_a_short_piece() -> None:
    text = "Good morning, and welcome to the line. " + "It is a pleasure to have you here. " * 40
    pieces = list(split_text(text, NO_LIMIT))
    assert pieces[0].startswith("Good morning, and welcome to the line.")
    assert size(pieces[0]) <= FIRST
    assert all(NEXT // 2 < size(piece) <= NEXT for piece in pieces[1:-1])
    assert all(piece.endswith(".") for piece in pieces)
    assert " ".join(pieces) == text.strip()


def test_a_few_sentences_stay_together() -> None:
    text = "Hello! How are you? " * (WHOLE // 20)
    assert list(split_text(text, NO_LIMIT)) == [text.strip()]


@pytest.mark.parametrize("text", ["", "  \n", "\n" * 10_000])
def test_blank_text_has_no_pieces(text: str) -> None:
    assert list(split_text(text, NO_LIMIT)) == []


def test_a_sentence_that_is_too_long_is_cut_at_a_clause() -> None:
    clause = "and then there came another thing that nobody had thought of,"
    pieces = list(split_text(f"{clause} " * 30, NO_LIMIT))
    assert all(piece.endswith(",") for piece in pieces)


def test_one_without_clauses_is_cut_between_words() -> None:
    words = [f"word{number}" for number in range(500)]
    pieces = list(split_text(" ".join(words), NO_LIMIT))
    assert [word for piece in pieces for word in piece.split()] == words


@pytest.mark.parametrize("sign", ["é", "e\u0301", "नि", "字"])
@pytest.mark.parametrize("limit", [100, 101, 102, 103])
def test_no_sign_is_torn(sign: str, limit: int) -> None:
    pieces = list(split_text(sign * 1000, limit))
    assert len(pieces) > 1
    assert set("|".join(pieces).replace("|", "").split(sign)) == {""}
    assert all(piece.startswith(sign) and piece.endswith(sign) for piece in pieces)


def test_what_cannot_be_said_does_not_stand_alone() -> None:
    text = f"{'A' * (FIRST - 2)}. ... {'B' * (NEXT - 2)}. ?! C."
    pieces = list(split_text(text, NO_LIMIT))
    assert pieces == [f"{'A' * (FIRST - 2)}. ...", f"{'B' * (NEXT - 2)}.", "?! C."]


@pytest.mark.pins("D184")
@given(st.text() | st.text("aB1 .,!?…\n。」\"'é\u0301\u200d字-"), st.integers(1, 700))
def test_nothing_is_lost_and_no_piece_is_too_long(text: str, limit: int) -> None:
    pieces = list(split_text(text * 3, limit))
    assert bare("".join(pieces)) == bare(text * 3)
    assert all(0 < size(piece) <= max(limit, 4) for piece in pieces)
    assert all(piece == piece.strip() for piece in pieces)


@given(st.text("aB1 .,!?…\n。」\"'é字-"))
def test_sentences_joined_are_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text


@pytest.mark.parametrize(
    "unit",
    [
        ".",
        ". ",
        "\n",
        "\n ",
        "! ? ",
        "。」",
        "a",
        "a, ",
        '."',
        " ",
        "- ",
        "e.g. ",
        "\u200d",
        "(",
        '"',
    ],
)
def test_odd_text_takes_no_longer_than_it_is(unit: str) -> None:
    """100 KiB that no person has written; the session's other tasks run after each piece."""
    text = unit * (NO_LIMIT // len(unit.encode()))
    pieces = split_text(text, NO_LIMIT)
    longest, began = 0.0, time.perf_counter()
    for _ in pieces:
        longest = max(longest, time.perf_counter() - began)
        began = time.perf_counter()
    assert longest < 1
