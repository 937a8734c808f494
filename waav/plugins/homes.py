"""Where the code of each plugin lives, so that a stack can be read."""

import sys
from collections.abc import Iterable
from functools import partial

from capabilities import Manifest
from waav.observe.watchdog import Home


def homes_of(manifests: Iterable[Manifest]) -> list[Home]:
    """Say for each plugin which module opens it, and the package around that."""
    return [_home(manifest) for manifest in manifests]


def _home(manifest: Manifest) -> Home:
    recipe = manifest.open
    while isinstance(recipe, partial):
        recipe = recipe.func
    name = str(getattr(recipe, "__module__", ""))
    is_package = hasattr(sys.modules.get(name), "__path__")
    return Home(manifest.id, name, name if is_package else name.rpartition(".")[0])
