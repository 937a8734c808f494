"""JSON that somebody else wrote: read strictly, with one error for all that it is not."""

from typing import Any

import msgspec


def read_json(text: bytes) -> Any:
    """Read JSON, as those do who handle requests.

    Raises:
        ValueError: it is none; the message quotes nothing.
    """
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):  # also UnicodeDecodeError, inside of texts
        raise ValueError("expected JSON") from None
