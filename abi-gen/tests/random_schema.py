#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Random schemas that are right, and what everything in them is worth.

    random_schema.py SEED

prints the schema of a seed. Values and layouts are computed here, in Python and from
trees that no parser has read, so that they can be held against what abi-gen makes of
the schema's text.
"""

from __future__ import annotations

import dataclasses
import json
import random
import re
import sys
from collections.abc import Iterator
from typing import Any

from random_expr import BINDS, MAX_U64, Expr, Invalid, apply, names_of, text_of

TYPE_MAX = {"int": (1 << 31) - 1, "u32": (1 << 32) - 1, "u64": MAX_U64}
PRIMITIVES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "char": 1, "be32": 4}
MAX_STRUCT = 1 << 16
# Words that abi-gen refuses: for any element, and for all but fields.
KEYWORDS = set("""
    alignas alignof and and_eq asm assert auto bitand bitor bool break case catch char class compl
    concept const continue default delete do double else enum explicit export extern false float
    for friend goto if inline int linux long mutable namespace new not not_eq operator or or_eq
    private public register return short signed sizeof static struct switch template this throw
    true try typedef typeid typename typeof union unix unsigned using virtual void volatile while
    xor xor_eq
""".split())
TAKEN = set("""
    abi abi_default abi_h abi_nr at compatible decode default_page_shift default_version detail
    encode folio index is_folio is_key key level of order pa page_shift std structs supported
    version version_from versions
""".split())

Combination = tuple[int, int]  # place of a version, page_shift


@dataclasses.dataclass
class Element:
    """A constant, string, property or struct; body is what its map holds besides."""

    kind: str
    name: str
    alias: str
    first: int
    last: int
    body: dict[str, Any]

    def covers(self, first: int, last: int) -> bool:
        return self.first <= first and last <= self.last


@dataclasses.dataclass
class Field:
    name: str
    type: str
    length: Expr
    is_flexible: bool
    first: int
    last: int


@dataclasses.dataclass
class Section:
    name: str
    first: int
    last: int
    elements: list[Element] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a field is; length is None unless it is an array, and 0 if that is flexible."""

    name: str
    offset: int
    size: int
    length: int | None


@dataclasses.dataclass(frozen=True)
class Layout:
    size: int
    alignment: int
    fields: tuple[Place, ...]


class Schema:
    """A schema; everything random comes from the seed."""

    def __init__(self, seed: str, prefix: str = "p") -> None:
        self.rng = random.Random(seed)
        self.prefix = prefix
        rng = self.rng
        count = rng.choice([1, 2, 2, 3, 3, 4])
        numbers = sorted(rng.sample(range(1, 30), count))
        self.versions = [f"{rng.choice(['v', 'abi-', 'kho-v'])}{n}" for n in numbers]
        self.shifts = rng.sample(range(10, 19), rng.choice([1, 2, 3]))
        self.names = TAKEN | KEYWORDS
        self.elements: list[Element] = []  # in an order in which each needs only earlier ones
        self.fields: dict[str, list[Field]] = {}
        self.values: dict[Combination, dict[str, int]] = {}
        self.layouts: dict[Combination, dict[str, Layout]] = {}
        self.combinations = [(v, s) for v in range(count) for s in self.shifts]
        for one in self.combinations:
            self.values[one] = {"page_shift": one[1]}
            self.layouts[one] = {}
        self.refused = self._refused()
        self.usable = [c for c in self.combinations if c not in self.refused]
        self.default_version, self.default_shift = rng.choice(self.usable)
        self.sections = [Section(self._name(), 0, count - 1)]
        self._mandatory()
        for _ in range(rng.randrange(1, 4)):
            self.sections.append(Section(self._name(), *self._range(0, count - 1)))
        for _ in range(rng.randrange(4, 30)):
            self._element(rng.choice(["constant"] * 5 + ["struct"] * 3 + ["string", "property"]))
        self.invariants = list(self._invariants())

    def _refused(self) -> set[Combination]:
        """Choose combinations that fail; every version and every page size keeps one."""
        refused: set[Combination] = set()
        for one in self.combinations:
            left = [c for c in self.combinations if c not in refused | {one}]
            if (self.rng.random() < 0.15 and any(c[0] == one[0] for c in left)
                    and any(c[1] == one[1] for c in left)):
                refused.add(one)
        return refused

    def _name(self) -> str:
        rng = self.rng
        while True:
            letters = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randrange(1, 9)))
            name = letters + rng.choice(["", "", f"_{rng.randrange(100)}", "_", "_v2x"])
            if name not in self.names:
                self.names.add(name)
                return name

    def _range(self, first: int, last: int) -> tuple[int, int]:
        if self.rng.random() < 0.6:
            return first, last
        ends = sorted(self.rng.choices(range(first, last + 1), k=2))
        return ends[0], ends[1]

    def _in(self, first: int, last: int) -> list[Combination]:
        return [c for c in self.combinations if first <= c[0] <= last]

    def evaluate(self, expr: Expr, at: Combination) -> int:
        """Compute an expression for one combination."""
        if isinstance(expr, int):
            return expr
        if isinstance(expr, str):
            return self.values[at][expr]
        word, *operands = expr
        if word == "sizeof":
            name = operands[0]
            return PRIMITIVES[name] if name in PRIMITIVES else self.layouts[at][name].size
        return apply(word, *(self.evaluate(o, at) for o in operands))

    # Expressions

    def _leaf(self, first: int, last: int) -> Expr:
        rng = self.rng
        names = [e.name for e in self.elements
                 if e.kind == "constant" and self._has(e, first, last)]
        structs = [e.name for e in self.elements if e.kind == "struct" and e.covers(first, last)]
        kind = rng.random()
        if kind < 0.45 and names:
            return rng.choice(names)
        if kind < 0.55:
            return "page_shift"
        if kind < 0.7:
            return ("sizeof", rng.choice(structs or list(PRIMITIVES)))
        return rng.choice([rng.randrange(10), rng.randrange(1000), 1 << rng.randrange(64),
                           (1 << rng.randrange(65)) - 1, rng.getrandbits(64)])

    def _has(self, constant: Element, first: int, last: int) -> bool:
        """Whether a constant has a value in all of these versions: its variants may end early."""
        return all(constant.name in self.values[c] for c in self._in(first, last))

    def _expression(self, depth: int, first: int, last: int) -> Expr:
        rng = self.rng
        if depth == 0 or rng.random() < 0.15:
            return self._leaf(first, last)
        word = rng.choice([*BINDS, *BINDS, "ceil_div", "log2", "log2_floor"])
        operands = [self._expression(depth - 1, first, last)]
        if not word.startswith("log2"):
            small = word in ("<<", ">>") and rng.random() < 0.8
            operands.append(rng.randrange(40) if small else
                            self._expression(depth - 1, first, last))
        return (word, *operands)

    def _valid(self, first: int, last: int, low: int, high: int) -> tuple[Expr, list[int]]:
        """Return an expression whose values are in low..high, and those values."""
        for _ in range(40):
            expr = self._expression(self.rng.randrange(5), first, last)
            try:
                values = [self.evaluate(expr, c) for c in self._in(first, last)]
            except Invalid:
                continue
            if all(low <= value <= high for value in values):
                return expr, values
        number = self.rng.randrange(low, min(high, low + 1000) + 1)
        return number, [number] * len(self._in(first, last))

    # Elements

    def _info(self) -> dict[str, str]:
        rng = self.rng
        words = ["word", "it's", "100%", "a:", "#b", '"quoted"', "back\\slash", "*/", "/*", "//",
                 "caf\u00e9", "-", "?", "[x]", "long" * rng.randrange(1, 12)]
        words += [f"{{{e.alias or e.name}}}" for e in self.elements if e.kind != "property"][-3:]
        info = {"doc": " ".join(rng.choices(words, k=rng.randrange(1, 40)))}
        for key in ("unit", "source", "upstream", "header"):
            if rng.random() < 0.3:
                info[key] = rng.choice(["bytes", "pages", "include/x.h (X)", "struct x"])
        return info

    def _element(self, kind: str) -> None:
        rng = self.rng
        section = rng.choice(self.sections)
        if kind == "struct":  # what holds a struct stands behind it
            places = [i for i, s in enumerate(self.sections)
                      if any(e.kind == kind for e in s.elements)]
            section = rng.choice(self.sections[max(places, default=0):])
        first, last = self._range(section.first, section.last)
        alias = self._name() if kind in ("constant", "string") and rng.random() < 0.2 else ""
        element = Element(kind, self._name(), alias, first, last, self._info())
        if kind == "string":
            element.body["value"] = rng.choice(["x", "a-b", 'say "hi"', "back\\slash", "tab\t"])
        elif kind == "property":
            element.body |= {"node": rng.choice(["root", "subnode"]),
                             "property": rng.choice(["a", "a-b", "a,b"]),
                             "type": rng.choice(["string", "u64"])}
        elif kind == "struct":
            self._struct(element)
        elif rng.random() < 0.25 and last > first:
            element.body = {"variants": self._variants(element)}
        else:
            element.body |= self._constant(element.name, first, last)
        self.elements.append(element)
        section.elements.append(element)

    def _constant(self, name: str, first: int, last: int) -> dict[str, str]:
        of_type = self.rng.choice(["int", "u32", "u64", "u64"])
        expr, values = self._valid(first, last, 0, TYPE_MAX[of_type])
        for at, value in zip(self._in(first, last), values):
            self.values[at][name] = value
        body = {"value": text_of(self.rng, expr)}
        if of_type != "int" or self.rng.random() < 0.2:
            body["type"] = of_type
        if self.rng.random() < 0.3:
            body["format"] = self.rng.choice(["dec", "hex"])
        return body

    def _variants(self, element: Element) -> list[dict[str, str]]:
        """Return one constant for each of some ranges of versions, in any order."""
        versions = list(range(element.first, element.last + 1))
        made: list[dict[str, str]] = []
        waiting: list[tuple[int, int, dict[str, str]]] = []
        while versions and (not made or self.rng.random() < 0.9):
            count = self.rng.randrange(1, len(versions) + 1)
            part, versions = versions[:count], versions[count:]
            # None may need another: the name has a value only when all are made.
            body = self._info() | self._constant("", part[0], part[-1])
            body |= {"since": self.versions[part[0]], "until": self.versions[part[-1]]}
            waiting.append((part[0], part[-1], body))
            made.append(body)
            for at in self._in(part[0], part[-1]):
                self.values[at][f"new {element.name}"] = self.values[at].pop("")
        for first, last, _ in waiting:
            for at in self._in(first, last):
                self.values[at][element.name] = self.values[at].pop(f"new {element.name}")
        self.rng.shuffle(made)
        return made

    def _struct(self, element: Element) -> None:
        rng = self.rng
        is_packed = rng.random() < 0.3
        fields: list[Field] = []
        for number in range(rng.randrange(1, 8)):
            first, last = self._range(element.first, element.last)
            if number == 0:  # no version has a struct without fields
                first, last = element.first, element.last
            field = Field("", rng.choice(list(PRIMITIVES)), None, False, first, last)
            inner = [e.name for e in self.elements if e.kind == "struct" and e.covers(first, last)
                     and not self.fields[e.name][-1].is_flexible]
            if inner and rng.random() < 0.3:
                field.type = rng.choice(inner)
            if rng.random() < 0.4:
                field.length, _ = self._valid(first, last, 1, 600)
            fields.append(field)
        if rng.random() < 0.2:
            fields.append(Field("", rng.choice(list(PRIMITIVES)), None, True,
                                *self._range(element.first, element.last)))
        self._name_fields(fields)
        while True:
            made = {}
            try:
                for at in self._in(element.first, element.last):
                    made[at] = self._lay_out(fields, is_packed, at)
                break
            except Invalid:
                fields = [*fields[:1], *fields[2:]]
                fields[0].length = None
        for at, layout in made.items():
            self.layouts[at][element.name] = layout
        self.fields[element.name] = fields
        if is_packed or rng.random() < 0.1:
            element.body["packed"] = is_packed
        element.body["fields"] = [self._field(f, element) for f in fields]

    def _name_fields(self, fields: list[Field]) -> None:
        """Fields have names of their own, or of anything: of what their struct is made of too."""
        made_of = {name for field in fields for name in names_of(field.length)}
        made_of |= {field.type for field in fields}
        others = TAKEN | {name for e in self.elements for name in (e.name, e.alias) if name}
        outer, self.names = self.names, set(KEYWORDS)
        for field in fields:
            free = [sorted(names - self.names) for names in (made_of, others)]
            kind = self.rng.random()
            if kind < 0.1 and free[0]:
                field.name = self.rng.choice(free[0])
            elif kind < 0.3 and free[1]:
                field.name = self.rng.choice(free[1])
            else:
                field.name = self._name()
            self.names.add(field.name)
        self.names = outer

    def _field(self, field: Field, parent: Element) -> dict[str, Any]:
        body = {"name": field.name, "type": field.type, **self._info()}
        if field.is_flexible:
            body["length"] = "flexible"
        elif field.length is not None:
            body["length"] = text_of(self.rng, field.length)
        return body | self._since(field.first, field.last, parent.first, parent.last)

    def _lay_out(self, fields: list[Field], is_packed: bool, at: Combination) -> Layout:
        size, alignment = 0, 1
        places = []
        for field in fields:
            if not field.first <= at[0] <= field.last:
                continue
            inner = self.layouts[at].get(field.type)
            width = inner.size if inner else PRIMITIVES[field.type]
            wanted = 1 if is_packed else inner.alignment if inner else width
            length = 0 if field.is_flexible else None
            if field.length is not None:
                length = self.evaluate(field.length, at)
            size += -size % wanted
            taken = width * (1 if length is None else length)
            places.append(Place(field.name, size, taken, length))
            size += taken
            alignment = max(alignment, wanted)
        if size > MAX_STRUCT:
            raise Invalid
        return Layout(size + -size % alignment, alignment, tuple(places))

    def _since(self, first: int, last: int, parent_first: int, parent_last: int) -> dict[str, str]:
        body = {}
        if first != parent_first or self.rng.random() < 0.1:
            body["since"] = self.versions[first]
        if last != parent_last or self.rng.random() < 0.1:
            body["until"] = self.versions[last]
        return body

    def _mandatory(self) -> None:
        """Add what the key needs, written in one of several ways."""
        rng = self.rng
        exprs: dict[str, list[Expr]] = {
            "page_size": [("<<", 1, "page_shift"), ("*", ("<<", 1, ("-", "page_shift", 1)), 2)],
            "key_width": [("-", 65, "page_shift"), ("+", ("-", 64, "page_shift"), 1)],
            "order_max": [("-", 64, "page_shift"), ("-", "key_width", 1)],
            "table_log2": [("-", "page_shift", 3), ("log2", ("/", "page_size", ("sizeof", "u64")))],
            "leaf_log2": [("+", "page_shift", 3), ("log2", ("*", "page_size", 8))],
            "tree_depth": [("+", ("ceil_div", ("-", "key_width", "leaf_log2"), "table_log2"), 1)],
        }
        for name, choices in exprs.items():
            self.names.add(name)
            expr = rng.choice(choices)
            for at in self.combinations:
                self.values[at][name] = self.evaluate(expr, at)
            body = {"value": text_of(rng, expr), "doc": "d", "type": rng.choice(["u64", "u32"])}
            element = Element("constant", name, "", 0, len(self.versions) - 1, body)
            self.elements.append(element)
            self.sections[0].elements.append(element)

    def _invariants(self) -> Iterator[dict[str, Any]]:
        rng = self.rng
        for version, shift in sorted(self.refused):
            name = self.versions[version]
            yield {"holds": f"page_shift != {shift}", "since": name, "until": name}
        for _ in range(rng.randrange(1, 5)):
            first, last = self._range(0, len(self.versions) - 1)
            expr, values = self._valid(first, last, 0, MAX_U64)
            op, number = rng.choice([(">=", min(values)), ("<=", max(values)),
                                     ("<", max(values) + 1), ("!=", max(values) + 1)])
            if number <= MAX_U64:
                yield {"holds": f"{text_of(rng, expr)} {op} {number}",
                       **self._since(first, last, 0, len(self.versions) - 1)}

    # The text

    def _shown(self, element: Element, section: Section) -> dict[str, Any] | list[dict[str, Any]]:
        alias = {"alias": element.alias} if element.alias else {}
        if "variants" in element.body:
            return [body | alias for body in element.body["variants"]]
        return (element.body | alias
                | self._since(element.first, element.last, section.first, section.last))

    def document(self) -> dict[str, Any]:
        """Return the schema as maps and lists."""
        rng = self.rng
        sections = {}
        for section in self.sections:
            body: dict[str, Any] = {"doc": "A section.", "source": "s"}
            body |= self._since(section.first, section.last, 0, len(self.versions) - 1)
            constants = [e for e in section.elements if e.kind == "constant"]
            rng.shuffle(constants)
            others = [e for e in section.elements if e.kind != "constant"]
            for kind, key in (("constant", "constants"), ("string", "strings"),
                              ("property", "properties"), ("struct", "structs")):
                found = {e.name: self._shown(e, section) for e in constants + others
                         if e.kind == kind}
                if found:
                    body[key] = found
            sections[section.name] = body
        top = "(page_shift + order_max - log2_floor(key))"
        return {
            "format": 1,
            "prefix": self.prefix,
            "parameters": {"page_shift": {"values": self.shifts, "default": self.default_shift,
                                          "doc": "d", "source": "s"}},
            "versions": {name: {"compatible": f"{name}-c", "doc": "d", "source": "s",
                                **self._refusals(place)}
                         for place, name in enumerate(self.versions)},
            "default_version": self.versions[self.default_version],
            "sections": sections,
            "key": {
                "doc": "d", "source": "s",
                "encode": "(1 << (order_max - order)) | (pa >> (page_shift + order))",
                "decode_order": "order_max - log2_floor(key)",
                "decode_pa": rng.choice([f"(key - (1 << log2_floor(key))) << {top}",
                                         f"(key % (1 << log2_floor(key))) << {top}"]),
                "leaf_index": rng.choice(["key % (1 << leaf_log2)", "key & (page_size * 8 - 1)"]),
                "node_index": "(key >> ((level - 1) * table_log2 + leaf_log2)) % (1 << table_log2)",
            },
            "invariants": {f"i{number}": {"fails": "{left} and {right}", "doc": "d", **body}
                           for number, body in enumerate(self.invariants)},
        }

    def _refusals(self, version: int) -> dict[str, Any]:
        found = [{"page_shift": s, "doc": "It fails."} for v, s in self.refused if v == version]
        return {"refused": found} if found else {}

    def text(self) -> str:
        """Return the schema as YAML."""
        return "\n".join(_yaml(self.rng, self.document(), 0)) + "\n"


def _scalar(rng: random.Random, value: Any) -> str:
    plain = isinstance(value, str) and re.fullmatch(r"[a-z(][\w ()+*/<>|%-]*", value)
    return str(value) if plain and rng.random() < 0.7 else json.dumps(value)


def _yaml(rng: random.Random, value: Any, indent: int) -> Iterator[str]:
    """Yield the lines of a map or list: blocks, or flow on one line."""
    space = "  " * indent
    items = value.items() if isinstance(value, dict) else [(None, item) for item in value]
    for key, item in items:
        head = f"{space}{key}:" if key is not None else f"{space}-"
        if not isinstance(item, (dict, list)) or not item:
            yield f"{head} {_scalar(rng, item)}"
        elif indent > 1 and rng.random() < 0.3:
            yield f"{head} {json.dumps(item)}"
        else:
            yield head
            yield from _yaml(rng, item, indent + 1)


if __name__ == "__main__":
    print(Schema(sys.argv[1]).text(), end="")
