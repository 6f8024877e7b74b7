# SPDX-License-Identifier: GPL-2.0-only
"""What templates need to know of C, C++ and Python beyond the model: names, formulas, layouts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import expressions

SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "s32": 4, "char": 1, "be32": 4}
CPP_TYPES = {"u8": "std::uint8_t", "u16": "std::uint16_t", "u32": "std::uint32_t",
             "u64": "std::uint64_t", "s32": "std::int32_t", "char": "char", "be32": "std::uint32_t"}
# The module struct: its letter for a type, and which order the bytes have to have.
STRUCT_CODES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "s32": "i",
                "char": "s", "be32": "I"}
BYTE_ORDERS = {"u16": "<", "u32": "<", "u64": "<", "s32": "<", "be32": ">"}
LARGEST_SHIFT = 63
CPP_CALLS = {"<<": "detail::shl", ">>": "detail::shr", "log2": "detail::log2_floor",
             "log2_floor": "detail::log2_floor", "ceil_div": "detail::ceil_div"}
FREE = ("pa", "order", "key", "level")  # names that the key's formulas have besides constants
LITERAL = re.compile(r"\d+ULL")
REFERENCE = re.compile(r"\{(\w+)\}")


def ident(text: str) -> str:
    """Return a version's name as an identifier."""
    return text.replace("-", "_")


def variant(element: dict[str, Any]) -> str:
    """Return what is appended to the name of an element that differs between versions."""
    return f"_{ident(element['variant'])}" if element.get("variant") else ""


def elements(model: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    """Yield everything of a kind (constants, strings, properties, structs)."""
    for section in model["sections"]:
        yield from section[kind]


def used_of(model: dict[str, Any]) -> dict[str, Any]:
    """Return what a model has of the schema that its own uses."""
    nothing: dict[str, Any] = {"namespace": "", "constants": [], "structs": []}
    used: dict[str, Any] = model.get("uses") or nothing
    return used


def camel(name: str) -> str:
    """Return a group's name as a type's."""
    return "".join(word.capitalize() for word in name.split("_"))


def device_names(model: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return how each language writes what docs refer to as {alias} and only a device has."""
    prefix = model["prefix"].upper()
    names: dict[str, dict[str, str]] = {"c": {}, "cpp": {}, "python": {}, "rst": {}}

    def add(alias: str, c: str, cpp: str, python: str) -> None:
        names["c"][alias] = names["rst"][alias] = c
        names["cpp"][alias], names["python"][alias] = cpp, python

    flags = {group["name"]: group["flags"] for group in elements(model, "groups")}
    for item in elements(model, "constants"):
        if item["group"]:
            owner = item["group"] if flags[item["group"]] else camel(item["group"])
            add(item["alias"], f"{prefix}_{item['name'].upper()}", f"{owner}::{item['within']}",
                f"{camel(item['group'])}.{item['within'].upper()}")
        else:
            add(item["alias"], f"{prefix}_{item['name'].upper()}", item["name"],
                item["name"].upper())
    for item in elements(model, "ioctls"):
        add(item["alias"], f"{prefix}_{item['name'].upper()}", f"Ioctl::{item['name']}",
            f"Ioctl.{item['name'].upper()}")
    for item in elements(model, "structs"):
        add(item["alias"], f"struct {model['prefix']}_{item['name']}", item["name"],
            f"{item['name']}")
    return names


def reference_names(model: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return how each language writes what docs refer to as {alias}."""
    if "device" in model:
        return device_names(model)
    prefix = model["prefix"]
    names: dict[str, dict[str, str]] = {"c": {}, "cpp": {}, "python": {}, "rst": {}}

    def add(alias: str, **written: str) -> None:
        for language, name in written.items():
            names[language][alias] = name

    for item in [*elements(model, "constants"), *elements(model, "strings")]:
        add(item["alias"], c=f"{prefix}_{item['name']}".upper(), cpp=item["alias"],
            python=item["name"].upper(), rst=item["name"])
    for item in elements(model, "properties"):
        name = f"prop_{item['name']}"
        add(name, c=f"{prefix}_{name}".upper(), cpp=name, python=name.upper(),
            rst=item["property"])
    for item in elements(model, "structs"):
        add(item["alias"], c=f"struct {prefix}_{item['name']}", cpp=item["alias"],
            python=item["name"], rst=f"struct {item['name']}")
    return names


class Cpp:
    """The C++ header: what depends on neither version nor page size, and the rest."""

    def __init__(self, model: dict[str, Any]) -> None:
        self.scope: str = model["namespace"].rpartition("::")[2]
        self._types: dict[str, str] = dict(CPP_TYPES)
        self._types |= {s["name"]: s["alias"] for s in elements(model, "structs")}
        self._used = used_of(model)
        self._types |= {s["name"]: self._foreign(s) for s in self._used["structs"]}
        self._alignments = {name: {size} for name, size in SIZES.items()}
        for s in [*elements(model, "structs"), *self._used["structs"]]:
            self._alignments.setdefault(s["name"], set()).add(s["alignment"])
        self._shift: str = "".join(p["name"] for p in model["parameters"])
        self._constants = {c["name"]: c for c in elements(model, "constants")}
        foreign = {c["name"]: {**c, "alias": self._foreign(c)} for c in self._used["constants"]}
        self._constants |= foreign
        dependents = {d["name"] for d in model["dependents"] if d["kind"] == "struct"}
        self._scopes = {alias: "Layout" if name in dependents else self.scope
                        for name, alias in self._types.items() if name not in CPP_TYPES}
        self.layout = list(self._layout(model))

    def _foreign(self, element: dict[str, Any]) -> str:
        """Return what is called so in the schema that is used."""
        scope = "Used" if element["dependent"] else f"::{self._used['namespace']}"
        return f"{scope}::{element['alias']}"

    def type_name(self, name: str, hiding: Iterable[str] = ()) -> str:
        """Return a struct or a primitive type; KeyError if it is neither."""
        alias = self._types[name]
        return f"{self._scopes[alias]}::{alias}" if alias in hiding else alias

    def _name(self, name: str, free: Iterable[str], hiding: Iterable[str]) -> str:
        if name in free:
            return name
        if name == self._shift:
            return f"Layout::{name}" if name in hiding else name
        constant = self._constants[name]
        alias: str = constant["alias"]
        if alias in hiding:
            alias = f"{'Layout' if constant['dependent'] else self.scope}::{alias}"
        # All arithmetic is of 64 bits, also that of the smaller constants outside the template.
        return alias if constant["dependent"] or constant["type"] == "u64" else (
            f"std::uint64_t{{{alias}}}")

    def formula(self, rpn: str, free: Iterable[str] = (), hiding: Iterable[str] = ()) -> str:
        """Return an expression: free are names of locals, hiding those of a struct's fields."""
        return expressions.infix(rpn, expressions.Language(
            number=lambda value: f"{value}ULL",
            name=lambda name: self._name(name, free, hiding),
            size_of=lambda name: f"sizeof({self.type_name(name, hiding)})",
            calls=CPP_CALLS,
            keeps_operator=lambda right: right == self._shift or (
                LITERAL.fullmatch(right) is not None and int(right[:-3]) <= LARGEST_SHIFT),
        ))

    def key_formula(self, rpn: str) -> str:
        """Return an expression of the key's."""
        return self.formula(rpn, FREE)

    def field_type(self, field: dict[str, Any], struct: dict[str, Any], is_formula: bool) -> str:
        """Return the type of a field of a struct in or outside the class template."""
        # A name must not mean two things in a struct.
        hiding = {f["name"] for f in struct["fields"]}
        name = self.type_name(field["type"], hiding)
        if field["length"] is None:
            return name
        length = self.formula(field["length_rpn"], (), hiding) if is_formula else field["length"]
        return f"std::array<{name}, {f'({length})' if '>' in str(length) else length}>"

    def alignment(self, struct: dict[str, Any]) -> str:
        """Return what a struct has to be aligned to for an array behind it, if to more."""
        *fields, last = struct["fields"]
        others = [min(self._alignments[field["type"]]) for field in fields]
        if struct["packed"] or not last["flexible"] or (
                max(self._alignments[last["type"]]) <= max(others, default=1)):
            return ""
        types = {self.type_name(field["type"]): None for field in struct["fields"]}
        # gcc 12 takes the last of several specifiers for the strictest.
        return f"std::max({{{', '.join(f'alignof({name})' for name in types)}}})"

    def choices(self, definitions: list[dict[str, Any]]) -> list[dict[str, str]]:
        """Return formulas, each with the last version that it is for; the newest has none."""
        made: list[dict[str, str]] = []
        for definition in reversed(definitions):
            formula = self.formula(definition["rpn"])
            if not made:
                made.append({"formula": formula, "last": ""})
            elif formula != made[0]["formula"]:
                made.insert(0, {"formula": formula, "last": ident(definition["versions"][-1])})
        return made

    def _layout(self, model: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield what stands in the class template, in an order that can be compiled.

        The element is the newest version's; groups are the structs of versions
        that disagree on its fields; section is one that starts there.
        """
        sections = [s for s in model["sections"] if not s["strings"] and not s["properties"]
                    and all(e["dependent"] for e in s["constants"] + s["structs"])]
        for dependent in model["dependents"]:
            kind = dependent["kind"]
            found = [e for e in elements(model, f"{kind}s") if e["name"] == dependent["name"]]
            if not found:
                continue  # no version of this model has it
            section = next((s for s in sections if found[-1] in s[f"{kind}s"]), None)
            if section:
                sections.remove(section)
            newest = {**found[-1], "variant": None, "since": found[0]["since"]}
            item = {"kind": kind, "element": newest, "variants": found, "groups": [],
                    "section": section}
            if kind == "struct" and found[-1]["fields_differ"] and len(found) > 1:
                item["groups"] = self._groups(found)
            yield item

    def _groups(self, variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Join neighbouring versions whose fields are the same; last is the last of them."""
        groups: list[dict[str, Any]] = []
        names = None
        for struct in variants:
            if names != (names := [field["name"] for field in struct["fields"]]):
                name = struct["alias"] + variant(struct)
                since = struct["variant"] if groups else struct["since"]
                groups.append({"struct": {**struct, "variant": None, "since": since},
                               "name": name})
            groups[-1]["last"] = struct["variant"]
        for group in groups[:-1]:
            group["struct"]["until"] = group["last"]
        return groups

    def selected(self, item: dict[str, Any]) -> str:
        """Return the type that a struct with groups is in the version at hand."""
        *others, newest = item["groups"]
        text = "".join(f"std::conditional_t<version <= Version::{ident(group['last'])}, "
                       f"{group['name']}, " for group in others)
        return f"{text}{newest['name']}{'>' * len(others)}"

    def values(self, model: dict[str, Any], version: str) -> Iterator[dict[str, Any]]:
        """Yield the constants and structs of the class template that a version has."""
        # They may come or go with a version that the page size cannot be used with.
        order = list(dict.fromkeys(c["version"] for c in model["combinations"]))
        place = order.index(version)
        for item in self.layout:
            for element in item["variants"]:
                first, last = element["since"], element["until"]
                if element["variant"] in (None, version) and not (
                        (first and order.index(first) > place)
                        or (last and order.index(last) < place)):
                    yield {"kind": item["kind"], "element": element}


class Python:
    """The Python module of one page size."""

    def __init__(self, model: dict[str, Any]) -> None:
        self._structs: list[dict[str, Any]] = [*used_of(model)["structs"],
                                               *elements(model, "structs")]
        self._default = model["default_version"]
        names = {}
        for item in [*model["parameters"], *used_of(model)["constants"],
                     *elements(model, "constants")]:
            # Where versions differ, the default one's.
            if item.get("variant") in (None, self._default):
                names[item["name"]] = item["name"].upper() + variant(item).upper()
        names |= {name: name for name in FREE}
        self._language = expressions.Language(
            number=str, name=names.__getitem__, size_of=self._size_of, operators={"/": "//"},
            calls={name: f"_{name}" for name in expressions.FUNCTIONS},
        )

    def _size_of(self, name: str) -> str:
        return str(SIZES[name] if name in SIZES else self._struct(name, None)["size"])

    def _struct(self, name: str, version: str | None) -> dict[str, Any]:
        for struct in self._structs:
            if struct["name"] == name and struct["variant"] in (None, version or self._default):
                return struct
        raise KeyError(name)

    def formula(self, rpn: str) -> str:
        """Return an expression."""
        return expressions.infix(rpn, self._language)

    def functions(self, key: dict[str, Any] | None) -> list[str]:
        """Return the schema's functions that the key's formulas use."""
        words = {word for value in (key or {}).values() if isinstance(value, dict)
                 for word in value["rpn"].split()}
        return sorted(words & expressions.FUNCTIONS.keys())

    def _codes(self, struct: dict[str, Any]) -> Iterator[tuple[str, int, str]]:
        """Yield code, count and byte order of each part, padding included."""
        at = 0
        for field in struct["fields"]:
            if field["flexible"] or (field.get("bits") and field["bits"]["first"]):
                continue  # the first bit field of a number stands for all of it
            if field["offset"] > at:
                yield "x", field["offset"] - at, ""
            at = field["offset"] + field["size"]
            count = 1 if field["length"] is None else field["length"]
            if field["struct"]:
                inner = list(self._codes(self._struct(field["type"], field["type_variant"])))
                yield from inner * count
            else:
                yield STRUCT_CODES[field["type"]], count, BYTE_ORDERS.get(field["type"], "")
        if struct["size"] > at:
            yield "x", struct["size"] - at, ""

    def struct_format(self, struct: dict[str, Any]) -> str | None:
        """Return the format that the module struct takes; None if byte orders are mixed."""
        text, last = "", ("", 0)
        orders: set[str] = set()
        for code, count, order in self._codes(struct):
            orders |= {order} - {""}
            if code == last[0] and code != "s":
                last = (code, last[1] + count)
                continue
            text, last = text + _counted(*last), (code, count)
        text += _counted(*last)
        return None if len(orders) > 1 else (orders.pop() if orders else "<") + text


def _counted(code: str, count: int) -> str:
    return code if count == 1 or not code else f"{count}{code}"


def with_names(text: str, names: dict[str, str]) -> str:
    """Replace each {alias}; names that an older version lacks are left as the schema has them."""
    return REFERENCE.sub(lambda match: names.get(match[1], match[1]), text)


def in_c_comment(text: str, names: dict[str, str]) -> str:
    """Replace each {alias} and what would end a comment or begin one."""
    return with_names(text, names).replace("*/", "* /").replace("/*", "/ *")


def literal(text: str) -> str:
    """Return a string literal of C, C++ or Python."""
    return json.dumps(text, ensure_ascii=False)
