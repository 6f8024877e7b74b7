# SPDX-License-Identifier: GPL-2.0-only
"""What templates need to know of a device beyond the model: names of types, values of groups."""

from __future__ import annotations

from typing import Any

import drawings
import expressions
from documents import Document, literal
from languages import Python, camel, elements

Element = dict[str, Any]

C_TYPES = {"u8": "__u8", "u16": "__u16", "u32": "__u32", "u64": "__aligned_u64",
           "s32": "__s32", "char": "char"}
DIRECTION_NR = 8  # bits of an ioctl's number below its type


class Device:
    """What the headers and the document of a device's model say."""

    def __init__(self, model: Element) -> None:
        self._model = model
        self._prefix = model["prefix"].upper()
        self._python = Python(model)
        self._document = Document(model)
        self._constants = {c["name"]: c for c in elements(model, "constants")}

    def values(self, group: Element) -> list[Element]:
        """Return the constants of flags or of an enumeration."""
        return [c for c in self._constants.values() if c["group"] == group["name"]]

    def fields_of(self, group: Element) -> str:
        """Return which fields have a group's values, as C has them."""
        found = [f"{self._model['prefix']}_{s['name']}.{f['name']}"
                 for s in elements(self._model, "structs") for f in s["fields"]
                 if f["values"] == group["name"]]
        return " and ".join(found)

    def macro(self, element: Element) -> str:
        """Return what C calls a constant, a value or an ioctl."""
        name: str = element["name"]
        return f"{self._prefix}_{name.upper()}"

    def c_type(self, field: Element) -> str:
        """Return the type of a field in C."""
        name: str = field["type"]
        return self.c_struct(name) if field["struct"] else C_TYPES[name]

    def c_takes(self, ioctl: Element) -> str:
        """Return what an ioctl takes, needs and returns, in as few words as it can be said."""
        words = [self.c_struct(ioctl["argument"]).removeprefix("struct ")
                 if ioctl["argument"] else "0"]
        words += [ioctl["needs"]] if ioctl["needs"] else []
        words += ["returns fd"] if ioctl["returns_fd"] else []
        return ", ".join(words)

    def c_length(self, field: Element) -> str:
        """Return what stands behind an array's name in C."""
        if field["length"] is None:
            return ""
        words = field["length_rpn"].split()
        if not all(w in self._constants or w.isdecimal() or w == "+" for w in words):
            return f"[{field['length']}]"  # C computes in other ways
        return "[" + expressions.infix(field["length_rpn"], expressions.Language(
            number=str, name=lambda name: self.macro(self._constants[name]), size_of=str,
            calls={})) + "]"

    def request(self, ioctl: Element) -> int:
        """Return the number of an ioctl, without a direction and a size."""
        number: int = ioctl["number"]
        kind: int = self._constants[self._model["device"]["ioctl_type"]]["value"]
        return kind << DIRECTION_NR | number

    def type_name(self, group: Element) -> str:
        """Return what C++ calls a group."""
        name: str = group["name"]
        return name if group["flags"] else camel(name)

    def struct_format(self, struct: Element) -> str:
        """Return the format that the module struct takes."""
        return self._python.struct_format(struct) or ""

    # The document

    def ioctls(self, section: Element) -> str:
        """Return the table of a section's ioctls."""
        rows = []
        for ioctl in section["ioctls"]:
            notes = [self._document.text(ioctl["doc"])]
            if ioctl["returns_fd"]:
                notes.append("Returns a file descriptor.")
            if ioctl["needs"]:
                notes.append(f"Needs {ioctl['needs']}.")
            if ioctl["since"]:
                notes.append(f"Since {ioctl['since']}.")
            argument = literal(f"{self._model['prefix']}_{ioctl['argument']}")
            rows.append([literal(self.macro(ioctl)), f"{self.request(ioctl):#x}",
                         argument if ioctl["argument"] else "0", " ".join(notes)])
        return drawings.table(["Ioctl", "Number", "Struct", "Meaning"], rows)

    def constants(self, section: Element) -> str:
        """Return the table of a section's constants that are no values of groups."""
        own = [{**c, "name": self.macro(c)} for c in section["constants"] if not c["group"]]
        return self._document.constants({**section, "constants": own}) if own else ""

    def errors(self, errors: dict[str, str]) -> str:
        """Return the table of errnos."""
        return drawings.table(["Errno", "When"], [[name, self._document.text(doc)]
                                                  for name, doc in errors.items()])

    def own_errors(self) -> str:
        """Return the table of the errnos of each ioctl."""
        rows = []
        for ioctl in elements(self._model, "ioctls"):
            name = literal(self.macro(ioctl))
            for error, doc in ioctl["errors"].items():
                rows.append([name, error, self._document.text(doc)])
                name = ""
        return drawings.table(["Ioctl", "Errno", "When"], rows)

    def values_table(self, group: Element) -> str:
        """Return the table of a group's values."""
        rows = [[literal(self.macro(c)), f"{c['value']:#x}" if c["hex"] else str(c["value"]),
                 self._document.text(c["doc"]) + (f" Since {c['since']}." if c["since"] else "")]
                for c in self.values(group)]
        return drawings.table(["Value", "Number", "Meaning"], rows)

    def c_struct(self, name: str) -> str:
        """Return what C calls a struct."""
        return f"struct {self._model['prefix']}_{name}"
