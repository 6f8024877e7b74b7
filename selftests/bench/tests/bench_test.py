# SPDX-License-Identifier: GPL-2.0-only
"""Tests of extract.py, results.py, counting.py and document.py."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

import chart
import counting
import document
import extract
import results
from khobvm.errors import VmError

_SOURCE = '''\
/* one(void) { } in a comment, with "a quote */
struct pair {
    int a; /* } */
    union { int b; } c;
};

static int one(int x);
static const char *brace = "}{";

static int __ref
one(int x)
{
    if (x == '}')
        return two(x);
    return 0;
}
EXPORT_SYMBOL_GPL(one);

int two(int (*fn)(int y),
    int x) { return one(x); }

static int three(void) { return 1; }
static int three(void) { return 2; }
'''


def _entry(name: str, **values: float) -> dict[str, object]:
    return {"name": f"{name}/iterations:1", "run_type": "iteration", **values}


def _benchmark() -> dict[str, object]:
    """Results of every row: upstream takes 4, all others 2; the median of three is meant."""
    made = []
    for row in results.ROWS:
        for structure in (results.BASE, *results.COLUMNS):
            for offset in (-1, 0, 1):
                made.append(_entry(f"{row.name}/{structure}", keys=10, nodes=1,
                                   real_time=40 + offset if structure == results.BASE else 20))
    for count, time in ((1, 30), (2, 15)):
        made.append(_entry(f"threads-{count}/ours-shared", real_time=time, keys=10))
    for layout in results.MEMORY:
        for structure in ("upstream", "ours", "set", "intervals", "roaring"):
            made.append(_entry(f"memory-{layout}/{structure}", bytes=2048, gib=0.5))
    made.append({"name": "add/ours/iterations:1_mean", "run_type": "aggregate", "real_time": 1})
    return {"context": {}, "benchmarks": made}


class Extract(unittest.TestCase):
    """Definitions are cut out whole, whatever stands in comments and literals."""

    def test_types(self) -> None:
        self.assertEqual(extract.cut(_SOURCE, "struct pair", "x.c"),
                         _SOURCE[_SOURCE.index("struct pair"):_SOURCE.index("};") + 2])

    def test_functions(self) -> None:
        one = extract.cut(_SOURCE, "one", "x.c")
        self.assertTrue(one.startswith("static int __ref\none(int x)\n{"), one)
        self.assertTrue(one.endswith("return 0;\n}"), one)
        self.assertEqual(extract.cut(_SOURCE, "two", "x.c"),
                         "int two(int (*fn)(int y),\n    int x) { return one(x); }")

    def test_what_is_not_there_once_is_named(self) -> None:
        for name, count in (("four", 0), ("brace", 0), ("struct other", 0), ("three", 2)):
            with self.assertRaises(VmError) as caught:
                extract.cut(_SOURCE, name, "x.c")
            self.assertIn(f"x.c defines {name} {count} times", str(caught.exception))

    def test_a_cut_short_source(self) -> None:
        with self.assertRaises(VmError):
            extract.cut(_SOURCE[:_SOURCE.index("return 0")], "one", "x.c")

    def test_lines_are_told(self) -> None:
        with tempfile.TemporaryDirectory() as temp:
            (Path(temp) / "x.c").write_text(_SOURCE, encoding="utf-8")
            made = extract.extract(Path(temp), (("x.c", ("struct pair", "two")),))
        self.assertTrue(made.startswith('#line 2 "x.c"\nstruct pair {'), made)
        self.assertIn('#line 19 "x.c"\nint two', made)


class Count(unittest.TestCase):
    """Counts for a key, out of callgrind's files."""

    _FILE = ("desc: Trigger: Client Request: add/ours\n\n"
             "events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw\ntotals: 500 9 9 9 3 2 9 1 0\n")

    def test_figures_of_a_key(self) -> None:
        self.assertEqual(counting.counts(self._FILE, 10), counting.Counts(50, 0.5, 0.1))

    def test_what_is_not_there_is_named(self) -> None:
        with self.assertRaisesRegex(counting.CountError, "no totals"):
            counting.counts("events: Ir\n", 1)
        with self.assertRaisesRegex(counting.CountError, "D1mr"):
            counting.counts("events: Ir\ntotals: 5\n", 1)

    def test_files_are_told_apart(self) -> None:
        keys = counting.keys_of({"benchmarks": [{"name": "add/ours/iterations:1", "keys": 10}]})
        with tempfile.TemporaryDirectory() as name:
            Path(name, "callgrind.out.1").write_text(self._FILE, encoding="utf-8")
            Path(name, "callgrind.out").write_text("events: Ir\ntotals: 1\n", encoding="utf-8")
            self.assertEqual(counting.collect(Path(name), keys),
                             {("add", "ours"): counting.Counts(50, 0.5, 0.1)})


class Document(unittest.TestCase):
    """Tables and chart from results."""

    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.root = Path(temp.name)
        self.file = self.root / "bench.json"
        self.file.write_text(json.dumps(_benchmark()), encoding="utf-8")

    def test_medians_and_ratios(self) -> None:
        found = results.read_benchmark(_benchmark())
        self.assertEqual(found.times["add", "upstream"], 4)
        self.assertEqual(found.memory["dense", "set"], 4096)
        table = document.speed(found)
        self.assertEqual(len(table.rows), len(results.ROWS))
        self.assertEqual(table.rows[0][1:4], ["2x", "1.7x", "2x"])
        self.assertEqual(document.threads(found).rows, [["ours, lock-free", "2x"]])
        self.assertTrue(all(row[1:] == ["4"] * 5 for row in document.memory(found).rows))

    def test_numbers(self) -> None:
        self.assertEqual([document.ratio(x, 1) for x in (1234567, 4412, 12.6, 1.25, 0.05, 0.999)],
                         ["> 1000000x", "4400x", "13x", "1.2x", "0.05x", "1x"])

    def test_a_missing_row_is_named(self) -> None:
        found = results.read_benchmark({"benchmarks": []})
        with self.assertRaises(document.DocumentError) as caught:
            document.speed(found)
        self.assertIn("add/upstream", str(caught.exception))

    def test_only_its_own_section_changes(self) -> None:
        text = "".join(f"{name}\n{begin}\nold {name}\n{end}\nafter\n"
                       for name in document.SECTIONS
                       for begin, end in [document.markers(name)])
        made = document.replace(text, "kernel", "new")
        self.assertIn("old userspace", made)
        self.assertNotIn("old kernel", made)
        self.assertEqual(document.replace(made, "kernel", "new"), made)
        with self.assertRaises(document.DocumentError):
            document.replace("", "kernel", "new")

    def test_results_of_a_kernel(self) -> None:
        file = self.root / "kernel.json"
        row = {"work": "add", "keys": 7, "ours_ns_per_key": 2.0, "upstream_ns_per_key": 3.0,
               "ratio": 1.5}
        file.write_text(json.dumps({
            "keys": 7, "repetitions": 3,
            "rows": [row, {**row, "work": "threads-1", "ratio": None}],
            "nodes_left": [{"work": "del-range", "ours": 1, "upstream": 37}]}))
        command, found, figures = document.tables(file)
        self.assertEqual(command, "khoctl bench --json")
        self.assertIsNone(figures)
        self.assertEqual(found[0].rows, [["add, order 0, sequential, one call a key", 7, "1.5x"]])
        self.assertEqual(found[1].rows, [["del, range in one call", 37, 1]])

    def test_ready_made_tables(self) -> None:
        file = self.root / "kernel.json"
        file.write_text(json.dumps({"command": "khoctl bench", "tables": [
            {"title": "t", "columns": ["a", "b"], "rows": [["1", 2]]},
            {"title": "empty", "columns": ["a"], "rows": []}]}), encoding="utf-8")
        command, found, figures = document.tables(file)
        self.assertIsNone(figures)
        self.assertEqual(document.render(command, found),
                         "Made by `khoctl bench`.\n\n**t**\n\n| a | b |\n| --- | --- |\n| 1 | 2 |")

    def test_what_holds_no_results(self) -> None:
        for text in ("", "[]", '{"tables": [{}], "command": ""}', '{"benchmarks": [{}, 1]}',
                     '{"benchmarks": 1}'):
            self.file.write_text(text, encoding="utf-8")
            with self.assertRaises(document.DocumentError):
                document.tables(self.file)

    def test_the_chart_is_the_same_each_time(self) -> None:
        found = results.read_benchmark(_benchmark())
        made = []
        for _ in range(2):
            self.assertEqual(chart.draw(found, self.root / "p.md"), "p.svg")
            made.append(((self.root / "p.svg").read_bytes(), (self.root / "p.png").read_bytes()))
        self.assertEqual(made[0], made[1])
        self.assertIn(b"walk, keys, dense", made[0][0])


if __name__ == "__main__":
    unittest.main()
