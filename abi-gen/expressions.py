# SPDX-License-Identifier: GPL-2.0-only
"""The schema's expressions, from the model's reverse Polish notation to other languages.

A Language says how numbers, names and calls are written; which operator binds
tighter is the same in all of them, and parentheses are written where they are
needed or where compilers ask for them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

BITS = 64
BINDS = {"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5}
SINGLE = 6  # a number, a name, a call: never in parentheses
FUNCTIONS = {"ceil_div": 2, "log2": 1, "log2_floor": 1}
SIZE_OF = "sizeof:"
# Operands that gcc or clang want in parentheses though they bind tighter.
UNCLEAR = {"|": "&+-", "&": "+-", "<<": "+-", ">>": "+-"}


class Term(NamedTuple):
    """A part of an expression: its text, how tightly it binds, its outermost operator."""

    text: str
    binds: int = SINGLE
    operator: str = ""


@dataclasses.dataclass(frozen=True)
class Language:
    """How a language writes what expressions are made of."""

    number: Callable[[int], str]
    name: Callable[[str], str]  # KeyError: there is no such name
    size_of: Callable[[str], str]
    calls: Mapping[str, str]  # functions, and operators that are written as a call of one
    operators: Mapping[str, str] = dataclasses.field(default_factory=dict)  # if not C's
    keeps_operator: Callable[[str], bool] = lambda right: False  # though in calls, for this operand


class _Stack:
    """The terms that wait for an operator."""

    def __init__(self, rpn: str) -> None:
        self._rpn = rpn
        self._terms: list[Term] = []

    def error(self, text: str) -> ValueError:
        return ValueError(f"expression '{self._rpn}': {text}")

    def push(self, term: Term) -> None:
        self._terms.append(term)

    def take(self, count: int, word: str) -> list[Term]:
        if len(self._terms) < count:
            raise self.error(f"{word} lacks an operand")
        taken = self._terms[-count:]
        del self._terms[-count:]
        return taken

    def result(self) -> Term:
        if len(self._terms) != 1:
            raise self.error(f"{len(self._terms)} values are left")
        return self._terms[0]


def _operand(term: Term, operator: str, is_right: bool) -> str:
    """Return an operand, in parentheses where it has to be."""
    binds = BINDS[operator]
    loose = term.binds < binds or (is_right and term.binds == binds)
    unclear = term.operator != "" and term.operator in UNCLEAR.get(operator, "")
    return f"({term.text})" if loose or unclear else term.text


def _binary(language: Language, operator: str, left: Term, right: Term) -> Term:
    if operator in language.calls and not language.keeps_operator(right.text):
        return Term(f"{language.calls[operator]}({left.text}, {right.text})")
    written = language.operators.get(operator, operator)
    text = f"{_operand(left, operator, False)} {written} {_operand(right, operator, True)}"
    return Term(text, BINDS[operator], operator)


def infix(rpn: str, language: Language) -> str:
    """Write an expression; ValueError if it is malformed or names what is not there."""
    stack = _Stack(rpn)
    for word in rpn.split():
        if word in BINDS:
            left, right = stack.take(2, word)
            stack.push(_binary(language, word, left, right))
        elif word in FUNCTIONS:
            arguments = ", ".join(term.text for term in stack.take(FUNCTIONS[word], word))
            stack.push(Term(f"{language.calls.get(word, word)}({arguments})"))
        elif word.isdecimal():
            stack.push(Term(language.number(int(word))))
        else:
            is_size = word.startswith(SIZE_OF)
            write = language.size_of if is_size else language.name
            try:
                stack.push(Term(write(word.removeprefix(SIZE_OF))))
            except KeyError:
                raise stack.error(f"there is no {word}") from None
    return stack.result().text


def _apply(operator: str, a: int, b: int) -> int:
    if operator in "/%" and b == 0:
        raise ValueError(f"{a} {operator} 0 has no value")
    results: dict[str, Callable[[], int]] = {
        "|": lambda: a | b,
        "&": lambda: a & b,
        # Far shifts are no error of Python's, only of its memory.
        "<<": lambda: a << min(b, BITS) if a else 0,
        ">>": lambda: a >> b,
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "/": lambda: a // b,
        "%": lambda: a % b,
    }
    return results[operator]()


def _call(function: str, arguments: list[int]) -> int:
    a = arguments[0]
    if function == "ceil_div" and arguments[1]:
        return -(-a // arguments[1])
    if function == "ceil_div" or a == 0 or (function == "log2" and a & (a - 1)):
        raise ValueError(f"{function}({', '.join(map(str, arguments))}) has no value")
    return a.bit_length() - 1


def evaluate(rpn: str, values: Mapping[str, int]) -> int:
    """Compute an expression as abi-gen does: unsigned, an overflow is a ValueError.

    sizeof is looked up as "sizeof:type".
    """
    stack: list[int] = []
    for word in rpn.split():
        count = 2 if word in BINDS else FUNCTIONS.get(word, 0)
        if len(stack) < count:
            raise ValueError(f"expression '{rpn}': {word} lacks an operand")
        operands = stack[len(stack) - count:]
        del stack[len(stack) - count:]
        if word in BINDS:
            value = _apply(word, *operands)
        elif word in FUNCTIONS:
            value = _call(word, operands)
        elif word.isdecimal():
            value = int(word)
        elif word in values:
            value = values[word]
        else:
            raise ValueError(f"expression '{rpn}': there is no {word}")
        if value < 0 or value >> BITS:
            raise ValueError(f"expression '{rpn}': {value:#x} is no unsigned 64-bit number")
        stack.append(value)
    if len(stack) != 1:
        raise ValueError(f"expression '{rpn}': {len(stack)} values are left")
    return stack[0]
