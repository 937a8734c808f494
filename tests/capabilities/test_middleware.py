"""What a middleware may say, checked where it is said."""

from http import HTTPStatus
from typing import Any

import pytest

from capabilities import Answer, Request
from capabilities.middleware import check_headers


def test_names_of_headers_are_in_lower_case() -> None:
    assert dict(check_headers({"X-Region": "north", "x-count": "1"})) == {
        "x-region": "north",
        "x-count": "1",
    }
    assert dict(Answer(403, headers={"X-A": "b"}).headers) == {"x-a": "b"}


@pytest.mark.parametrize("value", ["", "a b", "a\tb", "caf\xe9", "a" * 8000])
def test_values_of_headers(value: str) -> None:
    assert check_headers({"x-a": value}) == {"x-a": value}
    assert check_headers({"x-a": f"\t {value} "}) == {"x-a": value}


@pytest.mark.parametrize(
    "headers",
    [
        {"": "a"},
        {"x a": "b"},
        {"x-a\n": "b"},
        {"x-\xe4": "b"},
        {"x:a": "b"},
        {"x-a": "b\n"},
        {"x-a": "b\r\nx-c: d"},
        {"x-a": "\0"},
        {"x-a": "\u20ac"},
        {"Content-Length": "1"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "close"},
        {"Upgrade": "h2c"},
        {"Sec-WebSocket-Accept": "a"},
        {"Access-Control-Allow-Origin": "*"},
        {"X-Request-ID": "a"},
        {f"x-{number}": "" for number in range(33)},
        {"x-a": "b" * 8192},
    ],
    ids=lambda headers: str(headers)[:30],
)
def test_headers_that_no_answer_can_have(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="header"):
        check_headers(headers)
    with pytest.raises(ValueError, match="header"):
        Answer(403, headers=headers)


@pytest.mark.parametrize("status", [200, 302, 404, 429, 503])
def test_a_status(status: int) -> None:
    assert Answer(status).status is HTTPStatus(status)


@pytest.mark.parametrize("status", [100, 101, 299, 600, "no", None])
def test_what_is_no_status(status: Any) -> None:
    with pytest.raises(ValueError, match=r"status|HTTPStatus"):
        Answer(status)


def test_a_request_does_not_show_its_headers_and_is_itself_only() -> None:
    request = Request("GET", "/voices", {"x-a": "sk-secret"})
    assert "secret" not in repr(request)
    assert request != Request("GET", "/voices", {"x-a": "sk-secret"})
    assert hash(request) != hash(Request("GET", "/voices", {"x-a": "sk-secret"}))
