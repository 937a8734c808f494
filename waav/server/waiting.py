"""Who has not said yet what they want: how long each may wait, and how many at one time."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

import attrs
import trio


@attrs.define(eq=False)
class _Row:
    """Some of those who wait; whoever came first comes first."""

    scopes: dict[trio.CancelScope, None] = attrs.field(factory=dict, init=False)

    def join(self, scope: trio.CancelScope, most: float) -> None:
        self.scopes[scope] = None
        if len(self.scopes) > most:
            longest = next(iter(self.scopes))
            longest.cancel(reason="others wait too")
            del self.scopes[longest]


@attrs.define(eq=False)
class WaitingRoom:
    """The patience we have with those who have not said what they want; it can end for all at once.

    Where there are too many, the one who has waited for longest has to go: an honest client waits for
    a moment only, so it is hardly ever that one, and nobody is kept out by those who wait for ever.
    """

    most: float = inf
    """How many may wait."""
    most_of_client: float = inf
    """How many of one client may."""
    is_closed: bool = attrs.field(default=False, init=False)
    _all: _Row = attrs.field(factory=_Row, init=False)
    _by_client: dict[str, _Row] = attrs.field(factory=dict, init=False)

    @contextmanager
    def patience(self, seconds: float, client: str | None = None) -> Iterator[trio.CancelScope]:
        """A cancel scope that also ends when the room closes, or is full and it is this one's turn.

        Args:
            client: whose connection it is, as limits count; None for somebody whom many use.
        """
        with trio.move_on_after(0 if self.is_closed else seconds) as scope:
            self._all.join(scope, self.most)
            if client is not None:
                self._by_client.setdefault(client, _Row()).join(scope, self.most_of_client)
            try:
                yield scope
            finally:
                self._leave(scope, client)

    def _leave(self, scope: trio.CancelScope, client: str | None) -> None:
        self._all.scopes.pop(scope, None)
        if client is not None and client in self._by_client:
            row = self._by_client[client]
            row.scopes.pop(scope, None)
            if not row.scopes:
                del self._by_client[client]

    def close(self) -> None:
        """Send away everybody who waits, and who comes later."""
        self.is_closed = True
        for scope in self._all.scopes:
            scope.cancel(reason="the server is shutting down")
