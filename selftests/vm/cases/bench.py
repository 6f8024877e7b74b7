# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark in the kernel: every row is there and has times, whatever these are."""

from __future__ import annotations

from cases.blocks import DEBUGFS, FREE_KIB, INSMOD, RMMOD, chain
from khobvm.case import Case, Step

_BENCH = f"{DEBUGFS}/sandbox/bench"
_ROWS = ("add", "array-sequential", "array-random", "array-mixed", "range", "preserve-ascending",
         "preserve-shuffled", "del-sequential", "del-random", "del-range", "unpreserve",
         "walk-keys", "walk-ranges", "walk-sparse", "threads-1", "threads-2")
_EMPTIED = 4
# Shows "NAME=VALUE" lines of one array of the JSON that khoctl prints, its layout taken off.
_ARRAY = ("sed -n '/\"{}\": \\[/,/^  \\]/s/^ *\"\\([a-z_]*\\)\": \"*\\([^\",]*\\)\"*,*$/\\1=\\2/p' "
          "/tmp/bench")
# A quarter of the default: under emulation that takes up to ten seconds.
_RUN = Step("bench", "khoctl bench --keys 65536 --json > /tmp/bench; r=$?; cat /tmp/bench; exit $r",
            contains=('"keys": 65536,', '"repetitions": 3,'), timeout=120)
_TABLE = Step("as a table", "khoctl bench --keys 1024", timeout=60,
              contains=("\nrows:\nwork ", "upstream_ns_per_key", "\nnodes_left:\nwork "))
_REFUSED = Step("sizes are checked",
                f"for l in keys=1023 keys=4194305 keys= keys=x 'keys=2048 x' 2048; do "
                f"echo $l > {_BENCH} && exit 1; grep ^last_error: {DEBUGFS}/status; done; "
                "khoctl bench --keys 1023; test $? = 2", contains="keys= is from 1024 to 4194304")
_BASELINE = Step("memory before", f"({FREE_KIB}) | tee /tmp/free")
# Where the signal hits does not matter: a run has some ten MiB of nodes and keys.
_KILLED = Step("killed on the way",
               f"echo keys=262144 > {_BENCH}; for us in 50000 400000 900000 1700000; do "
               f"cat {_BENCH} > /tmp/killed & usleep $us; kill $!; wait $!; test $? = 143 || "
               "exit 1; done; test ! -s /tmp/killed", timeout=120)
_MEMORY_BACK = Step("memory is back",
                    f"before=$(cat /tmp/free); after=$({FREE_KIB}); "
                    "echo before $before after $after KiB; test $((before - after)) -lt 1600")


def _rows(sides: str) -> Step:
    """Names in order, positive numbers, upstream's too or none of them."""
    number = "[1-9][0-9.]*|0[.][0-9]*[1-9][0-9]*|[1-9][0-9.]*e-[0-9]+"
    upstream = {"both": number, "ours": "null"}[sides]
    line = (f"^work=.* keys=[1-9][0-9]* ours_ns_per_key=({number}) "
            f"upstream_ns_per_key=({upstream}) ratio=({upstream}) $")
    return Step("every row has its figures",
                f"{_ARRAY.format('rows')} | tr '\\n' ' ' | sed 's/work=/\\n&/g' | grep ^work "
                "> /tmp/rows; cat /tmp/rows; "
                f"test $(grep -cE '{line}' /tmp/rows) = {len(_ROWS)} && "
                "test \"$(sed 's/^work=\\([^ ]*\\) .*/\\1/' /tmp/rows | tr '\\n' ' ')\" = "
                f"'{' '.join(_ROWS)} '")


def _nodes(upstream: str) -> Step:
    """Of ours the root is left."""
    return Step("nodes that are left",
                f"{_ARRAY.format('nodes_left')} > /tmp/nodes; cat /tmp/nodes; "
                f"test $(grep -c '^ours=1$' /tmp/nodes) = {_EMPTIED} && "
                f"test $(grep -cE '^upstream={upstream}$' /tmp/nodes) = {_EMPTIED}")


def _case(name: str, kernel: str, suite: str, sides: str, *more: Step) -> Case:
    nodes = {"both": "([2-9]|[1-9][0-9]+)", "ours": "null"}[sides]
    return Case(name, f"the benchmark in {kernel} has every row, of {sides}",
                (chain(kernel, INSMOD, _RUN, _rows(sides), _nodes(nodes), _TABLE, *more, RMMOD),),
                memory=512, cpus=2, tags=("bench",), suite=suite)


CASES: tuple[Case, ...] = (
    _case("bench-6.12", "6.12", "stock", "ours", _REFUSED, _BASELINE, _KILLED, _MEMORY_BACK),
    _case("bench-7.3", "7.3", "interop", "both", _BASELINE, _KILLED, _MEMORY_BACK),
)
