# SPDX-License-Identifier: GPL-2.0-only
"""QEMU: its command line, one machine's life, and whether KVM really works here."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from khobvm import cache
from khobvm.errors import VmError
from khobvm.status import Parser

PROGRAM = "qemu-system-x86_64"
# Of the package ovmf: the firmware, and the variables that each machine has a copy of.
FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
_VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
POLL_SECONDS = 0.01
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PROBE_FILE = "kvm-probe.json"


# A host that is busy for half a minute makes an emulated kernel report a stall of RCU, which is
# no finding; one that hangs runs into the case's time limit. If it leaves no time for ticks
# while a kernel tries its timer, that panics: the check is off, as KVM has it off.
BASE_CMDLINE = "console=ttyS0 panic=-1 no_timer_check rcupdate.rcu_cpu_stall_timeout=120"


@dataclass(frozen=True)
class Accelerator:
    """How guest code runs.

    why: what the probe found, for the user. counting: under emulation, the guest's clock
    counts instructions, one a nanosecond. together: under emulation, CPUs run at the same
    time.
    """

    kvm: bool
    why: str
    counting: bool = False
    together: bool = False

    def arguments(self, features: str = "") -> list[str]:
        """The options for QEMU; features: what its CPUs have or lack (",la57=off")."""
        if self.kvm:
            return ["-accel", "kvm", "-cpu", f"host{features}"]
        # CPUs take turns: with a thread each, one may run code while another patches it (static
        # branches, ftrace), which real CPUs and KVM get right and this emulation does not. It
        # is rare, and what a second CPU adds can be measured in no other way.
        threads = "multi" if self.together else "single"
        counting = ["-icount", "shift=0,sleep=off"] if self.counting else []
        return ["-accel", f"tcg,thread={threads}", "-cpu", f"max{features}", *counting]


@dataclass(frozen=True)
class Machine:
    """All that a QEMU command line is made of.

    memory: MiB. nodes: NUMA nodes that share memory and CPUs equally. efi: boots the
    kernel's EFI stub from OVMF instead of from QEMU's BIOS. disk: an image that is /dev/vda; the
    file stays as it is. scratch: MiB of an empty disk, which is the next one. four_levels: CPUs
    without page tables of five levels.
    """

    kernel: Path
    initrd: Path
    workspace: Path
    accelerator: Accelerator
    memory: int = 1024
    cpus: int = 1
    cmdline: str = ""
    nodes: int = 1
    efi: bool = False
    disk: Path | None = None
    scratch: int = 0
    four_levels: bool = False

    @property
    def console(self) -> Path:
        """The serial console's log."""
        return self.workspace / "console.log"

    @property
    def status(self) -> Path:
        """What the guest's init sends."""
        return self.workspace / "status.log"

    @property
    def variables(self) -> Path:
        """The EFI variables, which the guest may write."""
        return self.workspace / "efi-variables.fd"

    @property
    def empty(self) -> Path:
        """The disk that is empty at first."""
        return self.workspace / "scratch.img"

    def prepare(self) -> None:
        """Makes what the command line names besides the kernel and the initrd."""
        if self.scratch:
            with open(self.empty, "wb") as stream:
                stream.truncate(self.scratch << 20)
        if not self.efi:
            return
        try:
            shutil.copyfile(_VARIABLES, self.variables)
        except OSError as error:
            raise VmError(f"{_VARIABLES}: {error.strerror}", "install ovmf") from error

    def _firmware(self) -> list[str]:
        if not self.efi:
            return []
        return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE}",
                "-drive", f"if=pflash,format=raw,unit=1,file={self.variables}"]

    def _disk(self) -> list[str]:
        words = []
        if self.disk is not None:
            words += ["-drive", f"if=virtio,format=raw,snapshot=on,file={self.disk}"]
        if self.scratch:
            words += ["-drive", f"if=virtio,format=raw,file={self.empty}"]
        return words

    def _numa(self) -> list[str]:
        """A socket a node: a node that shared its caches with another would make Linux warn."""
        if self.nodes == 1:
            return ["-smp", str(self.cpus)]
        memory, cores = self.memory // self.nodes, self.cpus // self.nodes
        words = ["-smp", f"{self.cpus},sockets={self.nodes},cores={cores},threads=1"]
        for node in range(self.nodes):
            words += ["-object", f"memory-backend-ram,id=node{node},size={memory}M",
                      "-numa", f"node,nodeid={node},memdev=node{node},"
                               f"cpus={node * cores}-{(node + 1) * cores - 1}"]
        return words

    def command(self) -> list[str]:
        """The command line; it can be run by hand as it is, after prepare()."""
        append = " ".join(f"{BASE_CMDLINE} khob.gen=1 {self.cmdline}".split())
        features = ",la57=off" if self.four_levels else ""
        return [PROGRAM, "-machine", "q35", *self.accelerator.arguments(features),
                "-m", f"{self.memory}M", *self._numa(), *self._firmware(), *self._disk(),
                "-nodefaults", "-no-reboot", "-display", "none",
                "-serial", f"file:{self.console}",
                "-chardev", f"file,id=status,path={self.status}",
                "-device", "virtio-serial-pci",
                "-device", "virtserialport,chardev=status,name=khob.status",
                "-kernel", str(self.kernel), "-initrd", str(self.initrd), "-append", append]


class Vm:
    """A running QEMU. Leaving the `with` block kills it if it still runs."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._log = open(machine.workspace / "qemu.log", "wb")  # noqa: SIM115
        command = machine.command()
        # Should the runner itself be killed, the guest must not stay behind.
        setpriv = shutil.which("setpriv")
        prefix = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        try:
            self._process = subprocess.Popen(
                prefix + command, stdin=subprocess.DEVNULL, stdout=self._log,
                stderr=subprocess.STDOUT, start_new_session=True)
        except FileNotFoundError as error:
            self._log.close()
            raise VmError(f"{PROGRAM} is missing", "install qemu-system-x86") from error
        self._offset = 0

    def __enter__(self) -> Vm:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._log.close()

    def kill(self) -> None:
        """Ends QEMU for certain."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def running(self) -> bool:
        """True while QEMU runs."""
        return self._process.poll() is None

    def exit_code(self) -> int | None:
        """QEMU's exit code once it has ended; negative for a signal."""
        return self._process.poll()

    def read_status(self) -> bytes:
        """What the guest has sent since the last call."""
        try:
            with open(self._machine.status, "rb") as stream:
                stream.seek(self._offset)
                data = stream.read()
        except FileNotFoundError:
            return b""
        self._offset += len(data)
        return data

    def errors(self) -> str:
        """What QEMU itself printed."""
        return tail(self._machine.workspace / "qemu.log", 10)


def tail(path: Path, lines: int) -> str:
    """The last lines of a log, printable."""
    try:
        with open(path, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 65536))
            text = stream.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    kept = [line.rstrip("\r") for line in text.split("\n") if line.strip("\r")]
    return "\n".join("".join(c if c.isprintable() or c == "\t" else "?" for c in line)
                     for line in kept[-lines:])


def _try_kvm(machine: Machine, seconds: float) -> Accelerator:
    """Boots a kernel under KVM: a /dev/kvm that opens proves nothing."""
    parser = Parser()
    with Vm(machine) as vm:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            alive = vm.running()
            parser.feed(vm.read_status())
            if parser.last is not None:
                return Accelerator(True, "a probe boot reached PID 1")
            if not alive:
                what = next((line for line in vm.errors().splitlines() if "KVM" in line
                             or "kvm" in line), vm.errors().splitlines()[:1] or "no message")
                return Accelerator(False, f"the probe guest died: {what}")
            time.sleep(POLL_SECONDS)
    return Accelerator(False, f"the probe guest did not reach PID 1 in {seconds:.0f} s")


def probe(machine: Machine, seconds: float = 30) -> Accelerator:
    """Whether KVM can be used; the answer is kept until the host boots again."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return Accelerator(False, "/dev/kvm is missing or may not be opened")
    boot = _BOOT_ID.read_text(encoding="ascii").strip()
    record = cache.cache_root() / _PROBE_FILE
    try:
        old = json.loads(record.read_text(encoding="utf-8"))
        if old["boot"] == boot:
            return Accelerator(bool(old["kvm"]), str(old["why"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # No record, or not ours: find out.
    found = _try_kvm(machine, seconds)
    part = record.with_suffix(f".{os.getpid()}")
    record.parent.mkdir(parents=True, exist_ok=True)
    part.write_text(json.dumps({"boot": boot, "kvm": found.kvm, "why": found.why}),
                    encoding="utf-8")
    part.replace(record)
    return found
