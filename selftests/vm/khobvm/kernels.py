# SPDX-License-Identifier: GPL-2.0-only
"""The kernels of the tests, in the cache so that they boot and build there.

Stock Debian cloud kernels are unpacked, those with KHO are built (build.py). A stock
kernel's tree holds the image, its modules and its headers with all that the headers
depend on, under the packages' own paths. The headers packages expect those paths below
"/"; relocate() makes them find each other wherever the tree is.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from khobvm import apt, build, cache, record
from khobvm.errors import VmError
from khobvm.progress import Progress
from khobvm.record import Kernel

SERIES = ("6.1", "6.12")
_MEMBERS = r"linux-(headers|kbuild|compiler)-.*"
_KIND = "kernels"
# Changes when relocate() does, so that trees of an older one are not reused.
_LAYOUT = "3"

# What Kconfig would have answered for clang 14 where it answered for gcc 12. Only how a
# module is compiled changes, not what the kernel and a module agree on.
_CLANG = {
    "CC_IS_GCC": "", "CC_IS_CLANG": "y", "GCC_VERSION": "0", "CLANG_VERSION": "140000",
    # Clang has __return_thunk from 15 and takes -mharden-sls apart from the linker.
    "CC_HAS_RETURN_THUNK": "", "RETHUNK": "", "MITIGATION_RETHUNK": "",
    "SLS": "", "MITIGATION_SLS": "",
    # It has no -mrecord-mcount: objtool collects the call sites.
    "FTRACE_MCOUNT_USE_CC": "", "FTRACE_MCOUNT_USE_OBJTOOL": "y",
    # Up to 15 it wants a second option next to -ftrivial-auto-var-init=zero.
    "CC_HAS_AUTO_VAR_INIT_ZERO_BARE": "", "CC_HAS_AUTO_VAR_INIT_ZERO_ENABLER": "y",
    "CC_IMPLICIT_FALLTHROUGH": "-Wimplicit-fallthrough",
    # Its __seg_gs is a macro that the per-CPU accessors cannot use.
    "CC_HAS_NAMED_AS": "", "CC_HAS_NAMED_AS_FIXED_SANITIZERS": "", "USE_X86_SEG_SUPPORT": "",
}


def _clang_make() -> str:
    """The same for make, which reads auto.conf as a makefile."""
    lines = ["# Added by khobvm: the configuration is gcc's, this is what differs for clang.",
             "ifneq ($(LLVM)$(findstring clang,$(CC)),)"]
    lines += [f"CONFIG_{name}={value}" for name, value in _CLANG.items()]
    return "\n".join([*lines, "endif", ""])


def _clang_header() -> str:
    """The same for C."""
    lines = ["", "/* Added by khobvm: the configuration is gcc's, this differs for clang. */",
             "#ifdef __clang__"]
    for name, value in _CLANG.items():
        lines.append(f"#undef CONFIG_{name}")
        if value == "y":
            lines.append(f"#define CONFIG_{name} 1")
        elif value.isdigit():
            lines.append(f"#define CONFIG_{name} {value}")
    return "\n".join([*lines, "#endif", ""])


def image_package(series: str) -> apt.Package | None:
    """The newest signed cloud image of a series that apt offers."""
    ours = rf"linux-image-{re.escape(series)}[.0-9]*[+-].*cloud-amd64"
    for meta in (f"linux-image-{series}-cloud-amd64", "linux-image-cloud-amd64"):
        package = apt.MACHINE.show(meta)
        for image in apt.MACHINE.depended(package, ours) if package else ():
            return image
    return None


def _closure(image: apt.Package) -> list[apt.Package]:
    """The image, its headers and what these need to build a module."""
    headers = apt.MACHINE.show(image.name.replace("linux-image-", "linux-headers-"), image.version)
    if headers is None:
        raise VmError(f"apt knows {image.name} {image.version} but not its headers",
                      apt.UPDATE_HINT)
    found = {image.name: image, headers.name: headers}
    queue = [headers]
    while queue:
        for package in apt.MACHINE.depended(queue.pop(), _MEMBERS):
            if package.name not in found:
                found[package.name] = package
                queue.append(package)
    return list(found.values())


def _relative(root: Path, link: Path) -> None:
    """Makes an absolute link point to the same path below root."""
    target = os.readlink(link)
    if not target.startswith("/"):
        return
    inside = root / target.lstrip("/")
    link.unlink()
    link.symlink_to(os.path.relpath(inside, link.parent))


def relocate(root: Path, headers: Path) -> None:
    """Makes a headers tree usable where it is unpacked, and wherever it is moved to."""
    for base, directories, files in os.walk(root):
        for name in directories + files:
            path = Path(base) / name
            if path.is_symlink():
                _relative(root, path)
    # The flavour's Makefile is one line: include /usr/src/<common>/Makefile.
    makefile = headers / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    here = "$(dir $(abspath $(lastword $(MAKEFILE_LIST))))"
    makefile.write_text(re.sub(r"(?m)^include /usr/src/", f"include {here}../", text),
                        encoding="utf-8")
    # The packages pin CC to their compiler after LLVM=1 has chosen clang: let LLVM=1 win.
    variables = headers / ".kernelvariables"
    if variables.exists():
        text = variables.read_text(encoding="utf-8")
        variables.write_text(re.sub(r"(?m)^CC\s*=(.*)$",
                                    "ifeq ($(LLVM),)\nCC =\\1\nendif", text), encoding="utf-8")
    for name, addition in (("config/auto.conf", _clang_make()),
                           ("generated/autoconf.h", _clang_header())):
        with open(headers / "include" / name, "a", encoding="utf-8") as stream:
            stream.write(addition)


def _build(root: Path, series: str, packages: list[apt.Package], progress: Progress) -> None:
    for number, package in enumerate(packages, 1):
        what = f"kernel {series}: {number}/{len(packages)} {package.name} " \
               f"{package.version} ({package.size / 2**20:.1f} MiB)"
        progress.step(what)
        if not progress.live:
            progress.line(what)
        deb = apt.MACHINE.fetch(package, root)
        apt.unpack(deb, root)
        deb.unlink()
    release = packages[0].name.removeprefix("linux-image-")
    relocate(root, root / "usr/src" / f"linux-headers-{release}")
    record.write(root, release, [f"{p.name}_{p.version}" for p in packages])


def get(series: str, progress: Progress) -> Kernel:
    """A kernel of a series: from the cache, or fetched; those with KHO are built."""
    if series in build.SERIES:
        return record.read(series, build.get(series, progress))
    # apt-cache takes most of a second a call and a dozen are needed: ask once per state.
    state = f"{apt.MACHINE.state()} {_LAYOUT}"
    known = cache.recall(_KIND, series, state)
    if known is not None:
        return record.read(series, known)
    image = image_package(series)
    if image is None:
        # Off line with no package lists, what is cached is as good as it gets.
        root = cache.newest(_KIND, f"{series}-")
        if root is None:
            raise VmError(f"apt knows no cloud kernel {series} and none is cached",
                          apt.UPDATE_HINT)
        progress.line(f"kernel {series}: apt knows none; using the cached one")
        return record.read(series, root)
    packages = _closure(image)
    names = "\n".join([_LAYOUT, *sorted(p.key for p in packages)])
    key = f"{series}-{image.version}-{hashlib.sha256(names.encode()).hexdigest()[:12]}"
    root = cache.entry(_KIND, key.replace(":", "%"),
                       lambda work: _build(work, series, packages, progress))
    progress.done()
    cache.remember(_KIND, series, state, root)
    return record.read(series, root)


__all__ = ["SERIES", "Kernel", "get", "image_package", "relocate"]
