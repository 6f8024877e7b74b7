# SPDX-License-Identifier: GPL-2.0-only
"""Random devices that are sound, and changes of them that break a program or do not.

By hand: random_device.py SEED prints one; JSON is YAML.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from collections.abc import Callable
from typing import Any

SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "char": 1}
UNIT = 8
Device = dict[str, Any]
Change = Callable[[random.Random, Device], object]


class _Fields:
    """Fields without a hole between them."""

    def __init__(self, rng: random.Random, parts: dict[str, int]) -> None:
        self._rng = rng
        self._parts = parts
        self.at = 0
        self.fields: list[Device] = []

    def add(self, kind: str, length: int | None = None, **more: Any) -> None:
        size = SIZES.get(kind) or self._parts[kind]
        self.pad(min(size, UNIT))
        field = {"name": f"f{len(self.fields)}", "type": kind, "doc": "d", **more}
        if length is not None:
            # Half of them as a formula, which C writes with the constant's name.
            field["length"] = str(length) if self._rng.random() < .5 or length <= 2 else (
                f"two + {length - 2}")
        self.fields.append(field)
        self.at += size * (length or 1)

    def pad(self, to: int) -> None:
        if missing := -self.at % to:
            self.add("u8", missing, name=f"reserved{len(self.fields)}")

    def fill(self, groups: list[str]) -> None:
        for _ in range(self._rng.randint(1, 8)):
            kind = self._rng.choice([*SIZES, *self._parts])
            if groups and self._rng.random() < .2:
                self.add("u32", values=self._rng.choice(groups))
            else:
                self.add(kind, self._rng.choice([None, None, self._rng.randint(1, 20)]))
        self.pad(UNIT)


def _group(rng: random.Random, flags: bool) -> Device:
    values = [1 << bit for bit in rng.sample(range(32), 4)] if flags else rng.sample(range(99), 4)
    return {"doc": "d", "values": {f"v{at}": {"value": value, "doc": "d"}
                                   for at, value in enumerate(values)}}


def make(seed: int) -> Device:
    """Return a device."""
    rng = random.Random(seed)
    flags = {f"bits{at}": {**_group(rng, True), "prefix": f"b{at}"} for at in range(2)}
    enums = {f"state{at}": {**_group(rng, False), "prefix": f"s{at}"} for at in range(2)}
    structs: Device = {}
    parts: dict[str, int] = {}
    for at in range(6):
        fields = _Fields(rng, {} if at < 2 else parts)
        if at >= 4:
            fields.add("u32", name="size")
        fields.fill([*flags, *enums])
        structs[f"t{at}"] = {"doc": "d", "fields": fields.fields,
                             **({"stream": True} if at in (2, 3) else {})}
        if at < 2:
            parts[f"t{at}"] = fields.at
    # Whatever is no field of a random other is one of this.
    holder = _Fields(rng, parts)
    for name in parts:
        holder.add(name)
    structs["holder"] = {"doc": "d", "stream": True, "fields": holder.fields}
    numbers = rng.sample(range(256), 4)
    ioctls: Device = {f"i{at}": {"nr": number, "doc": "d"} for at, number in enumerate(numbers)}
    for at in (0, 1):
        ioctls[f"i{at}"] |= {"argument": f"t{4 + at}", "returns": rng.choice(["0", "fd"]),
                             "needs": "CAP_SYS_ADMIN", "errors": {"EBUSY": "d"}}
    constants = {"type": {"value": rng.randrange(256), "doc": "d"}, "two": {"value": 2, "doc": "d"},
                 "most": {"value": rng.randrange(1, 1 << 31), "limit": True, "doc": "d"},
                 "wide": {"value": rng.randrange(1 << 64), "type": "u64", "doc": "d"}}
    return {"format": 1, "kind": "device", "version": 1, "prefix": "r", "path": "/dev/r",
            "doc": "d", "sections": {"all": {"doc": "d", "constants": constants, "flags": flags,
                                             "enums": enums, "structs": structs,
                                             "ioctls": ioctls}}}


def _part(device: Device, kind: str) -> Device:
    found: Device = device["sections"]["all"][kind]
    return found


def _fields(device: Device, struct: str) -> list[Device]:
    found: list[Device] = _part(device, "structs")[struct]["fields"]
    return found


def _set_value(rng: random.Random, device: Device, kind: str, group: str) -> None:
    values = _part(device, kind)[group]["values"]
    taken = {one["value"] for one in values.values()}
    free = [v for v in (1 << bit for bit in range(32)) if v not in taken]
    values[rng.choice(list(values))]["value"] = rng.choice(free)


def _add_value(rng: random.Random, device: Device, kind: str, group: str) -> None:
    values = _part(device, kind)[group]["values"]
    taken = {one["value"] for one in values.values()}
    free = [v for v in (1 << bit for bit in range(32)) if v not in taken]
    values["late"] = {"value": rng.choice(free), "doc": "d"}


def _other_number(rng: random.Random, device: Device) -> None:
    ioctls = _part(device, "ioctls")
    taken = {one["nr"] for one in ioctls.values()}
    ioctls[rng.choice(list(ioctls))]["nr"] = rng.choice([n for n in range(256) if n not in taken])


def _push(device: Device, struct: str) -> None:
    """Put something before all others but the size."""
    fields = _fields(device, struct)
    at = 1 if fields[0]["name"] == "size" else 0
    fields[at:at] = [{"name": f"first{n}", "type": "u32", "doc": "d"} for n in range(2)]


KEEPS: dict[str, Change] = {
    "a field behind all others": lambda rng, d: _fields(d, rng.choice(["t4", "t5"])).append(
        {"name": "late", "type": "u64", "doc": "d"}),
    "a flag": lambda rng, d: _add_value(rng, d, "flags", "bits1"),
    "a value": lambda rng, d: _add_value(rng, d, "enums", "state0"),
    "a constant": lambda rng, d: _part(d, "constants").update(
        late={"value": rng.randrange(99), "doc": "d"}),
    "a larger limit": lambda rng, d: _part(d, "constants")["most"].update(value=(1 << 31) - 1),
    "an errno": lambda rng, d: _part(d, "ioctls")["i1"]["errors"].update(EINTR="d"),
    "no capability": lambda rng, d: _part(d, "ioctls")["i0"].pop("needs"),
    "another version": lambda rng, d: d.update(version=2),
    "an ioctl": lambda rng, d: _part(d, "ioctls").update(late={"nr": next(
        n for n in range(256) if all(n != one["nr"] for one in _part(d, "ioctls").values())),
        "argument": "t4", "doc": "d"}),
}
BREAKS: dict[str, Change] = {
    "fields that are gone": lambda rng, d: _part(d, "structs")["t2"].update(
        fields=[{"name": "only", "type": "u64", "doc": "d"}]),
    "fields that move": lambda rng, d: _push(d, rng.choice(["t2", "t3", "t4", "t5"])),
    "a longer stream": lambda rng, d: _fields(d, rng.choice(["t2", "t3"])).append(
        {"name": "late", "type": "u64", "doc": "d"}),
    "a longer part": lambda rng, d: _fields(d, rng.choice(["t0", "t1"])).append(
        {"name": "late", "type": "u64", "doc": "d"}),
    "a flag's value": lambda rng, d: _set_value(rng, d, "flags", "bits0"),
    "a value": lambda rng, d: _set_value(rng, d, "enums", "state1"),
    "a constant": lambda rng, d: _part(d, "constants")["wide"].update(
        value=_part(d, "constants")["wide"]["value"] ^ 1),
    "a smaller limit": lambda rng, d: _part(d, "constants")["most"].update(value=0),
    "a number": _other_number,
    "an ioctl that is gone": lambda rng, d: _part(d, "ioctls").pop(rng.choice(["i2", "i3"])),
    "another argument": lambda rng, d: _part(d, "ioctls")["i2"].update(argument="t4"),
    "a new name": lambda rng, d: _part(d, "ioctls").update(
        other=_part(d, "ioctls").pop(rng.choice(["i2", "i3"]))),
    "a capability": lambda rng, d: _part(d, "ioctls")["i3"].update(needs="CAP_SYS_BOOT"),
}


def changed(seed: int, device: Device, change: Change) -> Device:
    """Return another device."""
    other = copy.deepcopy(device)
    change(random.Random(seed), other)
    return other


if __name__ == "__main__":
    print(json.dumps(make(int(sys.argv[1])), indent=2))
