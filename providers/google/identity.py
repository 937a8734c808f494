"""Who speaks with Google: the operator or the session, and what a call carries to show it."""

import os
from pathlib import Path

import attrs

from capabilities import PluginContext, ProviderRefused, Secret
from providers._common.credentials import choose_key
from providers._common.http import HTTP
from providers.google.accounts import Account
from providers.google.adc import (
    blank,
    default_account,
    named_account,
    project_of,
    session_account,
)
from providers.google.tokens import Tokens

KEY = "google_credentials"
_NO_PROJECT = (
    "no project is known: set plugins.providers.google.project (or GOOGLE_CLOUD_PROJECT), as the"
    " credentials do not name one"
)


@attrs.frozen
class Identity:
    """An account at work, in a project."""

    account: Account
    project: str
    """Empty if none is known: only recognition needs it."""


@attrs.frozen
class Identities:
    """The operator's identity, and those of sessions."""

    tokens: Tokens
    own: Identity | None
    """The operator's; None if there are no credentials on this machine."""
    configured_project: str = ""
    credentials_dir: Path | None = None

    async def of(self, api_key: Secret | None) -> Identity:
        """Return the session's identity if it brings one, else the operator's.

        Raises:
            ProviderRefused: there is none, or the session's cannot be used.
        """
        if api_key:
            account = await session_account(api_key.reveal(), self.credentials_dir)
            return Identity(account, project_of(account, "", {}) or self.configured_project)
        if self.own is None:
            choose_key("google", "Google", None, {}, KEY)
            raise AssertionError("choose_key raises where there is no key")
        return self.own

    async def headers(self, identity: Identity) -> dict[str, str | Secret]:
        """Return what each call carries.

        Raises:
            ProviderError: no token can be had.
        """
        token = await self.tokens.get(identity.account)
        headers: dict[str, str | Secret] = {"authorization": Secret(f"Bearer {token.reveal()}")}
        if identity.account.quota_project:
            headers["x-goog-user-project"] = identity.account.quota_project
        return headers


async def own_identity(context: PluginContext, metadata: HTTP) -> Identity | None:
    """Find the operator's identity: named, else by default; None if there is no trace of any.

    Raises:
        ProviderRefused: the credentials or their project are not what they must be, in words for
            an operator.
    """
    named = context.credentials.get(KEY)
    if blank(named):
        account = await default_account(os.environ, metadata)
        if account is None and named is None:
            return None
        if account is None:
            raise ProviderRefused(
                "google",
                "there are no application default credentials: run 'gcloud auth application-default"
                " login', or set google_credentials",
            )
    else:
        account = await named_account(named.reveal() if named else "")
    project = project_of(account, context.settings.project, os.environ)
    if not project:
        raise ProviderRefused("google", _NO_PROJECT)
    return Identity(account, project)
