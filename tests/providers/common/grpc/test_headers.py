"""What opens a call, and what cannot."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import ProviderRefused, Secret
from providers._common.grpc.headers import (
    Metadata,
    decode_binary,
    decode_text,
    encode_timeout,
    request_headers,
)

_UNITS = {"u": 1e-6, "m": 1e-3, "S": 1.0, "M": 60.0, "H": 3600.0}


def test_a_call_is_a_post_to_its_method() -> None:
    headers, _ = request_headers("acme", "https://acme.test:1", "/a.B/C", inf, {"X-Api": "v"})
    assert dict(headers) == {
        ":method": "POST",
        ":scheme": "https",
        ":path": "/a.B/C",
        ":authority": "acme.test:1",
        "te": "trailers",
        "content-type": "application/grpc",
        "grpc-accept-encoding": "identity,gzip",
        "user-agent": "waav",
        "x-api": "v",
    }
    assert [name for name, _ in headers[:4]] == [":method", ":scheme", ":path", ":authority"]


def test_a_relay_may_have_a_path_of_its_own() -> None:
    headers, _ = request_headers("acme", "http://relay/google", "/a.B/C", inf)
    assert (":path", "/google/a.B/C") in headers
    assert (":authority", "relay") in headers


def test_bytes_travel_as_base64_without_padding() -> None:
    headers, _ = request_headers("acme", "http://x", "/m", inf, {"id-bin": b"\0\xff"})
    assert ("id-bin", "AP8") in headers


def test_a_secret_is_sent_and_not_told() -> None:
    headers, failures = request_headers(
        "acme", "http://x", "/m", 1, {"authorization": Secret("Bearer open-sesame")}
    )
    assert ("authorization", "Bearer open-sesame") in headers
    assert "sesame" not in failures.tidy("who said open-sesame?")


@pytest.mark.parametrize(
    "metadata",
    [
        {"x-key": Secret("pasted-with-its-end\n")},
        {"grpc-timeout": "1S"},
        {"TE": "gzip"},
        {"connection": "close"},
        {"key-bin": "text"},
        {"key": b"bytes"},
        {":path": "/other"},
        {"": "nameless"},
        {"key": "snowman \N{SNOWMAN}"},
    ],
)
def test_what_cannot_be_sent_is_refused_and_not_shown(metadata: Metadata) -> None:
    with pytest.raises(ProviderRefused) as caught:
        request_headers("acme", "http://x", "/m", inf, metadata)
    assert "pasted" not in str(caught.value)


@given(st.floats(min_value=0, max_value=1e9))
def test_a_timeout_has_at_most_eight_digits_and_is_never_short(seconds: float) -> None:
    text = encode_timeout(seconds)
    number, unit = text[:-1], text[-1]
    assert len(number) <= 8
    sent = int(number) * _UNITS[unit]
    # Up to one unit more, of which there are at least a million where a coarse one is needed.
    assert seconds <= sent * (1 + 1e-9)
    assert sent <= seconds * 1.001 + 1e-6


def test_a_timeout_of_more_than_eleven_thousand_years_is_cut() -> None:
    assert encode_timeout(1e15) == "99999999H"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"gr%C3%BC%C3%9Fe 100%25", "gr\u00fc\u00dfe 100%"),
        (b"broken %C3 %zz", "broken \N{REPLACEMENT CHARACTER} %zz"),
    ],
)
def test_a_message_is_percent_encoded(value: bytes, text: str) -> None:
    assert decode_text(value) == text


@pytest.mark.parametrize(
    ("value", "data"),
    [(b"AP8", b"\0\xff"), (b"AP8=", b"\0\xff"), (b"AP8, AQ", b"\0\xff"), (b"!", b""), (b"", b"")],
)
def test_a_binary_value_comes_with_or_without_padding(value: bytes, data: bytes) -> None:
    assert decode_binary(value) == data
