"""Plugins are found in a folder and among what is installed; what is broken is listed as that."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio

from waav.plugins import Discovery, Origin, State, discover, open_plugins

GOOD = """
from contextlib import asynccontextmanager
from capabilities import Ability, Capability, Manifest, Plugin

@asynccontextmanager
async def open_plugin(context):
    yield Plugin(stt=object())

def make(id_):
    return Manifest(id=id_, name=id_, open=open_plugin, abilities={Capability.STT: Ability()})

MANIFEST = make("good")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Callable[[str, str], Path]]:
    """Write files into a plugin folder that is its own for each test."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    yield write
    for name in [each for each in sys.modules if each.startswith("waav_plugin_dir_")]:
        del sys.modules[name]


def found_in(folder: Path) -> Discovery:
    return discover(folder, group="waav.tests.nothing")


def ids(discovery: Discovery) -> list[str]:
    return [found.manifest.id for found in discovery.found]


@pytest.mark.pins("D283")
def test_plugin_dir_loading(folder: Callable[[str, str], Path]) -> None:
    """Single files and packages, with one manifest or several, in the order of their names."""
    folder("one.py", GOOD)
    folder("many.py", GOOD.replace("MANIFEST =", "MANIFESTS = make('b'), make('a') #"))
    folder("package/__init__.py", "from .inner import MANIFEST")
    where = folder("package/inner.py", GOOD.replace('make("good")', 'make("packed")'))
    discovery = found_in(where)
    assert ids(discovery) == ["b", "a", "good", "packed"]
    assert discovery.failures == ()
    assert {found.origin for found in discovery.found} == {Origin.DYNAMIC}
    assert discovery.found[2].where == str(where / "one.py")
    assert ids(found_in(where)) == ids(discovery)


def test_what_is_no_module_is_left_alone(folder: Callable[[str, str], Path]) -> None:
    folder("README.md", "read me")
    folder("_helper.py", "raise ImportError")
    folder(".hidden.py", "raise ImportError")
    folder("__pycache__/x.py", "raise ImportError")
    where = folder("data/voices.json", "{}")
    assert found_in(where) == Discovery()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def broken(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
        ("x = 1", "AttributeError: it has neither MANIFEST nor MANIFESTS"),
        ("MANIFEST = {'id': 'mine'}", "a dict stands where a Manifest should"),
        ("MANIFESTS = ['mine']", "a str stands where a Manifest should"),
        ("MANIFEST = None", "a NoneType stands where a Manifest should"),
    ],
)
def test_a_broken_module_becomes_a_failure_and_the_next_is_loaded(
    folder: Callable[[str, str], Path], text: str, reason: str
) -> None:
    folder("broken.py", text)
    where = folder("good.py", GOOD)
    discovery = found_in(where)
    assert ids(discovery) == ["good"]
    (failure,) = discovery.failures
    assert failure.name == "broken"
    assert failure.where == str(where / "broken.py")
    assert failure.reason.startswith(reason)


def test_a_module_that_breaks_leaves_nothing_behind(
    folder: Callable[[str, str], Path],
) -> None:
    folder("package/__init__.py", "from . import inner\n1 / 0")
    found_in(folder("package/inner.py", ""))
    assert not [name for name in sys.modules if name.startswith("waav_plugin_dir_")]


def test_a_good_manifest_beside_a_wrong_one_is_taken(
    folder: Callable[[str, str], Path],
) -> None:
    discovery = found_in(folder("mixed.py", GOOD + "\nMANIFEST = [MANIFEST, 7]"))
    assert ids(discovery) == ["good"]
    assert discovery.failures[0].reason == "a int stands where a Manifest should"


def test_a_module_hides_no_installed_one(folder: Callable[[str, str], Path]) -> None:
    import json

    assert ids(found_in(folder("json.py", GOOD))) == ["good"]
    assert sys.modules["json"] is json


def test_a_changed_package_is_read_again(folder: Callable[[str, str], Path]) -> None:
    folder("package/__init__.py", "from .inner import MANIFEST")
    assert ids(found_in(folder("package/inner.py", GOOD))) == ["good"]
    changed = GOOD.replace('make("good")', 'make("changed-id")')
    assert ids(found_in(folder("package/inner.py", changed))) == ["changed-id"]


def test_a_folder_that_is_not_there_is_a_failure_too(tmp_path: Path) -> None:
    discovery = found_in(tmp_path / "nowhere")
    assert discovery.found == ()
    assert discovery.failures[0].name == "plugin_dir"
    assert discovery.failures[0].reason.startswith("FileNotFoundError")


def test_no_folder_and_no_entry_points_is_nothing() -> None:
    assert discover(None, group="waav.tests.nothing") == Discovery()


def test_the_built_in_engines_come_through_entry_points() -> None:
    """Each of them is found or has a reason, and is known as ours."""
    discovery = discover()
    named = {found.where for found in discovery.found if found.origin is Origin.BUILTIN}
    named |= {failure.where for failure in discovery.failures}
    for id_ in ("pocketsphinx", "espeak", "flite"):
        assert f"entry point {id_} = providers.local.{id_}:MANIFEST" in named


def test_an_installed_plugin_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's distribution: its metadata is all that the gateway needs."""
    (tmp_path / "stranger_plugin.py").write_text(GOOD, encoding="utf-8")
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[waav.tests.group]\n"
        "zz = stranger_plugin:MANIFEST\n"
        "gone = stranger_plugin:NOTHING\n"
        "aa = stranger_plugin:MANIFEST\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    discovery = discover(group="waav.tests.group")
    assert [found.where for found in discovery.found] == [
        "entry point aa = stranger_plugin:MANIFEST",
        "entry point zz = stranger_plugin:MANIFEST",
    ]
    assert {found.origin for found in discovery.found} == {Origin.DYNAMIC}
    assert [failure.name for failure in discovery.failures] == ["gone"]
    sys.modules.pop("stranger_plugin")


@pytest.mark.pins("D283")
async def test_a_folder_plugin_that_wants_the_id_of_another_is_refused_and_listed(
    folder: Callable[[str, str], Path],
) -> None:
    """Found in a worker thread, opened, and the first come keeps the name."""
    folder("a_first.py", GOOD)
    folder("b_second.py", GOOD)
    where = folder("good.py", "import no_such_module")
    discovery = await trio.to_thread.run_sync(found_in, where)
    async with open_plugins(discovery) as plugins:
        told = {status.id: (status.state, status.reason) for status in plugins.statuses()}
        assert told.keys() == {"good", str(where / "b_second.py"), str(where / "good.py")}
        assert told["good"] == (State.RUNNING, "")
        state, reason = told[str(where / "b_second.py")]
        assert state is State.FAILED
        assert reason == "good (good): the id good belongs to good (good)"
