# SPDX-License-Identifier: GPL-2.0-only
"""Who may, when nothing may any more, and memory that is broken."""

from __future__ import annotations

from cases.blocks import (ATTACH, DEBUGFS, EXEC, INSMOD, PUT, FILE, GET, RELEASE, RMMOD, STATUS,
                          UNLOAD, VERIFY, chain, count_is, load, preserve)
from khobvm.case import Case, Step

_BOUND = "/tmp/debug"
_POWERLESS = "/bin/setpriv --bounding-set=-all --inh-caps=-all"
# Whoever may do nothing gets EPERM of each file, and no other word: it was asked first.
_EVERY_FILE = (f"for f in $(find {_BOUND}/kho_bridge -type f); do "
               "head -c 1 $f > /dev/null && echo READ $f; (echo all > $f) && echo WROTE $f; done")
_NO = "Operation not permitted"
_LINE = "pages=1 order=0 seed=1"
_LOCKDOWN = "/sys/kernel/security/lockdown"

_LATE = Step("insmod khob_late", "insmod /lib/modules/$(uname -r)/extra/khob_late.ko")
# Everything that would give memory back, and then what that memory is good for.
_LATE_COMERS = (
    "(until dmesg | grep -q 'khob_late: all others'; do usleep 50000; done; "
    f"echo give > {DEBUGFS}/out/scratch; echo \"khob_test: give: $?\" > /dev/kmsg; "
    f"echo all > {DEBUGFS}/out/unpreserve; echo \"khob_test: unpreserve: $?\" > /dev/kmsg; "
    "dd if=/dev/zero of=/run/1 bs=1M 2>/dev/null; dd if=/dev/zero of=/tmp/1 bs=1M) "
    "> /dev/console 2>&1 &")

_BREAK = "/sys/devices/system/memory/hard_offline_page"
# The first page of order 0, and the second one in the first of order 4.
_PICK = Step("pick pages",
             f"awk '$2 == 0 {{print $1; exit}}' {DEBUGFS}/out/keys > /tmp/single; "
             f"awk '$2 == 4 {{print $1; exit}}' {DEBUGFS}/out/keys > /tmp/head; "
             "printf '0x%x\\n' $(($(cat /tmp/head) + 4096)) > /tmp/inner; "
             "cat /tmp/single /tmp/head /tmp/inner", contains="0x")
_BREAK_BOTH = Step("break them",
                   f"for f in /tmp/single /tmp/inner; do cat $f > {_BREAK}; done; "
                   "grep HardwareCorrupted /proc/meminfo",
                   contains="HardwareCorrupted:     8 kB")
_UNREADABLE = Step("it is not read",
                   f"dd if={DEBUGFS}/out/data bs=4096 count=1 iflag=skip_bytes "
                   "skip=$(($(cat /tmp/single))) of=/dev/null", expect=1,
                   contains="hardware error")
# The second page in each of two folios of order 4, and so many pages elsewhere that a loader
# gives up the smallest gaps: those that these two leave.
_PICK_INNER = Step("pick pages in the middle",
                   f"awk '$2 == 4 {{print $1}}' {DEBUGFS}/out/keys | head -n 2 | "
                   "while read head; do printf '0x%x\\n' $((head + 4096)); done > /etc/broken; "
                   "cat /etc/broken; test $(wc -l < /etc/broken) = 2")
_BREAK_INNER = Step("break them",
                    f"while read pa; do echo $pa > {_BREAK}; done < /etc/broken; "
                    "grep HardwareCorrupted /proc/meminfo",
                    contains="HardwareCorrupted:     8 kB")


def _set_aside(name: str) -> Step:
    """Bits 19 and 32 of /proc/kpageflags: the page is broken, and reserved."""
    return Step(name, "while read pa; do dd if=/proc/kpageflags bs=8 count=1 "
                      "skip=$((pa / 4096)) 2>/dev/null | od -An -tu1; done < /etc/broken | "
                      "tee /dev/stderr | awk '{n += int($3 / 8) % 2 && $5 % 2} "
                      "END {print n + 0, \"set aside\"}'", contains="2 set aside")


_KEYS_BEFORE = Step("keys", f"cp {DEBUGFS}/out/keys /tmp/keys && wc -l < /tmp/keys")
_LEFT_OUT = Step("neither is handed over, and all others are",
                 f"head=$(cat /tmp/head); cat {DEBUGFS}/out/keys > /tmp/frozen; "
                 "grep -x \"$(cat /tmp/single) 0\" /tmp/frozen && echo SINGLE; "
                 "grep -x \"$head 4\" /tmp/frozen && echo WHOLE; "
                 "for piece in 0:0 8192:1 16384:2 32768:3; do "
                 "grep -x \"$(printf 0x%x $((head + ${piece%:*}))) ${piece#*:}\" /tmp/frozen "
                 "|| exit 1; done", lacks=("SINGLE", "WHOLE"))
_AS_BEFORE = Step("keys as before", f"cmp {DEBUGFS}/out/keys /tmp/keys")
_BROKEN_LOG = ("Memory failure",)

CASES: tuple[Case, ...] = (
    Case("guard-capability", "a root without capabilities sees nothing and changes nothing",
         (chain("6.12", INSMOD, preserve(16), FILE, PUT,
                Step("debugfs elsewhere",
                     f"mkdir {_BOUND} && mount --bind /sys/kernel/debug {_BOUND}"),
                Step("with capabilities", f"head -n 1 {_BOUND}/kho_bridge/status",
                     contains="version: "),
                Step("without", f"{_POWERLESS} sh -c '{_EVERY_FILE}' 2>&1 | tee /tmp/said; "
                                f"grep -v '{_NO}' /tmp/said | sed 's/^/OTHER /'",
                     contains=_NO, lacks=("READ", "WROTE", "OTHER")),
                Step("an open file is no way round",
                     f"exec 3> {DEBUGFS}/out/preserve 4< {DEBUGFS}/out/keys; "
                     f"{_POWERLESS} sh -c 'echo {_LINE} >&3 && echo WROTE; "
                     "cat <&4 && echo READ'", expect=1, contains=_NO, lacks=("WROTE", "READ")),
                Step("CAP_SYS_BOOT alone makes no scratch of debugfs' others",
                     "/bin/setpriv --bounding-set=-all,+sys_boot --inh-caps=-all "
                     f"sh -c 'echo {_LINE} > {_BOUND}/kho_bridge/out/preserve'", expect=1,
                     contains=_NO),
                Step("but scratch", "/bin/setpriv --bounding-set=-all,+sys_boot --inh-caps=-all "
                                    f"sh -c 'echo give > {_BOUND}/kho_bridge/out/scratch'"),
                count_is("out.pages", "16"), Step("unmount", f"umount {_BOUND}")),),
         memory=512, kernels=("6.12",), programs=("util-linux:/usr/bin/setpriv",),
         tags=("guard",)),
    Case("guard-lockdown", "a kernel that is locked down has closed what was open",
         (chain("6.12", INSMOD, preserve(16),
                Step("lock down",
                     f"exec 3> {DEBUGFS}/out/preserve 4< {DEBUGFS}/out/keys "
                     f"5> {DEBUGFS}/out/scratch 6< {DEBUGFS}/status; "
                     f"echo integrity > {_LOCKDOWN} || exit 9; echo {_LINE} >&3 && echo WROTE; "
                     "echo give >&5 && echo WROTE; cat <&4 && echo READ; cat <&6 && echo READ; "
                     "exit 0", contains=_NO, lacks=("WROTE", "READ"))),),
         memory=512, tags=("guard",)),
    Case("guard-leaving", "nothing is given back between the reboot notifiers and the jump",
         (chain("6.12", INSMOD, _LATE, preserve(16384), load("6.12", 2),
                Step("exec", f"{_LATE_COMERS} khoctl exec", timeout=120, final=True)),
          chain("6.12", ATTACH, VERIFY, STATUS, count_is("in.pages", "16384"),
                Step("when it was left", f"grep in.kexec_tsc {DEBUGFS}/status", lacks="tsc: 0\n"),
                RELEASE, RMMOD)),
         memory=1024, clients=("khob_late",), tags=("guard",)),
    Case("guard-hibernation", "no hibernation while a kernel is loaded",
         (chain("6.12", INSMOD, preserve(16), load("6.12", 2),
                Step("hibernate", f"echo disk > /sys/power/state; code=$?; "
                                  f"grep last_error {DEBUGFS}/status; exit $code", expect=1,
                     contains=("busy", "last_error: hibernation: a kernel is loaded"))),),
         memory=1024, kernels=("6.12",), tags=("guard",)),
    Case("guard-words", "what is written to a control file makes no line of its own in status",
         (chain("6.12", INSMOD,
                Step("forge", f"printf 'x\\nforged: 1' > {DEBUGFS}/abi", expect=1),
                Step("no such line", f"cat {DEBUGFS}/status", contains="x?forged: 1",
                     lacks="\nforged")),),
         memory=512, tags=("guard",)),
    Case("guard-keys", "a list of more keys than fit one block of it",
         (chain("6.12", INSMOD, preserve(70000, order="0"),
                Step("keys", f"awk '$2 == 0' {DEBUGFS}/out/keys | sort -u | wc -l",
                     contains="70000\n"),
                Step("ranges", f"awk 'NF != 2 || $2 <= $1 {{print \"WRONG\", $0}} "
                               f"END {{print NR}}' {DEBUGFS}/out/ranges", lacks="WRONG")),),
         memory=1024, tags=("guard",)),
    Case("guard-poison", "pages that break are left out of a handover, and of what is freed",
         (chain("6.12", INSMOD, preserve(64, order="0"),
                preserve(64, order="4", seed=8, name="preserve larger ones"), FILE, PUT,
                _PICK, _BREAK_BOTH, _UNREADABLE, _KEYS_BEFORE, load("6.12", 2),
                count_is("out.poisoned", "2"), _LEFT_OUT, UNLOAD, count_is("out.poisoned", "0"),
                _AS_BEFORE,
                Step("unpreserve", "khoctl unpreserve all && khoctl unpreserve subtree file"),
                RMMOD, allow=_BROKEN_LOG),),
         memory=1024, kernels=("6.12",), tags=("guard",)),
    Case("guard-poison-handover", "the others arrive, and nobody gets one that broke before",
         (chain("6.12", INSMOD, preserve(64, order="0"),
                preserve(64, order="4", seed=8, name="preserve larger ones"),
                preserve(1024, order="0", seed=9, scatter="--scatter", name="and many"),
                FILE, PUT, _PICK_INNER, _BREAK_INNER, load("6.12", 2), EXEC, allow=_BROKEN_LOG),
          chain("6.12", ATTACH, VERIFY, GET, STATUS, count_is("in.pages", "1150"),
                count_is("in.poisoned", "2"), _set_aside("they are set aside"), RELEASE,
                _set_aside("and stay so"), RMMOD)),
         memory=1024, tags=("guard",)),
)
