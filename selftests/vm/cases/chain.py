# SPDX-License-Identifier: GPL-2.0-only
"""One chain through all kinds of kernels and back, ten kexecs long.

Every kernel verifies all that came, takes some pages and a subtree out, adds others, and
hands the rest on in a version of the ABI that the next one takes.
"""

from __future__ import annotations

from cases.blocks import (ATTACH, BASELINE, DEBUGFS, EXEC, INSMOD, MEMORY_BACK, RELEASE, RESTORE,
                          RMMOD, STATUS, VERIFY, at_least, count_is, preserve)
from cases.payload import BY_NAME, End, load
from khobvm.case import Case, Generation, Step

# Kernel and the version of the ABI that it is handed; "": what the loader chooses.
_ROUTE = (("6.1", ""), ("6.12", "kho-v2"), ("7.3-off", "kho-v3"), ("7.3-on", ""),
          ("7.3-off", ""), ("6.12", "kho-v4"), ("6.1", "kho-v3"), ("7.3-on", "kho-v4"),
          ("6.12", ""), ("7.3-off", "kho-v2"), ("6.1", "kho-v2"))
_SUMS = "/etc/blobs.sha256"
# Pages that a kernel takes out, and those it adds.
_TAKEN = 16
_PAGES = 1024


def _add(number: int) -> tuple[Step, ...]:
    """Pages, every second folio scattered, and a subtree of more than a megabyte."""
    return (preserve(_PAGES, seed=number, scatter="--scatter", name="add pages"),
            Step("add a subtree", f"set -e; cd /tmp; head -c $((1048576 + {number})) /dev/urandom "
                                  f"> step{number}; khoctl put step{number} step{number}; "
                                  f"sha256sum step{number} >> {_SUMS}; rm step{number}"))


# The file names the subtrees that must be there; no other may be.
_GET = Step("get all", timeout=120, command=f"""
set -e
cd /tmp
for n in $(awk '{{print $2}}' {_SUMS}); do khoctl get $n -o $n; done
sha256sum -c {_SUMS}
rm step*
test $(ls {DEBUGFS}/in/sub_fdts | grep -c step) = $(wc -l < {_SUMS})
""")
_TAKE_PAGES = Step("take pages out", timeout=120, command=f"""
khoctl walk --in | awk '/^0x/ {{print $1, $2}}' | head -n {_TAKEN} > /tmp/out
test $(wc -l < /tmp/out) = {_TAKEN} || exit 1
while read addr order; do khoctl restore $addr $order || exit 1; done < /tmp/out
""")
_TAKE_SUBTREE = Step("take a subtree out", command=f"""
set -e
name=$(head -n 1 {_SUMS} | awk '{{print $2}}')
khoctl release subtree $name
sed -i 1d {_SUMS}
if khoctl get $name; then exit 1; fi
""")


def _arrived(number: int, after: End, version: str) -> tuple[Step, ...]:
    """What is looked at after the kexec of this number."""
    checks = [ATTACH, count_is("in.kexec_count", str(number)),
              count_is("in.method", "kho" if after.native else "indirect")]
    if version:
        checks.append(count_is("in.abi", version))
    return (*checks, VERIFY, _GET)


def _generations() -> tuple[Generation, ...]:
    found: list[Generation] = []
    for number, (name, version) in enumerate(_ROUTE):
        kernel = BY_NAME[name]
        steps = (BASELINE, INSMOD) if number == 0 else _arrived(number, kernel, version)
        if number + 1 == len(_ROUTE):
            steps += (RESTORE, RELEASE, STATUS, RMMOD, MEMORY_BACK)
        else:
            # The first one's is still there when the second one takes it out.
            steps += _add(number)
            steps += (_TAKE_PAGES, _TAKE_SUBTREE) if number else _add(100)
            after, wanted = BY_NAME[_ROUTE[number + 1][0]], _ROUTE[number + 1][1]
            steps += (load(kernel, after, number + 2, wanted),)
            steps += (at_least("carried", "out.carried_keys", 1),) if number else ()
            steps += (STATUS, EXEC)
        found.append(Generation(kernel.series, steps))
    return tuple(found)


CASES: tuple[Case, ...] = (
    Case("chain", "ten kexecs through all four kernels and back, the memory back at the end",
         # Ten loads, each of which needs a kernel's size in one piece: there is room to spare.
         _generations(), memory=2048, cpus=2, tags=("chain",), suite="interop"),
)
