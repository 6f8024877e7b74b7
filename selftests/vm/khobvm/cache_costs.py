# SPDX-License-Identifier: GPL-2.0-only
"""What a warm cache is worth: memcached before and after a kexec and started cold, in a VM, told
in a table (selftests/bench/document.py).
"""

from __future__ import annotations

from khobvm.costs import Table, cell, duration, number, results, step, tell, values
from khobvm.case import Case
from khobvm.errors import VmError
from khobvm.progress import Progress
from khobvm.runner import Result, Runner

COMMAND = "khobvm measure-cache"
# What a step of cases/cache.py is called: a row.
_READS = {"full": "before the kexec", "warm": "after it", "nothing hits": "started cold"}


def _pause(result: Result) -> float:
    """Milliseconds from the last hit under one kernel to the first under the next."""
    found = step(result.generations[1], "first hit")
    last = found.output[-1].strip() if found and found.output else ""
    if not last.isdigit():
        raise VmError(f"{result.case.name} did not say when its first hit was")
    return float(last)


def tables(result: Result, mib: int) -> list[Table]:
    """What selftests/bench/document.py takes."""
    before, after = result.generations
    reads = {name: values(before if name == "full" else after, name) for name in _READS}
    rows = [[text, cell(number(reads[name], "percent")), cell(number(reads[name], "all_ms"))]
            for name, text in _READS.items()]
    keys = number(reads["full"], "keys")
    times = {"load, as the machine shuts down": number(values(after, "the last load"), "ms"),
             "of it: keeping the files": number(_kept(result), "ms"),
             "restoring them": _restored(result),
             "from the last hit to the first, with kexec and boot": _pause(result),
             "filling the cache, with nothing behind it": duration(before, "fill")}
    return [{"title": f"{keys:.0f} keys in a cache of {mib} MiB",
             "columns": ["", "hits, %", "asking for all, ms"], "rows": rows},
            {"title": "What it takes: milliseconds", "columns": ["", "ms"],
             "rows": [[text, cell(value)] for text, value in times.items()]}]


def _kept(result: Result) -> dict[str, object]:
    kept = values(result.generations[1], "the last load").get("keep")
    return kept if isinstance(kept, dict) else {}


def _restored(result: Result) -> float:
    """The last "ms: N" of the log is what brought the files back."""
    found = step(result.generations[1], "restored")
    lines = [line.split() for line in found.output] if found else []
    said = [float(words[1]) for words in lines if len(words) == 2 and words[0] == "ms:"]
    return said[-1] if said else 0.0


def measure(crew: Runner, case: Case, progress: Progress) -> Result:
    """The run of a case, which has to pass."""
    result = next(results(crew, [case], progress))
    tell(result, {"from the last hit to the first": _pause(result)}, progress)
    return result
