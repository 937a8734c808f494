"""Reading the vendor's JSON, and its errors by what to do next."""

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
)
from providers.deepgram.messages import Error, read, sure


@attrs.frozen
class Greeting:
    to: str


KINDS = {"Greeting": Greeting}


def test_a_known_type_becomes_its_class() -> None:
    assert read('{"type":"Greeting","to":"you","more":1}', KINDS) == Greeting("you")


def test_an_unknown_type_means_nothing() -> None:
    assert read('{"type":"Farewell"}', KINDS) is None


@pytest.mark.parametrize(
    "message",
    [
        b"sound",
        "no json",
        "[]",
        "7",
        "{}",
        '"type"',
        '{"type":["Greeting"]}',
        '{"type":"Greeting"}',
        '{"type":"Greeting","to":7}',
        "[" * 100_000,
        '{"type":"\ud800"}',
    ],
    ids=range(11),
)
def test_what_cannot_be_read_is_against_the_protocol(message: str | bytes) -> None:
    with pytest.raises(ProviderProtocolError, match=r"^deepgram: sent "):
        read(message, KINDS)


@pytest.mark.parametrize(
    ("told", "kind", "message"),
    [
        (
            {"code": "DATA-0000", "description": "no sound"},
            ProviderRefused,
            "DATA-0000: no sound",
        ),
        ({"code": "NET-0001", "description": "idle"}, ProviderClosed, "NET-0001: idle"),
        ({"code": "MESSAGE-0000", "description": "?"}, ProviderProtocolError, "MESSAGE-0000: ?"),
        (
            {"variant": "SchemaError", "description": "what?", "message": "{}"},
            ProviderProtocolError,
            "SchemaError: what?",
        ),
        ({"code": "INTERNAL_SERVER_ERROR"}, ProviderClosed, "no reason given"),
        ({}, ProviderClosed, "error: no reason given"),
    ],
)
def test_an_error_says_what_to_do(
    told: dict[str, str], kind: type[ProviderError], message: str
) -> None:
    error = read(json.dumps({"type": "Error", **told}), {"Error": Error}).failure()
    assert type(error) is kind
    assert message in error.message


def test_an_error_does_not_repeat_a_key() -> None:
    key = "0123456789abcdef" * 2 + "01234567"
    assert key not in Error(code="X", description=f"the key {key} is bad").failure().message


@given(st.floats(allow_nan=False))
def test_a_confidence_is_from_0_to_1(confidence: float) -> None:
    assert 0 <= sure(confidence) <= 1
