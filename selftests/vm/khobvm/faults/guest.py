# SPDX-License-Identifier: GPL-2.0-only
"""What the guest does: hand over, wait for the fault, then use all that came, and say so.

The last step is one script. Before each command's output it prints "@ NAME CODE", and it
never stops at a failure: what is right depends on the fault, and is judged on the host.
"""

from __future__ import annotations

from dataclasses import dataclass

from cases.blocks import CMDLINE, DEBUGFS, EXEC, INSMOD, TOTAL_KIB, preserve
from khobvm.case import Case, Generation, Step

BLOBS = {"small": 100, "pages": 70001, "large": 1048576}
WAIT, WORK = "wait", "work"
GO_PORT = "khob.go"
# What is loaded in the end: the smallest image, whose boot code khoctl unpacks to look into it.
_NEXT = "7.3"
# For the guest's clock, on a machine that may have much else to do.
_SECONDS = 180
# All of the work; a command that says nothing for that long is given up before (run.py).
_WORK_SECONDS = 900
_EXTRA = "/lib/modules/$(uname -r)/extra"

# As FREE_KIB of cases/blocks.py, but that sleeps for a second, which adds up here.
_MEMORY = f"""
memory() {{
    echo 3 > /proc/sys/vm/drop_caches
    sleep 0.2
    echo "@ $1 0"
    echo total $({TOTAL_KIB}) free $(awk '/^MemFree:/ {{n += $2}} /^ +count:/ {{n += 4 * $2}}
        END {{print n}}' /proc/meminfo /proc/zoneinfo)
}}
"""

_WORK = _MEMORY + f"""
run() {{
    name=$1
    shift
    "$@" > /tmp/said 2>&1
    code=$?
    echo "@ $name $code"
    head -c 6000 /tmp/said
    echo
    return $code
}}
get() {{
    run get.$1 khoctl get $1 -o /tmp/got || return
    sha256sum < /tmp/got
    rm -f /tmp/got
}}
load() {{
    run $1 khoctl load /boot/vmlinuz-{_NEXT} --initrd /tmp/initrd --cmdline '@CMDLINE@'
}}
# attach loads it only where it finds a trace of a handover
unload_module() {{ [ ! -e /sys/module/kho_bridge ] || rmmod kho_bridge; }}
# All but how long it took.
restore_kept() {{
    khoctl keep --restore --json > /tmp/restored 2>&1
    code=$?
    grep -v '"ms"' /tmp/restored
    return $code
}}
found() {{ (cd /keep && find . -type f | sort | xargs -r sha256sum); }}
kept() {{
    mkdir -p /keep && mount -t tmpfs keep /keep
    run keep.ls khoctl keep ls --json
    run keep.restore restore_kept
    run keep.found found
    run keep.drop khoctl keep drop --json
    umount /keep
}}
# What the kernel says of the sessions, without when.
live_log() {{ dmesg | sed -n 's/^.*kho_luo: //p'; }}
live_update() {{
    [ -e {_EXTRA}/kho_luo.ko -a -e /sys/module/kho_bridge ] || return
    run live.insmod insmod {_EXTRA}/kho_luo.ko
    run live.ls khoctl session ls --json
    run live.retrieve khob-memfd few-retrieve
    # What nobody came for; where all were refused there is none.
    run live.drop khoctl session drop --all --json
    kept
    run live.log live_log
    run live.rmmod rmmod kho_luo
}}
refused() {{ grep -q '^in.state: refused' {DEBUGFS}/status 2> /dev/null; }}
run attach khoctl attach --json
run status cat {DEBUGFS}/status
echo "@ held 0"
sort {DEBUGFS}/in/keys | sha256sum
ls {DEBUGFS}/in/sub_fdts
run verify khoctl verify --json
for blob in {' '.join(BLOBS)}; do get $blob; done
live_update
if refused; then load load.refused; fi
run restore khoctl restore all
run release khoctl release all
if run again khoctl attach; then run release.again khoctl release all; fi
run rmmod unload_module
run insmod insmod {_EXTRA}/kho_bridge.ko
load load
run unload khoctl unload
run rmmod.last rmmod kho_bridge
memory memory
echo "@ end 0"
"""

_KEPT = Step("keep", "mkdir -p /keep && mount -t tmpfs keep /keep && seq 20000 > /keep/file && "
                     "mkdir /keep/dir && khoctl keep --once /keep")
# Who has them open stays.
_LIVE = (Step("insmod kho_luo", f"insmod {_EXTRA}/kho_luo.ko"),
         Step("memfds", "khob-memfd few > /tmp/said 2>&1 < /dev/null; code=$?; cat /tmp/said; "
                        "exit $code", lacks="not ok"), _KEPT)
# Prints the checksum of each, in order.
PUT = Step("put", "\n".join(["set -e", *(
    f"head -c {size} /dev/urandom > /tmp/{name}; "
    f"khoctl put {name} /tmp/{name} > /tmp/said 2>&1 || {{ cat /tmp/said; exit 1; }}; "
    f"sha256sum < /tmp/{name}; rm /tmp/{name}" for name, size in BLOBS.items())]))
# The first node of the chain is named in the boot parameters (boot.rst: setup_data, at 0x250).
SETUP_DATA = Step("setup_data", "od -An -tx8 -j592 -N8 /sys/kernel/boot_params/data")
# Reading blocks: who writes into the port lets the guest go on.
_WAIT = Step(WAIT, f"""
for port in /sys/class/virtio-ports/*; do
    if [ "$(cat $port/name)" = {GO_PORT} ]; then go=/dev/${{port##*/}}; fi
done
cd /etc/khob && find . | cpio -o -H newc > /tmp/initrd 2>/dev/null
cat /bin/kho* {_EXTRA}/*.ko /boot/* > /dev/null
echo waiting
read -r word < $go
echo "$word"
""", timeout=_SECONDS)


@dataclass(frozen=True)
class Way:
    """How and on what a handover is made. kho: what the command lines say of it; next_kho: what
    that of the kernel says which is loaded in the end. live: with kho_luo's sessions and
    kept files.
    """

    series: str
    method: str
    kho: str = ""
    next_kho: str = "kho=off"
    memory: int = 512
    pages: int = 2048
    live: bool = True

    @property
    def native(self) -> bool:
        """Whether the kernel's own KHO is at work."""
        return self.kho == "kho=on"


WAYS = {way.series: way for way in (
    Way("6.12", "indirect"),
    Way("7.3", "file", "kho=on", "kho=on", memory=2048, live=False),
    Way("7.3-lockdep", "indirect", "kho=off", memory=1024))}


def case(way: Way) -> Case:
    """The kernel before, and the one that the fault comes upon."""
    command = f"{CMDLINE}2 {way.kho}".strip()
    work = _WORK.replace("@CMDLINE@", f"{CMDLINE}3 {way.next_kho}")
    load = Step("load", f"khoctl load /boot/vmlinuz-{way.series} --initrd $KHOB_INITRD "
                        f"--cmdline '{command}' --json",
                contains=f'"method": "{way.method}"', timeout=_SECONDS)
    outgoing = Generation(way.series, (
        INSMOD, *(_LIVE if way.live else ()), preserve(way.pages, scatter="--scatter"), PUT,
        load, EXEC))
    incoming = Generation(way.series, (SETUP_DATA, _WAIT, Step(WORK, work, timeout=_WORK_SECONDS)))
    return Case(f"faults-{way.series}", f"one fault in what {way.series} hands over to itself",
                (outgoing, incoming), memory=way.memory, extra_cmdline=way.kho, boot=_SECONDS,
                kernels=(_NEXT,), luo=way.live, luo_over_bridge=way.live and bool(way.kho),
                helpers=("khob-memfd",) if way.live else ())
