# SPDX-License-Identifier: GPL-2.0-only
"""Kernels with KHO, which no distribution has: built from Debian's linux-source packages.

tinyconfig and selftests/kernels/kho.config, in a source tree that is there for the build
only. What stays in the cache has the form of a fetched kernel, headers included. A variant
adds fragments of its own: "7.3-lockdep" is 7.3 with inject.config and lockdep.config as well.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from khobvm import apt, cache, kconfig, record, source
from khobvm.errors import VmError
from khobvm.progress import Progress

FRAGMENT = Path(__file__).resolve().parents[2] / "kernels" / "kho.config"
_KIND = "kernels"
# Changes when what is kept of a build does, so that older trees are not reused.
_LAYOUT = "1"
# What a build compiles, for the progress only.
_OBJECTS = 1230
_NEEDED = {"make": "make", "gcc": "gcc-12", "flex": "flex", "bison": "bison", "bc": "bc",
           "gzip": "gzip", "/usr/include/gelf.h": "libelf-dev"}
_OBJECT = re.compile(r"\s+(CC|AS)\s")
_LIBFDT = Path("scripts/dtc/libfdt")
_LOG_LINES = 15


@dataclass(frozen=True)
class Recipe:
    """How a kernel is built: of which linux-source package, fragments, and words for make.

    A fragment's options take the place of those before it.
    """

    source: str
    fragments: tuple[Path, ...] = (FRAGMENT,)
    words: tuple[str, ...] = ()

    def options(self) -> dict[str, str]:
        """What the configuration must have."""
        return {name: value for path in self.fragments
                for name, value in kconfig.parse(path.read_text(encoding="utf-8")).items()}

    def digest(self) -> str:
        """Another one for another kernel of the same source."""
        return hashlib.sha256(b"".join([*(path.read_bytes() for path in self.fragments),
                                        *(word.encode() for word in self.words)])).hexdigest()


def _fragments(*more: str) -> tuple[Path, ...]:
    return (FRAGMENT, *(FRAGMENT.with_name(f"{name}.config") for name in more))


RECIPES = {
    "7.2": Recipe("7.2"),
    "7.3": Recipe("7.3"),
    # KCSAN watches modules only: lockdep.config says why.
    "7.3-lockdep": Recipe("7.3", _fragments("inject", "lockdep"), ("KCSAN_SANITIZE=n",)),
    # Of KASAN and KCSAN a kernel has one.
    "7.3-kasan": Recipe("7.3", _fragments("inject", "kasan")),
}
SERIES = tuple(RECIPES)


def check_tools() -> None:
    """Names the Debian packages without which no kernel can be built."""
    missing = sorted(package for name, package in _NEEDED.items()
                     if not (Path(name).exists() if name[0] == "/" else shutil.which(name)))
    if missing:
        raise VmError(f"a kernel cannot be built without {', '.join(missing)}",
                      "run `make deps`: it installs them")


def _environment(tree: Path) -> dict[str, str]:
    """Ours, without what a make above or a kernel developer's shell has for kbuild."""
    ours = {name: value for name, value in os.environ.items()
            if not name.startswith(("MAKE", "MFLAGS", "KBUILD_", "KCONFIG_", "CONFIG_"))
            and name not in ("ARCH", "CROSS_COMPILE", "CC", "HOSTCC", "LLVM", "KCFLAGS", "O")}
    date = time.gmtime((tree / "Makefile").stat().st_mtime)
    return {**ours, "LC_ALL": "C", "KBUILD_BUILD_USER": "khob", "KBUILD_BUILD_HOST": "khob",
            "KBUILD_BUILD_TIMESTAMP": time.strftime("%a %b %d %H:%M:%S UTC %Y", date)}


class Tree:
    """A source tree in which commands run; all of their output goes to a log."""

    def __init__(self, path: Path, log: Path) -> None:
        self.path = path
        self._log = log
        self._environment = _environment(path)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)

    def run(self, *command: str, on_line: Callable[[str], None] = lambda line: None) -> None:
        """Runs a command to its end; whatever interrupts us takes its processes along."""
        setpriv = shutil.which("setpriv")
        prefix = [setpriv, "--pdeathsig", "TERM"] if setpriv else []
        with open(self._log, "a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            process = subprocess.Popen(
                [*prefix, *command], cwd=self.path, env=self._environment, text=True,
                errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True)
            assert process.stdout is not None
            with process.stdout:
                try:
                    for line in process.stdout:
                        log.write(line)
                        on_line(line)
                    process.wait()
                except BaseException:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    raise
        if process.returncode:
            raise VmError(f"`{' '.join(command)}` failed:\n{self._complaints()}",
                          f"the whole log is {self._log}")

    def _complaints(self) -> str:
        lines = self._log.read_text(encoding="utf-8").splitlines()
        errors = [line for line in lines if re.search(r"\b[Ee]rror\b|\*\*\*|not found", line)]
        return "\n".join((errors or lines)[-_LOG_LINES:])


def _configure(tree: Tree, recipe: Recipe) -> None:
    tree.run("make", "tinyconfig")
    tree.run("scripts/kconfig/merge_config.sh", "-m", "-Q", ".config",
             *(str(path) for path in recipe.fragments))
    tree.run("make", "olddefconfig")
    kconfig.check(tree.path, recipe.options(),
                  kconfig.parse((tree.path / ".config").read_text(encoding="utf-8")),
                  " or ".join(path.name for path in recipe.fragments))


def _compile(tree: Tree, recipe: Recipe, what: str, progress: Progress) -> None:
    begin = time.monotonic()
    count = 0

    def on_line(line: str) -> None:
        nonlocal count
        if not _OBJECT.match(line):
            return
        count += 1
        seconds = int(time.monotonic() - begin)
        text = f"{what}: {count} of about {max(count, _OBJECTS)} objects, " \
               f"{seconds // 60}:{seconds % 60:02}"
        progress.step(text)
        if not progress.live and count % (_OBJECTS // 5) == 0:
            progress.line(text)

    tree.run("make", f"-j{os.cpu_count()}", *recipe.words, "bzImage", "modules",
             on_line=on_line)


def _install(tree: Tree, root: Path, series: str, found: apt.Package) -> None:
    """Copies what is kept, each to where a package would have it."""
    release = (tree.path / "include/config/kernel.release").read_text(encoding="ascii").strip()
    kernel = record.place(series, release, root)
    kernel.image.parent.mkdir(parents=True)
    shutil.copyfile(tree.path / "arch/x86/boot/bzImage", kernel.image)
    shutil.copyfile(tree.path / ".config", kernel.config)
    shutil.copyfile(tree.path / "System.map", kernel.image.parent / f"System.map-{release}")
    # Modules are looked up by name here: nothing needs depmod's lists.
    tree.run("make", "modules_install", f"INSTALL_MOD_PATH={root}", "DEPMOD=true")
    # What distributions make their headers packages with.
    tree.run("make", "run-command", "KBUILD_RUN_COMMAND=scripts/package/install-extmod-build "
                                    f"{kernel.headers}")
    shutil.copyfile(tree.path / ".config", kernel.headers / ".config")
    # They leave out what <linux/libfdt.h> includes, and clients of KHO include that.
    (kernel.headers / _LIBFDT).mkdir(parents=True)
    for path in (tree.path / _LIBFDT).glob("*.h"):
        shutil.copyfile(path, kernel.headers / _LIBFDT / path.name)
    for name in ("build", "source"):
        (kernel.modules / name).unlink(missing_ok=True)
    (kernel.modules / "build").symlink_to(os.path.relpath(kernel.headers, kernel.modules))
    record.write(root, release, [f"{found.name}_{found.version}"])


def make_tree(work: Path, series: str, archive: apt.Archive, found: apt.Package,
              progress: Progress) -> None:
    """Builds a kernel and leaves in an empty directory what is kept of it."""
    check_tools()
    with source.full(archive, found, progress) as path:
        what = f"building kernel {series}"
        progress.step(f"{what}: configuring")
        tree = Tree(path, cache.cache_root() / _KIND / f"{series}-build.log")
        try:
            _configure(tree, RECIPES[series])
            if not progress.live:
                progress.line(f"{what} ({found.version})")
            _compile(tree, RECIPES[series], what, progress)
            progress.step(f"{what}: keeping what is needed")
            _install(tree, work, series, found)
        finally:
            progress.done()


def get(series: str, progress: Progress) -> Path:
    """The tree of a built kernel: from the cache, or built."""
    archive = source.archive(progress)
    recipe = RECIPES[series]
    fragment = recipe.digest()
    state = f"{archive.state()} {fragment} {_LAYOUT}"
    known = cache.recall(_KIND, series, state)
    if known is not None:
        return known
    found = archive.show(f"linux-source-{recipe.source}")
    if found is None:
        # The version follows: "7.3-" alone would be 7.3-lockdep's beginning as well.
        root = cache.newest(_KIND, f"{series}-{recipe.source}")
        if root is None:
            raise VmError(f"apt knows no linux-source-{recipe.source} and no such kernel is cached",
                          archive.hint)
        progress.line(f"kernel {series}: apt knows no source; using the kernel that is cached")
        return root
    names = "\n".join([found.key, fragment, _LAYOUT])
    key = f"{series}-{found.version}-{hashlib.sha256(names.encode()).hexdigest()[:12]}"
    root = cache.entry(_KIND, key.replace(":", "%"),
                       partial(make_tree, series=series, archive=archive, found=found,
                               progress=progress))
    cache.remember(_KIND, series, state, root)
    return root
