"""Base64 in pieces says what it says as a whole."""

import base64
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.server.rest.base64_text import Base64Text


def decoded(text: bytes, cuts: list[int] | None = None) -> bytes:
    """Read a text that is cut at these places."""
    reader = Base64Text()
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts or ())})
    pieces = [text[a:b] for a, b in pairwise(places)]
    return b"".join([*(reader.feed(piece) for piece in pieces), reader.end()])


CUTS = st.lists(st.integers(0, 1000), max_size=20)


FORMS = st.sets(st.sampled_from(["url-safe", "unpadded", "lines", "data-url"]))


@given(st.binary(max_size=300), CUTS, FORMS)
def test_every_form_of_every_text_is_read_however_it_is_cut(
    data: bytes, cuts: list[int], forms: set[str]
) -> None:
    text = base64.urlsafe_b64encode(data) if "url-safe" in forms else base64.b64encode(data)
    if "unpadded" in forms:
        text = text.rstrip(b"=")
    if "lines" in forms:
        text = b"\r\n".join(text[i : i + 76] for i in range(0, len(text), 76))
    if "data-url" in forms:
        text = b"data:audio/wav;codecs=1;base64," + text
    assert decoded(text, cuts) == data


def outcome(text: bytes, cuts: list[int]) -> bytes | None:
    try:
        return decoded(text, cuts)
    except ValueError:
        return None


@given(st.text("Aa9+/=-_ data:,;base64!\u00e9", max_size=40), CUTS)
def test_cutting_never_changes_what_is_refused(text: str, cuts: list[int]) -> None:
    raw = text.encode()
    assert outcome(raw, cuts) == outcome(raw, [])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"A", id="one-character"),
        pytest.param(b"QUJD!", id="other-characters"),
        pytest.param(b"QQ==QUJD", id="goes-on-behind-padding"),
        pytest.param(b"====", id="padding-alone"),
        pytest.param(b"data:audio/wav,QUJD", id="url-that-is-not-base64"),
        pytest.param(b"data:audio/wav;base64", id="url-without-data"),
        pytest.param(b"data:" + b"x" * 300 + b";base64,QUJD", id="url-with-a-long-head"),
        pytest.param("QUJé".encode(), id="not-ascii"),
    ],
)
def test_what_is_no_base64_is_refused(text: bytes) -> None:
    for cuts in ([], list(range(len(text)))):
        with pytest.raises(ValueError, match=r"\w"):
            decoded(text, cuts)


def test_a_data_url_may_be_written_in_capitals() -> None:
    assert decoded(b"DATA:AUDIO/WAV;BASE64,QUJD") == b"ABC"


def test_four_letters_that_begin_like_a_url_are_base64() -> None:
    assert decoded(b"data") == base64.b64decode(b"data")
