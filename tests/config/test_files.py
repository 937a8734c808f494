"""Files that can be read, and files that cannot."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from waav.config.files import read_document
from waav.errors import ConfigError

Write: TypeAlias = Callable[..., Path]


def fails(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_document(path)
    return str(caught.value)


def test_yaml_says_the_same_as_toml(write: Write) -> None:
    toml = write(
        '[server]\nport = 1\n[server.tls]\nenabled = true\n[sip]\nhooks = [{host = "a"}]\n'
    )
    yaml = write(
        "server:\n  port: 1\n  tls:\n    enabled: true\nsip:\n  hooks:\n    - host: a\n", "waav.yml"
    )
    one, other = read_document(toml), read_document(yaml)
    assert one.data == other.data
    hook = ("sip", "hooks", 0, "host")
    assert (one.where(hook), other.where(hook)) == ("waav.toml:6", "waav.yml:7")


def test_a_place_without_a_line_has_that_of_what_is_around_it(write: Write) -> None:
    document = read_document(write("\n[server]\nport = 1\n"))
    assert document.where(("server", "nothing", 3)) == "waav.toml:2"
    assert document.where(("nothing",)) == "waav.toml:1"


def test_yaml_keys_are_read_as_they_are_written(write: Write) -> None:
    """``on`` is a boolean to YAML 1.1, and 1 a number; as keys both are names."""
    assert read_document(write("on: 1\n1: x\n", "a.yaml")).data == {"on": 1, "1": "x"}


def test_yaml_anchors_and_merges(write: Write) -> None:
    document = read_document(write("a: &a\n  x: 1\n  y: 1\nb:\n  <<: *a\n  y: 2\n", "a.yaml"))
    assert document.data["b"] == {"x": 1, "y": 2}
    assert document.where(("b", "y")) == "a.yaml:6"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_yaml_file_sets_nothing(text: str, write: Write) -> None:
    assert read_document(write(text, "a.yaml")).data == {}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        pytest.param(
            "a.toml", "a = 1\nb = = sekret\n", "a.toml:2: file: is not TOML: Invalid value (column 5)", id="toml"
        ),
        pytest.param("a.toml", "a = 1\na = 2\n", "a.toml:2: file: is not TOML", id="toml-twice"),
        pytest.param("a.yaml", "a: 1\nb: [sekret\n", "a.yaml:3: file: is not YAML", id="yaml"),
        pytest.param("a.yaml", "a: *sekret\n", "a.yaml:1: file: is not YAML", id="yaml-alias"),
        pytest.param("a.yaml", "a: !!python/name:os.x sekret\n", "a.yaml:1: file: is not YAML", id="yaml-tag"),
        pytest.param("a.yaml", "a: 2020-99-99\n", "a.yaml: file: is not YAML", id="yaml-date"),
        pytest.param("a.yaml", "a: \x01sekret\n", "a.yaml: file: is not YAML", id="yaml-control"),
        pytest.param("a.yaml", "a: 1\nb:\n  c: 1\n  c: 2\n", "a.yaml:4: b.c: given twice", id="yaml-twice"),
        pytest.param("a.yaml", "? [a, b]\n: 1\n", "a.yaml:1: file: expected keys that are", id="yaml-key"),
        pytest.param("a.yaml", "- a\n", "a.yaml: file: expected a table of sections", id="yaml-list"),
        pytest.param("a.yaml", "a: &a [*a]\n", "a.yaml: file: is nested too deeply", id="yaml-recursive"),
        pytest.param("a.yaml", "[" * 3000, "a.yaml: file: is nested too deeply", id="yaml-deep"),
        pytest.param("a.toml", "a = " + "[" * 3000, "a.toml", id="toml-deep"),
        pytest.param("a.json", "{}", "a.json: file: expected a name that ends in", id="suffix"),
        pytest.param("a.toml", "# " + "x" * (1 << 20), "a.toml: file: is larger than 1048576", id="size"),
    ],
)  # fmt: skip
def test_a_broken_file(name: str, text: str, message: str, write: Write) -> None:
    """The place is named, and the line itself, which may hold a secret, is not shown."""
    problem = fails(write(text, name))
    assert problem.startswith(message)
    assert "sekret" not in problem


def test_a_short_file_that_stands_for_a_billion_values(write: Write) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10)]
    text = "\n".join(["l0: &l0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]", *levels])
    assert fails(write(text, "a.yaml")) == "a.yaml: file: has more than 10000 values"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    assert fails(path) == f"{path}: file: cannot be read: No such file or directory"


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b'a = 1\nb = "\xff"\n')
    assert fails(path) == f"{path}:2: file: is not UTF-8 text"


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_document(path).data == {"a": 1}
