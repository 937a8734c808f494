"""From a request to what a handler gets: query and body, decoded and checked."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from quart import Request

from waav.server.refusal import Refused
from waav.server.rest.keys import HEADER, read_key
from waav.server.rest.operation import Body, Operation, Upload
from waav.session.failures import shorten

T = TypeVar("T")


async def read_request(operation: Operation, request: Request) -> dict[str, Any]:
    """Return the arguments that the operation's handler takes from the request.

    Raises:
        Refused: not JSON (415), not readable (400), or not of the right form (422).
        InvalidRequest: of the right form, and still not possible.
        werkzeug.exceptions.HTTPException: the body is too large, or does not come.
    """
    asked: dict[str, Any] = {}
    if operation.query is not None:
        asked["query"] = _fit(_query_reader(operation.query), request.args.to_dict())
    if operation.client_key:
        asked["api_key"] = read_key(request.headers.get(HEADER, ""))
    match operation.body:
        case Body(read=read):
            asked["body"] = _fit(read, _fit(_object, await _json(request)))
        case Upload(read=read_all):
            asked["body"] = await read_all(request)
        case None:
            pass
    return asked


async def _json(request: Request) -> Any:
    if not request.is_json:
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "The body must be JSON, with Content-Type: application/json",
        )
    data = await request.get_data(as_text=False)
    try:
        return msgspec.json.decode(data)
    # `[[[[` to the limit recurses.
    except (ValueError, RecursionError) as exc:
        text = shorten(f"Invalid JSON: {exc}")
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid_json", text) from None


def _object(raw: Any) -> dict[str, Any]:
    return msgspec.convert(raw, dict[str, Any])


def _query_reader(query: type[T]) -> Callable[[dict[str, str]], T]:
    # Not strict: everything in a query is text.
    return lambda given: msgspec.convert(given, query, strict=False)


def _fit(read: Callable[[Any], T], raw: Any) -> T:
    try:
        return read(raw)
    except (ValueError, OverflowError) as exc:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        raise Refused(status, "invalid_schema", shorten(str(exc))) from None
