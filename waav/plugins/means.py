"""What the gateway has for its plugins, and the part of it that one of them gets."""

import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import trio

from capabilities import Manifest, Plugin, PluginContext, Secret
from waav.plugins.policy import Policy
from waav.plugins.settings import Tables
from waav.security.limits import Limiter


@attrs.frozen
class Means:
    """Settings and keys of all plugins, a place for their files, and how patient to be."""

    settings: Tables = attrs.field(repr=False)
    credentials: Mapping[str, Secret] = attrs.field(repr=False)
    data_dir: Path | None
    policy: Policy
    client_keys: bool = True
    """Whether clients may bring keys of their own."""
    limiter: Limiter | None = None
    """Counts conversations; None: there may be as many as want to."""

    async def context(
        self, manifest: Manifest, settings: Any, requires: Mapping[str, Plugin]
    ) -> PluginContext:
        """Return what one plugin gets: no key that its manifest does not name, a folder of its own.

        Raises:
            OSError: the folder cannot be made.
        """
        folder = None if self.data_dir is None else self.data_dir / manifest.id
        if folder is not None:
            await trio.Path(folder).mkdir(parents=True, exist_ok=True)
        keys = self.credentials.keys() & set(manifest.credentials)
        return PluginContext(
            id=manifest.id,
            settings=settings,
            credentials=MappingProxyType({key: self.credentials[key] for key in keys}),
            requires=MappingProxyType(dict(requires)),
            data_dir=folder,
            log=logging.getLogger(f"waav.plugin.{manifest.id}"),
        )
