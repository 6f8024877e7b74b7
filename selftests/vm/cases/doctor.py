# SPDX-License-Identifier: GPL-2.0-only
"""`khoctl doctor`: what it says of a machine, and that a load then agrees."""

from __future__ import annotations

from cases.blocks import ATTACH, CMDLINE, DEBUGFS, EXEC, INSMOD, RELEASE, UNLOAD, chain, load
from khobvm.case import Case, Step

_KERNEL = "/boot/vmlinuz-6.12"
_SUBJECT = f"{_KERNEL} --initrd $KHOB_INITRD"


def _doctor(name: str, options: str, *contains: str, expect: int = 0) -> Step:
    """Runs doctor, which must leave everything as it was and end with its verdict."""
    # The kernel goes on measuring its TSC for a second after it has booted.
    look = f"grep -v '^tsc_khz:' {DEBUGFS}/status 2>/dev/null; " \
           f"cat {DEBUGFS}/out/keys /sys/kernel/kexec_loaded 2>/dev/null"
    return Step(name, f"({look}) > /tmp/before; khoctl doctor {options} > /tmp/doctor; code=$?; "
                      "cat /tmp/doctor; tail -n 1 /tmp/doctor | grep -q '^verdict: ' || "
                      f"echo NO VERDICT; ({look}) | cmp - /tmp/before || echo CHANGED; exit $code",
                expect=expect, contains=contains, lacks=("CHANGED", "NO VERDICT"), timeout=120)


def _load_agrees(name: str, remedy: str, expect: int = 3, subject: str = _SUBJECT) -> Step:
    """A load must be refused with a remedy that doctor has just given."""
    return Step(name, f"khoctl load {subject} --cmdline '{CMDLINE}2' 2> /tmp/load; code=$?; "
                      f"cat /tmp/load; grep -F 'hint: {remedy}' /tmp/load && "
                      f"grep -F 'remedy: {remedy}' /tmp/doctor && exit $code",
                expect=expect, timeout=120)


CASES: tuple[Case, ...] = (
    Case("doctor", "before insmod, after it, with a kernel loaded, and when kexec is switched off",
         (chain("6.12",
                _doctor("no module", _SUBJECT, "kho_bridge is installed but not loaded",
                        "modprobe kho_bridge", "verdict: not ready: module", expect=3),
                INSMOD,
                _doctor("all is well", _SUBJECT, "source: bridge", "is loaded",
                        "verdict: ready: a load would use method indirect with kho-v4"),
                Step("typed", f"khoctl doctor {_SUBJECT} --json",
                     contains=('"ready": true', '"missing": 0', '"method": "indirect"')),
                load("6.12", 2),
                _doctor("one is loaded", _SUBJECT, "verdict: not ready: loaded kernel", expect=3),
                _load_agrees("unload first", "`khoctl unload` first"), UNLOAD,
                _doctor("well again", _SUBJECT, "verdict: ready"),
                Step("no device", "mv /dev/kho_bridge /dev/moved"),
                _doctor("without", "", "verdict: not ready: device", expect=3),
                Step("and back", "mv /dev/moved /dev/kho_bridge"),
                Step("switch kexec off", "echo 1 > /proc/sys/kernel/kexec_load_disabled"),
                _doctor("kexec is off", _SUBJECT, "kexec_load_disabled is 1",
                        "verdict: not ready: kexec", expect=3),
                _load_agrees("it stays off", "it stays so until the next boot"),
                Step("lock down", "echo integrity > /sys/kernel/security/lockdown"),
                _doctor("locked down", _SUBJECT, "locked down (integrity)",
                        "verdict: not ready: lockdown, kexec", expect=3),
                _load_agrees("unlock", "boot without Secure Boot and without lockdown=")),),
         memory=1024, kernels=("6.12",), tags=("doctor",)),
    Case("doctor-memory", "too little memory for scratch and for the next kernel",
         (chain("6.12", INSMOD,
                _doctor("a small kernel and initrd", _KERNEL, "available"),
                # Sparse: doctor asks its size, and a load refuses before it copies it.
                Step("a large initrd", "truncate -s 150M /tmp/initrd"),
                _doctor("too large", f"{_KERNEL} --initrd /tmp/initrd", "would be left",
                        "but only", "verdict: not ready: memory left, scratch", expect=3),
                _load_agrees("a load agrees", "preserve less",
                             subject=f"{_KERNEL} --initrd /tmp/initrd")),),
         memory=448, kernels=("6.12",), tags=("doctor",)),
    Case("doctor-handed", "on a kernel that was handed something",
         (chain("6.12", INSMOD, Step("preserve", "khoctl preserve --pages 64", timeout=120),
                load("6.12", 2), EXEC),
          chain("6.12", _doctor("not attached", "", "that is not attached", "khoctl attach",
                                expect=3),
                ATTACH, _doctor("attached", "", "pages of the previous kernel's are still held"),
                RELEASE,
                _doctor("released", "", "nothing is held"))),
         memory=1024, tags=("doctor",)),
    Case("doctor-kho", "on 6.1, of 7.3 with KHO",
         (chain("6.1", INSMOD,
                _doctor("its own KHO", "/boot/vmlinuz-7.3", "puts liveupdate=on kho=on in front",
                        "kernel's LUO", "luo-v5",
                        "verdict: ready: a load would use method kho with kho-v4"),
                _doctor("switched off", "/boot/vmlinuz-7.3 --cmdline kho=off",
                        "kho=off: the kernel's own KHO takes nothing",
                        "verdict: ready: a load would use method indirect with kho-v3"),
                _doctor("contradicted", "/boot/vmlinuz-7.3 --cmdline kho=off --method kho",
                        "switches the kernel's KHO off", "verdict: not ready: method", expect=3),
                _doctor("another version", "/boot/vmlinuz-7.3 --abi kho-v3", "takes only kho-v4",
                        "verdict: not ready: method", expect=3)),),
         memory=1024, kernels=("7.3",), tags=("doctor",), suite="interop"),
    Case("doctor-native", "on 7.3 with its own KHO on, whose configuration can be seen",
         (chain("7.3", _doctor("on", "", "source: native", "CONFIG_KEXEC_HANDOVER  ok ",
                               "on (kho=on on its command line)", "verdict: not ready: module",
                               expect=3)),),
         memory=1024, extra_cmdline="kho=on", tags=("doctor",),
         suite="interop"),
)
