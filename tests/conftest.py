"""Settings of all tests, and the watch over secrets."""

import gc
import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings
from support.secret_scan import kept_output, made_secrets, shown

# A shared machine may stop for longer than any deadline of one example. In CI the examples are the
# same each time, so that a commit is not refused for what another one did; at a desk they differ.
settings.register_profile("waav", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("waav")

_MADE = pytest.StashKey[set[str]]()
_READ = pytest.StashKey[list[str]]()


@pytest.fixture
def searches_by_hand() -> Iterator[None]:
    """No search for garbage comes by itself, and what was there before is gone."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Remember the secrets that a module of tests makes when it is imported."""
    with made_secrets() as made:
        collector.stash[_MADE] = made
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember the secrets that a test makes, its fixtures included."""
    with made_secrets() as made, kept_output() as read:
        item.stash[_MADE], item.stash[_READ] = made, read
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that has let one of its secrets be seen: printed, or logged at any level."""
    report = yield
    if report.when != "teardown":
        return report  # the last report has all that the others had
    output = "\n".join([*(text for _, text in report.sections), *item.stash[_READ]])
    module = item.getparent(pytest.Module)
    made = item.stash[_MADE] | (module.stash.get(_MADE, set()) if module else set())
    if seen := shown(made, output):
        report.outcome = "failed"
        report.longrepr = f"{len(seen)} secrets can be read in what this test printed or logged"
    return report
