"""What looks like a secret is masked, and so is what is known to be one; the rest of a line stays."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.observe.redaction import (
    LINES,
    MASK,
    SHORTEST,
    hides,
    spellings,
    without,
    without_shapes,
)

PEM = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIabc/def\n-----END RSA PRIVATE" + " KEY-----"


@pytest.mark.pins("D183")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sent Authorization: Bearer abc.def-ghi to it", "sent Authorization: *** to it"),
        ("authorization:Basic dTpw", "authorization:***"),
        ("xi-api-key: 12345678, and more", "xi-api-key: ***, and more"),
        ("X-Provider-Api-Key: k", "X-Provider-Api-Key: ***"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: ***\nHost: x"),
        ("GET /v1?token=abcd1234&x=1 failed", "GET /v1?token=***&x=1 failed"),
        ("GET /v1?model=a&key=abcd&x=1", "GET /v1?model=a&key=***&x=1"),
        ("access_token=a.b.c", "access_token=***"),
        ("aws_secret_access_key='a b'", "aws_secret_access_key=***"),
        ('password="cut off', "password=***"),
        ('{"api_key": "a b", "text": "hi"}', '{"api_key": "***", "text": "hi"}'),
        ("{'token': 'a', 'text': 'hi'}", "{'token': '***', 'text': 'hi'}"),
        (r"{\"token\": \"a b\", \"text\": \"hi\"}", r"{\"token\": \"***\", \"text\": \"hi\"}"),
        (
            "(b'authorization', b'Token x'), (b'a', b'b')",
            "(b'authorization', b'***'), (b'a', b'b')",
        ),
        ("wss://me:p@ss@host/path", "wss://***@host/path"),
        (f"read {PEM} twice", "read *** twice"),
        (json.dumps(PEM[:60]), '"***'),
        ("with bearer abc12345678", "with bearer ***"),
        ("eyJhbGciOiJFUzI1" + ".eyJzdWIiOiJ4.c2ln", "***"),
        ("Incorrect key provided: sk-" + "proj-0123456789abcdef", "Incorrect key provided: ***"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, shown: str) -> None:
    assert without_shapes(text) == shown
    assert without_shapes(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "does not know token: ignored",
        "unknown key; the nearest known one is auth.api_secret",
        "one of 'secrets', 'jwt', 'service'",
        "STTOptions(api_key=Secret(***), auth={})",
        "api_key=None, max_tokens=100",
        "Expected: Authorization: Bearer <token> of at most 4096 bytes",
        "Bearer authentication is needed",
        "X-Provider-Api-Key must be 1 to 1024 printable ASCII characters",
        "see https://example.com/a@b?mail=c@d",
        "the task-force has a desk",
    ],
)
def test_an_honest_sentence_stays_as_it_is(text: str) -> None:
    assert without_shapes(text) == text


@pytest.mark.parametrize(
    ("name", "secret"),
    [("token", True), ("X-Acme-Key", True), ("api_key", True), ("tokens", False), ("key", False)],
)
def test_a_field_is_secret_by_its_name(name: str, *, secret: bool) -> None:
    assert hides(name) is secret


@given(
    secret=st.text(min_size=SHORTEST, max_size=40).filter(lambda text: text.strip() == text),
    around=st.sampled_from(["{}", "key {} refused", "https://a/?x={}&y", '"{}"']),
)
def test_a_known_secret_is_masked_in_every_spelling(secret: str, around: str) -> None:
    for each in spellings(secret):
        assert each not in without(around.format(each), spellings(secret)).replace(MASK, "")


def test_of_two_secrets_the_longer_goes_first() -> None:
    known = [*spellings("the-begin"), *spellings("the-begin-and-the-rest")]
    assert without("it is the-begin-and-the-rest.", known) == "it is ***."


def test_a_short_secret_is_left_alone() -> None:
    """It would blot out words; what must be secret has to be longer."""
    assert not spellings("a" * (SHORTEST - 1))


def test_each_line_of_a_long_secret_is_one() -> None:
    known = spellings(PEM)
    assert without("it has MIIabc/def inside", known) == "it has *** inside"


def test_of_a_secret_with_very_many_lines_the_first_are_looked_for() -> None:
    """A client's key may be a MiB; to spell all of it, and to look for that, would take seconds."""
    known = spellings("\n".join(f"line-{number:06}" for number in range(80_000)))
    assert without("it has line-000000", known) == "it has ***"
    assert len(known) == LINES


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a-",
        "token",
        "token=",
        '"token":',
        'token="',
        "://",
        "x-key:",
        "eyJ",
        "sk-",
        "'a-key', ",
    ],
)
def test_masking_takes_time_in_proportion_to_the_text(unit: str) -> None:
    """The bound is generous; anything that grows with the square would take minutes."""
    text = unit * (200_000 // len(unit))
    began = time.process_time()
    without_shapes(text)
    assert time.process_time() - began < 10
