# SPDX-License-Identifier: GPL-2.0-only
"""Files on tmpfs that go along with a kexec, and come back without a copy."""

from __future__ import annotations

from dataclasses import replace

from cases.blocks import (ATTACH, EXEC, INSMOD, INSMOD_LUO, NOTHING, RELEASE, RMMOD, RMMOD_LUO,
                          STATUS, UNLOAD, VERIFY, at_least, chain, count_is, load)
from cases.payload import KHO
from khobvm.case import Case, Step

_PROGRAMS = ("attr:/usr/bin/setfattr", "attr:/usr/bin/getfattr", "util-linux:/usr/bin/setpriv",
             "util-linux:/usr/bin/fallocate")
# One of single pages, one of huge ones.
_MOUNT = Step("mount", "mkdir -p /keep /huge && mount -t tmpfs -o size=96m keep /keep && "
                       "mount -t tmpfs -o size=32m,huge=always huge /huge")
_XATTRS = "setfattr -n trusted.kho -v yes d/hello && setfattr -n trusted.dir -v too d/sub &&\n"
_TREE = Step("files", f"""
mkdir -p /keep/d/sub && cd /keep && dd if=/dev/urandom of=big bs=4k count=16384 2>/dev/null &&
echo hello > d/hello && ln d/hello d/sub/other && ln -s ../hello d/sub/soft &&
truncate -s 8M d/sparse && echo end | dd of=d/sparse bs=1 seek=5000000 conv=notrunc 2>/dev/null &&
: > d/empty && echo 'a name' > 'd/a "name"' && mkfifo d/pipe &&
{_XATTRS}chown 12:34 d/hello && chmod 640 d/hello && chmod 4711 d/empty && chmod 2750 d/sub &&
chown -h 56:78 d/sub/soft && touch -d '2020-01-02 03:04:05' d/hello d/sub &&
dd if=/dev/urandom of=/huge/file bs=1M count=9 2>/dev/null && chmod 600 /huge/file &&
grep ShmemHugePages /proc/meminfo
""", timeout=120)
_STATS = ("find /keep -mindepth 1 ! -path /keep/d ! -name pipe | sort | tr '\\n' '\\0' | "
          "xargs -0 stat -c '%n %f %u %g %h %Y' && "
          "getfattr -d -m trusted -R --absolute-names /keep && stat -c '%n %s %b' /keep/d/sparse")
_SUMS = "find /keep /huge -type f | sort | tr '\\n' '\\0' | xargs -0 sha256sum"
_USED = "df -k /keep /huge | awk 'NR > 1 {print $3}'"
# What the file with holes gets between the load and the jump is in the sums already: a hole is
# punched into it, and written to; what else is written is there without that.
_LATE = "printf late | dd of=$F bs=1 seek=5000 conv=notrunc 2>/dev/null"
_ZEROES = "dd if=/dev/zero of=/tmp/big bs=4k seek=1 count=2 conv=notrunc 2>/dev/null &&\n"
_PUNCH = "/bin/fallocate -p"
_REMEMBER = Step("remember", f"""
cp /keep/big /tmp/big && {_STATS} > /etc/keep.stats && {_USED} > /etc/keep.used &&
{_ZEROES}F=/tmp/big && {_LATE} &&
({_SUMS}) | grep -v ' /keep/big$' > /etc/keep.sums && sha256sum < /tmp/big > /etc/keep.big &&
cat /etc/keep.stats /etc/keep.used && rm /tmp/big
""", timeout=120)
_KEEP = (
    Step("keep", "khoctl keep /keep /huge/file --json", contains='"path": "/huge/file"'),
    Step("keep more", "khoctl keep /keep/d /not/there /proc/version && "
                      "khoctl keep --unless-larger 1M /huge && "
                      "khoctl keep --once /tmp/once && khoctl keep rm /tmp/once"),
    Step("keep rm", "khoctl keep rm /tmp/once", expect=3, contains="is not noted"),
    Step("keep ls", "khoctl keep ls --json",
         contains=('"path": "/not/there"', '"unless_larger": 1048576', '"kept_files": 0')),
    Step("others", "/bin/setpriv --reuid 65534 --clear-groups sh -c ': < /dev/kho_luo'",
         expect=(1, 2), contains="Permission denied"),
    Step("others do not see", "/bin/setpriv --reuid 65534 --clear-groups cat "
                              "/var/lib/kho-bridge/keep.json", expect=1,
         contains="Permission denied"),
)
_LEFT_OUT = ('"a named pipe"', '"on no tmpfs"', '"not there"', '"larger than 1.0 MiB"',
             '"files": 6')


def _load(kernel: str) -> Step:
    step = load(kernel, 2, name="load for good")
    return Step(step.name, step.command, contains=_LEFT_OUT, timeout=180)


# A load that ends halfway leaves nothing kept, and fills no hole that it knows not to fit.
def _refused(kernel: str) -> tuple[Step, ...]:
    return (
        Step("no kernel", "khoctl load /not/there --cmdline x", expect=(1, 2, 3)),
        Step("holes", "df -k /keep > /tmp/before; truncate -s 200M /keep/z && "
                      f"khoctl load /boot/vmlinuz-{kernel} --cmdline x", expect=3,
             contains="/keep/z cannot be kept: its holes have 200.0 MiB"),
        Step("nothing is kept", "rm /keep/z && df -k /keep | diff /tmp/before - && "
                                "echo more >> /keep/d/empty && : > /keep/d/empty && "
                                "khoctl keep ls --json", contains='"kept_files": 0'),
    )


# The initrd is packed when it is first asked for: not before all of it is there.
def _load_in_vain(kernel: str) -> Step:
    return Step("load", f"khoctl load /boot/vmlinuz-{kernel} --cmdline x --json",
                contains=_LEFT_OUT, timeout=180)


_FROZEN = (
    Step("frozen", "truncate -s 1 /keep/d/hello 2>&1; echo more >> /keep/d/hello; "
                   "/bin/fallocate -l 1M /keep/d/empty; cat /keep/d/hello",
         contains=("hello\n", "not permitted"), lacks="more\n"),
    Step("kept", "khoctl keep ls --json", contains='"kept_files": 6'),
    Step("load again", "khoctl load /boot/vmlinuz-$(uname -r | cut -d. -f1-2) --cmdline x",
         expect=3, contains="a kernel is loaded already"),
)
_THAWED = Step("thawed", "truncate -s 1 /keep/d/hello && test $(cat /keep/d/hello) = h && "
                         "echo hello > /keep/d/hello && /bin/fallocate -d /keep/d/sparse && "
                         "touch -d '2020-01-02 03:04:05' /keep/d/hello")
_LATE_STEP = Step("written late", f"{_PUNCH} -o 4096 -l 8192 /keep/big && "
                                  f"F=/keep/big && {_LATE} && "
                                  "sha256sum < /keep/big | cmp - /etc/keep.big")

_AS_LARGE = "cmp /tmp/used /etc/keep.used"
# What a huge page has beyond the end of its file is not copied.
_FIRST_AS_LARGE = 'test "$(head -n 1 /tmp/used)" = "$(head -n 1 /etc/keep.used)"'
_COUNTS = "awk '/^(Shmem|Committed_AS|ShmemHugePages):/ {print $2}' /proc/meminfo"
_SMALL = (
    Step("too small", f"mkdir -p /keep /huge && mount -t tmpfs -o size=1m keep /keep && "
                      f"mount -t tmpfs -o size=32m huge /huge && {_COUNTS} > /tmp/counts && "
                      "khoctl keep --restore", expect=3, contains="nothing was taken"),
    Step("nothing is there", "ls -A /keep /huge; khoctl keep ls --json",
         contains='"waiting_files": 6'),
    Step("no tmpfs", "khoctl keep --restore --into /proc", expect=3, contains="is no tmpfs"),
)
_RESTORE = (
    Step("something is there", "mount -o remount,size=96m /keep && mkdir /keep/d && "
                               "echo mine > /keep/d/empty && khoctl keep --restore --json",
         expect=1, contains=('"files": 5', '"path": "/keep/d/empty"', "something is there already"),
         timeout=120),
    Step("it stays", "cat /keep/d/empty", contains="mine\n"),
    Step("restore", "rm /keep/d/empty && khoctl keep --restore --json", contains='"files": 1'),
    Step("as it was", f"{_STATS} > /tmp/stats; diff /etc/keep.stats /tmp/stats"),
    Step("the same", f"({_SUMS}) | grep -v ' /keep/big$' | cmp - /etc/keep.sums && "
                     "sha256sum < /keep/big | cmp - /etc/keep.big", timeout=120),
    Step("as large", f"{_USED} > /tmp/used; cat /tmp/used; {_AS_LARGE}"),
    Step("in use", "khoctl keep ls --json; echo more >> /keep/d/hello && "
                   "dd if=/dev/zero of=/keep/d/new bs=1M count=4 && truncate -s 3M /huge/file && "
                   "truncate -s 5M /huge/file && sync", contains='"waiting_files": 0', timeout=120),
)
_GONE = (
    Step("gone", f"rm -r /keep/* /huge/* && {_USED} | grep -vx 0", expect=1),
    Step("counts", f"sleep 1; {_COUNTS} > /tmp/after; paste /tmp/counts /tmp/after; "
                   "paste /tmp/counts /tmp/after | awk '{d = $2 - $1; if (d > 2048 || d < -2048) "
                   "bad = 1} END {exit bad}'"),
    Step("umount", "umount /keep /huge"),
)


def _pair(before: str, after: str) -> Case:
    return Case(f"keep-{before}-{after}",
                f"directories and files on tmpfs, from {before} to {after}",
                (chain(before, INSMOD, Step("no kho_luo", "khoctl keep drop", expect=4,
                                            contains="kho_luo"),
                       INSMOD_LUO, _MOUNT, _TREE, *_KEEP, *_refused(after), _load_in_vain(after),
                       *_FROZEN, UNLOAD,
                       _THAWED, *NOTHING, _REMEMBER, _load(after), _LATE_STEP,
                       at_least("folios", "out.folios", 16000), EXEC),
                 chain(after, ATTACH, STATUS, VERIFY, INSMOD_LUO, *_SMALL, *_RESTORE, *_GONE,
                       count_is("in.pages", "0"), *NOTHING, RMMOD_LUO, RELEASE, RMMOD)),
                memory=1024, luo=True, programs=_PROGRAMS, tags=("keep",))


def _debug(kernel: str) -> Case:
    """CONFIG_DEBUG_VM, where pages are copied into the files; its own KHO is off.

    It is built without extended attributes of tmpfs, and no hole is punched into what is frozen.
    """
    made = _pair(kernel, kernel)

    def off(step: Step) -> Step:
        command = step.command
        for old, new in (("khob.gen=2", "khob.gen=2 kho=off"), (_XATTRS, ""), (_ZEROES, ""),
                         (_PUNCH, f"! {_PUNCH}"), (_AS_LARGE, _FIRST_AS_LARGE)):
            command = command.replace(old, new)
        return replace(step, command=command)

    return replace(made, name=f"keep-debug-{kernel}", suite="interop", extra_cmdline="kho=off",
                   luo_over_bridge=True, boot=180,
                   generations=tuple(replace(g, steps=tuple(off(step) for step in g.steps))
                                     for g in made.generations))


# What nobody restores goes on, beside what is kept anew; dropped, nothing is left.
_CARRY = Case(
    "keep-carry", "kept files that nobody restores go on to the next kernel",
    (chain("6.12", INSMOD, INSMOD_LUO,
           Step("first", "mkdir -p /keep && mount -t tmpfs keep /keep && "
                         "echo first > /keep/first && "
                         "echo old > /keep/both && mkdir -p /etc/kho-bridge/keep.d && "
                         "echo '/ke[e]p' > /etc/kho-bridge/keep.d/all.conf && khoctl keep ls",
                contains="all.conf"), load("6.12", 2), EXEC),
     chain("6.12", ATTACH, VERIFY, INSMOD_LUO,
           Step("waits", "khoctl keep ls --json", contains='"waiting_files": 2'),
           Step("second", "mkdir -p /keep && mount -t tmpfs keep /keep && "
                          "echo second > /keep/second && "
                          "echo new > /keep/both"),
           load("6.12", 3), UNLOAD,
           Step("waits still", "khoctl keep ls --json", contains=('"waiting_files": 2',
                                                                  '"kept_files": 0')),
           load("6.12", 3, name="load for good"), EXEC),
     chain("6.12", ATTACH, VERIFY, INSMOD_LUO,
           Step("all wait", "khoctl keep ls --json", contains='"waiting_files": 4'),
           Step("restore", "mkdir -p /mnt && mount -t tmpfs keep /mnt && "
                           "khoctl keep --restore --into /mnt", expect=1, contains="/mnt/both"),
           Step("all are back", "cat /mnt/first /mnt/second /mnt/both",
                contains="first\nsecond\nnew\n"),
           Step("drop", "khoctl keep drop --json", contains='"dropped_files": 1'),
           count_is("in.pages", "0"), *NOTHING, RMMOD_LUO, RELEASE, RMMOD)),
    luo=True, tags=("keep",))

_KERNELS = ("6.1", "6.12")

CASES: tuple[Case, ...] = (
    *(_pair(before, after) for before in _KERNELS for after in _KERNELS), _CARRY,
    _debug(KHO),
)
