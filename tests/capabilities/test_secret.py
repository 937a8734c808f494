"""A key must not be seen, wherever it is shown."""

import copy
import json
import pickle
import pprint
import reprlib
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import cattrs
import msgspec
import pytest
import yaml

from capabilities import Secret, STTOptions

OPTIONS = STTOptions(api_key=Secret("s3cr3t"), auth={"token": Secret("s3cr3t")})

SHOWN: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "format": "{}".format,
    "f-string": lambda value: f"{value} {value!r} {value!s}",
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031  # as logging does
    "pprint": pprint.pformat,
    "reprlib": reprlib.repr,
    "asdict": lambda value: str(attrs.asdict(value)) if attrs.has(type(value)) else "",
    "astuple": lambda value: str(attrs.astuple(value)) if attrs.has(type(value)) else "",
    "cattrs": lambda value: str(cattrs.unstructure(value)),
    "traceback": lambda value: "".join(traceback.format_exception(ValueError(value))),
    "locals": lambda value: "".join(
        traceback.TracebackException.from_exception(_raised(value), capture_locals=True).format()
    ),
}

REFUSED: dict[str, Callable[[Any], object]] = {
    "json": json.dumps,
    "msgspec": msgspec.json.encode,
    "builtins": msgspec.to_builtins,
    "yaml": yaml.dump,
    "safe yaml": yaml.safe_dump,
    "deepcopy": copy.deepcopy,
    "bytes": bytes,
    "list": list,
    "vars": vars,
    "width": "{:>30}".format,
    **{f"pickle {number}": partial(pickle.dumps, protocol=number) for number in range(6)},
}


def _raised(value: object) -> Exception:
    try:
        raise ValueError(value)  # noqa: TRY301  # its traceback is wanted
    except ValueError as exc:
        return exc


@pytest.mark.pins("D270")
@pytest.mark.parametrize("way", SHOWN)
def test_a_secret_never_prints(way: str) -> None:
    for value in (Secret("s3cr3t"), OPTIONS, {"key": Secret("s3cr3t")}, [Secret("s3cr3t")]):
        assert "s3cr3t" not in SHOWN[way](value)


@pytest.mark.parametrize("way", REFUSED)
def test_a_secret_goes_into_no_document(way: str) -> None:
    """Whatever writes values down refuses it, rather than writing what it finds inside."""
    with pytest.raises((TypeError, ValueError, yaml.YAMLError)) as caught:
        REFUSED[way](Secret("s3cr3t"))
    assert "s3cr3t" not in str(caught.value)


def test_a_fingerprint_tells_secrets_apart_and_is_none_of_them() -> None:
    one, other, odd = [Secret(text).fingerprint for text in ("s3cr3t", "s3cr3t ", "\udcff")]
    assert len({one, other, odd}) == 3
    assert one == Secret("s3cr3t").fingerprint
    assert "s3cr3t" not in one


def test_reveal_is_the_way_out() -> None:
    assert Secret("a").reveal() == "a"
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")
