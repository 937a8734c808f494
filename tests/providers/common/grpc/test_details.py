"""The pause that a server asks for, out of a message that we have no generated code for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers._common.grpc.details import retry_delay

INFO = b"type.googleapis.com/google.rpc.RetryInfo"


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])


def status(kind: bytes, detail: bytes) -> bytes:
    other = field(3, field(1, b"type.googleapis.com/google.rpc.Help") + field(2, b"\x0a\x00"))
    wanted = field(3, field(1, kind) + field(2, detail))
    return field(1, 8) + field(2, b"quota") + other + wanted


@given(st.integers(0, 10**6), st.integers(0, 999_999_999))
def test_the_pause_is_found(seconds: int, nanos: int) -> None:
    duration = field(1, seconds) + field(2, nanos)
    found = retry_delay(status(INFO, field(1, duration)))
    assert found == pytest.approx(seconds + nanos / 1e9)


@pytest.mark.parametrize(
    "details",
    [
        b"",
        field(1, 8) + field(2, b"quota"),
        status(b"type.googleapis.com/google.rpc.BadRequest", field(1, field(1, 3))),
        status(INFO, b""),
        status(INFO, field(1, field(1, (1 << 64) - 5))),
        status(INFO, field(1, field(1, b"text")))[:-2],
    ],
)
def test_without_a_pause_there_is_none(details: bytes) -> None:
    assert retry_delay(details) is None


def test_fields_of_fixed_length_are_passed_over() -> None:
    fixed = bytes([9 << 3 | 1]) + bytes(8) + bytes([9 << 3 | 5]) + bytes(4)
    assert retry_delay(fixed + status(INFO, field(1, field(1, 7)))) == 7


@given(st.binary(max_size=80))
def test_any_bytes_are_survived(details: bytes) -> None:
    retry_delay(details)
    retry_delay(status(INFO, details))
    retry_delay(field(3, field(1, INFO) + details))
