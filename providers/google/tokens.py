"""Access tokens: made from credentials, kept until shortly before they expire, renewed by one task."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from math import inf
from typing import Any, TypeAlias

import attrs
import trio

from capabilities import ProviderProtocolError, ProviderUnavailable, Secret
from providers._common.http import HTTP
from providers.google.accounts import (
    SCOPE,
    Account,
    AuthorizedUser,
    Metadata,
    ServiceAccount,
    assertion,
)
from providers.google.adc import METADATA_HEADERS

EARLY = 300.0
"""Seconds before its end at which a token is renewed."""
MOST_ACCOUNTS = 64
"""Whose tokens are kept; beyond that the one used longest ago goes."""
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@attrs.frozen
class Grant:
    """A token, and the seconds that it lasts."""

    token: Secret
    lifetime: float


Fetch: TypeAlias = Callable[[Account], Awaitable[Grant]]


@attrs.define(eq=False)
class _Kept:
    lock: trio.Lock = attrs.field(factory=trio.Lock)
    token: Secret | None = None
    renew_at: float = -inf
    end: float = -inf


@attrs.define(eq=False)
class Tokens:
    """The tokens of one plugin, for whatever credentials its sessions bring."""

    _fetch: Fetch
    _kept: OrderedDict[Account, _Kept] = attrs.field(factory=OrderedDict, repr=False)

    async def get(self, account: Account) -> Secret:
        """Return a token that is still good for a while.

        Raises:
            ProviderRefused: Google does not accept the credentials.
            ProviderUnavailable: no token could be had, and there is no old one that is valid.
        """
        kept = self._of(account)
        now = trio.current_time()
        if kept.token and (now < kept.renew_at or (now < kept.end and kept.lock.locked())):
            return kept.token
        async with kept.lock:
            # Whoever had the lock before may have done it.
            if kept.token is None or trio.current_time() >= kept.renew_at:
                await self._renew(account, kept)
            assert kept.token is not None  # noqa: S101 - for mypy; _renew raises otherwise
            return kept.token

    async def _renew(self, account: Account, kept: _Kept) -> None:
        try:
            grant = await self._fetch(account)
        except ProviderUnavailable:
            if trio.current_time() < kept.end:
                return
            raise
        now = trio.current_time()
        kept.token, kept.end = grant.token, now + grant.lifetime
        kept.renew_at = now + max(grant.lifetime - EARLY, grant.lifetime / 2)

    def _of(self, account: Account) -> _Kept:
        kept = self._kept.setdefault(account, _Kept())
        self._kept.move_to_end(account)
        if len(self._kept) > MOST_ACCOUNTS:
            self._kept.popitem(last=False)
        return kept


async def check_account(account: Account) -> None:
    """Try what needs no network: whether the credentials can sign.

    Raises:
        ProviderRefused: they cannot.
    """
    if isinstance(account, ServiceAccount):
        # In a thread: a key is checked when it is read, which takes up to 50 ms.
        await trio.to_thread.run_sync(assertion, account, 0.0)


@attrs.frozen
class Exchange:
    """Where tokens come from."""

    http: HTTP
    metadata: HTTP
    """Without a proxy: the metadata server is on this machine."""
    token_url: str

    async def __call__(self, account: Account) -> Grant:
        """Fetch a token.

        Raises:
            ProviderError: by what to do next.
        """
        match account:
            case Metadata(host=host):
                url = f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token"
                answer = await self.metadata.fetch_json(
                    "GET", f"{url}?scopes={SCOPE}", headers=METADATA_HEADERS, idempotent=True
                )
            case AuthorizedUser():
                form = {
                    "grant_type": "refresh_token",
                    "client_id": account.client_id,
                    "client_secret": account.client_secret.reveal(),
                    "refresh_token": account.refresh_token.reveal(),
                }
                answer = await self._post(form)
            case ServiceAccount():
                # In a thread, as above.
                now = datetime.now(UTC).timestamp()
                signed = await trio.to_thread.run_sync(assertion, account, now)
                answer = await self._post({"grant_type": _JWT_GRANT, "assertion": signed})
        return _grant(answer)

    async def _post(self, form: Mapping[str, str]) -> Any:
        return await self.http.fetch_json(
            "POST", self.token_url, data=form, idempotent=True, max_body=64 * 1024
        )


def _grant(answer: Any) -> Grant:
    match answer:
        case {"access_token": str(token), "expires_in": int() | float() as lifetime} if (
            token and 0 < lifetime < inf
        ):
            return Grant(Secret(token), lifetime)
        case _:
            raise ProviderProtocolError("google", "answered no token where one was asked for")
