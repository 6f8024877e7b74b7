# SPDX-License-Identifier: GPL-2.0-only
"""Many faults on several kernels, a few VMs at a time; a table of what came out of them."""

from __future__ import annotations

import json
import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from khobvm.faults import guest, snapshot
from khobvm.faults.judge import Outcome
from khobvm.faults.run import Rig, Run
from khobvm.faults.walk import PLACES
from khobvm.initramfs import Artefacts
from khobvm.progress import Progress
from khobvm.qemu import Accelerator
from khobvm.runner import load_kernels

_OUTCOMES = (Outcome.REFUSED, Outcome.NAMED, Outcome.NO_EFFECT, Outcome.OTHER,
             Outcome.FAILED)


@dataclass(frozen=True)
class Wish:
    """Which faults: `count` of a seed from number `first` on, each kernel in turn."""

    series: tuple[str, ...]
    seed: int
    first: int
    count: int
    jobs: int
    places: tuple[str, ...] = ()


def again(run: Run, wish: Wish) -> str:
    """The command that does exactly this one once more."""
    places = f' PLACES="{" ".join(wish.places)}"' if wish.places else ""
    return f"make faults SEED={wish.seed} FIRST={run.number} FAULTS=1 KERNELS={run.series}{places}"


def line(run: Run, wish: Wish) -> str:
    """What came out of a fault, and of a failure all that helps."""
    what = "; ".join(f.describe() for f in run.faults)
    word = "ok" if run.good else "not ok"
    text = f"{word} {run.number} {run.series}: {run.verdict.outcome.value} " \
           f"({run.seconds:.1f} s): {what}"
    if run.good:
        return text
    codes = " ".join(f"{n}={s.code}" for n, s in run.seen.said.items())
    lines = [text, f"    why: {run.verdict.why}", f"    again: {again(run, wish)}",
             f"    codes: {codes}"]
    lines += [f"    kernel log: {entry}" for entry in run.seen.log[:20]]
    if "end" not in run.seen.said:
        lines += [f"    | {entry}" for entry in run.console.splitlines()]
    return "\n".join(lines)


def table(runs: Sequence[Run]) -> str:
    """Kinds of places by outcomes."""
    count = Counter((run.place, run.verdict.outcome) for run in runs)
    rows = [["place", *(o.value for o in _OUTCOMES)]]
    rows += [[place, *(str(count[place, o]) for o in _OUTCOMES)] for place in PLACES]
    rows.append(["all", *(str(sum(count[p, o] for p in PLACES)) for o in _OUTCOMES)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(w) if not i else cell.rjust(w) for i, (cell, w)
                               in enumerate(zip(row, widths))) for row in rows)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Report:
    """All runs of a campaign; cpu: seconds of a core in all its VMs."""

    wish: Wish
    runs: list[Run]
    seconds: float
    cpu: float

    def summary(self) -> str:
        """A table, and what it took."""
        count = max(1, len(self.runs))
        return f"{table(self.runs)}\n{len(self.runs)} faults of seed {self.wish.seed} in " \
               f"{self.seconds:.0f} s, {self.cpu / count:.1f} s of a core each"

    def write(self, path: Path) -> None:
        """All of it as JSON."""
        document = {"seed": self.wish.seed, "first": self.wish.first,
                    "kernels": list(self.wish.series), "seconds": self.seconds,
                    "core_seconds": self.cpu, "runs": [run.to_json() for run in self.runs]}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def run(wish: Wish, artefacts: Artefacts, accelerator: Accelerator, progress: Progress,
        on_run: Callable[[Run], None]) -> Report:
    """Runs them all; on_run hears of each as it ends."""
    found = load_kernels([guest.case(guest.WAYS[series]) for series in wish.series], progress)
    rig = Rig(accelerator)
    saved = {series: snapshot.get(guest.WAYS[series], found, artefacts, accelerator, progress)
             for series in wish.series}
    runs: list[Run] = []
    with ThreadPoolExecutor(max_workers=wish.jobs) as pool:
        try:
            references = dict(zip(saved, pool.map(rig.reference, saved.values())))
            begin, cpu = time.monotonic(), _cpu_seconds()
            pending = []
            for number in range(wish.first, wish.first + wish.count):
                series = wish.series[number % len(wish.series)]
                pending.append(pool.submit(rig.run, saved[series], references[series],
                                           wish.seed, number, wish.places))
            for future in as_completed(pending):
                runs.append(future.result())
                on_run(runs[-1])
                progress.step(f"[{len(runs)}/{wish.count}]")
        except BaseException:
            rig.stop()
            pool.shutdown(cancel_futures=True)
            raise
    runs.sort(key=lambda one: one.number)
    return Report(wish, runs, time.monotonic() - begin, _cpu_seconds() - cpu)
