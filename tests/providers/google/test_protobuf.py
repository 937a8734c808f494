"""The encoder and decoder of messages: both ways, wild bytes, and what must be passed over."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.google.protobuf import (
    Field,
    Fields,
    Names,
    Scalar,
    Unreadable,
    decode,
    encode,
    length_delimited,
    varint,
)
from providers.google.speech_messages import REQUEST, RESPONSE
from providers.google.tts_messages import STREAMING_REQUEST, STREAMING_RESPONSE

TABLES = [REQUEST, RESPONSE, STREAMING_REQUEST, STREAMING_RESPONSE]
SMALL: Fields = {
    "text": Field(1, Scalar.STRING),
    "count": Field(2, Scalar.INTEGER),
    "inner": Field(3, {"flag": Field(1, Scalar.BOOL), "other": Field(2, Scalar.INTEGER)}),
    "kind": Field(4, Names({"ONE": 1})),
    "told": Field(5, Scalar.BOOL, explicit=True),
}
_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    Scalar.STRING: st.text(min_size=1),
    Scalar.BYTES: st.binary(min_size=1),
    Scalar.BOOL: st.just(value=True),
    Scalar.INTEGER: st.integers(-(2**31), 2**31 - 1).filter(bool),
    Scalar.FLOAT: st.floats(width=32, allow_nan=False).filter(bool),
    Scalar.DOUBLE: st.floats(allow_nan=False).filter(bool),
}


def messages(fields: Fields) -> st.SearchStrategy[dict[str, Any]]:
    """Any message of a kind."""
    return st.fixed_dictionaries({}, optional={n: _values(f) for n, f in fields.items()})


def _values(field: Field) -> st.SearchStrategy[Any]:
    match field.kind:
        case Scalar() as kind:
            one = _SCALARS[kind]
        case Names(numbers=numbers):
            one = st.sampled_from(sorted(numbers))
        case table:
            one = messages(table)
    return st.lists(one, min_size=1, max_size=3) if field.repeated else one


@given(st.sampled_from(TABLES).flatmap(lambda t: st.tuples(st.just(t), messages(t))))
def test_what_was_written_is_read(told: tuple[Fields, dict[str, Any]]) -> None:
    fields, message = told
    assert decode(fields, encode(fields, message)) == message


@given(st.sampled_from(TABLES), st.binary(max_size=200))
def test_any_bytes_are_a_message_or_unreadable(fields: Fields, data: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert isinstance(decode(fields, data), dict)


@given(messages(RESPONSE), st.data())
def test_a_message_that_is_cut_is_never_misread(message: dict[str, Any], data: Any) -> None:
    """It is unreadable, or cut between two fields and so a shorter message."""
    whole = encode(RESPONSE, message)
    part = whole[: data.draw(st.integers(0, len(whole)))]
    try:
        assert encode(RESPONSE, decode(RESPONSE, part)) in {part, whole[: len(part)]}
    except Unreadable:
        assert part != whole


def test_defaults_are_not_sent_unless_they_say_something() -> None:
    message = {"text": "", "count": 0, "inner": {}, "kind": None, "told": False}
    assert encode(SMALL, message) == b"\x1a\x00\x28\x00"
    assert decode(SMALL, b"\x1a\x00\x28\x00") == {"inner": {}, "told": False}


def test_unknown_fields_and_values_are_passed_over() -> None:
    strange = (
        varint(9 << 3) + b"\x05" + varint(9 << 3 | 5) + b"1234" + varint(9 << 3 | 1) + b"8" * 8
    )
    strange += length_delimited(9, b"?") + varint(4 << 3) + b"\x63" + varint(1 << 3) + b"\x01"
    assert decode(SMALL, strange + length_delimited(1, b"hello")) == {"text": "hello"}


def test_parts_of_one_message_are_put_together() -> None:
    data = length_delimited(3, b"\x08\x01") + length_delimited(3, b"\x10\x05")
    assert decode(SMALL, data) == {"inner": {"flag": True, "other": 5}}


def test_a_negative_number() -> None:
    assert decode(SMALL, encode(SMALL, {"count": -7})) == {"count": -7}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff" * 11, id="endless-number"),
        pytest.param(b"\x80", id="cut-number"),
        pytest.param(b"\x0a\x05hi", id="cut-text"),
        pytest.param(b"\x0a\xff\xff\xff\xff\x7f", id="gigabytes"),
        pytest.param(b"\x0b", id="group"),
        pytest.param(b"\x0a\x01\xff", id="not-utf-8"),
        pytest.param(b"\x4d12", id="cut-fixed"),
    ],
)
def test_what_cannot_be_read(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(SMALL, data)


def test_a_field_that_is_not_in_the_table_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        encode(SMALL, {"txet": "hello"})
