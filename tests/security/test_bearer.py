"""Where a token stands in a request."""

import pytest

from capabilities import Secret, Way
from waav.config.auth import LONGEST_TOKEN
from waav.security.bearer import MALFORMED, Bearer, bearer_of_message, find_bearer


@pytest.mark.parametrize("header", ["Bearer abc", "bearer abc", "BEARER  abc ", " Bearer abc"])
def test_the_header_is_read_as_clients_write_it(header: str) -> None:
    assert find_bearer(header) == Bearer(Secret("abc"), Way.HEADER)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearerabc", "Basic abc", "abc", "Bearer a\tb", "Bearer \udc80"],
)
def test_a_wrong_header_is_not_excused_by_the_query(header: str) -> None:
    assert find_bearer(header, "abc") is MALFORMED


def test_without_a_header_the_query_counts() -> None:
    assert find_bearer(None, "a b") == Bearer(Secret("a b"), Way.QUERY)
    assert find_bearer(None, "") is MALFORMED
    assert find_bearer(None) is None


@pytest.mark.parametrize(("text", "fits"), [("x", True), ("é", False)])
def test_a_token_has_a_longest_size_in_bytes(text: str, *, fits: bool) -> None:
    assert isinstance(bearer_of_message(text * LONGEST_TOKEN), Bearer) is fits
    assert bearer_of_message("x" * (LONGEST_TOKEN + 1)) is MALFORMED
