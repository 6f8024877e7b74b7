# SPDX-License-Identifier: GPL-2.0-only
"""A guest for inside the test VM that has booted already.

Emulated by an emulated QEMU a kernel takes many minutes to boot. So the guest of a disk image boots
here, in that image's own QEMU, and is saved as soon as it ticks (khob-tick); what the VM does with
it is all that comes afterwards.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from khobvm.cpio import Archive
from khobvm.errors import VmError

_TICK = b"tick 10 "
_SECONDS = 300
_SHARED = {"capabilities": [{"capability": "x-ignore-shared", "state": True}]}


def _wait(process: subprocess.Popen[bytes], console: Path) -> None:
    """Until it ticks."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        if console.exists() and _TICK in console.read_bytes():
            return
        time.sleep(0.1)
    raise VmError("a guest for the disk image did not boot",
                  f"see what QEMU said: exit code {process.poll()}")


def _ask(stream: socket.SocketIO, command: str, arguments: object = None) -> dict[str, object]:
    """What a QMP command returns."""
    words = {"execute": command} | ({"arguments": arguments} if arguments else {})
    stream.write(json.dumps(words).encode() + b"\n")
    text = b""
    while True:
        byte = stream.read(1)
        if not byte:
            raise VmError(f"QEMU ended before it answered {command}")
        text += byte
        if byte == b"\n":
            answer = json.loads(text)
            text = b""
            if "error" in answer:
                raise VmError(f"QEMU refuses {command}: {answer['error']}")
            if isinstance(answer.get("return"), dict):
                found: dict[str, object] = answer["return"]
                return found


def _save(place: Path, state: Path) -> None:
    """As kho-guest does it."""
    with socket.socket(socket.AF_UNIX) as to:
        to.connect(str(place))
        with to.makefile("rwb", buffering=0) as stream:
            _ask(stream, "qmp_capabilities")
            _ask(stream, "migrate-set-parameters", {"mode": "cpr-reboot"})
            _ask(stream, "migrate-set-capabilities", _SHARED)
            _ask(stream, "migrate", {"uri": f"file:{state}"})
            while (found := _ask(stream, "query-migrate").get("status")) != "completed":
                if found == "failed":
                    raise VmError("a guest for the disk image could not be saved")
                time.sleep(0.1)
            _ask(stream, "quit")


def boot(tree: Path, kernel: Path, init: Path) -> None:
    """Leaves kernel, initrd, console, ram and state of a guest in the tree's /var/lib/guest.

    tree: an image's root, which has QEMU and khob-guest. init: a static program, its PID 1.
    """
    home = tree / "var/lib/guest"
    home.mkdir(parents=True)
    (home / "kernel").write_bytes(kernel.read_bytes())
    archive = Archive()
    archive.file("init", init.read_bytes(), 0o755)
    with open(home / "initrd", "wb") as stream:
        archive.write(stream)
    libraries = tree / "usr/lib/x86_64-linux-gnu"
    data = ("qemu", "seabios")
    qemu = (tree / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", libraries,
            tree / "usr/bin/qemu-system-x86_64", *(word for name in data for word in (
                "-L", tree / "usr/share" / name)))
    with tempfile.TemporaryDirectory(prefix="khobvm-") as run:
        # A socket's path may have a hundred characters.
        environment = {**os.environ, "QEMU": " ".join(map(str, qemu)), "GUEST": str(home),
                       "KEEP": str(home), "RUN": run, "QEMU_MODULE_DIR": str(libraries / "qemu")}
        with subprocess.Popen(["sh", str(tree / "usr/local/bin/khob-guest")], env=environment,
                              stdin=subprocess.DEVNULL) as process:
            try:
                _wait(process, home / "console")
                _save(Path(run) / "qmp", home / "state")
                process.wait(_SECONDS)
            finally:
                process.kill()
