"""Which credentials are meant: a path, JSON, or what lies around (application default credentials)."""

import os
from collections.abc import Mapping
from pathlib import Path

import trio

from capabilities import ProviderError, ProviderRefused, Secret
from providers._common.http import HTTP
from providers.google.accounts import Account, Metadata, read_account

METADATA_HOST = "metadata.google.internal"
METADATA_HEADERS = {"Metadata-Flavor": "Google"}
_PRODUCT = trio.Path("/sys/class/dmi/id/product_name")
_PATIENCE = 3.0
"""Seconds: the metadata server is on the same machine."""


async def named_account(named: str) -> Account:
    """Read what the operator names: JSON that begins with ``{``, or a path.

    Raises:
        ProviderRefused: it cannot be read; the message says what to mend.
    """
    if named.lstrip().startswith("{"):
        return read_account(named)
    return await _from_file(await trio.Path(named).expanduser(), "google_credentials")


async def session_account(key: str, folder: Path | None) -> Account:
    """Read what a session brings as its key: JSON, or a file of the folder that is meant for that.

    Any other path would let a client speak with whatever credentials the machine has.

    Raises:
        ProviderRefused: it cannot be used.
    """
    if key.lstrip().startswith("{"):
        return read_account(key)
    if folder is None:
        raise ProviderRefused("google", "api_key must be the JSON of a Google service account")
    root = await trio.Path(folder).resolve()
    path = await (root / key).resolve()
    if not path.is_relative_to(root):
        raise ProviderRefused("google", "api_key names a file outside of credentials_dir")
    return await _from_file(path, "api_key")


async def default_account(environment: Mapping[str, str], metadata: HTTP) -> Account | None:
    """Look where Google's own programs look; None if nothing is there.

    Raises:
        ProviderRefused: there is something, but it cannot be used.
        ProviderError: this is Google Cloud, but its metadata server does not answer.
    """
    home = environment.get("CLOUDSDK_CONFIG") or "~/.config/gcloud"
    file = await trio.Path(home).expanduser() / "application_default_credentials.json"
    if await file.is_file():
        return await _from_file(file, "application default credentials")
    host = environment.get("GCE_METADATA_HOST")
    if host or "K_SERVICE" in environment or await _is_google_machine():
        return await _of_machine(host or METADATA_HOST, metadata)
    return None


def project_of(account: Account, configured: str, environment: Mapping[str, str]) -> str:
    """Return the project to work in: configured, else the credentials' own, else the environment's."""
    return configured or account.project or environment.get("GOOGLE_CLOUD_PROJECT", "")


async def _of_machine(host: str, metadata: HTTP) -> Metadata:
    url = f"http://{host}/computeMetadata/v1/project/project-id"
    try:
        with trio.fail_after(_PATIENCE):
            answer = await metadata.fetch("GET", url, headers=METADATA_HEADERS, max_body=1000)
    except trio.TooSlowError:
        raise ProviderRefused("google", f"the metadata server {host} does not answer") from None
    except ProviderError as exc:
        raise type(exc)("google", f"the metadata server {host}: {exc.message}") from exc
    return Metadata(host, project=answer.decode(errors="replace").strip())


async def _is_google_machine() -> bool:
    try:
        return (await _PRODUCT.read_text()).startswith("Google")
    except OSError:
        return False


async def _from_file(path: trio.Path, what: str) -> Account:
    try:
        text = await path.read_text(encoding="utf-8")
    except (OSError, ValueError) as exc:
        why = os.strerror(exc.errno) if isinstance(exc, OSError) and exc.errno else "not a text"
        raise ProviderRefused("google", f"{what}: the file cannot be read: {why}") from None
    try:
        return read_account(text)
    except ProviderRefused as exc:
        raise ProviderRefused("google", f"{what}: {exc.message}") from None


def blank(secret: Secret | None) -> bool:
    """Whether the operator has named nothing, or said "application default" by a blank."""
    return secret is None or not secret.reveal().strip()
