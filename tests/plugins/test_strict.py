"""Plain data becomes the class of a plugin, or a mistake that says where it is and what."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from attrs.validators import ge
from hypothesis import given
from hypothesis import strategies as st

from capabilities import Secret
from waav.plugins import strict
from waav.plugins.strict import MOST_TOLD, Mistakes, fields_of, make


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Place:
    name: str
    depth: int = 1


@attrs.frozen(kw_only=True)
class Options:
    smart_format: bool = False
    maybe: bool | None = None
    seed: int | None = attrs.field(default=None, validator=attrs.validators.optional(ge(0)))
    speed: float = 1.0
    model: str = "small"
    via: Literal["file", "live"] | None = None
    level: Literal[1, 2] = 1
    colour: Colour = Colour.RED
    words: tuple[str, ...] = ()
    stop: Sequence[str] = attrs.field(default=(), converter=tuple)
    places: tuple[Place, ...] = ()
    extra: Mapping[str, int] = attrs.field(factory=dict)
    path: Path | None = None
    key: Secret | None = None
    anything: Any = None
    _hidden: int = 0


def structured(given_: Mapping[str, Any], *, textual: bool = False) -> Options:
    return make(Options, fields_of(Options, given_, "options", textual=textual), "options")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("smart_format", True, True),
        ("maybe", None, None),
        ("maybe", False, False),
        ("seed", 7, 7),
        ("speed", 2, 2.0),
        ("via", "live", "live"),
        ("level", 2, 2),
        ("colour", "blue", Colour.BLUE),
        ("words", ["a", "b"], ("a", "b")),
        ("stop", ["a"], ("a",)),
        ("places", [{"name": "x"}], (Place("x"),)),
        ("extra", {"a": 1}, {"a": 1}),
        ("path", "/tmp/x", Path("/tmp/x")),
        ("key", "s3cret", Secret("s3cret")),
        ("anything", [{"a": None}], [{"a": None}]),
        ("_hidden", 3, 3),
    ],
)
def test_a_value_that_fits(name: str, value: object, expected: object) -> None:
    assert getattr(structured({name: value}), name) == expected


@pytest.mark.parametrize(
    ("given_", "mistake"),
    [
        ({"smart_format": "false"}, 'smart_format: expected true or false, got "false"'),
        ({"smart_format": 0}, "smart_format: expected true or false, got 0"),
        ({"smart_format": None}, "smart_format: expected true or false, got nothing"),
        ({"maybe": "yes"}, 'maybe: expected true or false, got "yes"'),
        ({"seed": "7"}, 'seed: expected a whole number, got "7"'),
        ({"seed": 2.5}, "seed: expected a whole number, got 2.5"),
        ({"seed": True}, "seed: expected a whole number, got true"),
        ({"speed": "1"}, 'speed: expected a number, got "1"'),
        ({"speed": False}, "speed: expected a number, got false"),
        ({"speed": 10**400}, "speed: expected a number, got a number"),
        ({"model": 7}, "model: expected text, got a number"),
        ({"via": "fax"}, 'via: expected one of "file", "live", got "fax"'),
        ({"level": True}, "level: expected one of 1, 2, got true"),
        ({"colour": "green"}, 'colour: expected one of "red", "blue", got "green"'),
        ({"words": "abc"}, 'words: expected a list, got "abc"'),
        ({"words": {"a": 1}}, "words: expected a list, got an object"),
        ({"words": ["a", 2]}, "words[1]: expected text, got a number"),
        ({"places": [{"name": "x"}, {}]}, "places[1].name: is required"),
        ({"places": [{"name": "x", "dept": 1}]}, "places[0].dept: unknown, perhaps depth"),
        ({"places": [["x"]]}, "places[0]: expected an object, got a list"),
        ({"extra": [1]}, "extra: expected an object, got a list"),
        ({"smrt_format": True}, "smrt_format: unknown, perhaps smart_format"),
        ({"xyz": 1}, "xyz: unknown (known: _hidden, anything, colour, extra, "),
    ],
)
def test_a_mistake_says_where_and_what(given_: Mapping[str, Any], mistake: str) -> None:
    with pytest.raises(Mistakes) as told:
        structured(given_)
    assert str(told.value).startswith(f"options.{mistake}")


def test_what_the_class_itself_refuses() -> None:
    with pytest.raises(Mistakes, match=r"^options: 'seed' must be >= 0: -1$"):
        structured({"seed": -1})


def test_what_is_missing() -> None:
    with pytest.raises(Mistakes, match=r"^options\.name: is required$"):
        make(Place, {"depth": 1}, "options")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("smart_format", "False", False),
        ("smart_format", "TRUE", True),
        ("seed", "7", 7),
        ("speed", "0.5", 0.5),
        ("model", "7", "7"),
    ],
)
def test_a_file_gives_numbers_and_switches_as_texts(
    name: str, value: str, expected: object
) -> None:
    """Because ``${VARIABLE}`` does."""
    assert getattr(structured({name: value}, textual=True), name) == expected


@pytest.mark.parametrize(
    ("name", "value"), [("smart_format", "1"), ("seed", "2.5"), ("speed", "fast"), ("words", "a,b")]
)
def test_but_not_any_text(name: str, value: str) -> None:
    with pytest.raises(Mistakes, match=f"^options.{name}: expected"):
        structured({name: value}, textual=True)


@pytest.mark.parametrize("name", ["smart_format", "seed", "via", "colour", "places"])
def test_a_key_in_the_wrong_place_is_not_shown(name: str) -> None:
    key = "made-up-key-of-a-vendor"
    for value in (key, [key, 12], {"key": key}):
        with pytest.raises(Mistakes) as told:
            structured({name: value})
        assert key not in str(told.value)


def test_a_message_is_bounded() -> None:
    with pytest.raises(Mistakes) as told:
        structured({f"{number}{'x' * 1000}": 1 for number in range(100)})
    assert len(str(told.value)) < MOST_TOLD * 400


@pytest.mark.parametrize("place", ["at the top", "below"])
def test_no_more_is_said_of_many_mistakes_than_is_told(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client may send a megabyte of names, and each word about one of them holds everybody up."""
    looked_at: list[str] = []

    def near(name: str, known: Sequence[str]) -> list[str]:
        looked_at.append(name)
        return get_close_matches(name, known)

    monkeypatch.setattr(strict, "get_close_matches", near)
    wrong = {f"seed{number:04}": 1 for number in range(1000)}
    with pytest.raises(Mistakes, match="seed0000: unknown"):
        structured(wrong if place == "at the top" else {"places": [{"name": "x"} | wrong]})
    assert len(looked_at) == MOST_TOLD


def test_a_class_whose_types_cannot_be_read() -> None:
    @attrs.frozen
    class Broken:
        value: "Nowhere"  # type: ignore[name-defined]  # that is what is tested  # noqa: F821

    with pytest.raises(Mistakes, match="the types of Broken cannot be read"):
        fields_of(Broken, {}, "options")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from([each.name for each in attrs.fields(Options)]) | st.text(max_size=5), _JSON
    )
)
def test_whatever_is_given_it_fits_or_is_a_mistake(given_: dict[str, Any]) -> None:
    try:
        made = structured(given_)
    except Mistakes:
        return
    for switch in (made.smart_format, made.maybe):
        assert switch in (True, False, None)
        assert type(switch) is not int
