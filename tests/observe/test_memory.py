"""How much memory there is, read from files as the kernel writes them."""

from pathlib import Path

import pytest

from waav.observe.memory import limit, resident

MEMINFO = {"proc/meminfo": "MemTotal:        2048 kB\nMemFree:         1024 kB\n"}
TWO_MB = 2048 * 1024
UNLIMITED_V1 = "9223372036854771712\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, None, id="nothing-is-known"),
        pytest.param(MEMINFO, TWO_MB, id="a-machine"),
        pytest.param(
            {**MEMINFO, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000\n"},
            1000,
            id="a-container",
        ),
        pytest.param(
            {**MEMINFO, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"},
            TWO_MB,
            id="a-container-without-limit",
        ),
        pytest.param(
            {**MEMINFO, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "9000000\n"},
            TWO_MB,
            id="a-limit-beyond-the-machine",
        ),
        pytest.param(
            {
                **MEMINFO,
                "proc/self/cgroup": "0::/system.slice/waav.service\n",
                "sys/fs/cgroup/system.slice/memory.max": "3000\n",
                "sys/fs/cgroup/system.slice/waav.service/memory.max": "max\n",
            },
            3000,
            id="the-group-around-has-the-limit",
        ),
        pytest.param(
            {
                **MEMINFO,
                "proc/self/cgroup": "0::/kubepods/pod1/abc\n",
                "sys/fs/cgroup/memory.max": "4000\n",
            },
            4000,
            id="the-path-is-that-of-the-host",
        ),
        pytest.param(
            {
                **MEMINFO,
                "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED_V1,
                "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "5000\n",
            },
            5000,
            id="version-1",
        ),
        pytest.param(
            {
                **MEMINFO,
                "proc/self/cgroup": "4:memory:/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED_V1,
            },
            TWO_MB,
            id="version-1-without-limit",
        ),
    ],
)
def test_the_limit_is_the_nearest_of_all_that_hold(
    tmp_path: Path, files: dict[str, str], expected: int | None
) -> None:
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert limit(tmp_path) == expected


def test_this_process_uses_some_and_less_than_there_is() -> None:
    used, available = resident(), limit()
    assert used is not None
    assert available is not None
    assert 1 << 20 < used < available


def test_more_memory_is_more_memory() -> None:
    before = resident()
    much = bytearray(b"x") * (64 << 20)
    after = resident()
    assert before is not None
    assert after is not None
    assert len(much) / 2 < after - before < len(much) * 2


def test_where_the_kernel_does_not_tell_nobody_does(tmp_path: Path) -> None:
    assert resident(tmp_path) is None
