"""A large JSON body in pieces says what it says as a whole, and only its recordings may be large."""

import base64
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.errors import InvalidRequest
from waav.server.rest.large_json import DOCUMENT, SIGNS, LargeJson

NAMES = frozenset({"audio_samples", "audio_files"})


def read(raw: bytes, cuts: list[int] | None = None, most: int = 10) -> tuple[Any, list[bytes]]:
    """Read a body that is cut at these places: the document, and the recordings."""
    reader = LargeJson(NAMES, most)
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts or ())})
    for start, end in pairwise(places):
        reader.feed(raw[start:end])
    document = reader.end()
    return document, [b"".join([*each._pieces, bytes(each._last)]) for each in reader.recordings]


def put_back(document: Any, recordings: list[bytes]) -> Any:
    """The document with recordings in the places of their numbers."""
    return {
        key: [recordings[int(item)] if isinstance(item, str) else item for item in value]
        if key in NAMES and isinstance(value, list)
        else value
        for key, value in document.items()
    }


def whole(raw: bytes) -> Any:
    """The same by the ordinary way: all at once."""
    return {
        key: [base64.b64decode(item) if isinstance(item, str) else item for item in value]
        if key in NAMES and isinstance(value, list)
        else value
        for key, value in json.loads(raw).items()
    }


KEYS = st.sampled_from(["name", "audio_samples", "audio_files", "x", 'odd"]}\\', "é"])
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.text(max_size=8)
    | st.sampled_from(['"', "\\", '\\"', "[]{},:", "audio_samples"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
RECORDINGS = st.lists(
    st.binary(max_size=50).map(lambda data: base64.b64encode(data).decode()) | st.integers(),
    max_size=4,
)
NESTED = st.lists(st.lists(st.text(max_size=3), max_size=2), max_size=2)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    document: dict[str, Any] = {}
    for key in draw(st.lists(KEYS, max_size=6, unique=True)):
        document[key] = draw(RECORDINGS | NESTED if key in NAMES else PLAIN)
    text = json.dumps(
        document, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1]))
    )
    if draw(st.booleans()):  # as PHP and .NET write base64
        text = text.replace("/", "\\/").replace("+", "\\u002b")
    return text.encode("utf-8", "surrogatepass")


@given(bodies(), st.lists(st.integers(0, 2000), max_size=30))
def test_any_body_is_read_as_if_it_were_whole_however_it_is_cut(
    raw: bytes, cuts: list[int]
) -> None:
    assert put_back(*read(raw, cuts)) == whole(raw)


def test_any_body_is_read_byte_by_byte() -> None:
    raw = json.dumps(
        {"a": {"audio_samples": ["x\\"]}, "audio_samples": ["QUJD", "data:;base64,QQ=="]}
    ).encode()
    raw = raw.replace(b'"QUJD"', b'"QUJD", "\\u002b\\/+/"')
    document, recordings = read(raw, list(range(len(raw))))
    assert document == {"a": {"audio_samples": ["x\\"]}, "audio_samples": ["0", "1", "2"]}
    assert recordings == [b"ABC", base64.b64decode("+/+/"), b"A"]


def outcome(raw: bytes, cuts: list[int]) -> Any:
    try:
        return read(raw, cuts)
    except InvalidRequest as exc:
        return exc.code


@given(
    st.lists(
        st.sampled_from([*'{}[]:,"\\ 1', "audio_samples", '"audio_samples":[', "QUJD", "\xff"]),
        max_size=25,
    ),
    st.lists(st.integers(0, 200), max_size=10),
)
def test_what_is_no_json_is_refused_however_it_is_cut(parts: list[str], cuts: list[int]) -> None:
    raw = "".join(parts).encode("latin-1")
    found = outcome(raw, cuts)
    assert found == outcome(raw, [])
    if isinstance(found, tuple):
        json.loads(raw)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(b"", "invalid_json", id="empty"),
        pytest.param(b'{"name": "x"', "invalid_json", id="cut-off"),
        pytest.param(b'{"audio_samples": ["QUJD', "invalid_json", id="cut-off-in-a-recording"),
        pytest.param(b'{"audio_samples": ["QUJD\\', "invalid_json", id="cut-off-in-an-escape"),
        pytest.param(b'["x"]', "invalid_request", id="no-object"),
        pytest.param(b'{"a":' + b"[" * 2000, "invalid_json", id="deep"),
        pytest.param(b'{"audio_samples": ["%%"]}', "invalid_audio", id="not-base64"),
        pytest.param(b'{"audio_samples": ["\\q"]}', "invalid_audio", id="odd-escape"),
        pytest.param(b'{"audio_samples": ["\\u00"]}', "invalid_audio", id="half-escape"),
        pytest.param(b'{"audio_samples": ["\\ud83d"]}', "invalid_audio", id="surrogate"),
        pytest.param(b'{"audio_samples": [%s""]}' % (b'"",' * 10), "too_many_files", id="many"),
        pytest.param(b'{"x": "%s"}' % (b"x" * DOCUMENT), "body_too_large", id="long-text"),
        pytest.param(b" " * (DOCUMENT + 1), "body_too_large", id="blanks"),
        pytest.param(b"[]" * SIGNS, "body_too_large", id="brackets"),
    ],
)
def test_each_mistake_has_its_code(raw: bytes, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(raw)
    assert caught.value.code == code


def test_the_place_of_a_bad_recording_is_told() -> None:
    with pytest.raises(InvalidRequest, match=r"at `\$\.audio_files\[1\]`"):
        read(b'{"audio_samples": ["QUJD"], "audio_files": ["QUJD", "?"]}')


def test_the_work_for_a_piece_is_bounded() -> None:
    """However a body is made, no more than so many steps in Python are taken for all of it."""
    steps = 0

    class Counting(LargeJson):
        def _step(self, sign: bytes) -> None:
            nonlocal steps
            steps += 1
            super()._step(sign)

    for sign in (b"[]", b"{}", b'""', b",", b":,", b'"":', b"[,"):
        steps, reader = 0, Counting(NAMES, 10)
        with pytest.raises(InvalidRequest):
            for _ in range(100):
                reader.feed(sign * (65536 // len(sign)))
        assert steps <= SIGNS
