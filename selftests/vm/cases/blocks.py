# SPDX-License-Identifier: GPL-2.0-only
"""The steps that handover cases are made of."""

from __future__ import annotations

from khobvm.case import Generation, Step
from khobvm.qemu import BASE_CMDLINE

DEBUGFS = "/sys/kernel/debug/kho_bridge"
# console= brings the next kernel's log, panic=-1 ends a panicked VM at once.
# A kernel with a LUO of its own would hand more over than what a case is about; luo.py has it on.
CMDLINE = f"{BASE_CMDLINE} liveupdate=off khob.gen="
# What tmpfs is mounted over is no part of the initrd: /tmp is lost, /etc is carried.
INSMOD = Step("insmod", "insmod /lib/modules/$(uname -r)/extra/kho_bridge.ko")
# Who may see its devices is theirs: programs' own, and one for whoever looks after the machine.
INSMOD_LUO = Step("insmod kho_luo",
                  "insmod /lib/modules/$(uname -r)/extra/kho_luo.ko && "
                  "ls -l /dev/liveupdate /dev/kho_luo",
                  contains=("/dev/liveupdate", "crw------- "))
RMMOD_LUO = Step("rmmod kho_luo", "rmmod kho_luo")
# Behind a command: whoever stays in the background is not waited for by the shell.
HOLD = "> /tmp/said 2>&1 < /dev/null; code=$?; cat /tmp/said; exit $code"
FILE = Step("make a file", "dd if=/dev/urandom of=/tmp/file bs=1M count=10 2>/dev/null && "
                           "sha256sum < /tmp/file > /etc/file.sha256")
PUT = Step("put", "khoctl put file /tmp/file --json")
STATUS = Step("status", "khoctl status --json", always=True)
EXEC = Step("exec", "khoctl exec", timeout=60, final=True)
ATTACH = Step("attach", "khoctl attach --json", contains='"state": "attached"', timeout=120)
VERIFY = Step("verify", "khoctl verify --json", contains=('"corrupt": 0,', '"lost": 0,'),
              timeout=120)
GET = Step("get", "khoctl get file -o /tmp/file && "
                  "test \"$(sha256sum < /tmp/file)\" = \"$(cat /etc/file.sha256)\"")
RESTORE = Step("restore", "khoctl restore all --json", timeout=120)
RELEASE = Step("release", "khoctl release all --json", timeout=120)
RMMOD = Step("rmmod", "rmmod kho_bridge")
UNLOAD = Step("unload", "khoctl unload --json")
TAKE_OVER = (ATTACH, VERIFY, RESTORE, RELEASE, RMMOD)
# KiB that are free, pages on the per-CPU lists included: those lists hold up to a zone's
# "high" (54 MiB of a 1 GiB machine on 6.12), and MemFree leaves them out.
FREE_KIB = ("echo 3 > /proc/sys/vm/drop_caches; sleep 1; awk '/^MemFree:/ {n += $2} "
            "/^ +count:/ {n += 4 * $2} END {print n}' /proc/meminfo /proc/zoneinfo")
TOTAL_KIB = "awk '/^MemTotal:/ {print $2}' /proc/meminfo"
# MemTotal: an incoming kernel keeps the setup_data chain's page reserved, and nothing else.
# Free memory: slab and page tables differ by some hundred KiB from boot to boot of the same
# kernel (224 KiB were seen). 64 MiB and a 10 MiB blob are carried, so that 2 MiB show a loss
# of one page in thirty, and all the more one of an arena, an interval or the subtree.
BASELINE = Step("memory before",
                f"({TOTAL_KIB}; {FREE_KIB}) > /etc/memory.before; cat /etc/memory.before")
MEMORY_BACK = Step("memory is back",
                   "rm -f /tmp/file; set -- $(cat /etc/memory.before) "
                   f"$({TOTAL_KIB}) $({FREE_KIB}); "
                   "echo total: before $1 after $3 KiB, free: before $2 after $4 KiB; "
                   "test $(($1 - $3)) -lt 64 && test $(($2 - $4)) -lt 2048")


def preserve(pages: int, order: str = "mixed", seed: int = 7, scatter: str = "",
             name: str = "preserve") -> Step:
    """Preserves pages of 4 KiB; scatter is "" or "--scatter [PERCENT]"."""
    return Step(name, f"khoctl preserve --pages {pages} --order {order} --seed {seed} "
                      f"{scatter} --json", timeout=180)


def load(kernel: str, generation: int, options: str = "", name: str = "load") -> Step:
    """Loads the next generation's kernel, with this one's root file system."""
    return Step(name, f"khoctl load /boot/vmlinuz-{kernel} --initrd $KHOB_INITRD --cmdline "
                      f"'{CMDLINE}{generation}' {options} --json", timeout=120)


def at_least(name: str, key: str, count: int) -> Step:
    """Checks a number of the module's status file."""
    return Step(name, f"v=$(sed -n 's/^{key}: //p' {DEBUGFS}/status); echo {key}: $v; "
                      f"test $v -ge {count}")


def count_is(key: str, value: str) -> Step:
    """Checks a value of the module's status file."""
    return Step(f"{key} is {value}", f"grep '^{key}:' {DEBUGFS}/status",
                contains=f"{key}: {value}\n")


def chain(kernel: str, *steps: Step, allow: tuple[str, ...] = ()) -> Generation:
    """A generation."""
    return Generation(kernel, steps, allow_log=allow)


# Nothing is handed over any more.
NOTHING = (count_is("out.folios", "0"), count_is("out.subtrees", "0"))
