"""What the log records of a connection, a request or a session tell beside their words, and what they hide.

A scope is shared by all tasks that begin in its block, wherever they were begun; so what one of them
learns (who the client is, which key it brought) holds for the records of all. Around all scopes is the
process, in which the keys of the operator are hidden.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain

import attrs

from capabilities import Secret
from waav.observe.redaction import LONGEST, spellings, without, without_shapes

MOST_HIDDEN = 16
"""Secrets of one scope: a client may send any number, and the oldest are forgotten."""
MOST = 64 * 1024
"""Characters that are looked through: a MiB may take seconds."""


@attrs.define(eq=False)
class Scope:
    """One connection, request or session; or the process."""

    told: dict[str, object]
    outer: "Scope | None" = None
    hidden: tuple[str, ...] = ()
    """In all their spellings."""
    _secrets: dict[str, frozenset[str]] = attrs.Factory(dict)

    def hide(self, secret: str) -> None:
        """Keep a secret out of all that is written here."""
        self._secrets.pop(secret, None)
        self._secrets[secret] = spellings(secret)
        if len(self._secrets) > MOST_HIDDEN:
            del self._secrets[next(iter(self._secrets))]
        # Another thread may be reading the old one.
        self.hidden = tuple(frozenset[str]().union(*self._secrets.values()))


_PROCESS = Scope({})
_operators: Counter[str] = Counter()
"""How often each text is hidden in the process: gateways may share a key."""
_here: ContextVar[Scope] = ContextVar("waav_scope", default=_PROCESS)


@contextmanager
def scope(**told: object) -> Iterator[None]:
    """Begin a scope inside of the one that is here."""
    token = _here.set(Scope(told, _here.get()))
    try:
        yield
    finally:
        _here.reset(token)


@contextmanager
def any_scope(**told: object) -> Iterator[None]:
    """Tell it in the scope that is here; where there is only the process, begin one."""
    if _here.get() is _PROCESS:
        with scope(**told):
            yield
    else:
        tell(**told)
        yield


def tell(**told: object) -> None:
    """Add to what the records here tell; without a scope it is for nobody."""
    here = _here.get()
    if here is not _PROCESS:
        here.told = {**here.told, **told}


def hide(secret: Secret) -> Secret:
    """Keep a secret that came from outside out of the records here, and give it back.

    Without a scope nothing is kept: the process would never forget it.
    """
    here = _here.get()
    if here is not _PROCESS:
        here.hide(secret.reveal())
    return secret


def tell_always(**told: object) -> None:
    """Add to what all records of this process tell."""
    _PROCESS.told = {**_PROCESS.told, **told}


@contextmanager
def hiding(secrets: Iterable[str]) -> Iterator[None]:
    """Keep secrets out of all records of the process while the block lasts; for those of the operator."""
    spelled = [each for secret in set(secrets) for each in spellings(secret)]
    _operators.update(spelled)
    _PROCESS.hidden = tuple(_operators)
    try:
        yield
    finally:
        _operators.subtract(spelled)
        for each in spelled:
            if not _operators[each]:
                del _operators[each]
        _PROCESS.hidden = tuple(_operators)


def told() -> dict[str, object]:
    """Return what records tell here, from the outermost scope to the innermost."""
    everything: dict[str, object] = {}
    for each in reversed(list(_scopes())):
        everything |= each.told
    return everything


def redact(text: str, most: int = MOST) -> str:
    """Return a text without the secrets that are hidden here, and without what looks like one.

    Args:
        most: characters that are wanted; of a text that is much longer only they are looked through
            and returned.
    """
    if len(text) > most + LONGEST:
        # A secret that was cut in two is at the very end.
        return redact(text[: most + LONGEST], most)[:-LONGEST] + "…"
    known = [each.hidden for each in _scopes() if each.hidden]
    return without_shapes(without(text, chain.from_iterable(known)))


def _scopes() -> Iterator[Scope]:
    each: Scope | None = _here.get()
    while each is not None:
        yield each
        each = each.outer
