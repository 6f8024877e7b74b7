# SPDX-License-Identifier: GPL-2.0-only
"""Compaction: what is scattered too far to be covered comes together and is handed over."""

from __future__ import annotations

from cases.blocks import (ATTACH, CMDLINE, DEBUGFS, EXEC, FILE, FREE_KIB, GET, INSMOD, PUT,
                          RELEASE, RESTORE, RMMOD, STATUS, UNLOAD, VERIFY, chain, count_is, load,
                          preserve)
from khobvm.case import Case, Generation, Step

# A fifth of memory stays free of folios, so that scratch is found wherever in it this kernel
# has put itself. The rest is lost to the next kernel while few intervals cover it, which leaves
# it some 220 MiB of the 260 that it needs; compacted, it is left all but the folios.
_MEMORY = 1024
_SCATTER = "--scatter 80"
_FEW = "--max-ranges 3"
_PAGES = 28672
# Each takes 32 more places, so that hardly any 4 MiB of memory are without a folio.
_SPRINKLED = tuple(preserve(64, order="0", seed=seed, scatter=_SCATTER,
                            name=f"sprinkle {seed}") for seed in range(8, 13))
_COUNTS = f"grep '^out.\\(folios\\|pages\\|orders\\|subtrees\\):' {DEBUGFS}/status"
# Seeds, indices and digests are in the records: `verify` compares them after the kexec.
_COUNT = Step("count", f"{_COUNTS} | tee /tmp/counts")
_SAME_COUNTS = Step("same counts", f"{_COUNTS} > /tmp/now; cat /tmp/now; cmp /tmp/counts /tmp/now")
_COMPACT = Step("compact", "khoctl compact --json", contains='"left_bytes": 0,', timeout=120)
_SPREAD = Step("it lies scattered", "khoctl compact --dry-run")
_TOGETHER = Step("it lies together",
                 "khoctl compact --dry-run | tee /tmp/spread; "
                 "test $(sed -n 's/before.ranges: //p' /tmp/spread) -le 32 && "
                 "test $(sed -n 's/before.gap_bytes: \\([0-9]*\\).*/\\1/p' /tmp/spread) "
                 "-lt 1048576")
_NOTHING_LEFT = Step("nothing is left to move", "khoctl compact --json",
                     contains=('"moved_folios": 0,', '"left_bytes": 0,'))
# Where the signal hits does not matter: what has moved, has, and nothing else changes.
_KILLED = Step("killed on the way",
               f"for us in 5000 20000 40000; do (echo all > {DEBUGFS}/out/compact) & "
               "usleep $us; kill -9 $!; wait $!; grep '^out.compact' "
               f"{DEBUGFS}/status; done; true")


def _refused(kernel: str) -> Step:
    return Step("load refuses",
                f"khoctl load /boot/vmlinuz-{kernel} --initrd $KHOB_INITRD --cmdline "
                f"'{CMDLINE}2' {_FEW}", expect=3, contains=("would be left", "khoctl compact"),
                timeout=120)


def _handover(name: str, kernel: str, *steps: Step) -> Case:
    """Refused, compacted, handed over; every record is verified on the other side."""
    return Case(name, f"what load refuses for its gaps is compacted and handed over, {kernel}",
                (chain(kernel, INSMOD, FILE, PUT, preserve(_PAGES, scatter=_SCATTER),
                       *_SPRINKLED, _COUNT, _SPREAD, _refused(kernel),
                       count_is("out.state", "open"), *steps, STATUS, _SAME_COUNTS, EXEC),
                 chain(kernel, ATTACH, STATUS, VERIFY, GET, RESTORE, RELEASE, RMMOD)),
                memory=_MEMORY, tags=("compact",))


# An eighth of 32 MiB stays, spread over four chunks.
_THIN = Step("thin out",
             f"grep ' 4$' {DEBUGFS}/out/keys > /tmp/keys; "
             "awk 'NR % 8 != 0' /tmp/keys | while read -r pa order; do "
             f"echo $pa $order > {DEBUGFS}/out/unpreserve || exit 1; done")
_BASELINE = Step("memory before",
                 "insmod /lib/modules/$(uname -r)/extra/kho_bridge.ko && rmmod kho_bridge; "
                 f"({FREE_KIB}) | tee /tmp/free")
# 48 MiB were preserved; slab and page tables of other things differ by some hundred KiB.
_MEMORY_BACK = Step("memory is back",
                    f"before=$(cat /tmp/free); after=$({FREE_KIB}); "
                    "echo before $before after $after KiB; test $((before - after)) -lt 1600")


def _books() -> Case:
    """Chunks are emptied, a loaded kernel forbids it, and nothing is lost on the way."""
    steps = (_BASELINE, INSMOD,
             *(preserve(2048, order="4", seed=s, name=f"chunk {s}") for s in range(4)),
             _THIN, count_is("out.folios", "64"), count_is("out.arena_bytes", "33554432"),
             Step("empty chunks", "khoctl compact --json",
                  contains=('"moved_folios": 64,', '"left_bytes": 0,')),
             count_is("out.arena_bytes", "4194304"), count_is("out.folios", "64"), _NOTHING_LEFT,
             preserve(4096, scatter="--scatter", seed=9), _COUNT, load("6.12", 2),
             Step("refused while frozen", "khoctl compact", expect=3,
                  contains=("compact: a kernel is loaded", "khoctl unload")),
             UNLOAD, _COMPACT, _SAME_COUNTS, _TOGETHER,
             Step("unpreserve", "khoctl unpreserve all"),
             count_is("out.keys", "0"), count_is("out.arena_bytes", "0"), RMMOD, _MEMORY_BACK)
    # The initrd lies in memory, too: it has to be there at both ends.
    return Case("compact-books", "compact empties chunks, is refused while frozen, leaks nothing",
                (Generation("6.12", steps, needs_initrd=True),),
                memory=1024, kernels=("6.12",), tags=("compact",))


CASES: tuple[Case, ...] = (
    _handover("compact-6.12", "6.12", _KILLED, _SAME_COUNTS, _COMPACT, _TOGETHER, _NOTHING_LEFT,
              load("6.12", 2, options=_FEW)),
    _handover("compact-load-6.1", "6.1", load("6.1", 2, options=f"--compact {_FEW}"), _TOGETHER),
    _books(),
)
