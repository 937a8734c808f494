"""Holds what our servers say strictly against the SDKs' models: the SDKs take almost anything."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel


def check(message: Any, *, besides: str = "") -> Any:
    """Return a message that an SDK has read; ``besides`` what its model knows it may have a field.

    Raises:
        ValueError: it is not what its model says, or has a field that the model does not know.
    """
    model = type(message)
    model.model_validate(message.model_dump(exclude_unset=True, by_alias=True))
    if found := sorted(set(unknown(message)) - {besides}):
        raise ValueError(f"{model.__name__} does not know {', '.join(found)}")
    return message


def unknown(value: Any) -> Iterator[str]:
    """Yield the names of fields that no model knows."""
    match value:
        case BaseModel():
            yield from value.model_extra or ()
            for name in type(value).model_fields:
                yield from unknown(getattr(value, name))
        case list():
            for each in value:
                yield from unknown(each)
        case _:
            pass
