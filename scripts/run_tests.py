# SPDX-License-Identifier: GPL-2.0-only
"""Runs the tests and counts them: unit tests, installation, the VM runner's own, and the VMs.

"all" leaves out "interop": its kernels have to be built first, which takes minutes each.
The last line is "N passed, N failed".
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
VM = ROOT / "selftests" / "vm"
# Where a distribution would look; the version is in one place, so the directory is not here.
INSTALLED = ("usr/bin/khoctl", "usr/share/man/man1/khoctl.1",
             "usr/share/bash-completion/completions/khoctl", "usr/include/khob/abi.h",
             "usr/include/khob/abi.hpp", "usr/include/khob/device.hpp",
             "usr/include/khob/luo.h", "usr/include/khob/luo.hpp",
             "usr/include/khob/sessions.hpp", "usr/include/khob/uapi/linux/liveupdate.h",
             "usr/include/linux/kho_luo.h",
             "usr/include/khob/kho_bridge.h", "usr/include/linux/kho_bridge.h", "usr/bin/abi-gen",
             "usr/share/man/man1/abi-gen.1", "usr/share/bash-completion/completions/abi-gen",
             "usr/share/man/man5/kho-bridge.5", "usr/share/zsh/vendor-completions/_khoctl",
             "usr/lib/systemd/system/kho-bridge-attach.service",
             "usr/lib/systemd/system/kho-bridge-keep.service",
             "usr/lib/dracut/modules.d/90kho-bridge/module-setup.sh",
             "usr/lib/tmpfiles.d/kho-bridge.conf", "usr/share/initramfs-tools/hooks/kho-bridge",
             "usr/share/initramfs-tools/scripts/init-top/kho-bridge",
             "usr/include/kho.h", "usr/include/kho.hpp", "usr/lib/libkho.a", "usr/lib/libkho.so",
             "usr/lib/libkho.so.0", "usr/share/man/man3/libkho.3",
             "usr/lib/python3/dist-packages/kho.py")


def unit() -> tuple[int, int]:
    """Everything that ctest knows. Return: passed, failed."""
    result = BUILD / "ctest.xml"
    result.unlink(missing_ok=True)
    done = subprocess.run(
        ["ctest", "--test-dir", str(BUILD), "-j", str(os.cpu_count()), "--output-on-failure",
         "--progress", "--output-junit", str(result)], check=False)
    if not result.exists():
        return 0, 1
    suite = ElementTree.parse(result).getroot()
    total, failed = int(suite.get("tests", "0")), int(suite.get("failures", "0"))
    # A test that ctest could not start is no pass either.
    failed += int(suite.get("skipped", "0")) + int(suite.get("disabled", "0"))
    if not total or (done.returncode and not failed):
        failed += 1
    return total - failed, failed


def emission() -> None:
    """Prints how long abi-gen takes for all it can emit, once Python's files are in memory."""
    with tempfile.TemporaryDirectory(prefix="khob-emit-") as temp:
        for said in ("first start of Python", "then"):
            done = subprocess.run([BUILD / "abi-gen" / "abi-gen", "emit", "--every", "-o", temp],
                                  stdout=subprocess.PIPE, text=True, check=False)
            print(f"abi-gen, everything for every combination, {said}: {done.stdout.strip()}",
                  flush=True)


def runner() -> tuple[int, int]:
    """The VM runner's own tests."""
    sys.path.insert(0, str(VM))
    sys.path.insert(0, str(VM / "tests"))
    suite = unittest.defaultTestLoader.discover(str(VM / "tests"), pattern="test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.skipped)
    if not result.testsRun:
        failed += 1
    return result.testsRun - failed, failed


def machines(suite: str, globs: list[str]) -> tuple[int, int]:
    """Kernels in VMs: every case of a suite, or those that match, is a test."""
    result = BUILD / f"{suite}-results.json"
    result.unlink(missing_ok=True)
    environment = dict(os.environ, PYTHONPATH=str(VM), PYTHONDONTWRITEBYTECODE="1")
    command = ["/usr/bin/python3", "-m", "khobvm", "run", "--suite", suite, "--json",
               str(result), *(f"--case={glob}" for glob in globs)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if not result.exists():
        return 0, 1
    cases = json.loads(result.read_text())["cases"]
    passed = sum(1 for case in cases if case["good"])
    failed = len(cases) - passed
    if not cases or (done.returncode and not failed):
        failed += 1
    if not globs:
        # README's table of pairs is as tested.
        told = subprocess.run(["/usr/bin/python3", "-m", "khobvm", "matrix", "--check",
                               str(result)], cwd=ROOT, env=environment, check=False)
        passed, failed = passed + (not told.returncode), failed + bool(told.returncode)
    return passed, failed


def library(temp: Path) -> list[str]:
    """What is wrong with an installed libkho: its examples build with what libkho.pc says."""
    words: dict[str, str] = {}
    try:
        text = (temp / "usr/lib/pkgconfig/libkho.pc").read_text()
    except FileNotFoundError:
        return ["no libkho.pc"]
    for name, value in re.findall(r"^([\w.]+)(?:=|: )(.*)$", text, re.M):
        words[name] = re.sub(r"\$\{(\w+)\}", lambda found: words[found[1]], value)
    flags = [word.replace("/usr", f"{temp}/usr", 1)
             for word in f"{words['Cflags']} {words['Libs']}".split()]
    said = []
    for compiler, source, more in (("gcc", "keeper.c", ["-D_GNU_SOURCE"]),
                                   ("gcc", "keeper.c", ["-D_GNU_SOURCE", "-static", "-pthread"]),
                                   ("g++", "cache.cpp", ["-std=c++20"])):
        done = subprocess.run([compiler, str(ROOT / "libkho/examples" / source), *more, *flags,
                               "-o", str(temp / "example")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        said += done.stdout.splitlines()
        ran = subprocess.run([str(temp / "example")], stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.STDOUT, check=False,
                             env={"LD_LIBRARY_PATH": f"{temp}/usr/lib"})
        if ran.returncode != 2:
            said.append(f"{source} says {ran.stdout} of no arguments")
    python = subprocess.run(["/usr/bin/python3", "-c", "import kho; kho.memfd('x', 1)"],
                            env={"LD_LIBRARY_PATH": f"{temp}/usr/lib",
                                 "PYTHONDONTWRITEBYTECODE": "1",
                                 "PYTHONPATH": f"{temp}/usr/lib/python3/dist-packages"},
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False)
    return said + python.stdout.splitlines()


def installation() -> tuple[int, int]:
    """`make install` into a directory: all files, and a module that builds from them."""
    with tempfile.TemporaryDirectory(prefix="khob-install-") as temp:
        done = subprocess.run(["make", "--no-print-directory", "install", f"DESTDIR={temp}",
                               "prefix=/usr"], cwd=ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        found = {str(p.relative_to(temp)) for p in Path(temp).rglob("*") if p.is_file()}
        missing = [name for name in INSTALLED if name not in found]
        said = [] if done.returncode == 0 else done.stdout.splitlines()
        source = Path(temp) / "usr/src" / next(iter(os.listdir(Path(temp) / "usr/src")), "")
        sys.path.insert(0, str(VM))
        kernels = importlib.import_module("khobvm.kernels")
        progress = importlib.import_module("khobvm.progress")
        headers = kernels.get(kernels.SERIES[-1], progress.Progress()).headers
        built = subprocess.run(["make", "-s", "-C", str(headers), f"M={source}", "modules"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env={k: v for k, v in os.environ.items()
                                    if not k.startswith(("MAKE", "MFLAGS"))}, check=False)
        # From where it was installed, with nothing of the source tree: another schema, renderer.
        emitted = subprocess.run([f"{temp}/usr/bin/abi-gen", "emit", "--lang", "kernel-c"],
                                 cwd=temp, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, check=False)
        if emitted.returncode or f"from {temp}/usr/share" not in emitted.stdout:
            said += emitted.stdout.splitlines()[:5]
            missing.append("abi-gen that works where it is installed")
        if not (source / "module/include/compat/linux/kexec_handover.h").exists():
            missing.append("upstream's names for client modules")
        if wrong := library(Path(temp)):
            said += wrong
            missing.append("libkho that programs can be built with")
        if not (source / "module/kho_bridge.ko").exists():
            said += built.stdout.splitlines()
            missing.append("kho_bridge.ko, built from the installed source")
    for line in [*said, *(f"not installed: {name}" for name in missing)]:
        print(line)
    print(f"install: {'FAILED' if said or missing else 'ok'}", flush=True)
    return (0, 1) if said or missing else (1, 0)


def main() -> int:
    """Return: 0 if nothing failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("unit", "vm", "interop", "all"))
    parser.add_argument("--case", action="append", default=[], help="only these VM cases")
    arguments = parser.parse_args()
    counts: list[tuple[int, int]] = []
    if arguments.what in ("unit", "all"):
        counts.append(unit())
        emission()
    if arguments.what == "all":
        counts.append(installation())
    if arguments.what in ("vm", "all"):
        counts.append(runner())
        counts.append(machines("stock", arguments.case))
    if arguments.what == "interop":
        counts.append(machines("interop", arguments.case))
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
