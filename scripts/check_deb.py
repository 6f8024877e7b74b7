# SPDX-License-Identifier: GPL-2.0-only
"""Looks at the Debian packages in BUILD/deb: lintian, and what docs/packages.md says of each."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import build_deb

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = "docs/packages.md"
_TABLE = re.compile(r"^<!-- packages: .*?-->\n(.*?)^<!-- end of packages -->$", re.M | re.S)
_ROW = re.compile(r"^\| ([a-z0-9-]+) \| ((?:`[^`|]+`(?:, )?)+) \| ", re.M)
# What Debian wants in each package.
EVERYWHERE = ("usr/share/doc/", "usr/share/lintian/overrides/")


def wanted(version: str) -> dict[str, list[str]]:
    """What the table says, by package; a directory ends with a slash."""
    table = _TABLE.search((ROOT / DOCUMENT).read_text())
    return {name: [path.replace("VERSION", version) for path in re.findall(r"`([^`]+)`", paths)]
            for name, paths in _ROW.findall(table[1] if table else "")}


def contents(package: Path) -> list[str]:
    """The files in it, symlinks too, without directories."""
    done = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], check=True,
                          stdout=subprocess.PIPE)
    listed = subprocess.run(["tar", "-t"], input=done.stdout, check=True, stdout=subprocess.PIPE)
    names = [line.removeprefix("./") for line in listed.stdout.decode().splitlines()]
    # Debian 12's debhelper has units in /lib, which is /usr/lib.
    return [f"usr/{name}" if name.startswith("lib/") else name for name in names
            if name and not name.endswith("/")]


def complaints(package: str, has: list[str], paths: list[str]) -> list[str]:
    """What is missing in a package, and what is too much."""
    out = [f"{package} lacks {path}" for path in paths
           if not any(name == path or path.endswith("/") and name.startswith(path)
                      for name in has)]
    return out + [f"{package} has {name}, which {DOCUMENT} does not list" for name in has
                  if not any(name == path or path.endswith("/") and name.startswith(path)
                             for path in (*paths, *EVERYWHERE))]


def check(out: Path) -> list[str]:
    """Return: everything that is wrong."""
    version = build_deb.version()
    bad = []
    table = wanted(version)
    found = {path.name.split("_")[0]: path for path in build_deb.built(out)}
    for name in sorted(table.keys() | found.keys()):
        if name not in found:
            bad.append(f"there is no package {name}")
        elif name not in table:
            bad.append(f"{DOCUMENT} has no package {name}")
        else:
            bad += complaints(name, contents(found[name]), table[name])
    changes = [str(path) for path in out.glob(f"*_{version}_*.changes")]
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", *changes],
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        bad += [f"lintian: {line}" for line in done.stdout.splitlines()] or ["lintian failed"]
    return bad


def main() -> int:
    """Return: 0 if all is as it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="build directory")
    bad = check(parser.parse_args().build / "deb")
    for line in bad:
        print(line)
    print(f"packages: {'FAILED' if bad else 'ok'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
