"""Errors of voice cloning in the words of its clients: codes in capitals, with the vendor's status."""

from http import HTTPStatus

from capabilities import CredentialMissing, ProviderBusy, ProviderError, ProviderProtocolError
from waav.server.refusal import Refused
from waav.server.rest.refusals import as_refused

STATUSES = {
    "AUDIO_TOO_LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "BODY_TOO_LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "INVALID_SCHEMA": HTTPStatus.BAD_REQUEST,
}
"""Code -> status, where it is another than that of the same error elsewhere."""


def as_clone_refusal(exc: Exception) -> Refused:
    """Say what the client is to hear of an exception."""
    refused = as_refused(exc)
    code = _code(exc, refused.code)
    status = STATUSES.get(code, refused.status)
    return Refused(status, code, refused.message, refused.headers)


def _code(exc: Exception, elsewhere: str) -> str:
    match exc:
        case CredentialMissing():
            return "MISSING_API_KEY"
        case ProviderProtocolError():
            return "PARSE_ERROR"
        case ProviderError(provider=name, status=int(status)):
            return f"{name.upper().replace('-', '_')}_{status}"
        case ProviderBusy():
            return "PROVIDER_BUSY"
        case ProviderError():
            return "REQUEST_FAILED"
        case _:
            return elsewhere.upper()
