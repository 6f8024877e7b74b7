# SPDX-License-Identifier: GPL-2.0-only
"""A VM saved just before attach: made once, started from as often as wanted.

RAM is a file. The VM that is saved shares it; those that start from it map it privately, so
that nothing is read or copied but the pages that they use.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from khobvm import initramfs, qemu
from khobvm.errors import VmError
from khobvm.faults import guest
from khobvm.faults.gdb import Stub
from khobvm.faults.guest import Way
from khobvm.faults.qmp import Monitor
from khobvm.faults.walk import Layout, walk
from khobvm.initramfs import Artefacts
from khobvm.kernels import Kernel
from khobvm.progress import Progress
from khobvm.qemu import Accelerator, Machine, Vm
from khobvm.status import Parser

# How long the guest's `read` has to reach the port after the line before it has come.
_SETTLE_SECONDS = 2.0
_BOOT_SECONDS = 900.0
# Changes when a saved VM of an older one must not be used.
_VERSION = "2"


@dataclass(frozen=True)
class SavedMachine(Machine):
    """A machine whose RAM is a file; saved: starts from what save() left there."""

    home: Path = Path()
    saved: bool = False

    @property
    def monitor(self) -> Path:
        """QEMU's monitor."""
        return self.workspace / "monitor"

    @property
    def stub(self) -> Path:
        """gdb's stub."""
        return self.workspace / "gdb"

    def prepare(self) -> None:
        """Makes the port through which the guest is told to go on."""
        super().prepare()
        for name in ("go.in", "go.out"):
            os.mkfifo(self.workspace / name)

    def command(self) -> list[str]:
        """The command line."""
        share = "off" if self.saved else "on"
        words = [*super().command(), "-machine", "memory-backend=ram",
                 "-object", f"memory-backend-file,id=ram,size={self.memory}M,share={share},"
                            f"mem-path={self.home / 'ram'}",
                 "-chardev", f"pipe,id=go,path={self.workspace / 'go'}",
                 "-device", f"virtserialport,chardev=go,name={guest.GO_PORT}",
                 "-qmp", f"unix:{self.monitor},server=on,wait=off",
                 "-gdb", f"unix:{self.stub},server=on,wait=off"]
        return [*words, "-S", "-incoming", "defer"] if self.saved else words

    def go(self) -> None:
        """Lets the guest go on, once it runs and reads the port."""
        # Opened for both, or this would wait for a reader.
        with open(self.workspace / "go.in", "r+b", buffering=0) as stream:
            stream.write(b"go\n")


@dataclass(frozen=True)
class Snapshot:
    """A saved VM. sent: the blobs' checksums, as the kernel before knew them."""

    way: Way
    kernel: Kernel
    home: Path
    layout: Layout
    sent: tuple[str, ...]

    def machine(self, workspace: Path, accelerator: Accelerator) -> SavedMachine:
        """A VM that starts from it."""
        return _machine(self.way, self.kernel, self.home, workspace, accelerator, True)


def _machine(way: Way, kernel: Kernel, home: Path, workspace: Path, accelerator: Accelerator,
             saved: bool) -> SavedMachine:
    return SavedMachine(kernel.image, home / "initrd", workspace, accelerator, way.memory,
                        cmdline=way.kho, home=home, saved=saved)


def load(machine: SavedMachine) -> None:
    """Takes the saved state in; the VM stands."""
    with Monitor(machine.monitor) as monitor:
        monitor.migration("migrate-incoming", f"exec:cat {machine.home / 'state'}")


class _NoBoot(VmError):
    """The first kernel died before PID 1."""


def _follow(vm: Vm, machine: Machine, parser: Parser,
            done: Callable[[Parser], bool]) -> None:
    end = time.monotonic() + _BOOT_SECONDS
    while not done(parser):
        alive = vm.running()
        parser.feed(vm.read_status())
        last = parser.last
        bad = [s.name for s in last.steps.values() if s.ok is False] if last else []
        if bad or not alive or time.monotonic() > end:
            parser.finish()
            step = parser.running()
            said = [line for g in parser.generations for s in g.steps.values()
                    for line in [f"{s.name}: {s.ok}", *s.output[-5:], *s.problems]]
            kind = VmError if parser.generations else _NoBoot
            raise kind("the VM did not come as far as attach: "
                       f"{bad or (step.name if step else 'boot')}\n" + "\n".join(said[-30:])
                       + "\n" + vm.errors() + qemu.tail(machine.console, 15))
        time.sleep(qemu.POLL_SECONDS)


def _waits(parser: Parser) -> bool:
    step = parser.running()
    return step is not None and step.name == guest.WAIT and "waiting" in parser.pending


def _output(parser: Parser, name: str) -> tuple[str, ...]:
    """What the guest printed in a step."""
    for generation in parser.generations:
        for step in generation.steps.values():
            if step.name == name and step.output:
                return tuple(line.strip() for line in step.output)
    raise VmError(f"the guest said nothing in the step '{name}'")


def _save(way: Way, kernel: Kernel, home: Path, accelerator: Accelerator) -> Snapshot:
    """Boots, hands over, boots again and saves the VM."""
    parser = Parser()
    with contextlib.ExitStack() as stack:
        workspace = stack.enter_context(tempfile.TemporaryDirectory(prefix="khobvm-save-"))
        machine = _machine(way, kernel, home, Path(workspace), accelerator, False)
        machine.prepare()
        vm = stack.enter_context(Vm(machine))
        _follow(vm, machine, parser, _waits)
        time.sleep(_SETTLE_SECONDS)
        with Monitor(machine.monitor) as monitor:
            monitor.execute("stop")
            with Stub(machine.stub) as stub:
                layout = walk(stub, int(_output(parser, guest.SETUP_DATA.name)[0], 16))
            monitor.migration("migrate", f"exec:cat > {home / 'state'}")
    return Snapshot(way, kernel, home, layout, _output(parser, guest.PUT.name))


def _digest(path: Path, *more: str) -> str:
    value = hashlib.sha256("\n".join([_VERSION, *more]).encode())
    with open(path, "rb") as stream:
        while part := stream.read(1 << 20):
            value.update(part)
    return value.hexdigest()


def get(way: Way, kernels: Mapping[str, Kernel], artefacts: Artefacts,
        accelerator: Accelerator, progress: Progress) -> Snapshot:
    """The saved VM of a way, made anew if anything in it has changed."""
    kernel = kernels[way.series]
    parent = artefacts.build / "faults"
    parent.mkdir(parents=True, exist_ok=True)
    home = parent / way.series
    with tempfile.TemporaryDirectory(prefix=f".{way.series}-", dir=parent) as temp:
        part = Path(temp)
        with open(part / "initrd", "wb") as stream:
            initramfs.write(guest.case(way), kernels, artefacts, stream, progress)
        key = _digest(part / "initrd", str(kernel.image), repr(way), str(accelerator.kvm))
        note = home / "snapshot.json"
        if note.exists():
            known = json.loads(note.read_text(encoding="utf-8"))
            if known["key"] == key:
                return Snapshot(way, kernel, home, Layout.from_json(known["layout"]),
                                tuple(known["sent"]))
        progress.line(f"{way.series}: saving a VM just before attach")
        try:
            made = _save(way, kernel, part, accelerator)
        except _NoBoot as error:
            # Under emulation a kernel that patches its own code can do that.
            progress.line(f"{way.series}: {error}; trying once more")
            made = _save(way, kernel, part, accelerator)
        (part / "snapshot.json").write_text(
            json.dumps({"key": key, "layout": made.layout.to_json(), "sent": made.sent}),
            encoding="utf-8")
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        for name in ("initrd", "ram", "state", "snapshot.json"):
            (part / name).rename(home / name)
    return replace(made, home=home)
