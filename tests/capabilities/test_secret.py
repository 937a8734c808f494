"""A key must not be seen, wherever it is shown."""

import pickle

import pytest

from capabilities import Secret, STTOptions


@pytest.mark.pins("D270")
def test_a_secret_never_prints() -> None:
    options = STTOptions(api_key=Secret("s3cr3t"))
    shown = [repr(options), str(options.api_key), f"{options.api_key}", "%s %r" % ((options,) * 2)]
    assert not any("s3cr3t" in text for text in shown)


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret("s3cr3t"))


def test_a_fingerprint_tells_secrets_apart_and_is_none_of_them() -> None:
    one, other, odd = [Secret(text).fingerprint for text in ("s3cr3t", "s3cr3t ", "\udcff")]
    assert len({one, other, odd}) == 3
    assert one == Secret("s3cr3t").fingerprint
    assert "s3cr3t" not in one


def test_reveal_is_the_way_out() -> None:
    assert Secret("a").reveal() == "a"
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")
