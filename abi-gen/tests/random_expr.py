# SPDX-License-Identifier: GPL-2.0-only
"""Expressions of the schema as trees: written as text and computed, independent of abi-gen."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

MAX_U64 = (1 << 64) - 1
BINDS = {"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5}
SINGLE = 9  # binds tighter than any operator

Expr = Any  # a number, a name, or a tuple: an operator or function and its operands


class Invalid(Exception):
    """An expression has no value, or a struct is too large."""


def text_of(rng: random.Random, expr: Expr) -> str:
    """Write an expression, with the parentheses that it needs and some that it does not."""
    text, binds = _text_of(rng, expr)
    return f"({text})" if binds < SINGLE and rng.random() < 0.1 else text


def _text_of(rng: random.Random, expr: Expr) -> tuple[str, int]:
    if isinstance(expr, int):
        return rng.choice([str(expr), f"{expr:#x}"]), SINGLE
    if isinstance(expr, str):
        return expr, SINGLE
    word, *operands = expr
    if word == "sizeof":
        return f"sizeof({operands[0]})", SINGLE
    if word not in BINDS:
        return f"{word}({', '.join(text_of(rng, o) for o in operands)})", SINGLE
    written = []
    for is_right, operand in enumerate(operands):
        text, binds = _text_of(rng, operand)
        loose = binds < BINDS[word] or (is_right and binds == BINDS[word])
        written.append(f"({text})" if loose or (binds < SINGLE and rng.random() < 0.3) else text)
    space = rng.choice(["", " "])
    return f"{written[0]}{space}{word}{space}{written[1]}", BINDS[word]


def names_of(expr: Expr) -> Iterator[str]:
    """Yield the names of constants and types in an expression."""
    if isinstance(expr, str):
        yield expr
    elif isinstance(expr, tuple):
        for operand in expr[1:]:
            yield from names_of(operand)


def apply(word: str, a: int, b: int = 0) -> int:
    """Compute what an operator or function gives; Invalid if that is no unsigned 64-bit number."""
    if word in ("/", "%", "ceil_div") and b == 0 or word.startswith("log2") and a == 0:
        raise Invalid
    if word == "log2" and a & (a - 1) or word == "<<" and a and b > 64:
        raise Invalid
    made: dict[str, Callable[[], int]] = {
        "|": lambda: a | b, "&": lambda: a & b, "<<": lambda: a << b if a else 0,
        ">>": lambda: a >> b, "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b,
        "/": lambda: a // b, "%": lambda: a % b, "ceil_div": lambda: (a + b - 1) // b,
        "log2": lambda: a.bit_length() - 1, "log2_floor": lambda: a.bit_length() - 1,
    }
    value = made[word]()
    if not 0 <= value <= MAX_U64:
        raise Invalid
    return value
