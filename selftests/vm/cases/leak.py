# SPDX-License-Identifier: GPL-2.0-only
"""What a user without privileges can read of what is handed over: after the boot, nothing.

docs/reliability.md has the table of the ways that are tried here. As root the same is read
with the files' modes open again, since attaching must close them whatever the modes are.
"""

from __future__ import annotations

from cases.blocks import (ATTACH, DEBUGFS, EXEC, INSMOD, RELEASE, RESTORE, RMMOD, STATUS,
                          VERIFY, chain, load, preserve)
from cases.payload import BY_NAME
from cases.payload import load as load_for
from khobvm.case import Case, Generation, Module, Step

_NODES = "/sys/kernel/boot_params/setup_data"
_OURS = "handed-over-by-the-kernel-before"
_THEIRS = "written-by-somebody-since"
_TMPFILES = "systemd-standalone-tmpfiles:/bin/systemd-tmpfiles"

# What whoever runs this can read: of each interval, and of every other way to memory.
_LOOK = f"""#!/bin/sh
for node in {_NODES}/*; do
    case $(cat $node/type) in
    0x8*) ;;
    *) continue ;;
    esac
    cat $node/data || echo "$node: $?" >&2
done 2> /tmp/look.$$ | strings -n 16 > /tmp/seen.$$
echo "ours: $(grep -c {_OURS} < /tmp/seen.$$)"
echo "theirs: $(grep -c {_THEIRS} < /tmp/seen.$$)"
echo "strings: $(wc -l < /tmp/seen.$$)"
sort /tmp/look.$$ | uniq -c | sort -rn | head -n 3
rm -f /tmp/look.$$ /tmp/seen.$$
"""
_WAYS = (f"{_NODES}/0/data", "/sys/kernel/debug/x86/boot_params/data", "/proc/kcore", "/dev/mem",
         "/proc/vmcore", "/proc/kpageflags", f"{DEBUGFS}/status", f"{DEBUGFS}/in/data",
         "/sys/kernel/debug/kho/out/fdt")
_TRY = f"""#!/bin/sh
for file in {' '.join(_WAYS)} /sys/kernel/boot_params/data /sys/firmware/memmap/0/start \\
    /sys/kernel/kexec_loaded /sys/kernel/kexec_crash_size
do
    if head -c 64 $file > /tmp/way.$$ 2>&1 && [ -s /tmp/way.$$ ]; then
        echo "$file: open"
    else
        echo "$file: shut: $(head -n 1 /tmp/way.$$ | sed 's/.*: //')"
    fi
done
echo "addresses: $(grep -v '^ *00000000-00000000' /proc/iomem | wc -l)"
rm -f /tmp/way.$$
"""
_SHUT = tuple(f"{way}: open" for way in _WAYS)

# The scripts and the user are carried to the next kernel with the root file system.
_SET_UP = Step("a user and what it tries", f"""
set -e
printf 'root:x:0:0::/:/bin/sh\\nnobody:x:65534:65534::/:/bin/sh\\n' > /etc/passwd
printf 'root:x:0:\\nnogroup:x:65534:\\n' > /etc/group
cat > /bin/look <<'END'
{_LOOK}END
cat > /bin/ways <<'END'
{_TRY}END
chmod 755 /bin/look /bin/ways
chmod 1777 /tmp
""")
_SECRET = Step("put a secret", f"yes {_OURS} | head -c 1048576 > /tmp/secret && "
                               "khoctl put secret /tmp/secret && rm /tmp/secret")
_OUTGOING = (_SET_UP, INSMOD, _SECRET, preserve(512))


def _as_user(command: str) -> str:
    return f"chmod 1777 /tmp; su -s /bin/sh nobody -c '{command}'"


def _nothing(when: str) -> tuple[Step, ...]:
    """Nobody, and root with the modes open again, read nothing of anybody's."""
    none = ("ours: 0\n", "theirs: 0\n", "strings: 0\n")
    return (
        Step(f"{when}: what others can do", _as_user("ways"), contains="addresses: 0\n",
             lacks=_SHUT, timeout=120),
        Step(f"{when}: open the files", f"chmod 0444 {_NODES}/*/data"),
        Step(f"{when}: a user reads nothing", _as_user("id -u; look"), timeout=180,
             contains=("65534\n", *none)),
        Step(f"{when}: nor does root", "look", contains=none, timeout=180),
        Step(f"{when}: types are shown as before",
             f"cat {_NODES}/*/type && chmod 0400 {_NODES}/*/data", contains="0x8000000a\n"))


# The rig sees what there is to see; and this is the window that the boot closes.
_WINDOW = Step("before all: everybody reads it", _as_user("look"), timeout=300,
               contains="ours: ", lacks="ours: 0\n")
# A file that is open stays open, whatever becomes of its mode.
_HOLD = Step("a user holds a file open", f"""
for node in {_NODES}/*; do
    case $(cat $node/type) in 0x8*) break ;; esac
done
mkfifo -m 666 /tmp/ready /tmp/go /tmp/held
chmod 1777 /tmp
su -s /bin/sh nobody -c '(exec 5< "$0" && echo > /tmp/ready && read line < /tmp/go &&
    cat <&5 | wc -c > /tmp/held) > /dev/null 2>&1 & read line < /tmp/ready' $node/data
""")
_HELD = Step("the file held open is empty",
             "echo > /tmp/go; bytes=$(cat /tmp/held); echo $bytes bytes; test $bytes -eq 0")
_STAT = f"stat -c %a {_NODES}/*/data | sort -u"


def _by_boot(name: str, command: str) -> tuple[Step, ...]:
    """What the machine's own boot does of it."""
    return (Step(f"{name}: closes", f"chmod 0444 {_NODES}/*/data && {command} && {_STAT}",
                 contains="400\n", lacks="444"),
            Step(f"{name}: a user reads nothing", _as_user("look"), timeout=180,
                 contains=("strings: 0\n", "Permission denied")))


_SEEN = Step("khoctl sees that it is so", "khoctl status --json && khoctl doctor; true",
             contains=('"shown_ranges": 0', "shows nothing of a handover"))
_MODES = Step("attach closes the modes as well", _STAT, contains="400\n", lacks="444")
_GET = Step("get", f"khoctl get secret | grep -c {_OURS} && khoctl get secret | wc -c",
            contains="1048576\n", timeout=120)
_FILL = Step("root's own file takes what is free", timeout=300, command=f"""
set -e
mkdir -p /run/fill
mount -t tmpfs -o size=90%,mode=0700 none /run/fill
umask 077
yes {_THEIRS} | head -c 1048576 > /run/fill/piece
left=$(awk '/^MemAvailable:/ {{print int($2 / 1024 * 4 / 5)}}' /proc/meminfo)
while [ $((left -= 1)) -gt 0 ]; do cat /run/fill/piece; done > /run/fill/file
ls -l /run/fill/file
""")
_GIVE_BACK = (RESTORE, RELEASE, STATUS, RMMOD)
_INCOMING = (_WINDOW, _HOLD,
             *_by_boot("the initramfs", "/scripts/init-top/kho-bridge"),
             *_by_boot("systemd-tmpfiles",
                       "systemd-tmpfiles --create /usr/lib/tmpfiles.d/kho-bridge.conf"),
             Step("before attach: what others can do", _as_user("ways"),
                  contains="addresses: 0\n", lacks=_SHUT, timeout=120),
             ATTACH, _HELD, _MODES, *_nothing("attached"), _SEEN, VERIFY, _GET, *_GIVE_BACK,
             *_nothing("given back"), _FILL, *_nothing("used by others"))


def _leak(kernel: str) -> Case:
    return Case(f"leak-{kernel}", f"{kernel} shows nothing of a handover to a user, at any time",
                (chain(kernel, *_OUTGOING, load(kernel, 2), EXEC), chain(kernel, *_INCOMING)),
                memory=768, programs=(_TMPFILES,), tags=("leak",))


_TREE_REFUSED = Step("attach", "khoctl attach", expect=5, contains="tree: ",
                     lacks="can still be read", timeout=120)
_CASES = (
    _leak("6.1"),
    _leak("6.12"),
    Case("leak-refused", "what was refused is not shown either, and is found again to be refused",
         (chain("6.12", *_OUTGOING, load("6.12", 2),
                Step("damage", f"echo node > {DEBUGFS}/test/corrupt"), EXEC),
          chain("6.12", _WINDOW, _TREE_REFUSED, *_nothing("refused"), _TREE_REFUSED,
                # The chain alone tells a module that has just come what was handed over.
                RMMOD, _TREE_REFUSED, Step("release", "khoctl release all"), RMMOD, _FILL,
                *_nothing("used by others"))),
         memory=768, module=Module.TEST, tags=("leak",)),
)


def _without_kho() -> Case:
    """The kernel has KHO, which is off: it is told by intervals."""
    before, after = BY_NAME["6.12"], BY_NAME["7.3-off"]
    return Case("leak-7.3-off", "7.3 without its KHO shows nothing of a handover to a user",
                (Generation("6.12", (*_OUTGOING, load_for(before, after), EXEC)),
                 Generation("7.3", _INCOMING)),
                memory=768, programs=(_TMPFILES,), tags=("leak",), suite="interop")


CASES: tuple[Case, ...] = (*_CASES, _without_kho())
