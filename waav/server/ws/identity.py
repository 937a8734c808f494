"""Who the client of a connection is: known by its upgrade, or asked for in its first message."""

from contextlib import suppress

import attrs
import trio

from capabilities import Principal, Secret
from waav.errors import InvalidRequest
from waav.observe.scope import tell
from waav.security.authenticate import Authenticator
from waav.security.bearer import Rejection, bearer_of_message
from waav.server.doorkeeper import Visitor
from waav.server.errors import NotAuthenticated
from waav.server.websocket import WebSocket
from waav.server.ws.decode import KINDS, decode
from waav.server.ws.encode import auth_required, authenticated
from waav.server.ws.schema import Authenticate

FIRST = {"auth": KINDS["auth"]}
"""What a client may say before it is known."""

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


@attrs.define(eq=False)
class Identity:
    """One client's. It does not change once the session has begun."""

    _authenticator: Authenticator
    _visitor: Visitor
    _principal: Principal | None = attrs.field(
        default=attrs.Factory(lambda self: self._visitor.principal, takes_self=True), init=False
    )

    @property
    def principal(self) -> Principal | None:
        """What is known of it; None for somebody whom nobody knows."""
        return self._principal

    @property
    def tenant(self) -> str | None:
        """The id; None for somebody whom nobody knows."""
        return self._principal.id if self._principal else None

    async def introduce(self, socket: WebSocket, patience: float) -> bool:
        """Ask a client that is pending who it is; return False if it leaves instead.

        Args:
            patience: seconds for its answer; those who know tokens have their own.

        Raises:
            NotAuthenticated: it does not say, says something else, or nobody knows it.
        """
        with suppress(*_GONE):
            await socket.send(auth_required())
        message: str | bytes | None = None
        with trio.move_on_after(patience) as waiting:
            message = await anext(socket, None)
        if waiting.cancelled_caught:
            text = "Authentication required. No auth message came in time."
            raise NotAuthenticated(text, code="auth_timeout")
        if message is None:
            return False
        self._principal = await self._ask(_token(message))
        tell(tenant=self.tenant)
        with suppress(*_GONE):
            await socket.send(authenticated(self.tenant))
        return True

    async def confirm(self, token: Secret) -> None:
        """Look at a token that comes later; where none is required nobody looks.

        Raises:
            NotAuthenticated: nobody knows it, or it is somebody else's.
        """
        if self._authenticator.required and (await self._ask(token)).id != self.tenant:
            raise NotAuthenticated("The token is not that of this session", code="unauthorized")

    async def _ask(self, token: Secret) -> Principal:
        head = self._visitor.head
        outcome = await self._authenticator.admit(
            bearer_of_message(token.reveal()),
            method=head.method,
            path=head.path,
            headers=head.headers,
        )
        if isinstance(outcome, Principal):
            return outcome
        raise _not_authenticated(outcome)


def _token(message: str | bytes) -> Secret:
    if isinstance(message, str):
        try:
            request = decode(message, FIRST)
            if isinstance(request, Authenticate):
                return request.token
        except InvalidRequest as exc:
            if exc.code != "invalid_message":
                raise NotAuthenticated(exc.message, code=exc.code) from None
    text = "Authentication required. Send auth message first."
    raise NotAuthenticated(text, code="auth_required")


def _not_authenticated(rejection: Rejection | None) -> NotAuthenticated:
    if rejection is None or rejection.code in {"unauthorized", "invalid_auth_header"}:
        # A text that clients look for; the strategies' own are for those who read documents.
        return NotAuthenticated("Invalid authentication token", code="unauthorized")
    return NotAuthenticated(
        rejection.message, code=rejection.code, retry_after=rejection.retry_after
    )
