# SPDX-License-Identifier: GPL-2.0-only
"""Files that only compile if the headers of a device say what its model says."""

from __future__ import annotations

from typing import Any


def all_of(model: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return everything of a kind (constants, groups, ioctls, structs)."""
    return [one for section in model["sections"] for one in section[kind]]


def numbers(model: dict[str, Any]) -> dict[str, int]:
    """Return what all that C computes of a device has to be."""
    prefix = model["prefix"]
    found = {f"{prefix}_{c['name']}".upper(): c["value"]
             for c in all_of(model, "constants")}
    kind = found[f"{prefix}_{model['device']['ioctl_type']}".upper()]
    for ioctl in all_of(model, "ioctls"):
        found[f"{prefix}_{ioctl['name']}".upper()] = kind << 8 | ioctl["number"]
    for s in all_of(model, "structs"):
        name = f"struct {prefix}_{s['name']}"
        found[f"sizeof({name})"] = s["size"]
        for field in s["fields"]:
            found[f"__builtin_offsetof({name}, {field['name']})"] = field["offset"]
            found[f"sizeof((({name} *)0)->{field['name']})"] = field["size"]
    return found


def asserted(model: dict[str, Any]) -> str:
    """Return a file that only compiles if C computes all of that."""
    lines = [f'#include "{model["prefix"]}.h"']
    for at, (what, number) in enumerate(numbers(model).items()):
        lines.append(f"char proof_{at}[{what} == {number}ULL ? 1 : -1];")
    return "\n".join(lines) + "\n"


def compared(model: dict[str, Any]) -> str:
    """Return a file that only compiles if C++ has all that C has."""
    prefix = model["prefix"]
    flags = {g["name"]: g["flags"] for g in all_of(model, "groups")}
    lines = [f'#include "{prefix}.h"', f'#include "{prefix}.hpp"',
             f"namespace d = {model['namespace']};"]

    def same(c: str, cpp: str) -> None:
        lines.append(f"static_assert({c} == {cpp});")

    for c in all_of(model, "constants"):
        macro = f"{prefix}_{c['name']}".upper()
        if not c["group"]:
            same(macro, f"d::{c['name']}")
        elif flags[c["group"]]:
            same(macro, f"d::{c['group']}::{c['within']}")
        else:
            name = "".join(word.capitalize() for word in c["group"].split("_"))
            same(macro, f"static_cast<__u32>(d::{name}::{c['within']})")
    ioctls = all_of(model, "ioctls")
    same(str(len(ioctls)), "d::ioctls.size()")
    for at, ioctl in enumerate(ioctls):
        macro = f"{prefix}_{ioctl['name']}".upper()
        same(macro, f"static_cast<unsigned>(d::Ioctl::{ioctl['name']})")
        lines.append(f"static_assert(d::ioctls[{at}].number == d::Ioctl::{ioctl['name']});")
        size = f"sizeof({prefix}_{ioctl['argument']})" if ioctl["argument"] else "0"
        same(size, f"d::ioctls[{at}].size")
    for s in all_of(model, "structs"):
        c_name, cpp_name = f"{prefix}_{s['name']}", f"d::{s['name']}"
        same(f"sizeof({c_name})", f"sizeof({cpp_name})")
        same(str(len(s["fields"])), f"{cpp_name}_fields.size()")
        for at, f in enumerate(s["fields"]):
            row = f"{cpp_name}_fields[{at}]"
            same(f"offsetof({c_name}, {f['name']})", f"offsetof({cpp_name}, {f['name']})")
            same(f"offsetof({c_name}, {f['name']})", f"{row}.offset")
            same(f"sizeof({c_name}::{f['name']})", f"sizeof({cpp_name}::{f['name']})")
            same(f"sizeof({c_name}::{f['name']})", f"{row}.size * {row}.length")
            same(f'std::string_view("{f["name"]}")', f"{row}.name")
            lines.append(f"static_assert({row}.text == std::is_same_v<char, "
                         f"std::remove_extent_t<decltype({c_name}::{f['name']})>>);")
        if not s["stream"] and s["fields"][0]["name"] == "size":
            same(f"{cpp_name}{{}}.size", f"sizeof({c_name})")
    return "\n".join(lines) + "\n"
