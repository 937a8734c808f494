"""Where plugins live is where the watchdog looks for them."""

import sys
from functools import partial
from pathlib import Path

import pytest
from support.providers import Ears, plugin

from capabilities import Manifest
from waav.observe.watchdog import Home
from waav.plugins import discover
from waav.plugins.homes import homes_of


def test_a_module_and_the_package_around_it() -> None:
    assert homes_of([plugin("ears", Ears())]) == [Home("ears", "support.providers", "support")]


def test_a_recipe_with_arguments_lives_where_it_was_written() -> None:
    made = plugin("ears", Ears())
    wrapped = Manifest("ears", "Ears", partial(partial(made.open)), made.abilities)
    assert homes_of([wrapped]) == homes_of([made])


@pytest.mark.parametrize("is_package", [False, True])
def test_a_file_of_the_plugin_dir(tmp_path: Path, *, is_package: bool) -> None:
    """A package owns all that is in it; a file owns itself."""
    file = tmp_path / "mine" / "__init__.py" if is_package else tmp_path / "mine.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        "from capabilities import Ability, Capability, Manifest\n"
        "def open_(context): ...\n"
        "MANIFEST = Manifest('mine', 'Mine', open_, {Capability.STT: Ability()})\n"
    )
    (found,) = discover(tmp_path, group="none").found
    name = found.manifest.open.__module__
    assert name in sys.modules
    assert homes_of([found.manifest]) == [Home("mine", name, name if is_package else "")]
