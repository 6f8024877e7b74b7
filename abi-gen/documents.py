# SPDX-License-Identifier: GPL-2.0-only
"""The ABI document: prose, tables and drawings of a model as reStructuredText."""

from __future__ import annotations

import bisect
import functools
import re
from collections.abc import Iterator
from typing import Any

import drawings
import expressions
import languages
from languages import elements

SPECIAL = re.compile(r"([\\*`|]|_(?=\W|$)|::)")
# What would begin a list or a directive, or be a line under a heading.
BLOCK = re.compile(r"([-+*•]|\(?(\w|\d+|[ivxlcdm]+)[.)]|\.\.|>>>|[!-/:-@[-`{-~]{4,})(\s|$)",
                   re.IGNORECASE)
COMPARISON = re.compile(r"==|!=|<=|>=|(?<!<)<(?!<)|(?<!>)>(?!>)")
ORDERS_DRAWN = 3
KINDS = {"constants": "constant", "strings": "string", "structs": "struct"}

Element = dict[str, Any]


def literal(text: str) -> str:
    """Return text as code, if it can be that."""
    plain = "`" not in text and text == text.strip() != ""
    return f"``{text}``" if plain else SPECIAL.sub(r"\\\1", text)


def heading(text: str, line: str) -> str:
    """Return a heading."""
    return f"{text}\n{line * len(text)}"


def title(name: str) -> str:
    """Return a name as a heading's text."""
    return name.replace("_", " ").capitalize()


def pages(page_shift: int) -> str:
    """Return a page size."""
    return f"{2 ** page_shift // 1024}K"


class Document:
    """What the document of a model says."""

    def __init__(self, model: dict[str, Any]) -> None:
        self._model = model
        self._versions = [version["name"] for version in model["versions"]]
        self._names = languages.reference_names(model)["rst"]
        self._schema = expressions.Language(number=str, name=str, size_of="sizeof({})".format,
                                            calls={})
        self._values = {p["name"]: p["value"] for p in model["parameters"]}
        self._values |= {f"sizeof:{name}": size for name, size in languages.SIZES.items()}
        for item in [*elements(model, "constants"), *elements(model, "structs")]:
            if item["variant"] in (None, model["default_version"]):
                name = f"sizeof:{item['name']}" if "size" in item else item["name"]
                self._values[name] = item["size" if "size" in item else "value"]

    def text(self, text: str) -> str:
        """Return prose, with the names of elements as code."""
        parts = languages.REFERENCE.split(" ".join(text.split()))
        written = SPECIAL.sub(r"\\\1", parts[0])
        for name, rest in zip(parts[1::2], parts[2::2]):
            # Markup is only seen between spaces or punctuation.
            before = "" if re.search(r"(^|[\s(\['\"/:<-])$", written) else "\\ "
            after = "" if re.match(r"[\s.,;:!?)\]'\"/>-]|$", rest) else "\\ "
            written += f"{before}{literal(self._names.get(name, name))}{after}"
            written += SPECIAL.sub(r"\\\1", rest)
        return f"\\{written}" if BLOCK.match(written) else written

    def formula(self, rpn: str) -> str:
        """Return an expression in the schema's own language."""
        return literal(expressions.infix(rpn, self._schema))

    # Versions

    def _lifetime(self, element: Element) -> tuple[str | None, str | None]:
        """Return since and until of an element, of all its variants together."""
        same = [e for kind in KINDS for e in elements(self._model, kind)
                if e["name"] == element["name"] and e.get("variant") and e.keys() == element.keys()]
        first, last = (same[0], same[-1]) if same else (element, element)
        return first["since"], last["until"]

    def _news(self, version: str, section: Element) -> Iterator[str]:
        place = self._versions.index(version)
        previous = self._versions[place - 1] if place else None
        seen = set()
        for kind, what in {**KINDS, "properties": "property"}.items():
            for element in section[kind]:
                if (kind, element["name"]) in seen:
                    continue
                seen.add((kind, element["name"]))
                name = f"the {what} {literal(element.get('property', element['name']))}"
                if kind == "properties":
                    name += f" of the {'root' if element['node'] == 'root' else 'subnodes'}"
                since, until = self._lifetime(element)
                if since == version:
                    yield f"Adds {name}: {self.text(element['doc'])}"
                elif kind == "constants":
                    yield from self._recomputed(version, element)
                elif kind == "structs":
                    yield from self._changed(version, previous, element, name)
                if until is not None and until == previous:
                    yield f"No longer has {name}."

    def _changed(self, version: str, previous: str | None, struct: Element,
                 name: str) -> Iterator[str]:
        fields = {f["name"]: f for s in elements(self._model, "structs")
                  if s["name"] == struct["name"] for f in s["fields"]}
        for field in fields.values():
            if field["since"] == version != struct["since"]:
                yield f"Adds {literal(field['name'])} to {name}: {self.text(field['doc'])}"
            if field["until"] is not None and field["until"] == previous != struct["until"]:
                yield f"Takes {literal(field['name'])} from {name}."

    def _recomputed(self, version: str, constant: Element) -> Iterator[str]:
        for old, new in zip(constant["definitions"], constant["definitions"][1:]):
            if new["versions"][0] == version and new["rpn"] != old["rpn"]:
                same = "" if constant["variant"] else (
                    f"; at {pages(self._model['page_shift'])} pages that is the same number")
                yield (f"Computes {literal(constant['name'])} as {self.formula(new['rpn'])}; "
                       f"{old['versions'][-1]} computes it as {self.formula(old['rpn'])}{same}.")

    def history(self, version: str) -> list[str]:
        """Return what a version changed, in sentences."""
        news = []
        for section in self._model["sections"]:
            if section["since"] == version:
                news.append(f"Adds `{title(section['name'])}`_: {self.text(section['doc'])}")
            else:
                news += self._news(version, section)
        return news

    def combinations(self) -> str:
        """Return the table of versions and page sizes."""
        sizes = self._model["parameters"][0]["values"]
        known = {(c["version"], c["page_shift"]): c["refused"]
                 for c in self._model["combinations"]}
        rows = [[v["name"], literal(v["compatible"]),
                 *("refused" if known[v["name"], size] else "yes" for size in sizes)]
                for v in self._model["versions"]]
        return drawings.table(["Version", "Compatible", *(f"{pages(s)} pages" for s in sizes)],
                              rows)

    def refusals(self) -> list[str]:
        """Return the reasons of those that are refused, of versions that are not here as well."""
        return [f"{one['version']} is not to be used with {pages(one['page_shift'])} pages. "
                f"{self.text(one['refused'])}"
                for one in self._model["combinations"] if one["refused"]]

    # Elements

    def _meaning(self, element: Element, section: Element, *more: str) -> str:
        notes = [self.text(element["doc"]), *more]
        if not element.get("variant"):
            notes += [f"{word.capitalize()} {element[word]}." for word in ("since", "until")
                      if element[word] and element[word] != section[word]]
        if element["upstream"]:
            notes.append(f"Upstream calls it {literal(element['upstream'])}.")
        if element["source"] != section["source"]:
            notes.append(f"Source: {self.text(element['source'])}.")
        return " ".join(notes)

    def _computed(self, constant: Element) -> Iterator[str]:
        """Yield how a constant is computed, if it is no plain number."""
        variant = constant["variant"]
        used = [d for d in constant["definitions"] if variant in (None, *d["versions"])]
        for definition in used:
            formula = self.formula(definition["rpn"])
            if len(used) == 1:
                if not definition["rpn"].isdecimal():
                    yield f"It is {formula}."
            else:
                doc = self.text(definition["doc"].removeprefix(constant["doc"]))
                yield f"In {' and '.join(definition['versions'])} it is {formula}. {doc}".rstrip()

    def constants(self, section: Element) -> str:
        """Return the table of a section's constants."""
        rows = []
        for c in section["constants"]:
            value = f"{c['value']:#x}" if c["hex"] else str(c["value"])
            rows.append([literal(c["name"]) + (f" ({c['variant']})" if c["variant"] else ""),
                         value, c["unit"] or "",
                         self._meaning(c, section, *self._computed(c))])
        return drawings.table(["Constant", "Value", "Unit", "Meaning"], rows)

    def strings(self, section: Element) -> str:
        """Return the table of a section's strings."""
        return drawings.table(
            ["String", "Value", "Meaning"],
            [[literal(s["name"]), literal(s["value"]), self._meaning(s, section)]
             for s in section["strings"]])

    def properties(self, section: Element) -> str:
        """Return the table of a section's properties."""
        return drawings.table(
            ["Node", "Property", "Type", "Unit", "Meaning"],
            [[p["node"], literal(p["property"]), p["type"], p["unit"] or "",
              self._meaning(p, section, *["It may be missing."] * p["optional"])]
             for p in section["properties"]])

    def tree(self, section: Element) -> str:
        """Draw the root FDT's nodes."""
        lines = ["/ {"]
        for node, indent in (("root", "    "), ("subnode", "        ")):
            if node == "subnode":
                lines += ["", "    NAME {"]
            lines += [f"{indent}{p['property']} = <{p['type']}>;" for p in section["properties"]
                      if p["node"] == node]
        return "\n".join([*lines, "    };", "    ...", "};"])

    def struct_name(self, struct: Element) -> str:
        """Return a struct's heading."""
        return f"struct {struct['name']}" + (
            f" ({struct['variant']})" if struct["variant"] else "")

    def facts(self, struct: Element, section: Element) -> str:
        """Return what is to be said of a struct as a whole."""
        packed = ", packed" if struct["packed"] else f", aligned to {struct['alignment']}"
        flexible = " and an array" if any(f["flexible"] for f in struct["fields"]) else ""
        return self._meaning(struct, section,
                             f"It has {struct['size']} bytes{flexible}{packed}.")

    def fields(self, struct: Element, section: Element) -> str:
        """Return the table of a struct's fields."""
        rows = []
        for f in struct["fields"]:
            length = "" if f["length"] is None else f"[{f['length']}]"
            more = []
            if f["length_rpn"] and not f["length_rpn"].isdecimal():
                more.append(f"Elements: {self.formula(f['length_rpn'])}.")
            within = {**section, **{word: struct[word] or section[word]
                                    for word in ("since", "until", "source")}}
            bits = f["bits"]
            place = f"{f['offset']}" if not bits else (
                f"{f['offset']}, bits {bits['first'] + bits['count'] - 1}..{bits['first']}")
            rows.append([place, literal(f["name"]),
                         f["type"] + ("[]" if f["flexible"] else length), f["unit"] or "",
                         self._meaning(f, within, *more)])
        return drawings.table(["Offset", "Field", "Type", "Unit", "Meaning"], rows)

    # Keys

    def _evaluate(self, rpn: str, **free: int) -> int:
        return expressions.evaluate(rpn, {**self._values, **free})

    def _address_bits(self, order: int) -> tuple[int, int]:
        """Return the order's bit in a key, and the lowest bit of an address that is in it."""
        encode = self._model["key"]["encode"]["rpn"]
        alone = self._evaluate(encode, pa=0, order=order)
        ones = self._evaluate(encode, pa=(1 << expressions.BITS) - 1, order=order) ^ alone
        return alone.bit_length() - 1, expressions.BITS - ones.bit_count()

    def orders(self) -> str:
        """Draw the keys of the smallest orders."""
        rows, ranges = [], []
        for order in range(ORDERS_DRAWN):
            bit, lowest = self._address_bits(order)
            ranges.append((bit, bit))
            rows.append((f"order {order}", [*["0"] * order, "1",
                                            f"pa, bits {expressions.BITS - 1}..{lowest}"]))
        return drawings.draw_bits([*ranges, (ranges[-1][0] - 1, 0)], rows)

    def levels(self) -> str:
        """Draw which bits of a key are the index at each level."""
        key = self._model["key"]
        ranges, names = [], []
        for level in reversed(range(self._values["tree_depth"])):
            index = functools.partial(
                self._evaluate, key["node_index" if level else "leaf_index"]["rpn"], level=level)
            count = index(key=(1 << self._values["key_width"]) - 1).bit_count()
            if count:
                # The lowest bit that makes a difference: all below it are of lower levels.
                lowest = bisect.bisect_left(range(expressions.BITS), True,
                                            key=lambda bit: index(key=(2 << bit) - 1) != 0)
                ranges.append((lowest + count - 1, lowest))
                names.append(f"level {level}" if level else "leaf")
        return drawings.draw_bits(ranges, [("index", names)])

    # Invariants

    def invariants(self) -> str:
        """Return the table of what was proved."""
        rows = []
        for one in self._model["invariants"]:
            operator = COMPARISON.search(one["holds"])
            sides: dict[str, list[str]] = {}
            for side in one["sides"]:
                shown = f"{side['left']} {operator[0] if operator else '?'} {side['right']}"
                sides.setdefault(shown, []).append(side["version"])
            numbers = "; ".join(s if len(sides) == 1 else f"{s} ({', '.join(v)})"
                                for s, v in sides.items())
            rows.append([literal(one["name"]), numbers,
                         f"{self.text(one['doc'])} {literal(one['holds'])}"])
        return drawings.table(["Invariant", "Numbers", "What holds"], rows)
