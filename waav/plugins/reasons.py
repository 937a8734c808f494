"""What went wrong in a plugin, in one short line for an operator; and whose fault it was."""

from collections.abc import Iterator

import trio

from capabilities import ProviderError
from waav.errors import WaavError
from waav.observe.scope import redact

_LONGEST = 300


def reason_of(exc: BaseException) -> str:
    """Return one line of at most 300 characters: the kind of the error and its message."""
    parts = [_line(leaf) for leaf in leaves(exc)]
    line = "; ".join(dict.fromkeys(parts))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def leaves(exc: BaseException) -> Iterator[BaseException]:
    """Give the errors that an error is made of: nurseries wrap even a single one in a group."""
    if isinstance(exc, BaseExceptionGroup):
        for part in exc.exceptions:
            yield from leaves(part)
    else:
        yield exc


def kinds_of(exc: BaseException) -> str:
    """Return the names of the classes of the errors, and nothing of what they say."""
    return ", ".join(dict.fromkeys(type(leaf).__name__ for leaf in leaves(exc)))


def only_cancelled(exc: BaseException) -> bool:
    """Tell whether nothing but a cancellation has happened."""
    return all(isinstance(leaf, trio.Cancelled) for leaf in leaves(exc))


def permitted(exc: BaseException) -> ProviderError | WaavError | None:
    """Return the error that the caller shall see unchanged; None if the contract is broken.

    Permitted is a :exc:`ProviderError`, also from inside of nurseries (two tasks of one stream
    often learn of the same hang-up: the first speaks for both), and an error of the gateway
    itself, which comes from the caller's own code on the plugin's side. Anything else among them
    makes the whole a broken contract.
    """
    told = [leaf for leaf in leaves(exc) if not isinstance(leaf, trio.Cancelled)]
    good = [leaf for leaf in told if isinstance(leaf, ProviderError | WaavError)]
    return good[0] if good and len(good) == len(told) else None


def _line(exc: BaseException) -> str:
    # Clients may see it among the plugins.
    message = " ".join(redact(str(exc), _LONGEST).split())
    kind = type(exc).__name__
    return f"{kind}: {message}" if message else kind
