"""From exceptions to what clients hear of them."""

import json
from http import HTTPStatus

import attrs
import pytest
from werkzeug.exceptions import ImATeapot, MethodNotAllowed, NotFound

from capabilities import CredentialMissing, ProviderBusy
from waav.errors import InvalidRequest
from waav.server.refusal import Refused
from waav.server.rest.refusals import Error, as_refused


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [
        (NotFound(), 404, "not_found"),
        (ImATeapot(), 418, "http_error"),
        (InvalidRequest("no", code="own_code"), 400, "own_code"),
        (
            CredentialMissing("x", "X API key not configured in server environment"),
            400,
            "missing_api_key",
        ),
        (RuntimeError("/etc/passwd"), 500, "internal_error"),
        (ExceptionGroup("", [InvalidRequest("no"), RuntimeError("bug")]), 500, "internal_error"),
        (ExceptionGroup("", [InvalidRequest("no")]), 400, "invalid_request"),
    ],
)
def test_each_exception_has_a_status_and_a_code(exc: Exception, status: int, code: str) -> None:
    refused = as_refused(exc)
    assert (refused.status, refused.code) == (status, code)
    assert "passwd" not in refused.message


@pytest.mark.parametrize(("pause", "header"), [(0.0, "1"), (1.0, "1"), (2.1, "3")])
def test_retry_after_is_whole_seconds_and_never_zero(pause: float, header: str) -> None:
    refused = as_refused(ProviderBusy("x", "busy", retry_after=pause))
    assert refused.headers["Retry-After"] == header


@pytest.mark.pins("D222")
def test_a_missing_key_has_the_text_that_callers_of_rest_know() -> None:
    refused = as_refused(CredentialMissing("x", "X API key not configured in server environment"))
    assert refused.message == "API key not configured for provider: x"


def test_a_wrong_method_is_told_the_right_ones() -> None:
    assert as_refused(MethodNotAllowed(["POST", "GET"])).headers == {"Allow": "GET, POST"}


def test_an_error_has_every_key_that_some_client_reads() -> None:
    refused = Refused(HTTPStatus.NOT_FOUND, "not_found", "Not here")
    headers, body = refused.answer("r-1")
    assert json.loads(body) == {
        "error": "Not here",
        "message": "Not here",
        "code": "not_found",
        "request_id": "r-1",
    }
    assert headers == {"content-type": "application/json", "content-length": str(len(body))}


def test_an_error_has_the_form_that_is_described() -> None:
    _, body = Refused(HTTPStatus.NOT_FOUND, "not_found", "Not here").answer("r-1")
    assert json.loads(body).keys() == {each.name for each in attrs.fields(Error)}
