# SPDX-License-Identifier: GPL-2.0-only
"""The soak's model against books of its own, its steps, and what is made of the figures."""

from __future__ import annotations

import hashlib
import io
import subprocess
import unittest
from collections import Counter

from cases import soak as steps
from khobvm import model, plan, soak
from khobvm.case import Case, Generation, Outcome, Step, check
from khobvm.model import Blob, Client, Held, Item, Life
from khobvm.progress import Progress
from khobvm.runner import Result, Runner
from khobvm.soak import WRONG, Memory, Row
from khobvm.status import Parser
from khobvm.verdict import Verdict

_SEEDS = range(6)


class _Crew(Runner):
    """Only to be stopped."""

    def __init__(self) -> None:
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True


def _lives(kexecs: int, seed: int) -> list[Life]:
    return model.lives(steps.PLACES, kexecs, seed)


class BooksTest(unittest.TestCase):
    """Every generation finds exactly what the one before has left."""

    def _follow(self, before: Life, after: Life) -> None:
        folios: Counter[int] = Counter(before.found.folios)
        for gone, skip in before.restored:
            self.assertLessEqual(skip + gone.count, folios[gone.order])
            folios[gone.order] -= gone.count
        for added in before.preserved:
            folios[added.folios.order] += added.folios.count
        for undone in before.unpreserved:
            folios[undone.order] -= undone.count
        self.assertEqual(+folios, +Counter(after.found.folios))
        blobs = {n: b for n, b in before.found.blobs.items() if n not in before.released}
        for blob in before.put:
            self.assertNotIn(blob.name, blobs)
            blobs[blob.name] = blob
        for name in before.removed:
            del blobs[name]
        self.assertEqual(blobs, after.found.blobs)
        items = {n: i for n, i in before.found.items.items() if n not in before.dropped}
        items |= {i.name: i for i in before.kept}
        self.assertEqual(items, after.found.items)

    def test_books(self) -> None:
        """Counted again, change by change."""
        for seed in _SEEDS:
            found = _lives(100, seed)
            for before, after in zip(found, found[1:]):
                self._follow(before, after)

    def test_bounds(self) -> None:
        """However long it goes, no more is held than a small machine has; and never nothing."""
        found = [life for seed in _SEEDS for life in _lives(100, seed)]
        self.assertLessEqual(max(life.found.pages for life in found), model.PAGES_MOST)
        self.assertLessEqual(max(len(life.found.blobs) for life in found), model.BLOBS_MOST)
        self.assertLessEqual(max(len(life.found.items) for life in found), model.ITEMS_MOST)
        self.assertGreater(sum(life.found.pages for life in found) / len(found), 500)

    def test_same_again(self) -> None:
        """A seed gives the same, and a shorter run of it begins like a longer one."""
        self.assertEqual(_lives(30, 7), _lives(30, 7))
        self.assertEqual(_lives(30, 7)[:20], _lives(50, 7)[:20])
        self.assertNotEqual(_lives(30, 7), _lives(30, 8))

    def test_every_kind(self) -> None:
        """A hundred kexecs have each pair of kernels, each version and each kind of client."""
        found = _lives(100, 1)
        pairs = {(a.place.name, b.place.name) for a, b in zip(found, found[1:])}
        self.assertGreaterEqual(len(pairs), 15)
        self.assertEqual({life.abi for life in found[1:]}, {"kho-v2", "kho-v3", "kho-v4"})
        self.assertEqual({life.client for life in found}, set(Client))
        self.assertTrue(any(life.found.copied and before.client is Client.ABSENT
                            for before, life in zip(found, found[1:])))
        self.assertTrue(any(life.found.copied and before.client is not Client.ABSENT
                            for before, life in zip(found, found[1:])))
        self.assertTrue(any(life.found.others for life in found))

    def test_never_lost(self) -> None:
        """What the kernel's own KHO alone knows of is taken out through it."""
        for seed in _SEEDS:
            for life in _lives(100, seed):
                if life.found.others:
                    self.assertIs(life.client, Client.KERNEL)
                if life.client is Client.KERNEL:
                    self.assertTrue(life.place.native)

    def test_loaders_choice(self) -> None:
        """From a kernel whose own KHO is on a handover has the version that the loader takes."""
        found = _lives(100, 1)
        for before, after in zip(found, found[1:]):
            self.assertIn(after.abi, after.place.abis)
            if before.place.native:
                self.assertEqual(after.abi, after.place.abis[-1])


class FiguresTest(unittest.TestCase):
    """What status has to say, of lives made by hand."""

    def _life(self, client: Client, **held: bool) -> Life:
        life = Life(2, steps.PLACES[2], "kho-v4", client)
        life.found = Held({0: 5, 3: 2}, {"a": Blob("a", 5000, 1)},
                          {"i": Item("i", "vmalloc", 600, 1)}, **held)
        life.after = life.found
        return life

    def test_items(self) -> None:
        """A vmalloc area's list takes a page for every 511."""
        self.assertEqual(Item("i", "vmalloc", 511, 1).preserved, 512)
        self.assertEqual(Item("i", "vmalloc", 512, 1).preserved, 514)
        self.assertEqual(Item("i", "pages", 512, 1).preserved, 512)

    def test_client_of_ours(self) -> None:
        """The table is a blob: no data, but live when the client has restored it."""
        life = self._life(Client.BRIDGE, saved=True)
        self.assertEqual((life.found_pages, life.came_pages), (21 + 602, 602 + 2))
        self.assertTrue(life.found_table)

    def test_orders(self) -> None:
        """As status lists them, once that has no blank at its ends."""
        self.assertEqual(Held({3: 2, 0: 5, 1: 0}).orders(), "0:5 3:2")
        self.assertEqual(Held().orders(), "")

    def test_copied(self) -> None:
        """Of kho-v2 the copy is the blob, and the table is data."""
        life = self._life(Client.BRIDGE, saved=True, copied=True)
        self.assertEqual((life.found_pages, life.came_pages), (21 + 604, 602 + 2))
        self.assertTrue(life.found_table)

    def test_left_to_the_kernel(self) -> None:
        """Of what is another client's kho_bridge shows a copy at most."""
        life = self._life(Client.KERNEL, saved=True, foreign=True, others=True)
        self.assertEqual((life.found_pages, life.found_table), (21, False))
        life.found.copied = True
        self.assertEqual((life.found_pages, life.found_table), (21, True))

    def test_client_of_the_kernels(self) -> None:
        """It has its memory before anybody else looks."""
        life = self._life(Client.KERNEL, saved=True)
        self.assertEqual((life.found_pages, life.came_pages), (21, 0))
        self.assertFalse(life.found_table)

    def test_no_client(self) -> None:
        """All of it goes on."""
        life = self._life(Client.ABSENT, saved=True)
        self.assertEqual((life.found_pages, life.came_pages, life.carried_pages),
                         (21 + 602, 0, 21 + 602))

    def test_memory(self) -> None:
        """What is held is not in MemTotal; what a client has taken over is, and is not free."""
        life = self._life(Client.BRIDGE, saved=True)
        self.assertEqual(soak.memory_of(life, 1000, 500),
                         Memory(1000, 500, 4 * (21 + 602 + 2 + 2), 4))
        life.place = steps.PLACES[0]
        self.assertEqual(soak.memory_of(life, 1000, 500),
                         Memory(1000, 500, 4 * (21 + 602 + 2 + 2 + 1), 0))
        self.assertEqual(soak.memory_of(self._life(Client.KERNEL, saved=True), 1000, 500),
                         Memory(1000, 500, 4 * (21 + 2), 4 * (600 + 1)))
        new = self._life(Client.KERNEL, saved=True)
        new.found.blobs["a"] = Blob("a", 5000, 1, 1)
        self.assertEqual(soak.memory_of(new, 1000, 500),
                         Memory(1000, 500, 4 * 21, 4 * (600 + 1 + 2)))


class StepsTest(unittest.TestCase):
    """What the guest is told."""

    def test_case(self) -> None:
        """It is one that the runner takes, small enough to be carried along."""
        case = steps.soak(_lives(100, 3))
        self.assertEqual(check(case), [])
        self.assertLess(sum(len(plan.encode(g)) for g in case.generations), 2 << 20)

    def test_content(self) -> None:
        """The guest's seq makes the very bytes whose digest the model has."""
        blob = Blob("a", 70001, 10_000_000)
        step = self._put(blob)
        made = subprocess.run(["/bin/busybox", "sh", "-c", step.command.partition("| khoctl")[0]],
                              capture_output=True, check=True).stdout
        self.assertEqual(len(made), blob.size)
        self.assertEqual(hashlib.sha256(made).hexdigest(), blob.sha256())

    def _put(self, blob: Blob) -> Step:
        life = Life(1, steps.PLACES[0], "", Client.BRIDGE, put=[blob])
        after = Life(2, steps.PLACES[0], "kho-v4", Client.BRIDGE)
        made: Generation = steps.generation(life, after)
        return next(s for s in made.steps if s.name == "put a")


class DriftTest(unittest.TestCase):
    """Figures that move away from the first ones."""

    def test_drift(self) -> None:
        """What is held makes no difference, what is missing does."""
        row = Row("6.1")
        self.assertEqual(row.add(Memory(100000, 80000, 500)), "")
        self.assertEqual(row.add(Memory(90000, 70000, 10500)), "")
        self.assertEqual(row.add(Memory(90000, 69000, 10500, 1000)), "")
        self.assertIn("MemTotal of 6.1 has drifted",
                      row.add(Memory(100000 - soak.TOTAL_KIB - 1, 80000, 500)))
        self.assertIn("free memory of 6.1 has drifted",
                      row.add(Memory(100000, 80000 - soak.FREE_KIB - 1, 500)))
        self.assertIn("drifted", row.add(Memory(100000 + soak.TOTAL_KIB + 1, 80000, 500)))

    def test_table(self) -> None:
        """A line a kernel."""
        row = Row("6.1", [Memory(1000, 900, 0), Memory(900, 700, 100)], 5.0)
        self.assertEqual(soak.table([row]).splitlines()[1].split(),
                         ["6.1", "2", "2.5", "900-", "1000", "700-", "900", "0", "100"])

    def test_followed(self) -> None:
        """A generation counts when it has ended; a drift ends the run."""
        lives = [Life(n, steps.PLACES[0], "kho-v4", Client.BRIDGE) for n in (1, 2, 3)]
        crew = _Crew()
        follower = soak.Soak(lives, "memory", Progress(io.StringIO()), crew)
        parser = Parser()
        case = Case("soak", "", (Generation("6.1"),) * 3)
        for number, total in ((1, 5000), (2, 9000), (3, 4000)):
            parser.feed(f"# khob-gen: {number} release=6.1.0 tsc=1\n# khob-step: 1 memory\n"
                        f"# | {total} 800\nok 1 memory\n# khob-status: {number} kexec\n"
                        .encode(), 10.0 * number)
            follower.report(case, parser)
        self.assertEqual(follower.passed, 2)
        self.assertIn("MemTotal of 6.1 has drifted", follower.drift)
        self.assertTrue(crew.stopped)


class FailureTest(unittest.TestCase):
    """What a run that failed says."""

    def _result(self, why: str, *details: str) -> Result:
        return Result(Case("soak", "", ()), Verdict(Outcome.FAILED, why, list(details)), 1, [],
                      [], "tcg", 0, console="last words")

    def _soak(self) -> soak.Soak:
        return soak.Soak([], "memory", Progress(io.StringIO()), _Crew())

    def test_difference(self) -> None:
        """Seed, generation, step, what differs, and how to see it again."""
        said = soak.failure(self._result(
            f"generation 4 (6.12.1), status: the output must not contain: {WRONG}",
            "in.pages: 5", f"in.pages: 6{WRONG}5", f"the output must not contain: {WRONG}"),
            self._soak(), 7, soak.command(9, 7)).splitlines()
        self.assertEqual(said[0], "seed 7, generation 4 (6.12.1), status: in.pages: 6, the model "
                                  "says 5")
        self.assertIn("  | last words", said)
        self.assertEqual(said[-1], "again: make soak KEXECS=9 SEED=7")

    def test_other(self) -> None:
        """A kernel that died compares nothing."""
        said = soak.failure(self._result("nothing came from generation 3"), self._soak(), 7,
                            soak.command(9, 7, ["6.1"]))
        self.assertTrue(said.startswith("seed 7, nothing came from generation 3\n"))
        self.assertTrue(said.endswith("khobvm soak --kexecs 9 --seed 7 --end 6.1"))

    def test_drift(self) -> None:
        """One sentence says it all."""
        follower = self._soak()
        follower.passed, follower.drift = 2, "MemTotal has drifted"
        said = soak.failure(self._result("interrupted"), follower, 7, "this")
        self.assertEqual(said, "seed 7, generation 3: MemTotal has drifted\nagain: this")


if __name__ == "__main__":
    unittest.main()
