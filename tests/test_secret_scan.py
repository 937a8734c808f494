"""The watch over secrets sees one that is logged, and one that is printed, at any level."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = Path(__file__).parent
LEAK = """
import logging
from capabilities import Secret

def test_leaks():
    key = Secret("sk-made-up-12345").reveal()
    {leak}
"""


MADE_BEFORE = """
from capabilities import Secret

KEY = Secret("sk-made-up-12345")

def test_leaks():
    print(KEY.reveal())
"""


@pytest.mark.parametrize(
    ("leak", "errors"),
    [
        ("logging.getLogger('x').debug('with %s', key)", 1),
        ("print(key)", 1),
        ("logging.getLogger('x').debug('with %s', Secret(key))", 0),
    ],
)
def test_a_leak_is_an_error(pytester: pytest.Pytester, leak: str, errors: int) -> None:
    watch(pytester, LEAK.format(leak=leak), errors)


READ = """
from capabilities import Secret
from support.secret_scan import marked
from urllib.parse import quote

def test_leaks(capsys):
    {leak}
    assert capsys.readouterr().out
"""


@pytest.mark.parametrize(
    "leak",
    [
        "print(Secret('sk-made-up-12345').reveal())",
        "print(quote(Secret('sk made up 12345').reveal()))",
        "print('with', marked('no-secret-of-ours'))",
    ],
    ids=["read", "quoted", "marked"],
)
def test_a_leak_is_found_in_what_the_test_itself_has_read(
    pytester: pytest.Pytester, leak: str
) -> None:
    watch(pytester, READ.format(leak=leak), 1)


def test_a_secret_that_is_made_beside_the_tests_is_watched_too(pytester: pytest.Pytester) -> None:
    watch(pytester, MADE_BEFORE, 1)


def watch(pytester: pytest.Pytester, program: str, errors: int) -> None:
    pytester.makeconftest((TESTS / "conftest.py").read_text())
    pytester.makepyfile(program)
    options = "-p", "no:cacheprovider", "-o", "log_level=DEBUG", "-o", f"pythonpath={TESTS}"
    result = pytester.runpytest_subprocess(*options)
    result.assert_outcomes(passed=1, errors=errors)
