"""A form in pieces says what it says as a whole, and only its recordings may be large."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.errors import InvalidRequest
from waav.server.rest.large_form import FIELDS, LargeForm
from waav.server.rest.large_json import DOCUMENT

BOUNDARY = "--x-1"


def part(name: str, value: bytes, file: str | None = None) -> bytes:
    told = f'; filename="{file}"' if file is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{told}\r\n\r\n'
    return head.encode() + value + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def read(
    raw: bytes, cuts: list[int] | None = None, most: int = 10
) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    reader = LargeForm(BOUNDARY, most)
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts or ())})
    for start, end in pairwise(places):
        reader.feed(raw[start:end])
    fields = reader.end()
    return fields, [
        (each.place, b"".join([*each._pieces, bytes(each._last)])) for each in reader.recordings
    ]


VALUES = st.binary(max_size=60) | st.sampled_from(
    [b"\r", b"\n", b"\r\n--", b"\r\n----x-", END[:-4], b"--"]
)


@given(
    st.lists(VALUES.filter(lambda value: b"--x-1" not in value), max_size=4),
    st.lists(st.integers(0, 2000), max_size=30),
)
def test_recordings_come_out_as_they_went_in_however_they_are_cut(
    values: list[bytes], cuts: list[int]
) -> None:
    parts = [part(f"audio_{n}", value, f"{n}.wav") for n, value in enumerate(values)]
    raw = part("name", b"Ann\xc3\xa9") + b"".join(parts) + END
    fields, recordings = read(raw, cuts)
    assert fields == {"name": "Anné"}
    assert recordings == [(f"audio_{n}", value) for n, value in enumerate(values)]


def test_a_recording_is_every_file_and_what_is_called_like_one() -> None:
    raw = part("sample", b"1", "a.wav") + part("audio_7", b"2") + part("audio", b"3") + END
    fields, recordings = read(raw)
    assert fields == {"audio": "3"}
    assert recordings == [("sample", b"1"), ("audio_7", b"2")]


def test_fields_of_one_name_are_a_list() -> None:
    assert read(part("labels", b"a") + part("labels", b"b") + END)[0] == {"labels": ["a", "b"]}


def test_what_follows_the_end_means_nothing() -> None:
    reader = LargeForm(BOUNDARY, 1)
    reader.feed(part("name", b"x") + END)
    reader.feed(b"anything")
    assert reader.end() == {"name": "x"}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(b"", "invalid_form", id="empty"),
        pytest.param(part("name", b"x"), "invalid_form", id="no-end"),
        pytest.param(b"name=x&provider=y", "invalid_form", id="another-kind"),
        pytest.param(b"--" + BOUNDARY.encode() + b"\r\nx\r\n\r\n", "invalid_form", id="odd-header"),
        pytest.param(part("a", b"", "a") * 11 + END, "too_many_files", id="many-files"),
        pytest.param(part("n", b"x" * (DOCUMENT + 1)), "body_too_large", id="long-field"),
        pytest.param(part("n", b"x" * 1000) * 70, "body_too_large", id="much-in-all"),
        pytest.param(part("", b"") * (FIELDS + 20), "body_too_large", id="many-fields"),
        pytest.param(part("x" * 9000, b""), "body_too_large", id="long-header"),
        pytest.param(
            b"--" + BOUNDARY.encode() + b"\r\n" + b"a: b\r\n" * 9, "body_too_large", id="headers"
        ),
    ],
)
def test_each_mistake_has_its_code(raw: bytes, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(raw)
    assert caught.value.code == code


def test_a_form_without_a_boundary_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="boundary"):
        LargeForm("", 1)
