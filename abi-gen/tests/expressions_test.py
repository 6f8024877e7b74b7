# SPDX-License-Identifier: GPL-2.0-only
"""Tests of expressions.py."""

from __future__ import annotations

import random
import re
import unittest

import expressions
from expressions import BINDS, FUNCTIONS, Language, evaluate, infix

NAMES = {"a": 3, "b": 64, "sizeof:u64": 8}
SIMPLE = Language(number=str, name={n: n for n in NAMES}.__getitem__,
                  size_of=lambda name: {"u64": "sizeof(u64)"}[name], calls={})
C = Language(number=lambda n: f"{n}U", name=str.upper, size_of=str,
             calls={"<<": "shl", ">>": "shr", "log2": "ilog2"},
             keeps_operator=lambda right: right == "A")


class Infix(unittest.TestCase):
    """From reverse Polish notation."""

    def test_parentheses_are_where_they_have_to_be(self) -> None:
        for rpn, text in (
                ("a 1 b + +", "a + (1 + b)"),
                ("a 1 + b +", "a + 1 + b"),
                ("a 1 - b -", "a - 1 - b"),
                ("a 1 b - -", "a - (1 - b)"),
                ("a 1 * b +", "a * 1 + b"),
                ("a 1 b + *", "a * (1 + b)"),
                ("a 1 / b %", "a / 1 % b"),
                ("a 1 b % /", "a / (1 % b)"),
                ("a 1 << b <<", "a << 1 << b"),
                ("a 1 b << <<", "a << (1 << b)"),
                ("a 1 << b |", "a << 1 | b"),
                ("a 1 | b &", "(a | 1) & b"),
                ("a 2 * 1 <<", "a * 2 << 1"),
                ("a 1 + b 2 / ceil_div", "ceil_div(a + 1, b / 2)"),
                ("sizeof:u64 b *", "sizeof(u64) * b")):
            self.assertEqual(infix(rpn, SIMPLE), text)

    def test_compilers_find_it_clear(self) -> None:
        self.assertEqual(infix("1 a b + <<", SIMPLE), "1 << (a + b)")
        self.assertEqual(infix("1 a & b |", SIMPLE), "(1 & a) | b")
        self.assertEqual(infix("1 a - b &", SIMPLE), "(1 - a) & b")

    def test_operators_may_be_calls(self) -> None:
        self.assertEqual(infix("1 a << b >> 2 3 + +", C), "shr(1U << A, B) + (2U + 3U)")
        self.assertEqual(infix("1 2 + 3 4 - <<", C), "shl(1U + 2U, 3U - 4U)")
        self.assertEqual(infix("a log2", C), "ilog2(A)")

    def test_what_is_malformed_is_an_error(self) -> None:
        for rpn, part in (("", "0 values are left"), ("a b", "2 values are left"),
                          ("a +", "+ lacks an operand"), ("log2", "log2 lacks an operand"),
                          ("a ceil_div", "ceil_div lacks an operand"),
                          ("a c +", "there is no c"), ("a -1 +", "there is no -1"),
                          ("sizeof:u9", "there is no sizeof:u9"), ("a 2 **", "there is no **")):
            for use in (lambda r: infix(r, SIMPLE), lambda r: evaluate(r, NAMES)):
                with self.assertRaisesRegex(ValueError, re.escape(part), msg=rpn):
                    use(rpn)


class Evaluate(unittest.TestCase):
    """As abi-gen does it."""

    def test_shifts_are_defined_for_any_width(self) -> None:
        self.assertEqual(evaluate("1 63 <<", {}), 1 << 63)
        self.assertEqual(evaluate("0 100 <<", {}), 0)
        self.assertEqual(evaluate(f"{2 ** 64 - 1} {2 ** 64 - 1} >>", {}), 0)
        for rpn in ("1 64 <<", "2 63 <<", f"1 {2 ** 63} <<"):
            with self.assertRaisesRegex(ValueError, "no unsigned 64-bit number"):
                evaluate(rpn, {})

    def test_overflow_is_an_error(self) -> None:
        for rpn in ("1 2 -", f"{2 ** 64 - 1} 1 +", f"{2 ** 63} 2 *"):
            with self.assertRaisesRegex(ValueError, "no unsigned 64-bit number"):
                evaluate(rpn, {})

    def test_functions(self) -> None:
        self.assertEqual(evaluate("7 2 ceil_div", {}), 4)
        self.assertEqual(evaluate("8 log2 9 log2_floor +", {}), 6)
        for rpn in ("9 log2", "0 log2", "0 log2_floor", "1 0 ceil_div", "1 0 /", "1 0 %"):
            with self.assertRaisesRegex(ValueError, "has no value"):
                evaluate(rpn, {})


class Agreement(unittest.TestCase):
    """What is written means what is evaluated."""

    def expression(self, depth: int) -> str:
        if depth == 0 or self.random.random() < 0.1:
            return self.random.choice(["a", "b", "sizeof:u64", "0", "1", "5", "1000"])
        if self.random.random() < 0.2:
            function = self.random.choice([*FUNCTIONS])
            words = [self.expression(depth - 1) for _ in range(FUNCTIONS[function])]
            return " ".join([*words, function])
        words = [self.expression(depth - 1), self.expression(depth - 1)]
        return " ".join([*words, self.random.choice([*BINDS])])

    def test_random_expressions(self) -> None:
        self.random = random.Random(1)
        python = Language(number=str, name=lambda name: name, size_of=lambda name: "8", calls={},
                          operators={"/": "//"})
        functions = {name: lambda *a, f=name: expressions._call(f, [*a]) for name in FUNCTIONS}
        compared = 0
        for _ in range(20000):
            rpn = self.expression(4)
            try:
                value = evaluate(rpn, NAMES)
            except ValueError:
                continue
            # It is without overflow, so that Python's own numbers will do.
            text = infix(rpn, python)
            self.assertEqual(eval(text, {}, {**NAMES, **functions}), value, text)
            compared += 1
        self.assertGreater(compared, 2000)


if __name__ == "__main__":
    unittest.main()
