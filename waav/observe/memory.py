"""How much memory this process has, and how much it may have. Bytes.

The kernel makes the files while they are read: there is no disk behind them, and no need of a thread.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

ROOT = Path("/")


def resident(root: Path = ROOT) -> int | None:
    """Return what this process has in memory; None where that cannot be told.

    The peak, which some systems tell instead, would never come down again.
    """
    try:
        pages = (root / "proc/self/statm").read_bytes().split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def limit(root: Path = ROOT) -> int | None:
    """Return what this process may have: the limit of its control group, or all of the machine.

    None where that cannot be told.

    Source: the kernel's documentation, ``admin-guide/cgroup-v2`` and ``admin-guide/cgroup-v1/memory``.
    """
    return min((*_limits(root), *_total(root)), default=None)


def _limits(root: Path) -> Iterator[int]:
    """Yield the limits of the process's own group and of those around it.

    A container may see the path that its group has on the host, of which nothing is there but the
    mount, which is the group: the last of the parents.
    """
    for mount, name, path in _groups(root):
        for group in (path, *path.parents):
            with suppress(OSError, ValueError):  # ValueError: "max", which is none
                yield int((mount / group / name).read_text())


def _groups(root: Path) -> Iterator[tuple[Path, str, PurePosixPath]]:
    """Yield where the process's groups are: a mount, the file in each folder, and the path below."""
    mount = root / "sys/fs/cgroup"
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            path = PurePosixPath(name.lstrip("/"))
            if not controllers:
                yield mount, "memory.max", path
            elif "memory" in controllers.split(","):
                yield mount / "memory", "memory.limit_in_bytes", path


def _total(root: Path) -> Iterator[int]:
    with suppress(OSError):
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemTotal:"):
                yield int(line.split()[1]) * 1024
