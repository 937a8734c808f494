"""Variables, ``.env``, and ``${VAR}``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.config.auth import ApiSecret
from waav.config.expected import Expected
from waav.config.variables import Variables, expand, read_value, read_variables

Write: TypeAlias = Callable[..., Path]

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


def test_dotenv_stands_below_the_environment(write: Write) -> None:
    write("# keys\nA=file\nexport B='two words' # why\n", ".env")
    variables = read_variables({"A": "process"}, Path(".env"))
    assert list(variables.find("A")) == [("process", "A (environment)"), ("file", "A (.env:2)")]
    assert list(variables.find("B")) == [("two words", "B (.env:3)")]
    assert list(variables.find("C")) == []


def test_dotenv_is_plain(write: Write) -> None:
    """A password with a dollar sign stays what it is."""
    write("A=x${HOME}y\n", ".env")
    assert read_variables({"HOME": "/"}, Path(".env")).dotenv == {"A": "x${HOME}y"}


def test_dotenv_with_a_line_that_is_none(write: Write) -> None:
    write("A=1\nthis is sekret\nB=2\n", ".env")
    variables = read_variables({}, Path(".env"))
    assert variables.dotenv == {"A": "1", "B": "2"}
    assert [str(problem) for problem in variables.problems] == [".env:2: file: expected NAME=text"]


def test_a_folder_called_dotenv_is_left_alone(tmp_path: Path) -> None:
    """Some people keep their virtual environment in a folder of this name."""
    assert read_variables({}, tmp_path).dotenv == {}
    assert read_variables({}, None).dotenv == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${A}", "one"),
        ("<${A}|${A}>", "<one|one>"),
        ("${NONE:-default}", "default"),
        ("${NONE:-}", ""),
        ("${BLANK:-default}", "default"),
        ("${BLANK}", ""),
        ("${A:-default}", "one"),
        ("${DOLLAR}", "${A}"),
        ("$${A}", "${A}"),
        ("pa$$word $A $", "pa$$word $A $"),
    ],
)
def test_expand(text: str, expected: str) -> None:
    environ = {"A": "one", "BLANK": "", "DOLLAR": "${A}"}
    assert expand(text, Variables(environ)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${NONE}", r"expected the variable NONE to be set; ${NONE:-text} gives a default"),
        ("${A", r"expected the name of a variable and } after ${; $${ stands for a plain ${"),
        ("${1}", r"expected the name of a variable and } after ${; $${ stands for a plain ${"),
        ("${}", r"expected the name of a variable and } after ${; $${ stands for a plain ${"),
    ],
)
def test_expand_what_cannot_be(text: str, message: str) -> None:
    with pytest.raises(Expected) as caught:
        expand(text, Variables({"A": "one"}))
    assert str(caught.value) == message


@given(st.text().filter(lambda text: "${" not in text))
def test_a_text_without_a_mark_is_left_alone(text: str) -> None:
    assert expand(text, Variables({})) == text


@given(st.text(st.sampled_from("${}:-aA_1 ")))
def test_any_text_either_expands_or_is_refused(text: str) -> None:
    try:
        expanded = expand(text, Variables({"A": "X"}))
    except Expected:
        assert "${" in text
    else:
        assert ("${" in text) or expanded == text


@given(st.text().filter(lambda text: "$" not in text), NAMES, st.text(), NAMES)
def test_a_variable_lands_where_its_name_stood(
    around: str, name: str, value: str, other: str
) -> None:
    """What it holds is not looked through again, and may hold anything."""
    text = f"{around}${{{name}}}{around}${{{other}_:-d}}"
    assert expand(text, Variables({name: value})) == f"{around}{value}{around}" + (
        value or "d" if name == f"{other}_" else "d"
    )


@given(st.text().filter(lambda text: "$" not in text))
def test_an_escaped_text_comes_out_as_it_was_meant(text: str) -> None:
    assert expand(f"$${{{text}", Variables({})) == f"${{{text}"


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        *((word, bool, True) for word in ("true", "TRUE", "1", "yes", "On", " on ")),
        *((word, bool, False) for word in ("false", "0", "No", "OFF")),
        ("8080", int, 8080),
        (" 8080 ", int, 8080),
        ("8080", int | None, 8080),
        ("1.5", float, 1.5),
        (" as is ", str, " as is "),
        ("a,b", tuple[str, ...], "a,b"),
        ('[{"id": "a"}]', tuple[ApiSecret, ...], [{"id": "a"}]),
    ],
)
def test_read_value(text: str, kind: Any, expected: object) -> None:
    assert read_value(text, kind) == expected


@pytest.mark.pins("D273")
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("maybe", bool),
        ("", bool),
        ("2", bool),
        ("12x", int),
        ("1_000", int),
        ("1.0", int),
        ("\u0663", int),
        ("9" * 5000, int),
        ("", int),
        ("fast", float),
        ("[{", tuple[ApiSecret, ...]),
    ],
)
def test_read_value_that_cannot_be(text: str, kind: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # its text is of no use: it may be a secret
        read_value(text, kind)
