"""The line finder against documents whose every value tells its own line."""

from collections.abc import Iterator
from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from waav.config.option import Steps
from waav.config.toml_lines import key_lines

ODD = '''\
# a comment with [brackets] = "and quotes
top = 2
"quoted.key" = 3
'literal "key"' = 4
dotted . "key x".more = 5
text = "not # a comment, [no table] and \\" no end" # 6 ]
many = """
[not.a.table]
key = "no key"
five quotes: """""
after = 11
literal = \'\'\'
a\\\'\'\'
last = 14
empty = """"""
when = 1979-05-27 07:32:00
half = -1.5e+3
list = [ 18, [ 18, # one ]
  19,
], # two
]
inline = { a.b = 22, "c" = [ 22,
  { d = 23 } ], e = '24 }', }

  [ spaced . "table" ]
  x = 26
[[many2]]
x = 28
[many2.sub]
x = 30
[[many2.deep]]
x = 32
[[many2.deep]]
x = 34
[[many2]]
[[many2.deep]]
x = 37
[a.b.c]
x = 39
[a]
x = 41
[a.b]
3.14 = 43
'''


def leaves(value: Any, path: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from leaves(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from leaves(inner, (*path, index))
        case _:
            yield path, value


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "dos"])
def test_every_value_of_an_odd_file_is_found_in_its_line(newline: str) -> None:
    """The whole numbers in the document above are the lines they stand in."""
    text = ODD.replace("\n", newline)
    lines = key_lines(text)
    numbers = {path: value for path, value in leaves(tomli.loads(text)) if isinstance(value, int)}
    assert len(numbers) == 21
    assert {path: lines[path] for path in numbers} == numbers
    assert {path for path, _ in leaves(tomli.loads(text))} <= lines.keys()


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("text",), 6),
        (("many",), 7),
        (("literal",), 12),
        (("empty",), 15),
        (("when",), 16),
        (("list",), 18),
        (("list", 1), 18),
        (("inline", "c", 1), 23),
        (("inline", "e"), 23),
        (("spaced", "table"), 25),
        (("many2", 0), 27),
        (("many2", 0, "deep", 1), 33),
        (("many2", 1), 35),
        (("a", "b", "c"), 38),
        (("a",), 40),
        (("a", "b"), 42),
    ],
)
def test_tables_and_texts_have_the_line_where_they_begin(path: Steps, line: int) -> None:
    assert key_lines(ODD)[path] == line


KEYS = st.text(st.sampled_from("ab.#[]=\" '\\\n\t-é"), max_size=4) | st.from_regex(
    r"[A-Za-z0-9_-]{1,6}", fullmatch=True
)
TEXTS = st.text(st.sampled_from("x#[]{}=,.\"'\\\n "), max_size=8)


def quoted(text: str) -> str:
    """Write a basic string: the one form that can hold everything."""
    special = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(special.get(letter, letter) for letter in text) + '"'


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[Steps, int]]:
    """Draw a document, and the line of each of its values."""
    lines: list[str] = []
    places: dict[Steps, int] = {}

    def fill(path: Steps, indent: str) -> None:
        for key in draw(st.lists(KEYS, max_size=3, unique=True)):
            lines.extend(draw(st.lists(st.sampled_from(["", "# [x] = {", "  "]), max_size=2)))
            begin = f"{indent}{quoted(key)} = "
            match draw(st.sampled_from(["text", "multi", "list", "inline"])):
                case "text":
                    lines.append(begin + quoted(draw(TEXTS)) + " # " + quoted("a = ["))
                    places[*path, key] = len(lines)
                case "multi":
                    lines.append(begin + '"""')
                    places[*path, key] = len(lines)
                    lines.extend(['key = "x"', "[t]", '\\""""'])
                case "list":
                    lines.append(begin + "[")
                    for index, text in enumerate(draw(st.lists(TEXTS, max_size=3))):
                        lines.append(quoted(text) + ", # ]")
                        places[*path, key, index] = len(lines)
                    lines.append("]")
                case _:
                    lines.append(begin + "{ a.'b' = '}', c = [1, {d = 1}] }")
                    for inner in (("a", "b"), ("c", 0), ("c", 1, "d")):
                        places[*path, key, *inner] = len(lines)

    fill((), "")
    for name in draw(st.lists(KEYS.map(lambda key: f"table {key}"), max_size=2, unique=True)):
        for index in range(draw(st.integers(1, 3))):
            lines.append(f"[[ {quoted(name)} ]]")
            places[name, index] = len(lines)
            fill((name, index), "  ")
            lines.append(f"[{quoted(name)}.'sub.table']")
            places[name, index, "sub.table"] = len(lines)
            fill((name, index, "sub.table"), "\t")
    return "\n".join(lines), places


@given(documents())
def test_any_document(drawn: tuple[str, dict[Steps, int]]) -> None:
    """Whatever stands in a document, each place in it has the right line."""
    text, places = drawn
    data = tomli.loads(text)
    lines = key_lines(text)
    assert {path: lines.get(path) for path in places} == places
    assert {path for path, _ in leaves(data)} <= lines.keys()
