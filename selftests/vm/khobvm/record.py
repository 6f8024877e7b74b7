# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel's tree in the cache holds, and the note in it that says so.

Fetched or built, a tree has its files where Debian's packages have them: boot/,
lib/modules/RELEASE and usr/src/linux-headers-RELEASE.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from khobvm.errors import VmError

_FILE = "khob-kernel.json"


@dataclass(frozen=True)
class Kernel:
    """One kernel; every path is absolute."""

    series: str
    release: str
    image: Path
    headers: Path
    modules: Path
    config: Path
    packages: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The same with plain types."""
        return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(self).items()}


def is_release(series: str, release: str) -> bool:
    """Whether a kernel of this release is one of a series; a variant's name ends both."""
    version, _, variant = series.partition("-")
    return release.startswith(f"{version}.") and release.endswith(f"-{variant}" if variant else "")


def place(series: str, release: str, root: Path, packages: Sequence[str] = ()) -> Kernel:
    """Where everything of a kernel is, or is to be, below a root."""
    return Kernel(series, release, root / "boot" / f"vmlinuz-{release}",
                  root / "usr/src" / f"linux-headers-{release}",
                  root / "lib/modules" / release, root / "boot" / f"config-{release}",
                  tuple(packages))


def write(root: Path, release: str, packages: Sequence[str]) -> None:
    """Notes what a tree holds."""
    note = {"release": release, "packages": list(packages)}
    (root / _FILE).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


def read(series: str, root: Path) -> Kernel:
    """The kernel of a tree."""
    note = json.loads((root / _FILE).read_text(encoding="utf-8"))
    kernel = place(series, note["release"], root, note["packages"])
    for path in (kernel.image, kernel.headers / "Makefile", kernel.modules):
        if not path.exists():
            raise VmError(f"the cached kernel {kernel.release} lacks {path}",
                          f"remove {root} and run this again")
    return kernel
